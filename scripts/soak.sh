# ./dev soak [--minutes M] [--seed S]: damaged clips through the binary, each run bounded and checked.
# ./dev soak serve [--minutes M] [--streams N]: streams of a running server, which ends where it was after warm-up.
# ./dev soak viewers [N]: N viewers of one stream (default 500), half of whom never read; the others miss nothing, memory is bounded.
# ./dev soak kills [KILLS]: a server of 8 recorded streams, killed at random points (default 50); nothing sealed is lost, no file lies about.
. scripts/env.sh

bash scripts/setup.sh
if [ "${1:-}" = kills ]; then
    export OCELLI_TEST_KILLS=${2:-50} OCELLI_TEST_STREAMS=8 OCELLI_TEST_SEED=${OCELLI_TEST_SEED:-$RANDOM}
    step "$OCELLI_TEST_KILLS kills, seed $OCELLI_TEST_SEED"
    exec cargo test --locked --package ocelli-server --test it -- --nocapture kills_at_any_moment
fi
if [ "${1:-}" = viewers ]; then
    export OCELLI_TEST_VIEWERS=${2:-500} OCELLI_TEST_SECONDS=${OCELLI_TEST_SECONDS:-90}
    step "$OCELLI_TEST_VIEWERS viewers for $OCELLI_TEST_SECONDS s, half of whom never read"
    exec cargo test --locked --package ocelli-server --test it -- --nocapture who_never_reads
fi
step "release build"
cargo build --locked --release --package ocelli-server
if [ "${1:-}" = serve ]; then
    exec python3 benches/soaking.py "${@:2}"
fi
exec python3 scripts/soak.py --binary target/release/ocelli --footage "$OCELLI_HOME/footage" "$@"
