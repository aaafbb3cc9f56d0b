"""The ONNX project's "light" models have ConstantOfShape for weights, which
folds to a network of zeros. This fills them with seeded random values of the
scale that keeps signals alive (He et al. 2015, arXiv:1502.01852)."""

import zlib

import numpy as np
import onnx
from onnx import numpy_helper


def _values(name, shape, role, seed):
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    if role == "variance":
        return random.uniform(0.5, 1.5, shape)
    if role == "scale":
        return random.uniform(0.5, 1.0, shape)
    if len(shape) < 2:
        return random.normal(0, 0.1, shape)
    return random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)


def _roles(graph):
    roles = {}
    for node in graph.node:
        if node.op_type == "BatchNormalization":
            roles[node.input[1]], roles[node.input[4]] = "scale", "variance"
    return roles


def build(source, target, seed=20):
    model = onnx.load(source)
    graph, roles = model.graph, _roles(model.graph)
    known = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            known[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    kept = []
    for node in graph.node:
        if node.op_type != "ConstantOfShape":
            kept.append(node)
            continue
        shape = tuple(int(d) for d in known[node.input[0]])
        name = node.output[0]
        value = _values(name, shape, roles.get(name), seed).astype(np.float32)
        graph.initializer.append(numpy_helper.from_array(value, name))
    used = {name for node in kept for name in node.input}
    weights = [t for t in graph.initializer if t.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(n for n in kept if n.op_type != "Constant" or n.output[0] in used)
    graph.initializer.extend(weights)
    real = [i for i in graph.input if i.name not in known]
    del graph.input[:]
    graph.input.extend(real)
    model.ir_version = max(model.ir_version, 4)  # the first that allows initializers which are no inputs
    onnx.checker.check_model(model)
    with open(target, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))
