"""write_case.py FOLDER WRONG: a node case of Relu over [-1, 2]; with WRONG=1 its
expected output is off."""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

folder = pathlib.Path(sys.argv[1])
data = folder / "test_data_set_0"
data.mkdir(parents=True, exist_ok=True)
value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [2]) for n in "xy"]
graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"], name="relu")], "g", value[:1], value[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
(folder / "model.onnx").write_bytes(model.SerializeToString())
for name, numbers in ("input", [-1, 2]), ("output", [0, 2 + int(sys.argv[2])]):
    tensor = numpy_helper.from_array(np.array(numbers, np.float32), name)
    (data / f"{name}_0.pb").write_bytes(tensor.SerializeToString())
