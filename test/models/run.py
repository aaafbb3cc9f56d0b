#!/usr/bin/env python3
"""The models of models.json on the host: each is compiled without shapes, twice
(the bytes must be equal), runs at several sizes in one process, and must agree
with onnxruntime within bounds derived from the model (docs/accuracy.md).

  test/models/run.py [--build DIR] [--models DIR] [--full] [NAME ...]
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile

import numpy as np
import onnxruntime

import common
import fetch

ROOT = fetch.ROOT
SECONDS, EXTRA_BYTES = 10, 300e6  # of a compile: CPU time; memory is 3 times the file and this
ARENA = 1.01  # of the bytes that are alive at once


KNOWN = json.loads((pathlib.Path(__file__).resolve().parent / "known.json").read_text())


class Count:
    """Checks so far."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, ok, what):
        # known.json: expected failures with their reasons; one that passes is a failure.
        reason = next((r for start, r in KNOWN.items() if what.startswith(start)), None)
        if reason is not None:
            ok, what = not ok, f"{what} (known failure: {reason})"
        self.passed, self.failed = self.passed + bool(ok), self.failed + (not ok)
        print(f"{'ok    ' if ok else 'FAILED'} {what}", flush=True)


def bounds_of(args, artifact, source, feed, count, name):
    """`adze verify` on these inputs; the bounds that it derived, by output."""
    done = common.verify(args.adze, artifact, source, feed)
    message = "" if done.returncode == 0 else f": {common.said(done)}"
    count.check(done.returncode == 0, f"{name}: adze verify{message}")
    return common.bounds_in(done)


def test_refused(model, source, artifact, args, count):
    """What no target takes is said in a word, and nothing is written."""
    done, _, _ = common.measured([args.adze, "compile", source, "-o", artifact])
    said = done.returncode == 3 and "ADZ0201" in done.stderr and model["unsupported"] in done.stderr
    count.check(said and not artifact.exists(), f"{model['name']}: not supported, by name")


def test_model(model, args, count):
    import adze

    name, source = model["name"], args.models / f"{model['name']}.onnx"
    artifact = args.build / "models" / f"{name}.adze"
    artifact.parent.mkdir(exist_ok=True)
    if "unsupported" in model:
        return test_refused(model, source, artifact, args, count)
    summary, seconds, peak = common.compile_model(args.adze, source, artifact)
    # Constants that are smaller in the file than folded count as the artifact has them.
    most = 3 * max(source.stat().st_size, artifact.stat().st_size) + EXTRA_BYTES
    print(f"       {name}: {summary['nodes']} nodes, {summary['kernels']} kernels, "
          f"compiled in {seconds:.1f} s of CPU with {peak / 1e6:.0f} MB")
    count.check(seconds <= SECONDS, f"{name}: compile time at most {SECONDS} s of CPU")
    count.check(peak <= most, f"{name}: memory of the compile at most {most / 1e6:.0f} MB")
    count.check(summary["reference_path"] == 0, f"{name}: every kernel is scheduled")
    first = artifact.read_bytes()
    # The second compile checks what each phase promises of its IR, which must change nothing.
    common.compile_model(args.adze, source, artifact, "--verify-phases")
    count.check(first == artifact.read_bytes(), f"{name}: two compiles give the same bytes")
    feed = common.inputs_of(model, model["sizes"][0])
    bounds = bounds_of(args, artifact, source, feed, count, name)
    with tempfile.TemporaryDirectory() as folder:
        flags = common.input_flags(common.inputs_of(model, model["bench"]), folder)
        arena, ratio = common.arena_of(args.adze, artifact, flags)
    count.check(ratio <= ARENA, f"{name}: arena of {arena / 1e6:.1f} MB is {ratio:.3f} of its peak")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
    loaded = adze.Model(str(artifact))
    # The first size once more at the end: what another size left must not matter.
    for size in [*model["sizes"], model["sizes"][0]]:
        feed = common.inputs_of(model, size)
        got = loaded.run(feed)
        for output, want in zip(session.get_outputs(), session.run(None, feed)):
            ok, share = common.agrees(np.asarray(got[output.name]), want, bounds[output.name])
            count.check(ok, f"{name} {list(next(iter(size.values())))}: {output.name} "
                            f"{list(want.shape)}, error {share:.3f} of the bound")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--models", type=pathlib.Path, default=fetch.DEFAULT)
    parser.add_argument("--full", action="store_true", help="models that take minutes too")
    args = parser.parse_args()
    args.build = args.build.resolve()
    args.adze = args.build / "tools/adze/adze"
    os.environ.setdefault("ADZE_RT_LIBRARY", str(args.build / "lib/libadze_rt.so"))
    os.environ.setdefault("ADZE_PYTHON", sys.executable)
    sys.path.insert(0, str(ROOT / "python"))
    count = Count()
    for model in fetch.chosen(args.names, args.full):
        try:
            test_model(model, args, count)
        except Exception as error:  # one model's failure does not hide the others
            count.check(False, f"{model['name']}: {error}")
    print(f"{count.passed} passed, {count.failed} failed")
    sys.exit(1 if count.failed else 0)


if __name__ == "__main__":
    main()
