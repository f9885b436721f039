# ./dev proof [--watch | ARGUMENTS]: what the page shows is what the model saw, with a real browser, server and publisher.
. scripts/env.sh

need npm "install Node.js 20 or newer"
bash scripts/setup.sh
step "release build"
cargo build --locked --release --package ocelli-server
step "clients"
cd clients
npm ci --no-audit --no-fund --loglevel=error
npm run build --silent
cd ..
script=real
if [ "${1:-}" = --watch ]; then
    script=watch
    shift
fi
exec node "clients/demo/dist/$script.js" --server "${CARGO_TARGET_DIR:-target}/release/ocelli" "$@"
