"""TF convolution graph to ONNX, NCHW inside, with every scale, shift and batch norm folded into its convolution."""

from dataclasses import dataclass, replace

import numpy as np
from onnx import helper, numpy_helper
from tfjs_model import ConversionError, attr_ints, attr_text


class OnnxGraph:
    """Collects ONNX nodes and initializers in the order they are added."""

    def __init__(self):
        self.nodes = []
        self.initializers = []

    def constant(self, name, values, dtype=np.float32):
        array = np.ascontiguousarray(values, dtype=dtype)
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def add(self, op_type, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op_type, inputs, [output], name=output, **attributes))
        return output


@dataclass(frozen=True)
class Tensor:
    """A feature map that has a name in the ONNX graph. It is square: size x size."""

    name: str
    size: int


@dataclass(frozen=True)
class PendingConv:
    """A convolution not yet written out, so that what follows can be folded in.

    The value is conv(source) + skip; skip is the other side of a residual
    connection, or None.
    """

    source: Tensor
    weight: np.ndarray  # float64, [out channels, in channels / groups, height, width]
    bias: np.ndarray  # float64, [out channels]
    stride: int
    groups: int
    skip: Tensor | None = None

    @property
    def output_size(self):
        return -(-self.source.size // self.stride)

    def scaled(self, factor):
        """This convolution with output channel c multiplied by factor[c]."""
        if self.skip is not None:
            raise ConversionError("a scale after a residual addition cannot be folded")
        weight = self.weight * factor[:, None, None, None]
        return replace(self, weight=weight, bias=self.bias * factor)

    def shifted(self, offset):
        """This convolution with offset[c] added to output channel c."""
        return replace(self, bias=self.bias + offset)

    def pads(self):
        """TF "SAME" padding as ONNX pads: an odd pixel goes to the bottom and right."""
        begin, end = [], []
        for kernel in self.weight.shape[2:]:
            covered = (self.output_size - 1) * self.stride + kernel
            total = max(covered - self.source.size, 0)
            begin.append(total // 2)
            end.append(total - total // 2)
        return begin + end


class FeatureConverter:
    """Converts TF nodes one at a time; self.values maps a TF name to its result, and starts as `inputs`."""

    def __init__(self, graph, constants, inputs):
        self.graph = graph
        self.constants = constants
        self.values = dict(inputs)
        self.relu6_bounds = [graph.constant("relu6/min", 0.0), graph.constant("relu6/max", 6.0)]
        self.conversions = {
            "Conv2D": self.convolution,
            "DepthwiseConv2dNative": self.depthwise_convolution,
            "Mul": self.scale,
            "Add": self.shift,
            "BiasAdd": self.shift,
            "FusedBatchNorm": self.batch_norm,
            "AddN": self.residual,
            "Relu6": self.relu6,
        }

    def convert(self, node):
        if node["op"] == "Const":
            return
        convert = self.conversions.get(node["op"])
        if convert is None:
            raise ConversionError(f"{node['name']}: no conversion for the op {node['op']}")
        self.values[node["name"]] = convert(node)

    def tensor(self, name):
        """The value of a TF node as an ONNX tensor, writing its convolution if pending."""
        if isinstance(self.values[name], PendingConv):
            self.values[name] = self.write_conv(name, self.values[name])
        return self.values[name]

    def write_conv(self, name, conv):
        inputs = [
            conv.source.name,
            self.graph.constant(f"{name}/weight", conv.weight),
            self.graph.constant(f"{name}/bias", conv.bias),
        ]
        output = name if conv.skip is None else f"{name}/conv"
        self.graph.add(
            "Conv",
            inputs,
            output,
            kernel_shape=list(conv.weight.shape[2:]),
            strides=[conv.stride, conv.stride],
            pads=conv.pads(),
            group=conv.groups,
        )
        if conv.skip is not None:
            self.graph.add("Add", [output, conv.skip.name], name)
        return Tensor(name, conv.output_size)

    def pending(self, node, name):
        value = self.values[name]
        if not isinstance(value, PendingConv):
            raise ConversionError(f"{node['name']}: expected a convolution as its input {name}")
        return value

    def conv_and_constant(self, node):
        """The operands of a scale or shift, which TF writes in either order."""
        left, right = node["input"]
        if left in self.constants:
            left, right = right, left
        return self.pending(node, left), self.constants[right].astype(np.float64)

    def new_conv(self, node, weight, groups):
        strides = attr_ints(node, "strides")
        if (
            attr_text(node, "padding") != "SAME"
            or attr_text(node, "data_format") != "NHWC"
            or attr_ints(node, "dilations") != [1, 1, 1, 1]
            or strides != [1, strides[1], strides[1], 1]
        ):
            raise ConversionError(f"{node['name']}: unexpected convolution attributes")
        return PendingConv(
            source=self.tensor(node["input"][0]),
            weight=weight,
            bias=np.zeros(weight.shape[0]),
            stride=strides[1],
            groups=groups,
        )

    def convolution(self, node):
        kernel = self.constants[node["input"][1]].astype(np.float64)  # H, W, in, out
        return self.new_conv(node, kernel.transpose(3, 2, 0, 1), groups=1)

    def depthwise_convolution(self, node):
        kernel = self.constants[node["input"][1]].astype(np.float64)  # H, W, in, multiplier
        height, width, channels, multiplier = kernel.shape
        weight = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
        return self.new_conv(node, weight, groups=channels)

    def scale(self, node):
        conv, factor = self.conv_and_constant(node)
        return conv.scaled(factor)

    def shift(self, node):
        conv, offset = self.conv_and_constant(node)
        return conv.shifted(offset)

    def batch_norm(self, node):
        conv = self.pending(node, node["input"][0])
        gamma, beta, mean, variance = (
            self.constants[name].astype(np.float64) for name in node["input"][1:]
        )
        factor = gamma / np.sqrt(variance + node["attr"]["epsilon"]["f"])
        return conv.scaled(factor).shifted(beta - mean * factor)

    def residual(self, node):
        conv_name, skip_name = node["input"]
        conv = self.pending(node, conv_name)
        if conv.skip is not None:
            raise ConversionError(f"{node['name']}: two residual additions in a row")
        return replace(conv, skip=self.tensor(skip_name))

    def relu6(self, node):
        source = self.tensor(node["input"][0])
        self.graph.add("Clip", [source.name, *self.relu6_bounds], node["name"])
        return Tensor(node["name"], source.size)

    def drop_background(self, head, classes):
        """Remove the first of every anchor's `classes` channels, the background, from a class head.

        The sigmoid treats each class alone, so this changes no other score.
        """
        conv = self.values[head]
        channels = np.arange(conv.bias.size).reshape(-1, classes)
        kept = channels[:, 1:].ravel()
        self.values[head] = replace(conv, weight=conv.weight[kept], bias=conv.bias[kept])
