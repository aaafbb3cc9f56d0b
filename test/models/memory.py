#!/usr/bin/env python3
"""Measures the memory that the models of models.json take and writes the section
"Memory" of docs/benchmarks.md.

  test/models/memory.py [--build DIR] [--models DIR] [--write] [NAME ...]

Arena: what the plan takes at the benchmark's size, of a model compiled without
shapes, and its ratio to the most bytes alive at once. Resident: the most that a
process has in memory (ru_maxrss), one thread, one run: `adze run`; a Python that
runs the model in onnxruntime; and how much more that is than the same Python
with onnxruntime imported and nothing run. Of three each the least.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import common
import fetch
import bench

# Started by a small process: a child's resident memory counts from the fork, when
# it is its parent's.
MEASURE = """
import os, sys
child = os.fork()
if child == 0:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
print(usage.ru_maxrss * 1024)
sys.exit(os.waitstatus_to_exitcode(status))
"""
ONNXRUNTIME = """
import sys, numpy, onnxruntime
if len(sys.argv) > 1:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
    session.run(None, {name: numpy.load(file) for name, file in (a.split("=", 1) for a in sys.argv[2:])})
"""
HEADING = "\n## Memory\n"
SECTION = HEADING + """\
Written by `.venv/bin/python test/models/memory.py --write`, which says what is measured. MB; one
request at the size of the table above, one thread.

| model | arena | arena / peak live | adze run | ort in Python | of that beyond the import |
|---|---:|---:|---:|---:|---:|
"""


def resident(command):
    """Most bytes that the command had in memory: of three runs the least."""
    runs = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-I", "-S", "-c", MEASURE, *map(str, command)],
                              capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(" ".join(done.stderr.split())[:300])
        runs.append(int(done.stdout))
    return min(runs)


def row(args, model, idle):
    source = args.models / f"{model['name']}.onnx"
    artifact = args.build / "models" / f"{model['name']}.adze"
    artifact.parent.mkdir(exist_ok=True)
    common.compile_model(args.adze, source, artifact)
    with tempfile.TemporaryDirectory() as folder:
        flags = common.input_flags(common.inputs_of(model, model["bench"]), folder)
        arena, ratio = common.arena_of(args.adze, artifact, flags)
        ours = resident([args.adze, "run", artifact, "--threads", "1", "--quiet", *flags])
        other = resident([sys.executable, "-c", ONNXRUNTIME, source, *flags[1::2]])
    megabytes = [f"{size / 1e6:.1f}" for size in (arena, ours, other, other - idle)]
    return [model["name"], megabytes[0], f"{ratio:.3f}", *megabytes[1:]]


def with_section(page, text):
    """The page with its section "Memory" replaced, or added at the end."""
    before, _, after = page.partition(HEADING)
    _, next_heading, rest = after.partition("\n## ")
    return before + text + next_heading + rest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--build", type=pathlib.Path, default=fetch.ROOT / "build")
    parser.add_argument("--models", type=pathlib.Path, default=fetch.DEFAULT)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    args = parser.parse_args()
    args.adze = args.build.resolve() / "tools/adze/adze"
    idle = resident([sys.executable, "-c", ONNXRUNTIME])
    text = SECTION
    for model in fetch.chosen(args.names, full=False):
        if "unsupported" in model:
            continue
        cells = row(args, model, idle)
        text += "| " + " | ".join(cells) + " |\n"
        print(" | ".join(cells), flush=True)
    if args.write:
        bench.PAGE.write_text(with_section(bench.PAGE.read_text(), text))


if __name__ == "__main__":
    main()
