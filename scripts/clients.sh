# The clients (TypeScript): types, unit tests, and one short case of each player against the server, in Chromium. What is missing is
# told and left out: neither Node.js nor a browser is needed to build and run Ocelli.
. scripts/env.sh

if ! command -v npm >/dev/null; then
    echo "Node.js is missing, so the clients' tests are left out (install Node.js 20 or newer with npm)"
    exit 0
fi
cd clients
npm ci --no-audit --no-fund --loglevel=error
npm run build --silent
npm test --silent
if [ ! -x /usr/bin/chromium ]; then
    echo "Chromium is missing, so nothing is played (./dev setup installs it)"
    exit 0
fi
cd ..
cargo build --locked --quiet --package ocelli-server
played() {
    node clients/demo/dist/real.js --server "${CARGO_TARGET_DIR:-target}/debug/ocelli" --brief
}
# A browser may fail to start or to show anything on a machine that is busy; a picture that is off is off the second time, too.
played || { echo "once more:" && played; }
