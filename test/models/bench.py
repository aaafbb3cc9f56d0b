#!/usr/bin/env python3
"""Measures the models of models.json against onnxruntime and writes the tables of
docs/benchmarks.md. The engines take turns within one run (`adze bench
--compare`), so that a busy machine slows both: the ratios count.

  test/models/bench.py [--build DIR] [--models DIR] [--duration S] [--engines ort,openvino,iree]
                       [--levels] [--write] [NAME ...]

With --levels it measures -O3 against -O0 instead, and writes that section.
"""

import argparse
import json
import math
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

import common
import fetch

ROOT = fetch.ROOT
PAGE = ROOT / "docs/benchmarks.md"
INTRODUCTION = """# Benchmarks

Written by `.venv/bin/python test/models/bench.py --engines {engines} --write`. Latency in ms
(median) of one request at the size given; all engines take turns within one run. In brackets:
adze's latency to the engine's, less is better; "best" is its ratio to the fastest of them. Compiled
without shapes, for this CPU. The last line has the geometric means. run MB: the most memory of
`adze run`, and of a process that runs the model once in onnxruntime. * has 8-bit weights or
activations. (openvino: `ADZE_PYTHON` names a Python that has it.)
{versions}. Machine: {cpu}, {threads} threads.

"""


LEVELS = """
## What -O3 adds

Written by `.venv/bin/python test/models/bench.py --levels --write`. Latency in ms (median) of one
request on one thread, and kernels; `-O0` and `-O3` take turns. At both levels the kernels are
scheduled the same ([cli.md](cli.md#levels)). Median factor {median:.1f}.

"""


def bench(args, artifact, source, feed, threads):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([args.adze, "bench", artifact, "--model", source, "--compare",
                               ",".join(args.engines), "--json", "--threads", str(threads),
                               "--duration", str(args.duration),
                               *common.input_flags(feed, folder)],
                              capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"adze bench: {' '.join(done.stderr.split())[:300]}")
    return json.loads(done.stdout)


RUN_ONCE = """
import sys, numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
session.run(None, {a.split("=", 1)[0]: np.load(a.split("=", 1)[1]) for a in sys.argv[3::2]})
"""


def memory(args, artifact, source, feed):
    """The most bytes that one request takes in a process of its own: adze's, onnxruntime's."""
    with tempfile.TemporaryDirectory() as folder:
        flags = common.input_flags(feed, folder)
        runs = [[args.adze, "run", artifact, "--output", folder, *flags],
                [os.environ["ADZE_PYTHON"], "-c", RUN_ONCE, source, *flags]]
        return [common.measured(run)[2] for run in runs]


def mean(ratios):
    return math.prod(ratios) ** (1 / len(ratios)) if ratios else math.nan


class Table:
    """Rows of text, the ratios behind them, the engines' versions."""

    def __init__(self, args):
        self.args, self.ratios, self.versions = args, {}, {}
        head = ["model", "input"]
        for threads in (1, 2):
            head += [f"adze, {threads} thread{'s' * (threads > 1)}", *args.engines, "best"]
        self.rows = [head + ["compile s", "compile MB", "run MB", "ort run MB", "model MB"]]

    def add(self, model):
        args, source = self.args, self.args.models / f"{model['name']}.onnx"
        artifact = args.build / "models" / f"{model['name']}.adze"
        artifact.parent.mkdir(exist_ok=True)
        _, seconds, peak = common.compile_model(args.adze, source, artifact)
        size = " ".join(f"{n}={'x'.join(map(str, d))}" for n, d in list(model["bench"].items())[:1])
        feed = common.inputs_of(model, model["bench"])
        cells = [model["name"] + "*" * model.get("quantized", False), size]
        for threads in (1, 2):
            result = bench(args, artifact, source, feed, threads)
            cells.append(f"{result['latency_ms']['p50']:.2f}")
            ratios = {other["engine"]: other["adze_ratio"]["p50"] for other in result["compare"]
                      if "error" not in other}
            for other in result["compare"]:
                if "error" in other:
                    cells.append("does not take it")
                    continue
                self.versions[other["engine"]] = other["version"]
                cells.append(f"{other['latency_ms']['p50']:.2f} ({ratios[other['engine']]:.2f})")
            if ratios:
                ratios["best"] = max(ratios.values())
            cells.append(f"{ratios['best']:.2f}" if ratios else "")
            for engine, ratio in ratios.items():
                self.ratios.setdefault((threads, engine), []).append(ratio)
        cells += [f"{seconds:.1f}", f"{peak / 1e6:.0f}"]
        cells += [f"{m / 1e6:.0f}" for m in memory(args, artifact, source, feed)]
        self.rows.append([*cells, f"{source.stat().st_size / 1e6:.1f}"])

    def fail(self, model, error):
        self.rows.append([model["name"], f"failed: {error}"])

    def markdown(self):
        means = ["geometric mean", ""]
        for threads in (1, 2):
            means.append("")
            for engine in [*self.args.engines, "best"]:
                means.append(f"({mean(self.ratios.get((threads, engine), [])):.2f})")
        width = len(self.rows[0])
        lines = ["| " + " | ".join(row + [""] * (width - len(row))) + " |"
                 for row in [*self.rows, means]]
        lines.insert(1, "|---|---|" + "---:|" * (width - 2))
        return "\n".join(lines) + "\n" + self.summary()

    def summary(self):
        text = "\n"
        for threads in (1, 2):
            ratios = self.ratios.get((threads, "best"), [])
            text += (f"{threads} thread{'s' * (threads > 1)}, to the fastest other engine: "
                     f"{sum(r <= 0.95 for r in ratios)} of {len(ratios)} models at 0.95 or less, "
                     f"{sum(r > 1.15 for r in ratios)} above 1.15, geometric mean {mean(ratios):.2f}.\n")
        return text


