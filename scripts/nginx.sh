# For ./dev bench: nginx and its RTMP module out of Debian's packages (0.7 MB), whose signatures apt checks. They are unpacked below
# $OCELLI_HOME and not installed: no service starts. Where they cannot be had, benchmarks leave out the rows against them.
. scripts/env.sh

folder=$OCELLI_HOME/nginx
! [ -f "$folder/usr/lib/nginx/modules/ngx_rtmp_module.so" ] || exit 0
command -v apt-get >/dev/null || { echo "   no apt-get: no nginx to compare with"; exit 0; }

step "nginx with its RTMP module, to compare with"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# apt fetches without root's rights, into a folder that it may write to.
chmod 755 "$work"
if ! (cd "$work" && apt-get download -q nginx libnginx-mod-rtmp >log 2>&1); then
    tail -n 3 "$work/log"
    echo "   apt-get cannot fetch it: no nginx to compare with"
    exit 0
fi
for package in "$work"/*.deb; do
    dpkg-deb --extract "$package" "$work/unpacked"
done
rm -rf "$folder"
mkdir -p "$OCELLI_HOME"
mv "$work/unpacked" "$folder"
