"""Which `-q:v` of ffmpeg gives pictures as good as ours: a measured search, against the decoded pictures themselves.

Each side is held to the picture it meant to keep: BT.709 samples turned into JPEG's BT.601 for ours; for ffmpeg, which keeps the matrix and
says nothing, the samples with their range expanded. So only the loss of coding counts.
"""

import json
import re
import subprocess
from concurrent.futures import ProcessPoolExecutor

import av
import numpy

CLOSE_DB = 0.3
CANDIDATES = range(2, 13)


def source_pictures(clip, wanted):
    """{pts: (index in PTS order, planes)} of the wanted PTS."""
    found = {}
    with av.open(str(clip)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for index, frame in enumerate(container.decode(video=0)):
            if frame.pts in wanted:
                found[frame.pts] = (index, planes(frame))
    return found


def planes(frame):
    """Y, Cb, Cr as floats, without padding."""
    sizes = [(frame.height, frame.width)] + [(frame.height // 2, frame.width // 2)] * 2
    read = lambda plane, height, width: (
        numpy.frombuffer(plane, numpy.uint8).reshape(-1, plane.line_size)[:height, :width].astype(numpy.float64)
    )
    return [read(plane, *size) for plane, size in zip(frame.planes, sizes)]


def expanded(source):
    """Limited range to full range, same matrix."""
    y, cb, cr = source
    return [(y - 16) * 255 / 219, (cb - 128) * 255 / 224 + 128, (cr - 128) * 255 / 224 + 128]


def as_bt601(source):
    """Limited range BT.709 to full range BT.601: R, G, B and back, in fractions."""
    y, cb, cr = (source[0] - 16) / 219, (source[1] - 128) / 224, (source[2] - 128) / 224
    chroma = lambda plane: plane.repeat(2, 0).repeat(2, 1)
    rgb = lambda y, cb, cr: (y + 1.5748 * cr, y - 0.1873 * cb - 0.4681 * cr, y + 1.8556 * cb)
    luma = lambda red, green, blue: 0.299 * red + 0.587 * green + 0.114 * blue
    whole = luma(*rgb(y, chroma(cb), chroma(cr)))
    # Grey has no part in the differences, so chroma needs no luma of its size.
    red, green, blue = rgb(0.0, cb, cr)
    small = luma(red, green, blue)
    return [255 * whole, 255 * (blue - small) / 1.772 + 128, 255 * (red - small) / 1.402 + 128]


def jpeg_planes(path):
    with av.open(str(path), format="mjpeg") as container:
        frame = next(container.decode(video=0))
    if frame.format.name != "yuvj420p":
        raise ValueError(f"{path} holds {frame.format.name}")
    return planes(frame)


def psnr(pairs):
    """Over all samples of all planes of all pictures, dB."""
    error = sum(((numpy.clip(a, 0, 255) - b) ** 2).sum() for pair in pairs for a, b in zip(*pair))
    count = sum(plane.size for pair in pairs for plane in pair[0])
    return float(10 * numpy.log10(255**2 / (error / count)))


def pts_of(jpeg):
    """Media time from the comment segment that `ocelli extract` writes."""
    found = re.search(rb"ocelli run=\d+ pts=(-?\d+) ", jpeg.read_bytes()[:4096])
    if not found:
        raise ValueError(f"{jpeg} carries no media time")
    return int(found[1])


def search(ocelli, clip, quality, scratch):
    """What ffmpeg's candidates and ours reach on a few pictures of the clip, and the nearest candidate."""
    ours = scratch / "quality-ours"
    subprocess.run(
        [ocelli, "extract", clip, "--fps", "0.1", "--quality", str(quality), "--out", ours, "--overwrite"], check=True
    )
    jpegs = {pts_of(path): path for path in sorted(ours.glob("frame_*.jpg"))}
    sources = source_pictures(clip, set(jpegs))
    reached = psnr([(as_bt601(sources[pts][1]), jpeg_planes(path)) for pts, path in jpegs.items()])
    in_order = [sources[pts] for pts in sorted(sources)]
    theirs = {str(q): ffmpeg_psnr(clip, in_order, q, scratch) for q in CANDIDATES}
    nearest = min(theirs, key=lambda q: abs(theirs[q] - reached))
    return {"quality": quality, "ours_db": reached, "ffmpeg_db": theirs, "q": nearest}


def search_aside(*arguments):
    """The search in a process of its own: a child's peak memory, as the kernel counts it, is at least its parent's."""
    with ProcessPoolExecutor(max_workers=1) as aside:
        return aside.submit(search, *arguments).result()


def ffmpeg_psnr(clip, sources, q, scratch):
    folder = scratch / f"quality-{q}"
    folder.mkdir(exist_ok=True)
    wanted = "+".join(f"eq(n\\,{index})" for index, _ in sources)
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", clip, "-vf", f"select={wanted}"]
    subprocess.run([*command, "-fps_mode", "passthrough", "-q:v", str(q), folder / "%04d.jpg"], check=True)
    made = sorted(folder.glob("*.jpg"))
    return psnr([(expanded(picture), jpeg_planes(path)) for (_, picture), path in zip(sources, made, strict=True)])


def cached(path, key, find):
    """What `find` found for this key before, else now."""
    known = json.loads(path.read_text()) if path.exists() else {}
    if key not in known:
        known[key] = find()
        path.write_text(json.dumps(known, indent=1))
    return known[key]