class Levels:
    """-O3 against -O0."""

    ROUNDS = 5

    def __init__(self, args):
        self.args, self.factors = args, []
        self.rows = [["model", "-O0", "-O3", "factor", "kernels -O0", "kernels -O3"]]

    def add(self, model):
        args, artifacts, kernels = self.args, [], []
        for level in ("0", "3"):
            artifacts.append(args.build / "models" / f"{model['name']}-O{level}.adze")
            artifacts[-1].parent.mkdir(exist_ok=True)
            summary, _, _ = common.compile_model(
                args.adze, args.models / f"{model['name']}.onnx", artifacts[-1], "-O", level)
            kernels.append(str(summary["kernels"]))
        feed = common.inputs_of(model, model["bench"])
        rounds = [[self.median_of(artifact, feed) for artifact in artifacts] for _ in range(self.ROUNDS)]
        factor = statistics.median(slow / fast for slow, fast in rounds)
        slow, fast = (statistics.median(times) for times in zip(*rounds))
        self.factors.append(factor)
        self.rows.append([model["name"], f"{slow:.2f}", f"{fast:.2f}", f"{factor:.1f}", *kernels])

    def median_of(self, artifact, feed):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([self.args.adze, "bench", artifact, "--json", "--threads", "1",
                                   "--warmup", "0.2", "--duration",
                                   str(self.args.duration / self.ROUNDS),
                                   *common.input_flags(feed, folder)], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"adze bench: {' '.join(done.stderr.split())[:300]}")
        return json.loads(done.stdout)["latency_ms"]["p50"]

    def fail(self, model, error):
        self.rows.append([model["name"], f"failed: {error}", "", "", "", ""])

    def markdown(self):
        lines = ["| " + " | ".join(row) + " |" for row in self.rows]
        lines.insert(1, "|---|" + "---:|" * (len(self.rows[0]) - 1))
        median = statistics.median(self.factors) if self.factors else 0
        return LEVELS.format(median=median) + "\n".join(lines) + "\n"


def write_page(args, text):
    """Replaces the section that was measured; the others stay."""
    head, *sections = (PAGE.read_text() if PAGE.exists() else "").split("\n## ")
    if not args.levels:
        head = text
    else:
        text = text.strip().removeprefix("## ") + "\n"
        title = text.partition("\n")[0]
        others = [s for s in sections if s.partition("\n")[0] != title]
        sections = [text, *others]
    PAGE.write_text("\n## ".join([head, *sections]))


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--models", type=pathlib.Path, default=fetch.DEFAULT)
    parser.add_argument("--duration", type=float, default=3)
    parser.add_argument("--engines", type=lambda text: text.split(","), default=["ort"],
                        help="ort, openvino, iree; ADZE_PYTHON must have them")
    parser.add_argument("--levels", action="store_true", help="-O3 against -O0")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    args = parser.parse_args()
    args.build = args.build.resolve()
    args.adze = args.build / "tools/adze/adze"
    os.environ.setdefault("ADZE_PYTHON", sys.executable)
    table = Levels(args) if args.levels else Table(args)
    for model in fetch.chosen(args.names, full=True):
        if "unsupported" in model:
            continue
        try:
            table.add(model)
        except RuntimeError as error:
            table.fail(model, error)
        print(" | ".join(table.rows[-1]), flush=True)
    text = table.markdown()
    if not args.levels:
        versions = ", ".join(f"{engine} {version}" for engine, version in table.versions.items())
        text = INTRODUCTION.format(engines=",".join(args.engines), versions=versions, cpu=cpu_name(),
                                   threads=os.cpu_count()) + text
        print(table.summary())
    if args.write:
        write_page(args, text)


if __name__ == "__main__":
    main()
