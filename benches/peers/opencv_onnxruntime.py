"""usage: opencv_onnxruntime.py CLIP PLAN MODEL

OpenCV's VideoCapture and ONNX Runtime as most people write it: grab every frame, retrieve the wanted ones, resize, run. One
thread each.
"""

import json
import sys

import cv2
import numpy
import onnxruntime
import ssdlite

clip, plan, model = sys.argv[1:]
cv2.setNumThreads(1)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
capture = cv2.VideoCapture(clip, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
if not capture.isOpened():
    sys.exit(f"OpenCV cannot open {clip}")
plan = json.load(open(plan))
# OpenCV counts PTS in the frame rate's time base.
ticks = plan["time_base"][1] / plan["time_base"][0] / capture.get(cv2.CAP_PROP_FPS)
shown = -1
for index in plan["shown"]:
    while shown < index:
        if not capture.grab():
            sys.exit(f"frame {shown + 1} cannot be read")
        shown += 1
    pts = round(capture.get(cv2.CAP_PROP_PTS) * ticks)
    _, picture = capture.retrieve()
    small = cv2.cvtColor(cv2.resize(picture, (300, 300)), cv2.COLOR_BGR2RGB)
    tensor = (small.astype(numpy.float32) / 127.5 - 1.0).transpose(2, 0, 1)[None]
    scores, boxes = session.run(["scores", "boxes"], {name: numpy.ascontiguousarray(tensor)})
    ssdlite.write(pts, scores[0], boxes[0, :, 0])
