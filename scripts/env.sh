# Sourced by the scripts behind ./dev, from the repository's root: where things are, and how to stop.
set -euo pipefail

OCELLI_HOME=$(realpath -m "${OCELLI_HOME:-${XDG_DATA_HOME:-$HOME/.local/share}/ocelli}")
# Reference models and contracts beside a checkout; tests that need them skip, and say so, where they are absent.
OCELLI_SHARED=$(realpath -m "${OCELLI_SHARED:-../shared}")
# Python's caches belong to no source folder.
PYTHONDONTWRITEBYTECODE=1
export OCELLI_HOME OCELLI_SHARED PYTHONDONTWRITEBYTECODE

CONVERT_PYTHON=$OCELLI_HOME/venv-convert/bin/python

# die STATUS MESSAGE: one line that names the remedy.
die() {
    echo "dev: $2" >&2
    exit "$1"
}

# need COMMAND REMEDY
need() {
    command -v "$1" >/dev/null || die 2 "'$1' is missing: $2"
}

step() {
    echo "== $*"
}

# What reads exports back and calls the server in tests, in venv-readers: 123 MB that neither the product nor the demo needs.
readers() {
    python3 scripts/assets venv venv-readers scripts/test-requirements.txt "pycocotools and motmetrics, to read exports back; httpx, websockets and OpenCV, to be clients of the contracts"
}

# Runs the workspace's tests; the runner's closing lines come last, so that the counts are seen.
run_tests() {
    need cargo "install Rust 1.95 or newer (rustup)"
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --locked "$@"
    else
        echo "cargo-nextest is missing, so plain 'cargo test' runs ('cargo install cargo-nextest --locked' gets it)"
        cargo test --locked --no-fail-fast "$@"
    fi
}
