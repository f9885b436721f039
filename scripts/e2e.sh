# ./dev e2e [ARGUMENTS OF THE RUNNER]: the tests that start the binary and look at what it leaves behind.
. scripts/env.sh

bash scripts/setup.sh
readers
run_tests --package ocelli-server "$@"
