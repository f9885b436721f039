# ./dev bench [ARGUMENTS]: CPU seconds against the floor and against what people use today.
. scripts/env.sh

bash scripts/setup.sh
python3 scripts/assets venv venv-bench scripts/bench-requirements.txt "the programs that benchmarks compare with"
bash scripts/nginx.sh
step "release build"
cargo build --locked --release --workspace
exec "$OCELLI_HOME/venv-bench/bin/python" benches/run.py "$@"
