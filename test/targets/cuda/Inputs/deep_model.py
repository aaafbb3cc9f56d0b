"""Writes a float32 model of one product with many terms and few columns, whose rows are known at run
time only: deep_model.py MODEL.onnx."""

import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

rng = np.random.default_rng(7)
F32 = onnx.TensorProto.FLOAT
TERMS, COLUMNS = 4096, 72


def weights(name, scale, *shape):
    return numpy_helper.from_array((rng.standard_normal(shape) * scale).astype(np.float32), name)


nodes = [
    helper.make_node("MatMul", ["x", "w"], ["product"], "product"),
    helper.make_node("Add", ["product", "b"], ["biased"], "bias"),
    helper.make_node("Relu", ["biased"], ["y"], "relu"),
]
graph = helper.make_graph(
    nodes, "deep",
    [helper.make_tensor_value_info("x", F32, ["rows", TERMS])],
    [helper.make_tensor_value_info("y", F32, ["rows", COLUMNS])],
    [weights("w", TERMS ** -0.5, TERMS, COLUMNS), weights("b", 0.1, COLUMNS)])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), sys.argv[1])
