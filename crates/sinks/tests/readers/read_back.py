"""Reads an export with the libraries that people read such files with; prints what they found as one JSON value.

usage: python read_back.py coco|mot|csv FILE
"""

import contextlib
import copy
import csv
import io
import json
import sys


def read_coco(path):
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(path)
        # What an evaluation does: the same list, as the results of a detector.
        results = coco.loadRes(copy.deepcopy(coco.dataset["annotations"]))
    images = coco.loadImgs(sorted(coco.getImgIds()))
    seen = []
    for image in images:
        found = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        again = results.loadAnns(results.getAnnIds(imgIds=image["id"]))
        # loadRes works out areas itself.
        assert [one | {"area": round(one["area"], 2)} for one in again] == found, image
        by_area = coco.getAnnIds(imgIds=image["id"], areaRng=[0, 1e10], iscrowd=False)
        assert by_area == [one["id"] for one in found], image
        for one in found:
            category = coco.loadCats(one["category_id"])[0]
            row = [image["input"], image["run"], image["pts"], category["name"], one["score"], *one["bbox"]]
            seen.append(row + [one.get("track_id"), one["model"]])
    names = {category["name"]: category["id"] for category in coco.loadCats(coco.getCatIds())}
    frames = [[image["input"], image["run"], image["pts"], image["width"], image["height"]] for image in images]
    return {"frames": frames, "seen": seen, "categories": names, "evaluated": evaluate(coco, results)}


def evaluate(coco, results):
    """Average precision of a file against itself: every box must be found."""
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        judge = COCOeval(coco, results, "bbox")
        judge.params.maxDets = [1, 10, 1000]
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][..., -1]
    return float(precision[precision > -1].mean())


def read_mot(path):
    import motmetrics

    table = motmetrics.io.loadtxt(path, fmt="mot15-2D")
    columns = ["X", "Y", "Width", "Height", "Confidence"]
    return [[int(frame), int(track), *map(float, row)] for (frame, track), row in zip(table.index, table[columns].values)]


def read_csv(path):
    import pandas

    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    # Types are guessed as people let them be guessed; only the version could be taken for a number.
    table = pandas.read_csv(path, dtype={"analyzer_version": str}, keep_default_na=False, na_values={"track": "", "slot": ""})
    assert len(table) == len(rows)
    for column in ["pts", "confidence", "box_x", "box_y", "box_width", "box_height", "box_px_x", "box_px_height"]:
        assert [float(row[column]) for row in rows] == [float(value) for value in table[column]], column
    return rows


if __name__ == "__main__":
    readers = {"coco": read_coco, "mot": read_mot, "csv": read_csv}
    json.dump(readers[sys.argv[1]](sys.argv[2]), sys.stdout)
