# ./dev docs: the API documentation of our crates; a warning is an error.
. scripts/env.sh

RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps "$@"
echo "$PWD/target/doc/ocelli_model/index.html"
