#!/usr/bin/env python3
"""The kernels of the models of test/models/models.json, with fixed shapes, through ptxas:
all are taken, and none spills more than ptxas.json grants with a reason.

  test/device/ptxas_models.py [--build DIR] [--models DIR] [--chips C,…] [--full] [NAME ...]

ptxas: $PTXAS, the package nvidia-cuda-nvcc-cu12's (12.9 is the last that knows sm_70), or the
one of an installed toolkit. Without one the script says so and counts nothing."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import site
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/models"))
import common
import emulated
import fetch

CHIPS = ["sm_70", "sm_75", "sm_80", "sm_90a", "sm_100a", "sm_120"]
KNOWN = json.loads((pathlib.Path(__file__).resolve().parent / "ptxas.json").read_text())
ALIGNMENT = 4096  # of an artifact's sections
ENTRY = re.compile(r"Compiling entry function '([^']+)'(.*?)(?=Compiling entry function|\Z)", re.S)


def find_ptxas():
    package = pathlib.Path(site.getsitepackages()[0]) / "nvidia/cuda_nvcc/bin/ptxas"
    candidates = [os.environ.get("PTXAS"), str(package), shutil.which("ptxas")]
    return next((p for p in candidates if p and os.path.exists(p)), None)


def ptx_of(artifact):
    """The PTX of each variant, by GPU."""
    content, texts = artifact.read_bytes(), {}
    for at in range(ALIGNMENT, len(content), ALIGNMENT):
        head = re.search(rb"^\.target (sm_\w+)", content[at:at + 1000], re.M)
        if head and content[at:at + 2] == b"//":
            texts[head[1].decode()] = content[at:content.find(b"\0", at)]
    return texts


def granted(chip, entry):
    """Bytes of spills, stored and loaded, that a row of ptxas.json has a reason for."""
    return max((row["most_bytes"] for row in KNOWN if re.fullmatch(row["chip"], chip) and re.search(row["entry"], entry)), default=0)


def spills(text, chip, ptxas):
    """(entries, what ptxas said when it failed, {entry: bytes spilt}); None: it does not know the GPU."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "kernels.ptx"
        path.write_bytes(text)
        done = subprocess.run([ptxas, "-v", f"-arch={chip}", path, "-o", f"{folder}/cubin"], capture_output=True, text=True)
    said = done.stdout + done.stderr
    if f"'{chip}' is not defined" in said:
        return None
    bytes_spilt = {name: sum(map(int, re.findall(r"(\d+) bytes spill", rest))) for name, rest in ENTRY.findall(said)}
    error = "" if done.returncode == 0 else said[-400:]
    return len(bytes_spilt), error, {name: n for name, n in bytes_spilt.items() if n}


def test(model, args):
    """(kernels, faults in words) by GPU."""
    source = args.models / f"{model['name']}.onnx"
    with tempfile.TemporaryDirectory() as folder:
        artifact = pathlib.Path(folder) / "model.adze"
        common.compile_model(args.adze, source, artifact, "--target", "cuda:" + ",".join(args.chips), "--ptxas", "none",
                             *emulated.shape_flags(model["bench"]))
        texts = ptx_of(artifact)
    for chip in args.chips:
        if chip not in texts:
            yield chip, 0, ["no PTX in the artifact"]
            continue
        found = spills(texts[chip], chip, args.ptxas)
        if found is None:
            print(f"skipped {model['name']} for {chip}, which this ptxas does not know")
            continue
        count, error, spilt = found
        faults = [error] if error else []
        faults += [f"{name}: {n} bytes of spills" for name, n in spilt.items() if n > granted(chip, name)]
        yield chip, count, faults


def results(model, args):
    try:
        return list(test(model, args))
    except RuntimeError as error:
        return [("all", 0, [str(error)])]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--models", type=pathlib.Path, default=fetch.DEFAULT)
    parser.add_argument("--chips", type=lambda s: s.split(","), default=CHIPS)
    parser.add_argument("--full", action="store_true", help="all models")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    args.adze, args.ptxas = args.build.resolve() / "tools/adze/adze", find_ptxas()
    if args.ptxas is None:
        print("skipped: there is no ptxas (nvidia-cuda-nvcc-cu12==12.9.86 has one)\n0 passed, 0 failed")
        return
    models = [m for m in fetch.chosen(args.names, args.full) if "unsupported" not in m
              and (args.full or args.names or m.get("emulated", {}).get("chips"))]
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for model, rows in zip(models, pool.map(lambda m: results(m, args), models)):
            for chip, count, faults in rows:
                passed, failed = passed + (not faults), failed + bool(faults)
                print(f"{'FAILED' if faults else 'ok    '} {model['name']} for {chip}: {count} kernels", flush=True)
                for fault in faults:
                    print("       " + fault)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
