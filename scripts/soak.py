"""Damaged clips through `ocelli analyze`: each run ends in time, in bounds, with a lawful status and valid output.

usage: python3 scripts/soak.py --binary PATH --footage FOLDER [--minutes M] [--seed S]

A failure prints the seed that makes the same damaged clip again, and keeps the clip in var/soak/.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

LAWFUL = {0, 1, 2}
STDERR_BYTES = 64 << 10
# A clip of these takes a few seconds on one core; damage must not make it take for ever.
TIME_LIMIT_S = 120
# Model, runtime and decoder need about 300 MB; address space is larger than what is resident.
ADDRESS_SPACE_BYTES = 4 << 30
# So that one round passes quickly: a cut is one more kind of damage.
LONGEST_CLIP_BYTES = 2 << 20
KEPT = Path("var/soak")


def damage(clip, dice):
    """A damaged copy: bits flipped, now and then a hole, a repeated piece, or the end missing."""
    data = bytearray(clip[: dice.randint(1, LONGEST_CLIP_BYTES)] if dice.random() < 0.3 else clip[:LONGEST_CLIP_BYTES])
    # From one flipped bit in the whole clip to one in every 2 kB.
    for _ in range(int(len(data) / 2048 * dice.random() ** 4) + 1):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    if dice.random() < 0.3:
        start = dice.randrange(len(data))
        piece = data[start : start + dice.randint(1, 65536)]
        data[start : start + len(piece)] = dice.choice([b"", bytes(len(piece)), piece + piece])
    return bytes(data)


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))


def run(binary, path, fps, out):
    """(exit status or None where time ran out, stdout, stderr); output goes through files, so it is bounded by disk."""
    command = [binary, "analyze", str(path), "--fps", fps]
    with (out / "stdout").open("w+b") as stdout, (out / "stderr").open("w+b") as stderr:
        try:
            status = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                timeout=TIME_LIMIT_S, preexec_fn=limit_memory,
            ).returncode
        except subprocess.TimeoutExpired:
            status = None
        stdout.seek(0)
        stderr.seek(0)
        return status, stdout.read(), stderr.read(STDERR_BYTES + 1)


def complaints(status, stdout, stderr):
    """What is wrong with one run; empty when all is well."""
    if status is None:
        yield f"still running after {TIME_LIMIT_S} s"
    elif status not in LAWFUL:
        yield f"exit status {status}"
    if len(stderr) > STDERR_BYTES:
        yield f"more than {STDERR_BYTES} bytes on stderr"
    if b"panicked at" in stderr:
        yield "a panic"
    if status in (1, 2) and not stderr.strip():
        yield f"exit status {status} without a word"
    yield from bad_lines(stdout)


def bad_lines(stdout):
    if stdout and not stdout.endswith(b"\n"):
        yield "the last line of stdout is not whole"
    pts = None
    for number, line in enumerate(stdout.splitlines(), 1):
        try:
            result = json.loads(line)
            run_pts = (result["run"], result["pts"])
        except (ValueError, KeyError, TypeError):
            yield f"line {number} of stdout is no result: {line[:80]!r}"
            return
        if pts is not None and run_pts[0] == pts[0] and run_pts[1] <= pts[1]:
            yield f"line {number}: PTS {run_pts[1]} after {pts[1]} in the same run"
            return
        pts = run_pts


def one_round(binary, clips, seed, out):
    """Runs one damaged clip; (status, complaints, the clip that was damaged)."""
    dice = random.Random(seed)
    source = dice.choice(clips)
    path = out / f"damaged{source.suffix}"
    path.write_bytes(damage(source.read_bytes(), dice))
    fps = dice.choice(["1", "5", "all"])
    status, stdout, stderr = run(binary, path, fps, out)
    wrong = list(complaints(status, stdout, stderr))
    if wrong:
        keep(path, seed, fps, stderr)
    return status, wrong, source.name


def keep(path, seed, fps, stderr):
    KEPT.mkdir(parents=True, exist_ok=True)
    path.replace(KEPT / f"{seed}-fps-{fps}{path.suffix}")
    (KEPT / f"{seed}.stderr").write_bytes(stderr)


def parse(arguments):
    parser = argparse.ArgumentParser(description="damaged clips through `ocelli analyze`")
    parser.add_argument("--binary", required=True)
    parser.add_argument("--footage", required=True, type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1, help="of the first round; round k uses seed + k")
    return parser.parse_args(arguments)


def main(arguments):
    options = parse(arguments)
    binary = Path(options.binary).resolve(strict=True)
    clips = sorted(path for path in options.footage.iterdir() if path.suffix in (".mp4", ".avi"))
    if not clips:
        sys.exit(f"soak: no clip in {options.footage}: run ./dev setup")
    end = time.monotonic() + options.minutes * 60
    seed, statuses, failures = options.seed, Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < end:
            status, wrong, name = one_round(binary, clips, seed, Path(folder))
            statuses["no end" if status is None else status] += 1
            for complaint in wrong:
                print(f"seed {seed}, {name}: {complaint}", flush=True)
            failures += bool(wrong)
            seed += 1
    rounds = seed - options.seed
    spread = ", ".join(f"{count} ended with {status}" for status, count in sorted(statuses.items(), key=str))
    print(f"soak: {rounds} damaged clips, seeds {options.seed} to {seed - 1}: {spread}; {failures} broke a rule")
    if failures:
        sys.exit(f"soak: the clips are in {KEPT}/")


if __name__ == "__main__":
    main(sys.argv[1:])
