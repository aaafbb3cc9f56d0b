#!/usr/bin/env python3
"""Random ONNX graphs (graphs.py), compiled and compared with onnxruntime and with
the reference evaluator by `adze conformance --follow-errors`: no output may be
further off than errors can have grown on the way to it (docs/accuracy.md).

  test/random/run.py [--build DIR] [--seeds FIRST:COUNT] [--gpu CHIP]     default 0:100

A seed decides the graph, its inputs, which extents are free, and the CPU. The
seeds of known.json, which failed once, always run. A graph that fails is made
smaller while it still fails, and kept in BUILD/random/SEED."""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import onnx
from onnx import numpy_helper

import graphs
import shrink

HERE = pathlib.Path(__file__).resolve().parent
KNOWN = json.loads((HERE / "known.json").read_text())
CPUS = ["native", "native", "haswell", "x86-64"]
MOST_UNCHECKED = 0.1  # share of graphs that may have no bound or a form that is not supported


def first_opsets(adze):
    """{op: the first opset that has it} of the ONNX ops that the host target takes."""
    listed = subprocess.run([adze, "ops", "--json"], capture_output=True, text=True, check=True)
    first = collections.defaultdict(lambda: 1000)
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "":
            first[schema.name] = min(first[schema.name], schema.since_version)
    return {row["op"]: max(row["since"], first[row["op"]]) for row in json.loads(listed.stdout)
            if row["domain"] == "ai.onnx" and row["op"] in first}


def write_case(folder, model, inputs):
    """A case as `adze conformance` reads it, with what onnxruntime makes of the inputs."""
    results = graphs.session(model).run(None, inputs)
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    for kind, arrays in (("input", inputs.items()),
                         ("output", zip((o.name for o in model.graph.output), results))):
        for i, (name, array) in enumerate(arrays):
            (data / f"{kind}_{i}.pb").write_bytes(numpy_helper.from_array(array, name).SerializeToString())


def grow(seed, ops, folder):
    """Writes the seed's case; (names of its ops, why onnxruntime refuses the whole or None)"""
    graph = graphs.Graph(seed, ops)
    model, inputs = graph.model()
    try:
        write_case(folder / CPUS[seed % 4] / f"{seed:06}", model, inputs)
    except Exception as error:  # whatever type onnxruntime throws
        return [], f"{type(error).__name__}: {error}"[:300]
    return [node.op_type for node in graph.nodes], None


def verdicts(adze, folder, cpu, target=()):
    """{case: (status, reason)}"""
    done = subprocess.run([adze, "conformance", folder, "--follow-errors", "--cpu", cpu, "--json",
                           "--timeout", "120", *target],  # a busy machine is no failure
                          capture_output=True, text=True)
    if done.returncode not in (0, 4):
        raise SystemExit(f"adze conformance: {done.stderr[:300]}")
    return {c["name"]: (c["status"], c["reason"]) for c in json.loads(done.stdout)["cases"]}


def grown_graphs(seeds, ops, folder):
    """(seed, what `grow` returns) of each; a crash of onnxruntime is a refusal, and
    takes the pool with it."""
    waiting = list(seeds)
    while waiting:
        with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
            jobs = [(seed, pool.submit(grow, seed, ops, folder)) for seed in waiting]
            waiting = []
            for seed, job in jobs:
                try:
                    yield seed, job.result()
                except concurrent.futures.process.BrokenProcessPool:
                    waiting.append(seed)
        if waiting:  # the first of these, or one beside it: each alone
            for seed in waiting[:os.cpu_count() or 1]:
                for begun in pathlib.Path(folder).glob(f"*/{seed:06}"):
                    shutil.rmtree(begun)
                with concurrent.futures.ProcessPoolExecutor(1) as pool:
                    try:
                        yield seed, pool.submit(grow, seed, ops, folder).result()
                    except concurrent.futures.process.BrokenProcessPool:
                        yield seed, ([], "it crashes")
            waiting = waiting[os.cpu_count() or 1:]


class Suite:
    def __init__(self, args):
        self.args, self.passed, self.failed = args, 0, 0

    def say(self, ok, what):
        self.passed, self.failed = self.passed + ok, self.failed + (not ok)
        if not ok:
            print(f"FAILED {what}", flush=True)

    def grow_all(self, seeds, folder):
        ops = first_opsets(self.args.adze)
        missing = set(ops) - set(graphs.RECIPES) - set(KNOWN["not grown"])
        self.say(not missing, f"ops that have neither a recipe nor a reason: {sorted(missing)}")
        grown = collections.Counter()
        for seed, (names, refused) in grown_graphs(seeds, ops, folder):
            grown.update(names)
            if refused:
                self.say(str(seed) in KNOWN["onnxruntime"],
                         f"seed {seed}: onnxruntime refuses the graph: {refused}")
        never = sorted(set(graphs.RECIPES) - set(grown))
        print(f"{sum(grown.values())} nodes of {len(grown)} ops; never: {' '.join(never) or '-'}",
              flush=True)

    def compare_all(self, folder):
        unchecked = {}
        for cpu in sorted(set(CPUS)):
            if not (folder / cpu).exists():
                continue
            for case, (status, reason) in verdicts(self.args.adze, folder / cpu, cpu, self.args.target).items():
                if str(int(case)) in KNOWN["onnxruntime"]:
                    self.say(status != "pass", f"seed {case} ({cpu}): known to differ, but passes")
                elif status == "unsupported":
                    unchecked[case] = reason
                else:
                    self.say(status == "pass", f"seed {case} ({cpu}): {status}: {reason}")
                    if status != "pass":
                        self.keep(folder / cpu / case, cpu)
        for case, reason in unchecked.items():
            print(f"       seed {case} not compared: {reason}")
        return unchecked

    def keep(self, case, cpu):
        target = self.args.build / "random" / case.name
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(exist_ok=True)
        still = lambda folder: verdicts(self.args.adze, folder, cpu, self.args.target)
        nodes = shrink.shrink(case, target, write_case, still)
        print(f"       made smaller: {target}, {nodes} nodes; adze conformance {target.parent} "
              f"--filter {case.name} --follow-errors --cpu {cpu}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent.parent / "build")
    parser.add_argument("--seeds", default="0:100", metavar="FIRST:COUNT")
    parser.add_argument("--gpu", metavar="CHIP", help="compile for this GPU and run on the PTX emulator")
    args = parser.parse_args()
    args.target = ["--target", f"cuda:{args.gpu}", "--device", "ptx-emulator"] if args.gpu else []
    args.build = args.build.resolve()
    args.adze = args.build / "tools/adze/adze"
    first, count = map(int, args.seeds.split(":"))
    seeds = sorted({*range(first, first + count), *map(int, KNOWN["seeds"])})
    suite = Suite(args)
    with tempfile.TemporaryDirectory(prefix="adze-random-") as folder:
        suite.grow_all(seeds, pathlib.Path(folder))
        unchecked = suite.compare_all(pathlib.Path(folder))
    suite.say(len(unchecked) <= MOST_UNCHECKED * len(seeds),
              f"{len(unchecked)} of {len(seeds)} graphs are not compared")
    print(f"{suite.passed} passed, {suite.failed} failed")
    sys.exit(1 if suite.failed else 0)


if __name__ == "__main__":
    main()
