"""What scripts/assets.toml says, as values."""

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


class SetupError(Exception):
    """Set-up cannot go on; the text is one line that names the remedy."""


@dataclass(frozen=True)
class Pinned:
    """One file: where it comes from, where below the data folder it goes, and what it must be."""

    source: str
    target: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Conversion:
    """A script of this repository that turns a folder of the archive into one file."""

    script: str
    output: Pinned


@dataclass(frozen=True)
class Asset:
    """One archive of a package registry and what is taken from it."""

    name: str
    version: str | None
    registry: str
    arch: str | None
    wheel: dict
    size_bytes: int
    sha256: str | None
    why: str
    files: tuple[Pinned, ...]
    conversion: Conversion | None
    # Changes with anything the manifest says about this asset.
    digest: str

    def targets(self):
        """Everything this asset leaves in the data folder."""
        return (*self.files, self.conversion.output) if self.conversion else self.files


def load(path):
    """All assets of the manifest, for every machine."""
    try:
        entries = tomllib.loads(path.read_text())["asset"]
        return [parse_asset(entry) for entry in entries]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise SetupError(f"{path} cannot be used ({error!r}): restore it with git") from error


def parse_asset(entry):
    registry = entry["registry"]
    if registry not in ("pypi", "npm", "deb"):
        raise ValueError(f"unknown registry {registry}")
    if registry != "deb" and not (entry["version"] and entry["sha256"]):
        raise ValueError(f"{entry['name']} is not pinned")
    convert = entry.get("convert")
    return Asset(
        name=entry["name"],
        version=entry.get("version"),
        registry=registry,
        arch=entry.get("arch"),
        wheel=entry.get("wheel", {}),
        size_bytes=entry["bytes"],
        sha256=entry.get("sha256"),
        why=entry["why"],
        files=tuple(parse_file(file) for file in entry["files"]),
        conversion=convert and Conversion(convert["script"], parse_file(convert)),
        digest=hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest(),
    )


def parse_file(entry):
    target = PurePosixPath(entry["to"])
    if target.is_absolute() or ".." in target.parts:
        raise ValueError(f"{target} leaves the data folder")
    if len(entry["sha256"]) != 64:
        raise ValueError(f"{target} has no sha256")
    return Pinned(entry["from"], str(target), entry["bytes"], entry["sha256"])


def for_machine(assets, machine):
    """The assets for one machine (as uname -m names it)."""
    chosen = [asset for asset in assets if asset.arch in (None, machine)]
    known = {asset.arch for asset in assets if asset.arch}
    if machine not in known:
        raise SetupError(f"no model runtime is pinned for {machine}, only for {', '.join(sorted(known))}")
    return chosen


def sha256_of(path: Path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_file(path, pinned_bytes, pinned_sha256, what):
    """Raises unless the file is exactly the pinned one."""
    actual = path.stat().st_size
    if pinned_bytes is not None and actual != pinned_bytes:
        raise SetupError(f"{what} has {actual} bytes, {pinned_bytes} are pinned: nothing was installed; try again later")
    if pinned_sha256 is not None and sha256_of(path) != pinned_sha256:
        raise SetupError(f"{what} has another sha256 than the pinned one: nothing was installed; try again later")
