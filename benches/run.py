"""CPU seconds against the floor and against what people use today. `./dev bench` sets up and calls this.

usage: run.py [--quick] [--repetitions N] [--only serve|record]
"""

import argparse
import json
import os
import platform
import subprocess
import time
from pathlib import Path

import media
import quality
import recording
import serving
import storing
from measure import Broken, fail, raw, run, take_turns
from sides import FIRST, Bench
from table import Table

QUALITY = 85
# How many times our CPU seconds ffmpeg takes at 1 fps.
FFMPEG_TIMES = {"gop1": 5.0, "gop2": 1.9, "gop2b": 2.7, "gop10": 1.0}
FLOOR = 1.10
KEEPING = 1.05
MOST_MB = 30
# The same clip peaks anywhere within 3 to 5 MB, by how many 1080p pictures (3 MB) wait at once; the container's index adds 0.6 MB. Half a
# kilobyte kept for each coded picture would show.
NO_GROWTH_MB = 8
WORDS = {"gop1": "GOP 1 s", "gop2": "GOP 2 s", "gop2b": "GOP 2 s with B", "gop10": "GOP 10 s"}


class Runner:
    """Groups of sides that take turns, and the table that they fill."""

    def __init__(self, bench, repetitions, precision):
        self.bench, self.repetitions, self.precision = bench, repetitions, precision
        self.table, self.groups, self.tracking = Table(), [], []
        self.storing = self.serving = self.recording = None
        self.beside = "f32" if precision == "bf16" else "bf16" if has_bf16() else None

    def turns(self, title, sides, plan, repetitions=None):
        take_turns(title, sides, plan["chosen"], repetitions or self.repetitions, self.bench.scratch)
        self.groups.append(raw(title, sides, plan["chosen"]))
        return sides

    def extract(self, clip, gop, fps, q=None):
        bench, what = self.bench, f"extract {fps} fps, 1080p30, {WORDS[gop]}"
        path, plan = bench.plan(clip, fps)
        ours, floor = sides = [bench.extract(clip, fps), bench.extract_floor(clip, path)]
        peers = [] if q is None else [bench.ffmpeg(clip, fps, q), bench.ffmpeg(clip, fps)]
        self.turns(what, sides + peers, plan)
        self.table.most(what, ours, floor, FLOOR)
        if peers:
            self.table.least(what, ours, peers[0], FFMPEG_TIMES[gop])
            self.table.least(what, ours, peers[1])

    def analyze_floor(self, clip, words, fps):
        bench, what = self.bench, f"analyze {fps_words(fps)}, {words}"
        path, plan = bench.plan(clip, fps)
        self.against_floors(what, *self.turns(what, self.beside_floors(clip, path, fps), plan))

    def beside_floors(self, clip, path, fps):
        """Ours as it is by default; the floor on one thread, which counts; the floor on all cores, which shows what they take from
        each other."""
        several = max(os.cpu_count(), 2)
        floors = [self.bench.analyze_floor(clip, path, self.precision, count) for count in (1, several)]
        return [self.bench.analyze(clip, fps), *floors]

    def against_floors(self, what, ours, floor, floors):
        self.table.most(what, ours, floor, FLOOR)
        self.table.most(what, ours, floors)

    def analyze_peers(self, clip, words, fps, opencv_times, pyav_times):
        """Ours, floor and both peers on the same frames; the precision that is not the default stands beside it."""
        bench, what = self.bench, f"analyze {fps_words(fps)}, {words}"
        path, plan = bench.plan(clip, fps)
        sides = self.beside_floors(clip, path, fps)
        ours = sides[0]
        opencv, pyav = peers = [bench.opencv(clip, path), bench.pyav(clip, path)]
        option = ["--precision", self.beside]
        beside = [bench.analyze(clip, fps, *option, name=f"ours, {self.beside}")] if self.beside else []
        self.turns(what, sides + peers + beside, plan)
        self.against_floors(what, *sides)
        self.table.least(what, ours, opencv, opencv_times)
        self.table.least(what, ours, pyav, pyav_times)
        for other in beside:
            self.table.least(f"{what}, {self.beside}", other, opencv)
            self.table.least(f"{what}, {self.beside}", other, pyav)

    def keeping(self, clip, words, fps):
        """What a store costs: results, ledger and tracks, each frame durable before it is printed."""
        what = f"analyze {fps_words(fps)}, {words}, --store"
        _, plan = self.bench.plan(clip, fps)
        kept, bare = self.bench.analyze_kept(clip, fps), self.bench.analyze(clip, fps, name="ours, without store")
        # A few percent: more turns than the others.
        self.turns(what, [kept, bare], plan, max(self.repetitions, 3))
        self.table.most(what, kept, bare, KEEPING)

    def analyze_keyframes(self, clip):
        """1 fps with a keyframe each second. The last half slot holds no keyframe: PyAV, which skips by kind, is held to the
        slots before it, and so are we beside it; against OpenCV the whole clip counts."""
        bench, what = self.bench, "analyze 1 fps, 1080p30, GOP 1 s"
        path, plan = bench.plan(clip, 1)
        sides, opencv = self.beside_floors(clip, path, 1), bench.opencv(clip, path)
        ours = sides[0]
        self.turns(what, [*sides, opencv], plan)
        self.against_floors(what, *sides)
        self.table.least(what, ours, opencv, 5.0)
        end = media.SECONDS - 0.5
        path, plan = bench.plan(clip, 1, end)
        ours, pyav = bench.analyze(clip, 1, "--end", end), bench.pyav(clip, path)
        self.turns(f"{what}, to {end} s", [ours, pyav], plan)
        self.table.least(f"{what}, to {end} s", ours, pyav, 1.0)

    def memory(self, clip, long):
        """Peaks of one instance on both sides, of as many as there are cores, and of a clip ten times as long."""
        bench = self.bench
        path, plan = bench.plan(clip, 1)
        cores = os.cpu_count()
        ours = bench.analyze(clip, 1, "--instances", 1, name="ours x1")
        floor = bench.analyze_floor(clip, path, self.precision)
        several = bench.analyze(clip, 1, name=f"ours x{cores}")
        floors = bench.analyze_floor(clip, path, self.precision, max(cores, 2))
        jpegs, jpeg_floor = bench.extract(clip, 1), bench.extract_floor(clip, path)
        self.turns("memory, 60 s", [ours, floor, several, floors, jpegs, jpeg_floor], plan)
        bare = "bare decoder + model"
        self.table.memory("peak, analyze, 1 instance, 60 s", bare, ours.peak_mb(), floor.peak_mb(), MOST_MB)
        self.table.memory(f"peak, analyze, {cores} instances, 60 s", bare, several.peak_mb(), floors.peak_mb(), MOST_MB)
        self.table.memory("peak, extract, 60 s", "bare decoder + JPEG", jpegs.peak_mb(), jpeg_floor.peak_mb(), MOST_MB)
        if long is None:
            return
        path, plan = bench.plan(long, 1)
        long_jpegs, long_analyze = bench.extract(long, 1), bench.analyze(long, 1, "--instances", 1)
        self.turns("memory, 10 min", [long_jpegs, long_analyze], plan, 1)
        for name, short, tenfold in (("analyze", ours, long_analyze), ("extract", jpegs, long_jpegs)):
            self.table.memory(f"peak, {name}, 10 min", "60 s", tenfold.peak_mb(), short.peak_mb(), NO_GROWTH_MB)


