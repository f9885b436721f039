# ./dev setup [--verify]: everything building, testing and running need. A second run downloads nothing.
. scripts/env.sh

need python3 "install Python 3.11 or newer (Debian: apt-get install python3 python3-venv)"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die 2 "python3 is too old: Python 3.11 or newer is needed"
bash scripts/packages.sh
exec python3 scripts/assets "$@"
