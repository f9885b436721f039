"""What was seen, as a table. usage: python3 scripts/demo_table.py RESULTS.jsonl"""

import json
import sys
from collections import Counter
from dataclasses import dataclass


@dataclass
class Seen:
    """One label over a whole clip."""

    frames: int = 0
    most: int = 0
    best: float = 0.0
    first: float = 0.0
    last: float = 0.0


def read(path):
    """The results, one per analysed frame; a broken line is an error that names it."""
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield json.loads(line)
            except ValueError as error:
                sys.exit(f"{path}:{number}: not JSON: {error}")


def tally(results):
    """Label -> Seen, and how many frames were analysed."""
    labels, count = {}, 0
    for result in results:
        count += 1
        in_frame = Counter(detection["label"] for detection in result["detections"])
        for label, many in in_frame.items():
            seen = labels.setdefault(label, Seen(first=result["seconds"]))
            seen.frames += 1
            seen.most = max(seen.most, many)
            seen.last = result["seconds"]
        for detection in result["detections"]:
            seen = labels[detection["label"]]
            seen.best = max(seen.best, detection["confidence"])
    return labels, count


def main(path):
    labels, count = tally(read(path))
    if count == 0:
        sys.exit(f"{path}: no frame was analysed")
    print(f"   {count} frames analysed")
    if not labels:
        print("   nothing was seen")
        return
    print(f"   {'label':<16}{'frames':>8}{'most at once':>14}{'best':>7}{'first':>9}{'last':>9}")
    for label, seen in sorted(labels.items(), key=lambda item: -item[1].frames):
        times = f"{seen.first:>8.1f}s{seen.last:>8.1f}s"
        print(f"   {label:<16}{seen.frames:>8}{seen.most:>14}{seen.best:>7.2f}{times}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
