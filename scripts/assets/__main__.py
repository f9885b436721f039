"""Fills $OCELLI_HOME with what scripts/assets.toml pins; a second run downloads nothing.

usage: python3 scripts/assets [--verify]             everything; --verify reads each file again, not only its size
       python3 scripts/assets venv NAME REQUIREMENTS WHY  one more virtual environment of pinned wheels
"""

import fcntl
import os
import sys
from pathlib import Path

from install import Installer
from manifest import SetupError, for_machine, load

ROOT = Path(__file__).resolve().parents[2]


def main(home, arguments):
    installer = Installer(ROOT, home)
    if arguments[:1] == ["venv"] and len(arguments) == 4:
        installer.venv(arguments[1], Path(arguments[2]), arguments[3])
        return
    if arguments not in ([], ["--verify"]):
        raise SetupError("usage: ./dev setup [--verify]")

    installer.verify = bool(arguments)
    installer.venv("venv-convert", ROOT / "tools/models/requirements.txt", "numpy and onnx, for the model converter")
    assets = for_machine(load(ROOT / "scripts/assets.toml"), os.uname().machine)
    for asset in assets:
        installer.install(asset)
    installer.check_runtime(assets)
    print(installer.summary(assets))


def locked(home, work):
    """Runs `work` alone: two set-ups at once would fetch everything twice."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / "setup.lock").open("w")
    except OSError as error:
        raise SetupError(f"cannot write to {home} ({error.strerror}): set OCELLI_HOME to a folder of yours") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another ./dev setup is running: waiting for it", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        work()


def start():
    if not os.environ.get("OCELLI_HOME"):
        raise SetupError("OCELLI_HOME is not set: run this through ./dev setup")
    home = Path(os.environ["OCELLI_HOME"])
    locked(home, lambda: main(home, sys.argv[1:]))


if __name__ == "__main__":
    try:
        start()
    except SetupError as error:
        sys.exit(f"dev: {error}")
    except OSError as error:
        sys.exit(f"dev: {error}: mend that, then run ./dev setup again")
    except KeyboardInterrupt:
        sys.exit("dev: stopped; ./dev setup goes on with what is missing")
