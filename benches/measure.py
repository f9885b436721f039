"""CPU seconds and peak memory of whole processes, sides taking turns so that a change of the machine meets all of them."""

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field


class Broken(Exception):
    """A run that failed, or sides that did not do the same work: no figure may come of it."""


@dataclass
class Side:
    """One way of doing the work: what to run, what to run for the first picture alone, and how to tell what was worked on."""

    name: str
    command: list
    startup: list
    seen: object  # path of the standard output -> list of PTS, or a count
    samples: list = field(default_factory=list)
    startups: list = field(default_factory=list)

    def cpu(self):
        return statistics.median(sample["cpu_s"] for sample in self.samples)

    def startup_cpu(self):
        return statistics.median(sample["cpu_s"] for sample in self.startups)

    def net(self):
        """CPU seconds without start-up, the loading of the model and the first picture."""
        return max(self.cpu() - self.startup_cpu(), 1e-3)

    def peak_mb(self):
        return statistics.median(sample["peak_mb"] for sample in self.samples)

    def wall(self):
        return statistics.median(sample["wall_s"] for sample in self.samples)


def run(command, output):
    """Runs to the end: user and system CPU seconds, wall seconds, peak resident MB."""
    command = [str(part) for part in command]
    with open(output, "wb") as stdout:
        started = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE)
        said = process.stderr.read().decode(errors="replace")
        # The kernel's own account of this child and of those that it waited for.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.stderr.close()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Broken(f"{' '.join(command)}\n  ended with {process.returncode}: {said.strip()[-2000:]}")
    return {
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "user_s": usage.ru_utime,
        "system_s": usage.ru_stime,
        "wall_s": wall,
        "peak_mb": usage.ru_maxrss / 1024,
    }


def take_turns(title, sides, expected, repetitions, scratch):
    """Runs all sides `repetitions` times, in turn and back; each must have worked on the `expected` PTS."""
    print(f"   {title}", end="", flush=True)
    output = scratch / "stdout"
    for repetition in range(repetitions):
        for side in sides if repetition % 2 == 0 else reversed(sides):
            side.startups.append(run(side.startup, output))
            side.samples.append(run(side.command, output))
            check(title, side, expected, side.seen(output))
            print(".", end="", flush=True)
    print("  " + ", ".join(f"{side.name} {side.cpu():.2f}" for side in sides), flush=True)


def check(title, side, expected, seen):
    """PTS for PTS; a side that has no PTS (a folder of pictures) is counted, and its own rule may take one frame more or less."""
    if isinstance(seen, int):
        if abs(seen - len(expected)) > 1:
            raise Broken(f"{title}: {side.name} gave {seen} frames, expected {len(expected)}")
    elif seen != expected:
        first = next((pair for pair in zip(seen, expected) if pair[0] != pair[1]), "the end")
        raise Broken(
            f"{title}: {side.name} worked on {len(seen)} frames, expected {len(expected)}; first difference at PTS {first}"
        )


def raw(title, sides, expected):
    """All there is to know about a group, for the JSON file."""
    of = lambda side: {
        "name": side.name,
        "command": [str(part) for part in side.command],
        "samples": side.samples,
        "startup_command": [str(part) for part in side.startup],
        "startups": side.startups,
    }
    return {"title": title, "frames": len(expected), "sides": [of(side) for side in sides]}


def json_lines_pts(path):
    with open(path) as lines:
        return [json.loads(line)["pts"] for line in lines]


def json_pts(path):
    with open(path) as text:
        return json.load(text)


def fail(message):
    print(f"bench: {message}", file=sys.stderr)
    sys.exit(1)