def fps_words(fps):
    return "every frame" if fps == "all" else f"{fps} fps"


def measure(runner, clips, quick):
    q = runner.bench.found["q"]
    for gop in ("gop1", "gop2b") if quick else WORDS:
        runner.extract(clips(gop), gop, 1, q)
        if not quick:
            runner.extract(clips(gop), gop, 5)
    short = lambda size: media.shortened(clips.folder, clips("gop2", size), 20)
    runner.analyze_floor(clips("gop2", "360p"), "640x360", 5)
    runner.keeping(clips("gop2", "360p"), "640x360", 5)
    runner.analyze_keyframes(clips("gop1"))
    runner.analyze_peers(clips("gop2b"), "1080p30, GOP 2 s with B", 5, 1.4, 1.2)
    if not quick:
        runner.analyze_peers(clips("gop2"), "1080p30, GOP 2 s", 5, 1.4, 1.0)
        runner.analyze_floor(short("360p"), "640x360, 20 s", "all")
    runner.analyze_peers(short("1080p"), "1080p30, 20 s", "all", 1.4, 1.0)
    runner.memory(clips("gop2"), None if quick else media.repeated(clips.folder, clips("gop2"), 10))
    # After memory: what these bring into this process would count as the peak of each child, which begins as its copy.
    from tracking import Tracking

    runner.tracking = Tracking(runner.bench).measure(runner.table, runner.repetitions)


class Clips:
    """Clips by GOP structure and size, made when first asked for."""

    def __init__(self, folder, footage):
        self.folder, self.footage = media.folder_of(folder), footage

    def __call__(self, gop, size="1080p"):
        return media.clip(self.folder, self.footage, size, gop)


