"""Writes a float16 model of padded convolutions of images whose number and size are known at run time
only: half_image_model.py MODEL.onnx."""

import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

rng = np.random.default_rng(7)
F16 = onnx.TensorProto.FLOAT16


def weights(name, *shape):
    scale = np.prod(shape[1:]) ** -0.5 if len(shape) > 1 else 0.1
    return numpy_helper.from_array((rng.standard_normal(shape) * scale).astype(np.float16), name)


nodes = [
    helper.make_node("Conv", ["x", "w0", "b0"], ["first"], "first", pads=[1, 1, 1, 1]),
    helper.make_node("Relu", ["first"], ["kept"], "relu"),
    helper.make_node("Conv", ["kept", "w1", "b1"], ["second"], "second", pads=[1, 1, 1, 1]),
    helper.make_node("Add", ["second", "kept"], ["sum"], "residual"),
    helper.make_node("Conv", ["sum", "w2"], ["y"], "halved", pads=[1, 1, 1, 1], strides=[2, 2]),
]
graph = helper.make_graph(
    nodes, "images",
    [helper.make_tensor_value_info("x", F16, ["images", 8, "height", "width"])],
    [helper.make_tensor_value_info("y", F16, ["images", 192, "rows", "columns"])],
    [weights("w0", 128, 8, 3, 3), weights("b0", 128), weights("w1", 128, 128, 3, 3), weights("b1", 128), weights("w2", 192, 128, 3, 3)])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), sys.argv[1])
