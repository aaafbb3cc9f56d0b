#!/usr/bin/env python3
"""What attention in one kernel saves, counted by the PTX emulator: a row for each size, once with
the softmax in a kernel of its own (adze.fuse = "alone"), once as compiled.

  test/device/attention_counts.py [--build DIR] [--models DIR] [--chip sm_80]

launches: of kernels; MB: that they read and write in the device's memory, caches left out;
instructions: of warps, in millions; arena: bytes of what is between kernels."""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import onnx
from onnx import TensorProto, helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/models"))
import fetch

MINILM = ["input_ids", "attention_mask", "token_type_ids"]
# BERT-base and others: batch, heads, queries, depth of a head, type.
SIZES = [(1, 12, 128, 64, "FLOAT"), (1, 12, 512, 64, "FLOAT"), (1, 12, 512, 64, "FLOAT16"), (8, 12, 128, 64, "FLOAT")]


def attention(batch, heads, tokens, depth, dtype):
    """Heads out of [batch, tokens, heads depth], scores with a scale and a mask, and back."""
    element, wide = getattr(TensorProto, dtype), heads * depth
    nodes, inits = [], [helper.make_tensor("shape", TensorProto.INT64, [4], [batch, tokens, heads, depth]),
                        helper.make_tensor("whole", TensorProto.INT64, [3], [batch, tokens, wide]),
                        helper.make_tensor("scale", element, [], [depth ** -0.5])]
    for x, perm in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
        nodes += [helper.make_node("Reshape", [x, "shape"], [x + "4"]),
                  helper.make_node("Transpose", [x + "4"], [x + "h"], perm=perm)]
    for op, inputs, out, more in (("MatMul", ["qh", "kh"], "s", {}), ("Mul", ["s", "scale"], "t", {}),
                                  ("Add", ["t", "mask"], "u", {}), ("Softmax", ["u"], "p", {"axis": -1}),
                                  ("MatMul", ["p", "vh"], "o", {}), ("Transpose", ["o"], "r", {"perm": [0, 2, 1, 3]}),
                                  ("Reshape", ["r", "whole"], "y", {})):
        nodes.append(helper.make_node(op, inputs, [out], **more))
    flat = [helper.make_tensor_value_info(x, element, [batch, tokens, wide]) for x in ("q", "k", "v")]
    mask = helper.make_tensor_value_info("mask", element, [batch, 1, 1, tokens])
    y = helper.make_tensor_value_info("y", element, [batch, tokens, wide])
    return helper.make_model(helper.make_graph(nodes, "attention", [*flat, mask], [y], inits),
                             opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def count(adze, source, chip, shapes, alone, folder):
    target = ["--target", f"cuda:{chip}", "--ptxas", "none"]
    layout, artifact = f"{folder}/layout.mlir", f"{folder}/model.adze"
    run = lambda *args: subprocess.run([adze, *args], check=True, capture_output=True, text=True).stdout
    run("compile", source, "-o", layout, "--to", "layout", *target, *shapes)
    if alone:
        text = pathlib.Path(layout).read_text()
        text = re.sub(r"(adze\.softmax %\S+ \{)", r'\1adze.fuse = "alone", ', text)
        pathlib.Path(layout).write_text(text)
    run("compile", layout, "-o", artifact, "--from", "fuse", *target)
    result = json.loads(run("run", artifact, "--check", "--json", *shapes))
    assert not result["check"]["findings"], result["check"]["findings"]
    return {**result["check"], "arena": result["memory"]["arena_bytes"]}


def row(adze, name, source, chip, shapes=()):
    with tempfile.TemporaryDirectory() as folder:
        apart, one = (count(adze, source, chip, shapes, alone, folder) for alone in (True, False))
    cell = lambda key, unit, digits: f"{apart[key] / unit:.{digits}f} → {one[key] / unit:.{digits}f}"
    print(f"| {name} | {cell('launches', 1, 0)} | {cell('bytes', 1e6, 1)} | {cell('instructions', 1e6, 2)} "
          f"| {cell('arena', 1e6, 2)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--models", type=pathlib.Path, default=fetch.DEFAULT)
    parser.add_argument("--chip", default="sm_80")
    args = parser.parse_args()
    adze = args.build.resolve() / "tools/adze/adze"
    print("| | launches | MB | instructions | arena, MB |\n|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            path = f"{folder}/attention.onnx"
            onnx.save(attention(*size), path)
            batch, heads, tokens, depth, dtype = size
            row(adze, f"{batch} × {heads} heads, {tokens} tokens, {depth}, {'f32' if dtype == 'FLOAT' else 'f16'}", path, args.chip)
    for tokens in (32, 128):
        shapes = [flag for x in MINILM for flag in ("--shape", f"{x}=1x{tokens}")]
        row(adze, f"minilm-l6-v2, {tokens} tokens", args.models / "minilm-l6-v2.onnx", args.chip, shapes)


if __name__ == "__main__":
    main()
