# ./dev soak [--minutes M] [--seed S]: damaged clips through the binary, each run bounded and checked.
. scripts/env.sh

bash scripts/setup.sh
step "release build"
cargo build --locked --release --package ocelli-server
exec python3 scripts/soak.py --binary target/release/ocelli --footage "$OCELLI_HOME/footage" "$@"
