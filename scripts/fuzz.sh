# ./dev fuzz [SECONDS] [TARGET...]: each fuzz target for SECONDS (default 60).
. scripts/env.sh

seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die 2 "usage: ./dev fuzz [SECONDS] [TARGET...]"
shift || true
[ -f fuzz/Cargo.toml ] || die 2 "there is no fuzz/Cargo.toml: no fuzz target yet"
cargo fuzz --version >/dev/null 2>&1 || die 2 "cargo-fuzz is missing: cargo install cargo-fuzz --locked"

# libFuzzer's instrumentation is a nightly flag; this lets the pinned stable compiler take it.
export RUSTC_BOOTSTRAP=1
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo fuzz list)
[ ${#targets[@]} -gt 0 ] || die 2 "fuzz/ has no target"
for target in "${targets[@]}"; do
    step "$target for $seconds s"
    cargo fuzz run "$target" -- -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10
done
