"""usage: bytetrack.py SEQUENCE TIMES FPS

ByteTrack as the package cjm-byte-track ports it from its authors' code, one tracker for each label, thresholds (0.4 and 0.5) and the
time that a lost track is kept (2 s) as ours has them. Prints what `tracker follow` prints.
"""

import json
import sys

import numpy
from cjm_byte_track.core import BYTETracker

# Its sizes only serve to scale boxes, and with 1 they stay as they are; pixels are those of a full HD picture.
WIDTH, HEIGHT = 1920, 1080


def follow(frames, labels, fps):
    """Tracks of each frame: (id, x, y, width, height) in fractions of the picture."""
    trackers = {label: BYTETracker(track_thresh=0.4, track_buffer=60, frame_rate=fps) for label in labels}
    for by_label in frames:
        tracks = []
        for label, tracker in trackers.items():
            for track in tracker.update(by_label[label], (HEIGHT, WIDTH), (HEIGHT, WIDTH)):
                left, top, width, height = (float(edge) for edge in track.tlwh)
                tracks.append((track.track_id, left / WIDTH, top / HEIGHT, width / WIDTH, height / HEIGHT))
        yield tracks


def boxes(detections, label):
    """Left, top, right, bottom in pixels, and confidence."""
    rows = [
        (x * WIDTH, y * HEIGHT, (x + width) * WIDTH, (y + height) * HEIGHT, confidence)
        for name, confidence, (x, y, width, height) in detections
        if name == label
    ]
    return numpy.array(rows).reshape(-1, 5)


def main():
    sequence, times, fps = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    lines = [json.loads(line)["detections"] for line in open(sequence)]
    labels = sorted({name for line in lines for name, _, _ in line})
    frames = [{label: boxes(line, label) for label in labels} for line in lines]
    tracks = []
    for _ in range(times):
        tracks = list(follow(frames, labels, fps))
    for line in tracks:
        print(json.dumps(line))


if __name__ == "__main__":
    main()
