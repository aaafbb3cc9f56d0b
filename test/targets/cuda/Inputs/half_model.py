"""Writes a float16 model of matrix products: half_model.py MODEL.onnx WIDTH, a multiple of 64. Its rows
are known at run time only; a product adds what it multiplies, one has transposed weights, one is of
each head of 64."""

import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

rng = np.random.default_rng(7)
F16 = onnx.TensorProto.FLOAT16
WIDTH = int(sys.argv[2])
HIDDEN, HEADS = WIDTH + 64, WIDTH // 64


def weights(name, *shape):
    scale = shape[-2] ** -0.5 if len(shape) > 1 else 0.1
    return numpy_helper.from_array((rng.standard_normal(shape) * scale).astype(np.float16), name)


def ints(name, *values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


nodes = [
    helper.make_node("MatMul", ["x", "w0"], ["up"], "up"),
    helper.make_node("Add", ["up", "b0"], ["biased"], "bias"),
    helper.make_node("Relu", ["biased"], ["hidden"], "relu"),
    helper.make_node("Gemm", ["hidden", "w1", "b1"], ["down"], "down", transB=1),
    helper.make_node("Add", ["down", "x"], ["sum"], "residual"),
    helper.make_node("MatMul", ["sum", "square"], ["squared"], "square"),
    helper.make_node("Add", ["squared", "sum"], ["mixed"], "mix"),
    helper.make_node("Reshape", ["mixed", "split"], ["rows"], "split"),
    helper.make_node("Transpose", ["rows"], ["heads"], "heads", perm=[1, 0, 2]),
    helper.make_node("MatMul", ["heads", "w2"], ["y"], "each"),
]
graph = helper.make_graph(
    nodes, "half",
    [helper.make_tensor_value_info("x", F16, ["rows", WIDTH])],
    [helper.make_tensor_value_info("y", F16, [HEADS, "rows", 128])],
    [weights("w0", WIDTH, HIDDEN), weights("b0", HIDDEN), weights("w1", WIDTH, HIDDEN), weights("b1", WIDTH),
     weights("square", WIDTH, WIDTH), weights("w2", HEADS, 64, 128), ints("split", -1, HEADS, 64)])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), sys.argv[1])
