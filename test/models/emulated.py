#!/usr/bin/env python3
"""The models of models.json compiled for GPUs with fixed shapes and run on the PTX
emulator: no finding in any kernel, results within the bounds of docs/accuracy.md of
onnxruntime's. `emulated` in models.json gives the size, and the GPUs of the default run.

  test/models/emulated.py [--build DIR] [--models DIR] [--full] [--seeds N] [--jobs N] [NAME ...]
      --full   all models for every GPU, in 20 orders of their warps, which must all
               give the same bytes
"""

import argparse
import concurrent.futures
import filecmp
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import common
import fetch

ROOT = fetch.ROOT
CHIPS = ["sm_75", "sm_80", "sm_90a"]


def size_of(model):
    return model.get("emulated", {}).get("size", model["sizes"][-1])


def shape_flags(size):
    return [f for name, shape in size.items() if shape for f in ("--shape", f"{name}={'x'.join(map(str, shape))}")]


def findings(done):
    check = json.loads(done.stdout)["check"]
    errors = [f for f in check["findings"] if not f["advice"]]
    return "; ".join(f"{f['kernel']}: {f['kind']}: {f['message']}" for f in errors)[:400]


def in_other_orders(adze, artifact, flags, seeds, folder):
    """The orders that give a finding, or other bytes than the first, each in words."""
    for seed in range(seeds):
        into = f"{folder}/{seed}"
        done = subprocess.run([adze, "run", artifact, "--check", "--seed", str(seed), "--json", "--output", into,
                               *flags], capture_output=True, text=True)
        if done.returncode:
            yield f"seed {seed}: {findings(done) if done.returncode == 4 else common.said(done)}"
            continue
        names = os.listdir(into)
        if filecmp.cmpfiles(f"{folder}/0", into, names, shallow=False)[0] != names:
            yield f"seed {seed}: other results than with seed 0"


def test(model, chip, args):
    """Faults, in words."""
    name, source = model["name"], args.models / f"{model['name']}.onnx"
    artifact = args.build / "models" / f"{name}-{chip}.adze"
    artifact.parent.mkdir(exist_ok=True)
    size = size_of(model)
    feed = common.inputs_of(model, size)
    try:
        common.compile_model(args.adze, source, artifact, "--target", f"cuda:{chip}", "--ptxas", "none",
                             *shape_flags(size))
    except RuntimeError as error:
        return [str(error)]
    done = common.verify(args.adze, artifact, source, feed, "--device", "ptx-emulator")
    faults = [f"adze verify: {common.said(done)}"] if done.returncode else []
    with tempfile.TemporaryDirectory() as folder:
        flags = common.input_flags(feed, folder)
        return faults + list(in_other_orders(args.adze, artifact, flags, args.seeds, folder))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--models", type=pathlib.Path, default=fetch.DEFAULT)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--chips", type=lambda s: s.split(","))
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    args.build = args.build.resolve()
    args.adze = args.build / "tools/adze/adze"
    args.seeds = (20 if args.full else 0) if args.seeds is None else args.seeds
    os.environ.setdefault("ADZE_PYTHON", sys.executable)
    work = [(model, chip) for model in fetch.chosen(args.names, args.full) if "unsupported" not in model
            for chip in args.chips or (CHIPS if args.full else model.get("emulated", {}).get("chips", []))]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for (model, chip), faults in zip(work, pool.map(lambda w: test(*w, args), work)):
            failed += bool(faults)
            print(f"{'FAILED' if faults else 'ok    '} {model['name']} for {chip} {list(size_of(model).values())}", flush=True)
            for fault in faults:
                print("       " + fault)
    print(f"{len(work) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
