"""The default detector's outputs read as detections: threshold, then suppression per class, as the model's contract says."""

import json
import sys

import numpy

CONFIDENCE = 0.4
OVERLAP = 0.5
MOST = 100


def detections(scores, boxes):
    """[(class column, score, [top, left, bottom, right])] by falling score."""
    anchors, classes = numpy.nonzero(scores >= CONFIDENCE)
    if anchors.size == 0:
        return []
    found = scores[anchors, classes]
    order = numpy.argsort(-found)
    kept = []
    for index in order:
        box, column = boxes[anchors[index]], int(classes[index])
        if all(column != other or overlap(box, place) <= OVERLAP for other, _, place in kept):
            kept.append((column, float(found[index]), box))
    return kept[:MOST]


def overlap(a, b):
    height = min(a[2], b[2]) - max(a[0], b[0])
    width = min(a[3], b[3]) - max(a[1], b[1])
    if height <= 0 or width <= 0:
        return 0.0
    both = height * width
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def write(pts, scores, boxes):
    """One JSON line, as `ocelli analyze` prints one."""
    found = [
        {"class": column, "confidence": round(score, 4), "box": [round(float(edge), 6) for edge in box]}
        for column, score, box in detections(scores, boxes)
    ]
    json.dump({"pts": pts, "detections": found}, sys.stdout)
    sys.stdout.write("\n")
