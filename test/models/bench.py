#!/usr/bin/env python3
"""Measures the models of models.json against onnxruntime and writes the tables of
docs/benchmarks.md. The engines take turns within one run (`adze bench
--compare`), so that a busy machine slows both: the ratios count.

  test/models/bench.py [--build DIR] [--models DIR] [--duration S] [--write] [NAME ...]
"""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

import common
import fetch

ROOT = fetch.ROOT
PAGE = ROOT / "docs/benchmarks.md"
INTRODUCTION = """# Benchmarks

Written by `.venv/bin/python test/models/bench.py --write`. Latency in ms (median) of one
request at the size given, adze and onnxruntime {version} in turns within one run; ratio: adze's
to onnxruntime's, less is better. Compiled without shapes, for this CPU. Machine: {cpu},
{threads} threads.

"""


def bench(args, artifact, source, feed, threads):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([args.adze, "bench", artifact, "--model", source, "--compare", "ort",
                               "--json", "--threads", str(threads), "--duration",
                               str(args.duration), *common.input_flags(feed, folder)],
                              capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"adze bench: {' '.join(done.stderr.split())[:300]}")
    return json.loads(done.stdout)


def row(model, args):
    """One model's cells, and the version of onnxruntime."""
    source = args.models / f"{model['name']}.onnx"
    artifact = args.build / "models" / f"{model['name']}.adze"
    artifact.parent.mkdir(exist_ok=True)
    _, seconds, peak = common.compile_model(args.adze, source, artifact)
    size = " ".join(f"{n}={'x'.join(map(str, d))}" for n, d in list(model["bench"].items())[:1])
    cells, version = [model["name"], size], ""
    feed = common.inputs_of(model, model["bench"])
    for threads in (1, 2):
        result = bench(args, artifact, source, feed, threads)
        other = result["compare"][0]
        version = other["version"]
        cells += [f"{result['latency_ms']['p50']:.2f}", f"{other['latency_ms']['p50']:.2f}",
                  f"{other['adze_ratio']['p50']:.2f}"]
    memory = (f"{peak / 1e6:.0f}", f"{source.stat().st_size / 1e6:.1f}")
    return [*cells, f"{seconds:.1f}", *memory], version


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
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    args = parser.parse_args()
    args.build = args.build.resolve()
    args.adze = args.build / "tools/adze/adze"
    os.environ.setdefault("ADZE_PYTHON", sys.executable)
    table = [["model", "input", "adze, 1 thread", "ort", "ratio", "adze, 2 threads", "ort", "ratio",
              "compile s", "compile MB", "model MB"]]
    version = ""
    for model in fetch.manifest()["models"]:
        if args.names and model["name"] not in args.names:
            continue
        try:
            cells, version = row(model, args)
        except RuntimeError as error:
            cells = [model["name"], f"failed: {error}"] + [""] * 9
        table.append(cells)
        print(" | ".join(cells), flush=True)
    lines = ["| " + " | ".join(cells) + " |" for cells in table]
    lines.insert(1, "|---|---|" + "---:|" * 9)
    text = INTRODUCTION.format(version=version, cpu=cpu_name(), threads=os.cpu_count())
    if args.write:
        PAGE.write_text(text + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
