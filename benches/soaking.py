"""Streams for a long time: they run at the end, their pictures have come, and memory is where it was after warm-up. `./dev soak serve` sets
up and calls this.

usage: soaking.py [--minutes M] [--streams N]
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import media
from measure import Broken
from server import RtspServer, Server

EVERY_S = 5
LEVEL = 0.05


def kinds(source, footage):
    """What streams do, in turn: pictures for a folder, a model behind a gate, a file again and again."""
    return [
        {"url": source.url(0), "fps": 1, "frames": {}},
        {"url": source.url(1), "fps": 5, "models": [{}]},
        {"url": source.url(0), "fps": 1, "frames": {}},
        {"url": footage.as_uri(), "fps": 2, "frames": {}, "models": [{}], "source": {"repeat": True, "pace": "real_time"}},
    ]


def soak(server, source, footage, options):
    for index in range(options.streams):
        server.stream(f"soak-{index}", **kinds(source, footage)[index % 4])
    server.wait_for(options.streams)
    end = time.monotonic() + options.minutes * 60
    # A fifth of it: the store's page cache alone takes minutes to fill its 16 MB.
    warm = time.monotonic() + options.minutes * 12
    levels = []
    while time.monotonic() < end:
        time.sleep(EVERY_S)
        if time.monotonic() >= warm:
            levels.append(server.resident_mb())
            if len(levels) % 12 == 1:
                print(f"   {levels[-1]:.1f} MB, {server.cpu():.0f} CPU-s", flush=True)
    return levels


def judged(levels, before, after):
    """Complaints, one line each."""
    # Streams connect anew every two minutes, and memory goes up and down with that: a level is the middle of several such turns.
    quarter = max(len(levels) // 4, 1)
    first, last = statistics.median(levels[:quarter]), statistics.median(levels[-quarter:])
    print(f"soak: {first:.1f} MB after warm-up, {last:.1f} MB at the end ({last / first - 1:+.1%}), most {max(levels):.1f} MB")
    if last > first * (1 + LEVEL):
        yield f"memory has grown by more than {LEVEL:.0%}"
    for name, status in after.items():
        # Between two turns of its source it may be on its way to the next.
        if status["state"] not in ("running", "restarting"):
            yield f"{name} is {status['state']}: {status['last_error']}"
        if status["slots"]["analysed"] + status["slots"]["gated"] <= sum(before[name]["slots"][key] for key in ("analysed", "gated")):
            yield f"{name}: nothing came since the warm-up"


def main():
    arguments = argparse.ArgumentParser(description="streams for a long time")
    arguments.add_argument("--minutes", type=float, default=30.0)
    arguments.add_argument("--streams", type=int, default=8)
    options = arguments.parse_args()
    home = Path(os.environ["OCELLI_HOME"])
    clips, footage = media.folder_of("var/bench"), home / "footage/vtest.avi"
    # Their ends are part of it: streams connect anew every two minutes.
    large = media.repeated(clips, media.clip(clips, footage, "1080p", "gop1"), 2)
    small = media.repeated(clips, media.clip(clips, footage, "720p5", "gop5pictures"), 2)
    settings = [f"media.folders={footage.parent}", "frames.keep_count=50"]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        try:
            with RtspServer(folder / "rtsp-log", large, small) as source:
                with Server(Path("target/release").resolve(), folder / "server", *settings) as server:
                    levels = soak(server, source, footage, options)
                    before = server.status()
                    time.sleep(EVERY_S * 4)
                    complaints = list(judged(levels, before, server.status()))
        except Broken as error:
            sys.exit(f"soak: {error}")
    for complaint in complaints:
        print(f"soak: {complaint}")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
