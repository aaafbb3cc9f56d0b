"""Makes a failing case smaller: takes nodes out while it fails in the same way."""

import pathlib
import tempfile

import onnx
from onnx import helper, numpy_helper

import graphs


def read_case(folder):
    model = onnx.load(folder / "model.onnx")
    files = sorted((folder / "test_data_set_0").glob("input_*.pb"), key=lambda p: int(p.stem[6:]))
    tensors = [onnx.TensorProto.FromString(p.read_bytes()) for p in files]
    return model, {t.name: numpy_helper.to_array(t) for t in tensors}


def values_of(model, inputs):
    """Every value of the graph, as onnxruntime computes it."""
    every = onnx.ModelProto()
    every.CopyFrom(model)
    names = [name for node in model.graph.node for name in node.output if name]
    del every.graph.output[:]
    every.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    return {**inputs, **dict(zip(names, graphs.session(every).run(None, inputs)))}


def part_of(model, nodes, wanted, values):
    """(model, inputs) of these nodes and what they need; values that no node makes are inputs."""
    needed, kept = set(wanted), []
    for node in reversed(nodes):
        if needed & set(node.output):
            kept.insert(0, node)
            needed |= set(filter(None, node.input))
    made = {name for node in kept for name in node.output}
    constants = [t for t in model.graph.initializer if t.name in needed]
    known = {i.name: i for i in model.graph.input}
    names = sorted(needed - made - {t.name for t in constants})
    entry = [known.get(n) or graphs.info(graphs.Value(n, values[n])) for n in names]
    leave = [graphs.info(graphs.Value(n, values[n]), None) for n in wanted if n in made]
    part = graphs.model_of(kept, entry, leave, constants, model.opset_import[0].version)
    return part, {n: values[n] for n in names}


def candidates(model, values):
    """Smaller models, the smallest first: fewer outputs, then without one node."""
    nodes, outputs = list(model.graph.node), [o.name for o in model.graph.output]
    if len(outputs) > 1:
        for name in outputs:
            yield part_of(model, nodes, [name], values)
        return
    for i, node in enumerate(nodes):
        rest = nodes[:i] + nodes[i + 1:]
        if set(node.output) & set(outputs):  # its operands take the output's place
            made = {name for n in rest for name in n.output}
            for name in filter(made.__contains__, node.input):
                yield part_of(model, rest, [name], values)
        elif rest:
            yield part_of(model, rest, outputs, values)


def shrink(case, target, write_case, verdicts):
    """Writes the smallest case found to `target`; how many nodes it has. `verdicts` judges a
    folder of cases, `write_case` writes one."""
    model, inputs = read_case(case)
    status = verdicts(case.parent)[case.name][0]
    progress = True
    while progress:
        progress = False
        with tempfile.TemporaryDirectory(prefix="adze-shrink-") as folder:
            tried = {}
            for i, (part, given) in enumerate(candidates(model, values_of(model, inputs))):
                try:
                    write_case(pathlib.Path(folder) / f"{i:04}", part, given)
                    tried[f"{i:04}"] = part, given
                except Exception:  # onnxruntime does not take this part
                    continue
            found = verdicts(pathlib.Path(folder)) if tried else {}
            failing = [c for c in tried if found.get(c, ("",))[0] == status]
            if failing:
                model, inputs = min((tried[c] for c in failing), key=lambda t: len(t[0].graph.node))
                progress = True
    write_case(target, model, inputs)
    return len(model.graph.node)
