"""write_case.py FOLDER KIND: a node case over [-1, 2]. KIND 0: Relu; 1: its expected
output is off; 2: its input is longer than the model's; 3: a Gather of an index
that is out of range; 4: Floor of Sin, which jumps at the 0 that it is given."""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

folder, kind = pathlib.Path(sys.argv[1]), int(sys.argv[2])
data = folder / "test_data_set_0"
data.mkdir(parents=True, exist_ok=True)
types = [TensorProto.INT64 if kind == 3 else TensorProto.FLOAT, TensorProto.FLOAT]
x, y = (helper.make_tensor_value_info(n, t, [2]) for n, t in zip("xy", types))
node = helper.make_node("Relu", ["x"], ["y"], name="relu")
weights = []
if kind == 3:
    node = helper.make_node("Gather", ["w", "x"], ["y"], name="gather")
    weights = [numpy_helper.from_array(np.zeros(2, np.float32), "w")]
nodes = [node]
if kind == 4:
    nodes = [helper.make_node("Sin", ["x"], ["s"]), helper.make_node("Floor", ["s"], ["y"])]
graph = helper.make_graph(nodes, "g", [x], [y], weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
(folder / "model.onnx").write_bytes(model.SerializeToString())
given = np.array([-1, 2, 3][:3 if kind == 2 else 2], np.int64 if kind == 3 else np.float32)
wanted = np.array([0, 2 + (kind == 1)], np.float32)
if kind == 4:
    given, wanted = np.array([0, 2], np.float32), np.zeros(2, np.float32)
for name, numbers in ("input", given), ("output", wanted):
    (data / f"{name}_0.pb").write_bytes(numpy_helper.from_array(numbers, name).SerializeToString())
