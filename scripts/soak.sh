# ./dev soak [--minutes M] [--seed S]: damaged clips through the binary, each run bounded and checked.
# ./dev soak serve [--minutes M] [--streams N]: streams of a running server, which ends where it was after warm-up.
. scripts/env.sh

bash scripts/setup.sh
step "release build"
cargo build --locked --release --package ocelli-server
if [ "${1:-}" = serve ]; then
    exec python3 benches/soaking.py "${@:2}"
fi
exec python3 scripts/soak.py --binary target/release/ocelli --footage "$OCELLI_HOME/footage" "$@"
