# ./dev check [--fast]: the project's rules. --fast leaves out what compiles (CI gets that from its tests).
. scripts/env.sh

need cargo "install Rust 1.95 or newer (rustup)"
cargo fmt --version >/dev/null 2>&1 || die 2 "rustfmt is missing: rustup component add rustfmt clippy"

step "rustfmt"
cargo fmt --all -- --check || die 1 "formatting differs: run 'cargo fmt --all'"

step "self-tests of the scripts"
for folder in scripts scripts/tidy scripts/assets benches; do
    python3 -m unittest discover --start-directory "$folder" --quiet
done

step "tidy: edges, licences, sizes, unused dependencies, scripts"
python3 scripts/tidy

step "deploy: Dockerfile, compose file, unit (linted, not run)"
bash scripts/deploy.sh

shopt -s nullglob
# Each generator has a script here that fails with --check when the committed file is not what it would write.
for generator in scripts/generated/*.sh; do
    step "$generator --check"
    bash "$generator" --check
done
[ "${1:-}" != --fast ] || exit 0

step "clippy"
cargo clippy --locked --workspace --all-targets -- -D warnings
step "documentation"
bash scripts/docs.sh
