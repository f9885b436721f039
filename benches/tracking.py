"""The tracker beside another one: how well each keeps objects apart, judged by motmetrics, and what a frame costs.

Both sides get the same detections in the same run: made-up street scenes at three rates, two real scenes of the MOT Challenge whose true boxes go
through a faulty detector, and the boxes that somebody else's tracker found there, without their ids.
"""

import json
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

import motmetrics
import numpy

from measure import Broken, Side, take_turns
from sides import PEERS

LEAST_IOU = 0.5
# Sequences of one kind differ in their seed: (name, frames a second).
KINDS = [
    ("street 30 fps", 30),
    ("street 10 fps", 10),
    ("street 5 fps", 5),
    ("TUD-Campus, truth with faults", 25),
    ("TUD-Campus, found boxes", 25),
    ("TUD-Stadtmitte, truth with faults", 25),
    ("TUD-Stadtmitte, found boxes", 25),
]
MOST_MS = 0.1
# The crowd is followed this often, so that start-up and reading weigh little; the peer takes hundreds of times as long.
TIMES, PEER_TIMES = 100, 2
PEER = "ByteTrack (cjm-byte-track)"


@dataclass(frozen=True)
class Quality:
    """IDF1, MOTA and how often objects changed their identity; means and a sum over the sequences of a kind."""

    idf1: float
    mota: float
    switches: int

    def words(self):
        return f"{self.idf1:.3f} {self.mota:.3f} {self.switches}"

    def not_below(self, other):
        """One switch in a short sequence is chance, and so is half a hundredth."""
        close = self.idf1 >= other.idf1 - 0.005 and self.mota >= other.mota - 0.005
        return close and self.switches <= other.switches + 1


class Tracking:
    """The programs, and the sequences that `tracker make` writes."""

    def __init__(self, bench):
        self.program, self.python = bench.programs / "tracker", bench.python
        self.scratch, self.folder = bench.scratch, bench.folder / "tracking"
        run = [self.program, "make", bench.home, self.folder]
        made = subprocess.run(run, capture_output=True, text=True)
        if made.returncode:
            raise Broken(made.stderr)

    def ours(self, sequence, times=1):
        of = lambda times: [self.program, "follow", sequence, times]
        return Side("ours", of(times), of(0), frames_of)

    def peer(self, sequence, fps, times=1):
        of = lambda times: [self.python, PEERS / "bytetrack.py", sequence, times, fps]
        return Side(PEER, of(times), of(0), frames_of)

    def answer(self, side):
        """What it prints, read and as a file."""
        path = self.scratch / "tracks"
        command = [str(part) for part in side.command]
        with open(path, "wb") as out:
            done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise Broken(f"{' '.join(command)}: {done.stderr.strip()[-2000:]}")
        return path, [json.loads(line) for line in path.read_text().splitlines()]

    def quality(self, name, fps, side_of):
        """Judged by motmetrics; what our own measures make of the same answer must be the same."""
        found = []
        for sequence in sorted(self.folder.glob(f"{name}~*.jsonl")):
            path, tracks = self.answer(side_of(sequence, fps))
            judged = judge([json.loads(line)["truth"] for line in open(sequence)], tracks)
            told = subprocess.run([self.program, "score", sequence, path], check=True, capture_output=True).stdout
            agree(sequence.stem, judged, Quality(*json.loads(told)))
            found.append(judged)
        if not found:
            raise Broken(f"no sequence is called {name}")
        mean = lambda values: statistics.fmean(values)
        return Quality(mean(q.idf1 for q in found), mean(q.mota for q in found), sum(q.switches for q in found))

    def measure(self, table, repetitions):
        """Adds a row for each kind of sequence and one for the cost; returns the raw figures."""
        raw = []
        for name, fps in KINDS:
            ours = self.quality(name, fps, lambda sequence, _: self.ours(sequence))
            peer = self.quality(name, fps, self.peer)
            row = (f"tracks, {name}: IDF1 MOTA switches", PEER, ours.words(), peer.words())
            table.value(*row, "not below", ours.not_below(peer))
            raw.append({"name": name, "ours": vars(ours), "peer": vars(peer)})
        sequence = self.folder / "crowd~0.jsonl"
        frames = [json.loads(line)["detections"] for line in open(sequence)]
        ours, peer = self.ours(sequence, TIMES), self.peer(sequence, 10, PEER_TIMES)
        take_turns("tracker, 50 objects", [ours, peer], frames, repetitions, self.scratch)
        objects = statistics.fmean(map(len, frames))
        cost = [1e3 * side.net() / times / len(frames) for side, times in ((ours, TIMES), (peer, PEER_TIMES))]
        row = (f"tracker, ms a frame of {objects:.0f} objects", PEER, *(f"{ms:.3f} ms" for ms in cost))
        table.value(*row, f"<= {MOST_MS} ms", cost[0] <= MOST_MS)
        raw.append({"objects": objects, "ours_ms": cost[0], "peer_ms": cost[1]})
        return raw


def frames_of(path):
    return sum(1 for _ in open(path))


def agree(what, theirs, ours):
    """Two independent readings of the same definitions."""
    same = abs(theirs.idf1 - ours.idf1) < 1e-9 and abs(theirs.mota - ours.mota) < 1e-9
    if not same or theirs.switches != ours.switches:
        raise Broken(f"{what}: motmetrics says {theirs}, testkit {ours}")


def judge(truth, tracks):
    """What motmetrics says of one answer; a frame is a list of (id, box) in the truth, of (id, *box) in the answer."""
    if len(truth) != len(tracks):
        raise Broken(f"{len(tracks)} frames of tracks for {len(truth)} of truth")
    account = motmetrics.MOTAccumulator(auto_id=True)
    for objects, found in zip(truth, tracks):
        distances = 1.0 - overlaps([box for _, box in objects], [box for _, *box in found])
        distances[distances > 1.0 - LEAST_IOU] = numpy.nan
        account.update([id for id, _ in objects], [id for id, *_ in found], distances)
    names = ["idf1", "mota", "num_switches"]
    row = motmetrics.metrics.create().compute(account, metrics=names).iloc[0]
    return Quality(float(row["idf1"]), float(row["mota"]), int(row["num_switches"]))


def overlaps(boxes, others):
    """Intersection over union of each with each; left, top, width, height."""
    a, b = (numpy.array(side, dtype=float).reshape(-1, 4) for side in (boxes, others))
    a, b = a[:, None, :], b[None, :, :]
    width = numpy.minimum(a[..., 0] + a[..., 2], b[..., 0] + b[..., 2]) - numpy.maximum(a[..., 0], b[..., 0])
    height = numpy.minimum(a[..., 1] + a[..., 3], b[..., 1] + b[..., 3]) - numpy.maximum(a[..., 1], b[..., 1])
    both = width.clip(0) * height.clip(0)
    return both / (a[..., 2] * a[..., 3] + b[..., 2] * b[..., 3] - both)
