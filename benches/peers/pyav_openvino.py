"""usage: pyav_openvino.py CLIP PLAN MODEL

PyAV and OpenVINO as an expert writes it: one decoding thread, pictures skipped by kind wherever none of that kind is wanted,
scaled by libswscale to the model's size, conversion to floats inside the compiled model. f32, one thread.
"""

import json
import sys

import av
import openvino
import ssdlite
from openvino import Layout, Type
from openvino.preprocess import PrePostProcessor

SKIP = {"keyframes": "NONKEY", "references": "NONREF", "any": "DEFAULT"}


def compiled(path):
    """The model with bytes as its input: layout and scale are done inside."""
    core = openvino.Core()
    steps = PrePostProcessor(core.read_model(path))
    steps.input().tensor().set_element_type(Type.u8).set_layout(Layout("NHWC"))
    steps.input().model().set_layout(Layout("NCHW"))
    steps.input().preprocess().convert_element_type(Type.f32).mean(127.5).scale(127.5)
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": "1",
        "ENABLE_CPU_PINNING": "NO",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    return core.compile_model(steps.build(), "CPU", settings)


clip, plan, path = sys.argv[1:]
model = compiled(path)
request = model.create_infer_request()
names = ("scores", "boxes")
plan = json.load(open(plan))
wanted = set(plan["chosen"])
with av.open(clip) as container:
    stream = container.streams.video[0]
    stream.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    stream.codec_context.skip_frame = SKIP[plan["kind"]]
    for frame in container.decode(stream):
        if frame.pts not in wanted:
            continue
        wanted.remove(frame.pts)
        picture = frame.reformat(300, 300, "rgb24", interpolation="AREA").to_ndarray()
        request.infer(picture[None], share_inputs=True, share_outputs=True)
        scores, boxes = (request.get_tensor(name).data for name in names)
        ssdlite.write(frame.pts, scores[0], boxes[0, :, 0])
        if not wanted:
            break
