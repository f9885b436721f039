"""The inputs: real CCTV footage, enlarged and slowly panned so that every frame differs, in several GOP structures."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

# 768x576 at 10 fps: each picture stays for three frames, so the pan and a little camera noise make every frame new.
PAN = (
    "fps=30,scale=2400:1800:flags=bicubic,"
    "crop=1920:1080:x='240+230*sin(t*0.45)':y='360+340*sin(t*0.31)',noise=alls=3:allf=t:all_seed=7"
)
SIZES = {
    "1080p": (None, "4M"),
    "360p": ("scale=640:360:flags=area", "800k"),
    "720p5": ("fps=5,scale=1280:720:flags=area", "1M"),
}
GOPS = {
    "gop1": "keyint=30:min-keyint=30:scenecut=0:bframes=0",
    "gop2": "keyint=60:min-keyint=60:scenecut=0:bframes=0",
    "gop2b": "keyint=60:min-keyint=60:scenecut=0:bframes=2:b-pyramid=normal",
    "gop5pictures": "keyint=5:min-keyint=5:scenecut=0:bframes=0",
    "gop10": "keyint=300:min-keyint=300:scenecut=0:bframes=0",
}
SECONDS = 60


def ffmpeg(*arguments):
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True)


def keyed(folder, name, *settings):
    """A name that changes with whatever the file is made from."""
    digest = hashlib.sha256(json.dumps([name, *settings]).encode()).hexdigest()[:10]
    return folder / f"{name}-{digest}.mp4"


def made(path, make):
    """`path`, whole: written aside and renamed."""
    if not path.exists():
        print(f"   making {path.name}", flush=True)
        aside = path.with_suffix(".part.mp4")
        make(aside)
        os.replace(aside, path)
    return path


def clip(folder, footage, size, gop):
    """60 s of H.264 at 30 fps."""
    scale, rate = SIZES[size]
    filters = PAN if scale is None else f"{PAN},{scale}"
    settings = (filters, rate, GOPS[gop], SECONDS)

    def make(path):
        ffmpeg(
            "-i", footage, "-t", SECONDS, "-vf", filters, "-c:v", "libx264", "-preset", "veryfast",
            "-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-x264-params", GOPS[gop],
            "-pix_fmt", "yuv420p", "-an", path,
        )  # fmt: skip

    return made(keyed(folder, f"{size}-{gop}", *settings), make)


def quiet(folder, footage):
    """60 s of a camera that sees nothing move: one picture with a sensor's noise, 640x360 at 5 fps."""
    filters = "select=eq(n\\,0),scale=640:360:flags=area,loop=loop=299:size=1,setpts=N/5/TB,noise=alls=6:allf=t:all_seed=7"
    coding = "keyint=10:min-keyint=10:scenecut=0:bframes=0"

    def make(path):
        ffmpeg(
            "-i", footage, "-vf", filters, "-r", 5, "-t", SECONDS, "-c:v", "libx264", "-preset", "veryfast", "-b:v", "300k",
            "-maxrate", "300k", "-bufsize", "300k", "-x264-params", coding, "-pix_fmt", "yuv420p", "-an", path,
        )  # fmt: skip

    return made(keyed(folder, "quiet", filters, coding, SECONDS), make)


def sparse(folder):
    """A quarter of an hour of small pictures, one each second, a keyframe each other second."""
    picture = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=1", "-t", 900]
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-crf", 40, "-x264-params", "keyint=2:min-keyint=2:scenecut=0:bframes=0"]
    make = lambda path: ffmpeg(*picture, *coding, "-pix_fmt", "yuv420p", path)
    return made(keyed(folder, "sparse", *picture, *coding), make)


def sounded(folder, source):
    """The clip with AAC beside it, coded pictures untouched."""
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-c:v", "copy", "-c:a", "aac", "-b:a", "128k", "-shortest"]
    make = lambda path: ffmpeg("-i", source, *tone, path)
    return made(keyed(folder, f"{source.stem}-sound", source.name, *tone), make)


def shortened(folder, source, seconds):
    """The first whole GOPs of a clip."""
    make = lambda path: ffmpeg("-i", source, "-t", seconds, "-c", "copy", path)
    return made(keyed(folder, f"{source.name.split('-')[0]}-first{seconds}s", source.name, seconds), make)


def repeated(folder, source, times):
    """The clip again and again, coded bytes untouched, media time going on."""
    make = lambda path: ffmpeg("-stream_loop", times - 1, "-i", source, "-c", "copy", path)
    return made(keyed(folder, f"{source.name.split('-')[0]}-x{times}", source.name, times), make)


def folder_of(root):
    folder = Path(root) / "media"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
