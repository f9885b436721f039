"""The project's rules that no compiler knows. usage: python3 scripts/tidy"""

import json
import subprocess
import sys
from pathlib import Path

import crates
import files
from exceptions import Exceptions

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "docs/glossary.md"]


def cargo_metadata(*options):
    command = ["cargo", "metadata", "--format-version", "1", "--locked", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"tidy: cargo metadata failed:\n{done.stderr}")
    return json.loads(done.stdout)


def sources_of(package, kind):
    """The Rust text in which a dependency of that kind may be used."""
    folder = Path(package["manifest_path"]).parent
    if kind == "build":
        return "\n".join(path.read_text() for path in folder.glob("build.rs"))
    # A dev-dependency serves unit tests, which live in src, and the other kinds of targets.
    wanted = ["src"] if kind is None else ["src", "tests", "benches", "examples"]
    # A crate such as benches/ may keep its targets beside its manifest.
    roots = {Path(target["src_path"]) for target in package["targets"] if kind or "test" not in target["kind"]}
    paths = roots | {path for name in wanted for path in (folder / name).rglob("*.rs")}
    return "\n".join(path.read_text() for path in sorted(paths))


def file_findings(exceptions):
    problems, warnings = [], []
    for path in files.tracked(ROOT):
        data = (ROOT / path).read_bytes()
        bad, doubtful = files.check_file(path, data, exceptions)
        problems += bad
        warnings += doubtful
        if files.is_shell(path):
            problems += files.shell_problems(path, data)
    return problems, warnings


def document_texts():
    return {path: (ROOT / path).read_text() if (ROOT / path).is_file() else None for path in DOCUMENTS}


def main():
    exceptions = Exceptions((ROOT / "scripts/exceptions.toml").read_text())
    metadata = cargo_metadata()
    problems, warnings = file_findings(exceptions)
    problems += crates.check_edges(metadata)
    problems += crates.check_licences(metadata, exceptions)
    problems += crates.check_unused(metadata, sources_of, exceptions)
    problems += files.check_documents(document_texts())
    problems += [*exceptions.problems, *exceptions.stale()]
    for warning in warnings:
        print(f"warning: {warning}")
    for problem in problems:
        print(f"error: {problem}")
    if problems:
        sys.exit(f"tidy: {len(problems)} problems")


if __name__ == "__main__":
    main()
