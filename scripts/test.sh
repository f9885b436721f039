# ./dev test [ARGUMENTS OF THE RUNNER]: what CI runs.
. scripts/env.sh

bash scripts/setup.sh
readers
bash scripts/check.sh --fast
step "Python tests: the model converter"
"$CONVERT_PYTHON" -m unittest discover --verbose -s tools/models -t tools/models
step "clients: types, unit tests, both players in a browser"
bash scripts/clients.sh
step "Rust tests"
run_tests --workspace "$@"
