#!/usr/bin/env python3
"""What `adze inspect MODEL --fusion` says of the models of models.json: every ONNX
node is in exactly one kernel, or the remark says where else it is and why. And the
models without any fusion (-O0) agree with onnxruntime as those with it do in
run.py. With --table the kernels at -O0 and -O3.

  test/models/fusion.py [--build DIR] [--models DIR] [--table] [NAME ...]
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import onnx

import common
import fetch

ROOT = fetch.ROOT


def remarks_of(adze, source, *flags):
    done = subprocess.run([adze, "inspect", source, "--fusion", "--json", *flags],
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(" ".join(done.stderr.split())[:300])
    return json.loads(done.stdout)


def names_in(graph):
    """The nodes of a graph and of its branches and bodies, as remarks name them."""
    for node in graph.node:
        yield node.name or next((o for o in node.output if o), "")
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from names_in(attribute.g)


def faults(remarks, wanted):
    """What is wrong with the remarks of a model whose nodes are `wanted`."""
    kernels, nodes = remarks["kernels"], remarks["nodes"]
    said = collections.Counter(n["node"] for n in nodes)
    for name, times in collections.Counter(wanted).items():
        if said[name] < times:
            yield f"node {name} is in no remark"
    within = collections.defaultdict(list)
    for kernel in kernels:
        for number in kernel["nodes"]:
            within[number].append(kernel["kernel"])
        if not kernel["anchor"] or not kernel["stops"]:
            yield f"kernel {kernel['kernel']} has no anchor, or does not say where it ends"
        for stop in kernel["stops"]:
            if not stop["why"]:
                yield f"kernel {kernel['kernel']} does not say why it ends before {stop['op']}"
    for number, node in enumerate(nodes):
        where = sorted(within[number])
        if where != sorted([node["kernel"], *node["also"]] if node["kernel"] >= 0 else []):
            yield f"node {node['node']} is in kernels {where}, which its remark does not say"
        if len(where) > 1 and node["fate"] not in ("split", "duplicated"):
            yield f"node {node['node']} is in kernels {where} without a reason"
        if (len(where) == 0) != (node["fate"] in ("entry", "constant", "folded")):
            yield f"node {node['node']} is in kernels {where} and {node['fate']}"
        if not node["why"] or node["why"].startswith("removed by"):
            yield f"node {node['node']} ({node['op']}) does not say why: '{node['why']}'"


def unfused(args, adze, model, source):
    """What `adze verify` says against the artifact of -O0; "" if nothing."""
    artifact = args.build.resolve() / "models" / f"{model['name']}-O0.adze"
    artifact.parent.mkdir(exist_ok=True)
    common.compile_model(adze, source, artifact, "-O", "0")
    with tempfile.TemporaryDirectory() as folder:
        flags = common.input_flags(common.inputs_of(model, model["sizes"][0]), folder)
        done = subprocess.run([adze, "verify", artifact, "--against", source, *flags],
                              capture_output=True, text=True)
    return " ".join(done.stderr.split())[:300] if done.returncode else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--models", type=pathlib.Path, default=fetch.DEFAULT)
    parser.add_argument("--table", action="store_true", help="kernels at -O0 and -O3 too")
    args = parser.parse_args()
    os.environ.setdefault("ADZE_PYTHON", sys.executable)
    adze, failed, count, rows = args.build.resolve() / "tools/adze/adze", 0, 0, []
    for model in fetch.chosen(args.names, full=False):
        if "unsupported" in model:
            continue
        source, count = args.models / f"{model['name']}.onnx", count + 1
        graph = onnx.load(source, load_external_data=False).graph
        remarks = remarks_of(adze, source)
        wrong = list(faults(remarks, names_in(graph)))
        fates = collections.Counter(n["fate"] for n in remarks["nodes"])
        print(f"{'FAILED' if wrong else 'ok    '} {model['name']}: {len(remarks['kernels'])} kernels; "
              + ", ".join(f"{n} {fate}" for fate, n in sorted(fates.items())), flush=True)
        for text in wrong[:10]:
            print(f"       {text}")
        failed += bool(wrong)
        fault = unfused(args, adze, model, source)
        print(f"{'FAILED' if fault else 'ok    '} {model['name']}: without fusion {fault}", flush=True)
        count, failed = count + 1, failed + bool(fault)
        if args.table:
            plain = remarks_of(adze, source, "-O", "0")
            rows.append(f"| {model['name']} | {len(plain['kernels'])} | {len(remarks['kernels'])} |")
    if rows:
        print("\n".join(["| model | kernels -O0 | -O3 |", "|---|---:|---:|", *rows]))
    print(f"{count - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
