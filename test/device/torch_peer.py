#!/usr/bin/env python3
"""The models of test/models/models.json as torch runs them, eagerly and compiled: what
adze's times on a GPU are compared with.

  where onnx is, no torch needed:  torch_peer.py --export DIR [NAME ...]
  on a machine with a GPU:         torch_peer.py DIR/NAME ... [--json FILE] [--tf32] [--seconds S]

A folder of --export has the graph as JSON, its weights and inputs, and onnxruntime's
results (gpu_models.py writes the same with the host's). A model with a node that torch_ops.py does not write is named and
left out. Times are medians of 200 runs, each waited for."""

import argparse
import importlib.util
import json
import pathlib
import re
import statistics
import sys
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "models"))
sys.path.insert(0, str(HERE))
import torch_ops
from torch_ops import NotWritten

WARM, RUNS = 20, 200


class Writer:
    """Writes the graph as one Python function over constants self.c0, self.c1, …"""

    def __init__(self, graph, weights):
        self.graph, self.weights, self.opset = graph, weights, graph["opset"]
        self.names, self.lines, self.constants, self.count = {}, [], [], 0

    def fresh(self):
        self.count += 1
        return f"v{self.count}"

    def constant(self, array):
        self.constants.append(np.ascontiguousarray(array))
        return f"self.c{len(self.constants) - 1}"

    def name(self, value):
        if value not in self.names:
            if value not in self.weights:
                raise NotWritten(f"value {value}, which nothing computes")
            self.names[value] = self.constant(self.weights[value])
        return self.names[value]

    def shape(self, value):
        return self.graph["shapes"][value] if value in self.graph["shapes"] else list(self.weights[value].shape)

    def type(self, value):
        return self.graph["types"][value] if value in self.graph["types"] else str(self.weights[value].dtype)

    def line(self, text):
        self.lines.append("    " + text)

    def source(self):
        for value in self.graph["inputs"]:
            self.names[value] = self.fresh()
        head = f"def forward(self, {', '.join(self.names.values())}):"
        missing = sorted({n["op"] for n in self.graph["nodes"]} - set(torch_ops.OPS))
        if missing:
            raise NotWritten(", ".join(missing))
        for node in self.graph["nodes"]:
            text = torch_ops.OPS[node["op"]](torch_ops.Node(self, node))
            several = node["op"] in torch_ops.TUPLES
            results = [self.fresh() for _ in node["outputs"][:None if several else 1]]
            self.names.update(zip(node["outputs"], results))
            self.line(f"{', '.join(results)}{',' if several else ''} = {text}")
        self.line(f"return ({', '.join(self.name(o) for o in self.graph['outputs'])},)")
        return "\n".join([head, *self.lines]) + "\n"


def read_graph(folder):
    graph = json.loads((folder / "graph.json").read_text())
    with np.load(folder / "weights.npz") as stored:
        return graph, {name: stored[str(i)] for i, name in enumerate(graph["weights"])}


def read(folder):
    graph, weights = read_graph(folder)
    with np.load(folder / "inputs.npz") as stored:
        inputs = [stored[str(i)] for i in range(len(graph["inputs"]))]
    with np.load(folder / "reference.npz") as stored:
        reference = [stored[str(i)] for i in range(len(graph["outputs"]))]
    return graph, weights, inputs, reference


def module_of(torch, graph, weights, folder):
    """The torch module on the GPU; its source is kept beside the graph, for error messages."""
    writer = Writer(graph, weights)
    source = writer.source()
    path = folder / "forward.py"
    path.write_text("import torch\nimport torch.nn.functional as F\n\n\n" + source)
    spec = importlib.util.spec_from_file_location(f"forward_of_{re.sub('[^A-Za-z0-9]', '_', folder.name)}", path)
    written = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(written)
    module = type("Graph", (torch.nn.Module,), {"forward": written.forward})()
    for i, array in enumerate(writer.constants):
        module.register_buffer(f"c{i}", torch.from_numpy(array.copy()))
    return module.cuda().eval()