def default_precision(home):
    """What the product chose for its default model on this machine and wrote down."""
    entries = json.loads((home / "models/models.lock.json").read_text())["models"].values()
    return next(entry["precision"] for entry in entries if entry["model"] == "ssdlite-mobilenet-v2")


def has_bf16():
    """Whether this CPU computes in bf16, with AMX or without."""
    return "_bf16" in Path("/proc/cpuinfo").read_text()


def machine(bench):
    said = lambda *command: subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0]
    model = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "cpu": model[0] if model else platform.machine(),
        "cores": os.cpu_count(),
        "ocelli": said(bench.programs / "ocelli", "--version"),
        "ffmpeg": said("ffmpeg", "-version"),
        "load_at_start": os.getloadavg()[0],
    }


def startups(groups):
    """Name of each kind of process: the smallest start-up seen, s."""
    least = {}
    for group in groups:
        for side in group["sides"]:
            name = side["name"]
            kind = f"{Path(side['command'][0]).name} {side['command'][1]}" if name.startswith(("ours", "floor")) else name
            for sample in side["startups"]:
                least[kind] = min(least.get(kind, 1e9), sample["cpu_s"])
    return least


def report(runner, about, started):
    name = time.strftime("%Y%m%dT%H%M%S")
    path = runner.bench.folder / f"{name}.json"
    found = runner.bench.found
    content = {"machine": about, "quality": found, "rows": runner.table.rows, "groups": runner.groups}
    content["tracking"] = runner.tracking
    content["storing"], content["serving"] = runner.storing, runner.serving
    content["recording"] = runner.recording
    path.write_text(json.dumps(content, indent=1))
    print(f"\n{about['cpu']}, {about['cores']} cores, load {about['load_at_start']:.1f} at the start; {about['ffmpeg']}")
    print(f"default precision here: {runner.precision}; medians of {runner.repetitions}, sides taking turns")
    theirs = found["ffmpeg_db"][found["q"]]
    close = abs(theirs - found["ours_db"]) <= quality.CLOSE_DB
    print(
        f"JPEG: ours --quality {found['quality']} {found['ours_db']:.2f} dB, "
        f"ffmpeg -q:v {found['q']} {theirs:.2f} dB{'' if close else ': NOT EQUAL'}"
    )
    print("'ratio' is what counts: start-up (opening, loading the model, the first picture) is taken out on either side")
    print("'whole' is that of whole processes\n")
    print(runner.table.text())
    if runner.groups:
        print("\nstart-up with the first picture, CPU-s, least seen: " + ", ".join(
            f"{kind} {seconds:.2f}" for kind, seconds in startups(runner.groups).items()
        ))
    missed = runner.table.missed()
    print(f"\n{len(missed)} of {len(runner.table.rows)} rows missed; {time.monotonic() - started:.0f} s; raw data: {path}")


def main():
    arguments = argparse.ArgumentParser(description="CPU seconds against the floor and against what people use today")
    arguments.add_argument("--quick", action="store_true", help="once each, fewer clips: no medians, only a look")
    arguments.add_argument("--repetitions", type=int, help="turns of each side (3, with --quick 1)")
    arguments.add_argument("--only", choices=["serve", "record"], help="the rows of a running server, or of recording, alone")
    options = arguments.parse_args()
    started = time.monotonic()
    home = Path(os.environ["OCELLI_HOME"])
    folder = Path("var/bench")
    bench = Bench(Path("target/release").resolve(), home, home / "venv-bench/bin/python", folder, QUALITY)
    clips = Clips(folder, home / "footage/vtest.avi")
    try:
        clip = clips("gop2")
        # The first run writes the choice of precision down.
        run([bench.programs / "ocelli", "analyze", clip, *FIRST], bench.scratch / "stdout")
        about = machine(bench)
        runner = Runner(bench, options.repetitions or (1 if options.quick else 3), default_precision(home))
        find = lambda: quality.search_aside(bench.programs / "ocelli", clip, QUALITY, bench.scratch)
        bench.found = quality.cached(folder / "quality.json", f"{clip.stem} {QUALITY} {about['ffmpeg']}", find)
        if options.only is None:
            measure(runner, clips, options.quick)
            runner.storing = storing.measure(bench.programs / "store", bench.scratch, options.quick)
            storing.rows(runner.table, runner.storing)
        if options.only != "record":
            runner.serving = serving.Serving(bench, clips, options.quick).measure()
            serving.rows(runner.table, runner.serving)
        if options.only != "serve":
            runner.recording = recording.Recording(bench, clips, options.quick).measure()
            recording.rows(runner.table, runner.recording)
    except (Broken, subprocess.CalledProcessError) as error:
        fail(str(error))
    report(runner, about, started)


if __name__ == "__main__":
    main()
