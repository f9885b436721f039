"""Rules about the files of the repository."""

import ast
import re
import subprocess

WARN_LINES = 400
FAIL_LINES = 800
FAIL_BYTES = 1 << 20
ARCHITECTURE_LINES = 250
SOURCE_SUFFIXES = {".rs", ".py", ".sh", ".ts", ".svelte", ".css"}
SHELL_SCRIPTS = {"dev", ".ci/run"}
# A folder of one machine has no meaning on another. In pieces, so that this file passes its own rule.
MACHINE_FOLDERS = re.compile(r"(?<![\w./$}-])/(?:" + "|".join(["work", "root", r"home/\w+"]) + r")/")


def tracked(root):
    """The files git knows or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return sorted(path for path in listed.split("\0") if path and (root / path).is_file())


def check_file(path, data, exceptions):
    """(problems, warnings) of one file: size, length, machine paths, syntax of scripts."""
    problems, warnings = [], []
    if len(data) > FAIL_BYTES and not exceptions.covers("large_file", path=path):
        problems.append(f"{path}: {len(data)} bytes; data over 1 MiB is fetched at set-up, not committed")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return problems, warnings
    for number, line in enumerate(text.splitlines(), 1):
        found = MACHINE_FOLDERS.search(line)
        if found and not exceptions.covers("machine_path", path=path):
            problems.append(f"{path}:{number}: '{found.group()}' is a folder of one machine")
    if suffix(path) in SOURCE_SUFFIXES:
        lines = text.count("\n")
        if lines > FAIL_LINES and not exceptions.covers("long_file", path=path):
            problems.append(f"{path}: {lines} lines, at most {FAIL_LINES} are allowed: split it by subject")
        elif lines > WARN_LINES:
            warnings.append(f"{path}: {lines} lines; over {WARN_LINES} it is worth a look")
    if suffix(path) == ".py":
        problems += python_problems(path, text)
    return problems, warnings


def suffix(path):
    name = path.rpartition("/")[2]
    return "." + name.rpartition(".")[2] if "." in name[1:] else ""


def python_problems(path, text):
    try:
        ast.parse(text, path)
    except SyntaxError as error:
        return [f"{path}:{error.lineno}: {error.msg}"]
    return []


def shell_problems(path, data):
    checked = subprocess.run(["bash", "-n"], input=data, capture_output=True)
    if checked.returncode == 0:
        return []
    return [f"{path}: {line}" for line in checked.stderr.decode(errors="replace").splitlines()]


def is_shell(path):
    return suffix(path) == ".sh" or path in SHELL_SCRIPTS


def check_documents(texts):
    """Documents every release needs; `texts` maps a path to its text, or to None where it is missing."""
    for path, text in texts.items():
        if text is None:
            yield f"{path} is missing"
    architecture = texts.get("ARCHITECTURE.md") or ""
    lines = architecture.count("\n")
    if lines > ARCHITECTURE_LINES:
        yield f"ARCHITECTURE.md: {lines} lines, at most {ARCHITECTURE_LINES}: it is a map, not the land"
