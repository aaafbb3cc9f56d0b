"""Transposes of several types, orders and extents, with work around them, on the PTX
emulator: no finding, the results of onnxruntime, no more sectors than there are.

  transposes.py ADZE FOLDER"""

import json
import subprocess
import sys

import onnx
from onnx import TensorProto as T
from onnx import helper as h

# name: order, extents (a text is dynamic), run extents, type, elementwise ops around
CASES = {
    "rows": ([1, 0], [64, 512], None, T.FLOAT, False),
    "edges": ([0, 2, 1], [3, 47, 33], None, T.FLOAT, False),
    "nchw": ([0, 3, 1, 2], [2, 9, 9, 40], None, T.FLOAT16, False),
    "bytes": ([2, 1, 0], [70, 3, 65], None, T.UINT8, False),
    "doubles": ([1, 0], [48, 40], None, T.DOUBLE, False),
    "dynamic": ([0, 2, 1], [2, "n", 64], [2, 37, 64], T.FLOAT, False),
    "empty": ([0, 2, 1], [2, "n", 64], [2, 0, 64], T.FLOAT, False),
    "fused": ([0, 2, 1], [2, 80, 48], None, T.FLOAT, True),
}


def model(name):
    order, shape, _, kind, fused = CASES[name]
    out = [shape[i] for i in order]
    nodes = [h.make_node("Transpose", ["x"], ["t" if fused else "y"], perm=order)]
    inputs = [h.make_tensor_value_info("x", kind, shape)]
    if fused:
        nodes += [h.make_node("Add", ["t", "z"], ["s"]), h.make_node("Mul", ["s", "r"], ["p"]),
                  h.make_node("Relu", ["p"], ["y"])]
        inputs += [h.make_tensor_value_info("z", kind, out), h.make_tensor_value_info("r", kind, out[-1:])]
    graph = h.make_graph(nodes, name, inputs, [h.make_tensor_value_info("y", kind, out)])
    return h.make_model(graph, opset_imports=[h.make_opsetid("", 18)], ir_version=9)


def main():
    adze, folder = sys.argv[1:]
    for name, (_, shape, run, kind, fused) in CASES.items():
        source, artifact = f"{folder}/{name}.onnx", f"{folder}/{name}.adze"
        onnx.save(model(name), source)
        shapes = ["--shape", "x=" + "x".join(map(str, run or shape))]
        subprocess.run([adze, "compile", source, "-o", artifact, "-q", "--target", "cuda:sm_80", "--ptxas", "none"],
                       check=True)
        subprocess.run([adze, "verify", artifact, "--against", source, *shapes, "-q", "--device", "ptx-emulator"],
                       check=True)
        done = subprocess.run([adze, "run", artifact, *shapes, "--check", "--json"], check=True, capture_output=True)
        check = json.loads(done.stdout)["check"]
        assert not check["findings"], check["findings"]
        assert check["wavefronts"] == check["shared_accesses"], f"{name}: banks conflict"
        assert (check["shared_accesses"] > 0) == (name != "empty"), f"{name}: no tiles"
        least = (check["bytes"] + 31) // 32
        print(f"{name}: {check['sectors'] / max(1, least):.2f} of the least sectors")


if __name__ == "__main__":
    main()
