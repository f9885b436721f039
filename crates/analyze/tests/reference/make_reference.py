#!/usr/bin/env python3
"""Reference detections: ONNX Runtime (f32) and a decoder written on its own in numpy.

    python3 -m venv venv && venv/bin/pip install numpy onnxruntime opencv-python-headless
    venv/bin/python make_reference.py FOOTAGE MODELS >reference.json

FOOTAGE holds bus.jpg, zidane.jpg and vtest.avi, MODELS both .onnx files. Pictures are decoded and scaled by the ffmpeg
command, here and in the test that reads the result, so that both start from the same bytes; their SHA-256 is kept.
A second set of cases ("opencv") scales whole pictures with OpenCV's area filter, to compare our own scaling with.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

THRESHOLD = 0.4
EVERY = 20
HERE = Path(__file__).parent


def frames(path, width, height):
    """RGB frames of width x height, every 20th of the file."""
    picture = f"select=not(mod(n\\,{EVERY})),scale={width}:{height}:flags=area+accurate_rnd+bitexact"
    command = ["ffmpeg", "-v", "error", "-bitexact", "-i", str(path), "-vf", picture, "-vsync", "0"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3), hashlib.sha256(raw).hexdigest()


def iou(box, others):
    size = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.prod(np.clip(size, 0, None), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    return shared / (np.prod(box[2:] - box[:2]) + areas - shared)


def keep(boxes, scores, limit):
    order, kept = np.argsort(-scores, kind="stable"), []
    while order.size:
        kept.append(order[0])
        order = order[1:][iou(boxes[order[0]], boxes[order[1:]]) <= limit]
    return kept


def detections(boxes, scores, labels, limit):
    """Boxes as left, top, right, bottom in fractions; scores [anchor, class]."""
    found = []
    for column, label in enumerate(labels):
        rows = np.flatnonzero(scores[:, column] >= THRESHOLD)
        if label == "n/a" or not rows.size:
            continue
        for row in rows[keep(boxes[rows], scores[rows, column], limit)]:
            box = np.clip(boxes[row], 0, 1)
            found.append([label, float(scores[row, column]), *box[:2], *(box[2:] - box[:2])])
    found.sort(key=lambda one: -one[1])
    return [[one[0], *(round(float(value), 5) for value in one[1:])] for one in found]


def labels(name):
    return (HERE / "../../labels" / name).read_text().splitlines()


def ssd(session, frame):
    tensor = (frame.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
    scores, boxes = session.run(["scores", "boxes"], {"image": tensor})
    return detections(boxes[0, :, 0][:, [1, 0, 3, 2]], scores[0], labels("coco90.txt"), 0.5)


def yolox(session, frame, side=416):
    height, width = frame.shape[:2]
    padded = np.full((side, side, 3), 114, np.float32)
    padded[:height, :width] = frame[..., ::-1]
    rows = session.run(["output"], {"images": padded.transpose(2, 0, 1)[None]})[0][0]
    grids, strides = [], []
    for stride in (8, 16, 32):
        ys, xs = np.mgrid[: side // stride, : side // stride]
        grids.append(np.stack([xs.ravel(), ys.ravel()], 1))
        strides.append(np.full((xs.size, 1), stride))
    grid, stride = np.concatenate(grids), np.concatenate(strides)
    centre, size = (rows[:, :2] + grid) * stride, np.exp(rows[:, 2:4]) * stride
    shape = np.array([width, height, width, height])
    boxes = np.concatenate([centre - size / 2, centre + size / 2], 1) / shape
    return detections(boxes, rows[:, 4:5] * rows[:, 5:], labels("coco80.txt"), 0.45)


# Width and height of each input, whole and inside the 416 x 416 letterbox.
SIZES = {"bus.jpg": [(810, 1080), (312, 416)], "zidane.jpg": [(1280, 720), (416, 234)]}
SIZES["vtest.avi"] = [(768, 576), (416, 312)]


def cases(footage, model, session, detect):
    for name, (whole, letterbox) in SIZES.items():
        size = (300, 300) if detect is ssd else letterbox
        for scaler, (width, height) in (("ffmpeg", size), ("opencv", whole)):
            pictures, digest = frames(Path(footage) / name, width, height)
            if scaler == "opencv":
                pictures = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures]
            case = {"model": model, "input": name, "scaler": scaler, "width": width, "height": height}
            yield case | {"sha256": digest, "frames": [detect(session, picture) for picture in pictures]}


def main(footage, models):
    onnxruntime.set_default_logger_severity(3)
    open_model = lambda name: onnxruntime.InferenceSession(str(Path(models) / name))
    found = [*cases(footage, "ssdlite-mobilenet-v2", open_model("ssdlite_mobilenet_v2_coco.onnx"), ssd)]
    found += cases(footage, "yolox-nano", open_model("yolox_nano.onnx"), yolox)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in found)
    print(f"[\n{lines}\n]")


if __name__ == "__main__":
    main(*sys.argv[1:])
