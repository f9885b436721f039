# Installs the Debian packages that building and running need, only those missing.
. scripts/env.sh

PACKAGES=(
    libavcodec-dev libavformat-dev libavutil-dev libswresample-dev libswscale-dev # decoding; headers for the bindings
    clang libclang-dev pkg-config                               # the bindings are generated at build time
    gcc libc6-dev make cmake nasm                               # the vendored JPEG encoder with SIMD
    ffmpeg                                                      # test clips, the demo's contact sheet, the peer in benchmarks
    unzip
    # Tests read streams from a real RTSP server (30 MB).
    gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-{base,good,bad,ugly}
)

# The clients' tests play in a real browser (77 MB to download, 270 MB on disk, and what it needs); without Node.js there are none.
if command -v node >/dev/null && command -v npm >/dev/null; then PACKAGES+=(chromium); fi

need dpkg-query "this set-up knows Debian and its children; elsewhere install the equivalents of: ${PACKAGES[*]}"
# Debian's own Python comes without the parts that make a virtual environment.
python3 -c 'import ensurepip, venv' 2>/dev/null || PACKAGES+=(python3-venv)

installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${PACKAGES[@]}" 2>/dev/null |
    awk '$2 == "installed" { print $1 }' || true)
missing=()
for package in "${PACKAGES[@]}"; do
    grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    die 2 "Debian packages are missing; run: sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
fi

step "Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
simulate() { apt-get install -y --no-install-recommends --print-uris "${missing[@]}" 2>/dev/null; }
if ! uris=$(simulate); then
    apt-get update -q || die 1 "apt-get update failed: check the network and /etc/apt/sources.list"
    uris=$(simulate) || die 1 "apt cannot install ${missing[*]}: see 'apt-get install ${missing[*]}'"
fi
awk '/^\x27/ { files++; bytes += $3 } END { printf "   %d files, %.1f MB to download\n", files, bytes / 1e6 }' <<<"$uris"
install() { apt-get install -y -q --no-install-recommends "${missing[@]}" >"$1" 2>&1; }
log=$(mktemp)
# A list that is too old names files that are gone: refresh it once.
if ! install "$log" && ! { apt-get update -q >>"$log" 2>&1 && install "$log"; }; then
    tail -n 15 "$log" >&2
    die 1 "apt-get install failed (log: $log); mend that, then run ./dev setup again"
fi
rm -f "$log"
