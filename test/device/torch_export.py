"""An ONNX model with fixed shapes as what torch_peer.py reads: graph.json (the nodes that
depend on an input, with the shapes of all values) and weights.npz (everything that does
not, computed by onnxruntime). Needs onnx and onnxruntime, no torch."""

import json

import numpy as np
import onnx
import onnxruntime
from onnx import helper


def all_values(model, feed):
    """Every value of the graph for these inputs, by name."""
    names = [o for node in model.graph.node for o in node.output if o]
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return dict(zip(names, session.run(None, feed)))


def attribute(a):
    value = helper.get_attribute_value(a)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, (onnx.TensorProto, onnx.GraphProto)):
        return None  # only of nodes that are computed here, or that no torch function does
    return [v.decode() if isinstance(v, bytes) else v for v in value] if isinstance(value, list) else value


def split(graph, values, feed):
    """(nodes that depend on an input, what does not, by name)"""
    fixed = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    nodes = []
    for node in graph.node:
        # Shapes are fixed, and so is what is computed from them.
        if node.op_type in ("Shape", "Size") or all(i in fixed for i in node.input if i):
            fixed.update({o: values[o] for o in node.output if o})
            continue
        nodes.append({"op": node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}",
                      "inputs": list(node.input), "outputs": list(node.output),
                      "attributes": {a.name: attribute(a) for a in node.attribute}})
    return nodes, {name: value for name, value in fixed.items() if name not in feed}


def export(source, feed, folder):
    """Writes graph.json and weights.npz for inputs of these shapes to `folder`."""
    model = onnx.load(source)
    outputs = [o.name for o in model.graph.output]
    version = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    values = all_values(model, feed)
    nodes, fixed = split(model.graph, values, feed)
    used = {i for node in nodes for i in node["inputs"]} | set(outputs)
    weights = {name: value for name, value in fixed.items() if name in used}
    values.update(feed)
    shapes = {name: list(np.shape(value)) for name, value in values.items()}
    types = {name: str(np.asarray(value).dtype) for name, value in values.items()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "graph.json").write_text(json.dumps(
        {"opset": version, "inputs": list(feed), "outputs": outputs, "weights": list(weights), "nodes": nodes,
         "shapes": shapes, "types": types}))
    np.savez(folder / "weights.npz", **{str(i): value for i, value in enumerate(weights.values())})
