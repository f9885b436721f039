"""Damaged clips through `ocelli analyze` and `ocelli extract`: each run ends in time, in bounds, with a lawful status and
valid output. The clips are the footage and short ones in other codecs and containers, made here by ffmpeg.

usage: python3 scripts/soak.py --binary PATH --footage FOLDER [--minutes M] [--seed S]

A failure prints the seed that makes the same damaged clip again, and keeps the clip in var/soak/.
"""

import argparse
import json
import os
import random
import resource
import shutil
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
# Name of the file and what ffmpeg makes it with; one that this ffmpeg has no encoder for is left out.
SYNTHETIC = {
    "h264.ts": "-c:v libx264 -bf 3 -g 20",
    "h264-open.mkv": "-c:v libx264 -x264-params open-gop=1:keyint=15:min-keyint=15:bframes=3",
    "h264-fragments.mp4": "-c:v libx264 -g 25 -movflags +frag_keyframe+empty_moov",
    "h264-mbaff.ts": "-c:v libx264 -flags +ildct+ilme -g 20",
    "h264.flv": "-c:v libx264 -g 25",
    "h265.mp4": "-c:v libx265 -preset ultrafast -tag:v hvc1 -x265-params log-level=none:keyint=20",
    "h265.ts": "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=20",
    "vp8.webm": "-c:v libvpx -g 25",
    "vp9.webm": "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25",
    "av1.mp4": "-c:v libaom-av1 -usage realtime -cpu-used 8 -g 25",
    "av1.mkv": "-c:v libaom-av1 -usage realtime -cpu-used 8 -g 25",
    "mpeg4.avi": "-c:v mpeg4 -g 25",
    "mpeg4.mp4": "-c:v mpeg4 -bf 2 -g 25",
    "mjpeg.avi": "-c:v mjpeg",
    "mjpeg.mov": "-c:v mjpeg -pix_fmt yuvj422p",
    "mpeg2.ts": "-c:v mpeg2video -bf 2 -g 15",
    "wmv2.asf": "-c:v wmv2",
    "theora.ogv": "-c:v libtheora",
    "prores.mov": "-c:v prores -t 1",
}


def synthesize(folder):
    """The synthetic clips that this ffmpeg can make."""
    picture = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25,noise=alls=10:allf=t", "-t", "4"]
    for name, options in SYNTHETIC.items():
        path = folder / name
        made = subprocess.run(
            ["ffmpeg", "-nostdin", "-y", "-v", "error", *picture, *options.split(), path],
            stderr=subprocess.DEVNULL, check=False, env={**os.environ, "SVT_LOG": "1"},
        )
        if made.returncode == 0:
            yield path
        else:
            print(f"soak: this ffmpeg cannot make {name}", flush=True)


def damage(clip, other, dice):
    """A damaged copy: bits flipped, now and then a hole, a repeated piece, a piece of another clip, or the end missing."""
    data = bytearray(clip[: dice.randint(1, LONGEST_CLIP_BYTES)] if dice.random() < 0.3 else clip[:LONGEST_CLIP_BYTES])
    # From one flipped bit in the whole clip to one in every 2 kB.
    for _ in range(int(len(data) / 2048 * dice.random() ** 4) + 1):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    if dice.random() < 0.3:
        start = dice.randrange(len(data))
        piece = data[start : start + dice.randint(1, 65536)]
        foreign = other[dice.randrange(len(other)) :][: len(piece)]
        data[start : start + len(piece)] = dice.choice([b"", bytes(len(piece)), piece + piece, foreign])
    return bytes(data)


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))


def run(command, out):
    """(exit status or None where time ran out, stdout, stderr); output goes through files, so it is bounded by disk."""
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
    if not all(line.startswith(b"ocelli: ") for line in stderr.splitlines()):
        yield "a line on stderr that is not ours"
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


def bad_frames(folder):
    """What is wrong with a folder of frames."""
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if names != [f"frame_{number:04}.jpg" for number in range(1, len(names) + 1)]:
        yield f"the frames are not numbered from 1 without gaps: {names[:3]}"
    for name in names:
        data = (folder / name).read_bytes()
        if data[:2] != b"\xff\xd8" or data[-2:] != b"\xff\xd9":
            yield f"{name} is no whole JPEG"
            return


def one_round(binary, clips, seed, out):
    """Runs one damaged clip; (status, complaints, the clip that was damaged)."""
    dice = random.Random(seed)
    source, other = dice.choice(clips), dice.choice(clips)
    path = out / f"damaged{source.suffix}"
    path.write_bytes(damage(source.read_bytes(), other.read_bytes(), dice))
    fps = dice.choice(["1", "5", "all"])
    frames = out / "frames"
    wrong = []
    if dice.random() < 0.5:
        status, stdout, stderr = run([binary, "analyze", path, "--fps", fps], out)
    else:
        status, stdout, stderr = run([binary, "extract", path, "--fps", fps, "--out", frames], out)
        wrong += bad_frames(frames)
        shutil.rmtree(frames, ignore_errors=True)
    wrong += complaints(status, stdout, stderr)
    if wrong:
        keep(path, seed, fps, stderr)
    return status, wrong, source.name


def keep(path, seed, fps, stderr):
    KEPT.mkdir(parents=True, exist_ok=True)
    path.replace(KEPT / f"{seed}-fps-{fps}{path.suffix}")
    (KEPT / f"{seed}.stderr").write_bytes(stderr)


def parse(arguments):
    parser = argparse.ArgumentParser(description="damaged clips through `ocelli analyze` and `extract`")
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
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as made:
        clips += synthesize(Path(made))
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
