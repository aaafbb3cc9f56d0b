"""A small writer of ONNX graphs, shared by the model builders."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


class GraphWriter:
    """Adds nodes and initializers in order; names count up, so that the same
    calls give the same bytes."""

    def __init__(self, name):
        self.name = name
        self.nodes = []
        self.initializers = {}

    def constant(self, value, name=None):
        """An initializer; one with this name that exists already is reused."""
        name = name or f"const_{len(self.initializers)}"
        if name not in self.initializers:
            array = np.ascontiguousarray(value)
            self.initializers[name] = numpy_helper.from_array(array.reshape(np.shape(value)), name)
        return name

    def op(self, op_type, *inputs, output=None, **attributes):
        label = f"{op_type}_{len(self.nodes)}"
        output = output or f"{label}_out"
        self.nodes.append(helper.make_node(op_type, list(inputs), [output], name=label, **attributes))
        return output

    def save(self, path, inputs, outputs, opset, data=None):
        """inputs and outputs: (name, element type, shape) each. `data`: a file beside `path`
        for the weights."""
        info = lambda values: [helper.make_tensor_value_info(*v) for v in values]
        graph = helper.make_graph(
            self.nodes, self.name, info(inputs), info(outputs), list(self.initializers.values())
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        if data is None:
            onnx.checker.check_model(model)
        else:
            data.unlink(missing_ok=True)  # it would be appended to
            onnx.external_data_helper.convert_model_to_external_data(model, location=data.name)
            onnx.external_data_helper.write_external_data_tensors(model, str(data.parent))
        with open(path, "wb") as file:
            file.write(model.SerializeToString(deterministic=True))
