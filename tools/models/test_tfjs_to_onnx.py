"""The converter against a plain reading of what TensorFlow does, in float64, on small graphs."""

import tempfile
import unittest
from pathlib import Path

import numpy as np
import tfjs_model
import tfjs_to_onnx
from feature_converter import FeatureConverter, OnnxGraph, Tensor
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from tfjs_model import ConversionError

SAME_NHWC = {
    "padding": {"s": list(b"SAME")},
    "data_format": {"s": list(b"NHWC")},
    "dilations": {"list": {"i": ["1", "1", "1", "1"]}},
}


def node(op, name, *inputs, **attributes):
    return {"op": op, "name": name, "input": list(inputs), "attr": attributes}


def conv_node(op, name, source, weight, stride):
    return node(op, name, source, weight, strides={"list": {"i": ["1", str(stride), str(stride), "1"]}}, **SAME_NHWC)


def run_onnx(graph, inputs, output):
    """The graph's `output` by ONNX's own reference implementation."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, data.shape) for name, data in inputs.items()]
    result = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
    built = helper.make_graph(graph.nodes, "test", values, [result], initializer=graph.initializers)
    model = helper.make_model(built, ir_version=7, opset_imports=[helper.make_opsetid("", tfjs_to_onnx.OPSET)])
    return ReferenceEvaluator(model).run([output], inputs)[0]


def tf_conv(image, kernel, stride, depthwise):
    """TF's convolution with SAME padding, written as its documentation defines it. NHWC, batch of one."""
    size, (height, width, channels, last) = image.shape[0], kernel.shape
    out_size = -(-size // stride)
    low = [max((out_size - 1) * stride + length - size, 0) // 2 for length in (height, width)]
    outputs = channels * last if depthwise else last
    result = np.zeros((out_size, out_size, outputs))
    for y, x, i, j in np.ndindex(out_size, out_size, height, width):
        row, column = y * stride + i - low[0], x * stride + j - low[1]
        if 0 <= row < size and 0 <= column < size:
            pixel = image[row, column]
            seen = pixel[:, None] * kernel[i, j]
            result[y, x] += seen.ravel() if depthwise else seen.sum(axis=0)
    return result


def relu6(values):
    return np.clip(values, 0, 6)


class Features(unittest.TestCase):
    def setUp(self):
        self.random = np.random.default_rng(7)

    def weights(self, *shape):
        return self.random.normal(size=shape).astype(np.float32)

    def check(self, nodes, constants, image, expected):
        graph = OnnxGraph()
        features = FeatureConverter(graph, constants, {"in": Tensor("image", image.shape[0])})
        for item in nodes:
            features.convert(item)
        last = features.tensor(nodes[-1]["name"]).name
        found = run_onnx(graph, {"image": image.transpose(2, 0, 1)[None]}, last)
        np.testing.assert_allclose(found[0].transpose(1, 2, 0), expected, rtol=0, atol=2e-5)

    def test_padding_of_every_small_case(self):
        for size in (4, 5, 7, 8):
            for stride in (1, 2):
                for kernel in ((1, 1), (2, 2), (3, 3), (1, 3)):
                    for op, depthwise in (("Conv2D", False), ("DepthwiseConv2dNative", True)):
                        with self.subTest(size=size, stride=stride, kernel=kernel, op=op):
                            image, weight = self.weights(size, size, 3), self.weights(*kernel, 3, 2)
                            nodes = [conv_node(op, "conv", "in", "w", stride)]
                            expected = tf_conv(image, weight, stride, depthwise)
                            self.check(nodes, {"w": weight}, image, expected)

    def test_scale_shift_and_batch_norm_are_folded(self):
        image, weight = self.weights(6, 6, 3), self.weights(3, 3, 3, 4)
        names = ("factor", "offset", "gamma", "beta", "mean")
        constants = {"w": weight} | {name: self.weights(4) for name in names}
        constants["variance"] = np.abs(self.weights(4)) + np.float32(0.1)
        nodes = [
            conv_node("Conv2D", "conv", "in", "w", 1),
            node("Mul", "mul", "factor", "conv"),
            node("Add", "add", "mul", "offset"),
            node("FusedBatchNorm", "norm", "add", "gamma", "beta", "mean", "variance", epsilon={"f": 0.001}),
            node("Relu6", "out", "norm"),
        ]
        expected = tf_conv(image, weight, 1, False) * constants["factor"] + constants["offset"]
        spread = np.sqrt(constants["variance"] + 0.001)
        expected = (expected - constants["mean"]) / spread * constants["gamma"] + constants["beta"]
        self.check(nodes, constants, image, relu6(expected))

    def test_a_residual_joins_both_sides(self):
        image, first, second = self.weights(5, 5, 3), self.weights(1, 1, 3, 3), self.weights(3, 3, 3, 1)
        nodes = [
            conv_node("Conv2D", "one", "in", "first", 1),
            node("Relu6", "skip", "one"),
            conv_node("DepthwiseConv2dNative", "two", "skip", "second", 1),
            node("BiasAdd", "biased", "two", "bias"),
            node("AddN", "sum", "biased", "skip"),
        ]
        constants = {"first": first, "second": second, "bias": self.weights(3)}
        skip = relu6(tf_conv(image, first, 1, False))
        expected = tf_conv(skip, second, 1, True) + constants["bias"] + skip
        self.check(nodes, constants, image, expected)

    def test_what_it_cannot_convert_is_an_error(self):
        other_padding = conv_node("Conv2D", "conv", "in", "w", 1)
        other_padding["attr"]["padding"] = {"s": list(b"VALID")}
        cases = {
            "no conversion for the op Softmax": node("Softmax", "x", "in"),
            "unexpected convolution attributes": other_padding,
            "expected a convolution": node("Mul", "x", "in", "w"),
        }
        for message, item in cases.items():
            features = FeatureConverter(OnnxGraph(), {"w": self.weights(1, 1, 1, 1)}, {"in": Tensor("image", 4)})
            self.assertRaisesRegex(ConversionError, message, features.convert, item)


class Boxes(unittest.TestCase):
    def test_decode_is_the_ssd_formula(self):
        random = np.random.default_rng(3)
        corners = np.sort(random.uniform(size=(tfjs_to_onnx.ANCHORS, 2, 2)), axis=1).reshape(-1, 4)
        encoded = random.normal(size=(tfjs_to_onnx.ANCHORS, 4))
        graph = OnnxGraph()
        tfjs_to_onnx.add_box_decode(graph, "encoded", corners)
        found = run_onnx(graph, {"encoded": encoded[None].astype(np.float32)}, "boxes")

        size, centre = corners[:, 2:] - corners[:, :2], (corners[:, 2:] + corners[:, :2]) / 2
        middle = encoded[:, :2] / 10 * size + centre
        half = np.exp(encoded[:, 2:] / 5) * size / 2
        expected = np.concatenate([middle - half, middle + half], axis=1)
        np.testing.assert_allclose(found[0, :, 0], expected, rtol=0, atol=1e-5)


class Input(unittest.TestCase):
    def test_other_bytes_are_refused(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            self.assertRaisesRegex(ConversionError, "cannot read", tfjs_model.load_tfjs_model, folder)
            (folder / "model.json").write_text("{}")
            self.assertRaisesRegex(ConversionError, "sha256 does not match", tfjs_model.load_tfjs_model, folder)

    def test_only_what_the_outputs_need_is_kept(self):
        nodes = [node("Const", "w"), node("Relu6", "a", "stop"), node("Add", "b", "a", "w"), node("Relu6", "c", "a")]
        kept = tfjs_model.needed_nodes(nodes, ["b"], stop="stop")
        self.assertEqual([item["name"] for item in kept], ["w", "a", "b"])
        self.assertRaisesRegex(ConversionError, "named d", tfjs_model.needed_nodes, nodes, ["d"], "stop")


if __name__ == "__main__":
    unittest.main()