def median_ms(call):
    for _ in range(WARM):
        call()
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return round(statistics.median(times) * 1e3, 4)


def largest_error(got, reference):
    """In units of the largest element."""
    return max((float(np.abs(g.astype("f8") - w).max() / max(np.abs(w).max(), 1e-30)) for g, w in zip(got, reference) if w.size),
               default=0.0)


def measure(torch, function, inputs, reference):
    device = [torch.from_numpy(x).cuda() for x in inputs]
    begin = time.perf_counter()
    got = [r.cpu().numpy() for r in function(*device)]
    row = {"first_s": round(time.perf_counter() - begin, 2), "error": largest_error(got, reference)}

    def resident():
        function(*device)
        torch.cuda.synchronize()

    def copied():
        for r in function(*[torch.from_numpy(x).cuda() for x in inputs]):
            r.cpu()

    row["ms"], row["ms_with_copies"] = median_ms(resident), median_ms(copied)
    return row


def run(torch, folder, options):
    graph, weights, inputs, reference = read(folder)
    module = module_of(torch, graph, weights, folder)
    rows = {}
    for mode in options.modes:
        torch._dynamo.reset()
        function = module if mode == "eager" else torch.compile(module, mode=None if mode == "default" else mode)
        try:
            with torch.no_grad():
                rows[mode] = measure(torch, function, inputs, reference)
        except Exception as error:  # of the compiler: the other modes still count
            rows[mode] = {"failed": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"}
        print(f"{folder.name} {mode}: {rows[mode]}", flush=True)
    return rows


def measure_all(options):
    import torch
    # float32 as adze computes it, unless said otherwise.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = options.tf32
    record = {"torch": torch.__version__, "gpu": torch.cuda.get_device_name(), "tf32": options.tf32, "models": {}}
    begin = time.monotonic()
    for folder in options.folders:
        if options.seconds and time.monotonic() - begin > options.seconds:
            print(f"{folder.name}: no time left")
            continue
        try:
            record["models"][folder.name] = run(torch, folder, options)
        except NotWritten as reason:
            record["models"][folder.name] = {"left_out": str(reason)}
            print(f"{folder.name}: left out: {reason}", flush=True)
        if options.json:
            options.json.write_text(json.dumps(record, indent=1) + "\n")


def export(source, feed, folder):
    """Writes graph and weights for a run with torch; "torch", or why it cannot be."""
    import torch_export

    try:
        torch_export.export(source, feed, folder)
        graph, weights = read_graph(folder)
        Writer(graph, weights).source()
        return "torch"
    except Exception as reason:  # of onnxruntime, on what it does not take
        for name in ("graph.json", "weights.npz"):
            (folder / name).unlink(missing_ok=True)
        return f"not for torch ({' '.join(str(reason).split())[:200]})"


def export_all(options):
    import common
    import fetch
    import onnxruntime

    for model in fetch.chosen([f.name for f in options.folders], False):
        source, folder = fetch.DEFAULT / f"{model['name']}.onnx", options.export / model["name"]
        feed = common.inputs_of(model, model["bench"])
        print(f"{model['name']}: {export(source, feed, folder)}")
        if (folder / "graph.json").exists():
            np.savez(folder / "inputs.npz", **{str(i): x for i, x in enumerate(feed.values())})
            session = onnxruntime.InferenceSession(str(source), providers=["CPUExecutionProvider"])
            np.savez(folder / "reference.npz", **{str(i): x for i, x in enumerate(session.run(None, feed))})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", nargs="*", type=pathlib.Path, metavar="DIR/NAME")
    parser.add_argument("--export", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--tf32", action="store_true", help="products and convolutions in tf32, as torch may")
    parser.add_argument("--modes", type=lambda s: s.split(","), default=["eager", "default", "reduce-overhead"])
    parser.add_argument("--seconds", type=float, help="begin no further model after this time")
    options = parser.parse_args()
    export_all(options) if options.export else measure_all(options)


if __name__ == "__main__":
    main()
