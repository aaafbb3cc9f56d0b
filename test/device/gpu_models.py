#!/usr/bin/env python3
"""Models, kernels and torch on a machine with a GPU that has no compiler, into one record.

  gpu_models.py prepare DIR [--chip sm_90a] [--most-mb 60] [--products] [NAME ...]
                    where adze is built: artifacts, the graphs for torch_peer.py, inputs,
                    the host's results and their bounds; what is beyond the size is named
  gpu_models.py run DIR [--only models,products,torch] [--seconds S] [--record FILE]
                    there: needs libcuda, Python and numpy, torch for the comparison

  gpu_models.py table FILE
                    a record as the table of docs/benchmarks.md

A model counts as right when its results are within the bounds of docs/accuracy.md of the
host artifact's. Times are medians of 200 runs from the host's memory to the host's memory."""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "test/models"), str(ROOT / "python")]
import common
import torch_peer

SHOWN = 12  # kernels in the record, the longest


# ---- prepare

def prepare_model(model, folder, args):
    import adze
    import emulated

    source, shapes = args.models / f"{model['name']}.onnx", emulated.shape_flags(model["bench"])
    feed = common.inputs_of(model, model["bench"])
    folder.mkdir(parents=True)
    host = folder / "host.adze"
    common.compile_model(args.adze, source, host, *shapes)
    common.compile_model(args.adze, source, folder / "model.adze", "--target", f"cuda:{args.chip}", "--cpu", "x86-64-v3", *shapes)
    results = adze.Model(str(host)).run(feed)
    bounds = common.bounds_in(common.verify(args.adze, host, source, feed, "--bounds-of", f"cuda:{args.chip}"))
    host.unlink()
    (folder / "case.json").write_text(json.dumps({"inputs": list(feed), "outputs": list(results), "bounds": bounds, "size": model["bench"]}))
    np.savez(folder / "inputs.npz", **{str(i): x for i, x in enumerate(feed.values())})
    np.savez_compressed(folder / "reference.npz", **{str(i): x for i, x in enumerate(results.values())})
    return feed


def bytes_in(folder):
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def prepare(args):
    import fetch

    os.environ.setdefault("ADZE_RT_LIBRARY", str(args.build / "lib/libadze_rt.so"))
    os.environ.setdefault("ADZE_PYTHON", sys.executable)
    shutil.rmtree(args.folder, ignore_errors=True)
    args.folder.mkdir(parents=True)
    shutil.copy(args.build / "lib/libadze_rt.so", args.folder)
    if args.products:
        subprocess.run([sys.executable, HERE / "gemm_bench.py", "--make", args.folder / "products", "--tool",
                        args.build / "tools/adze-tile/adze-tile"], check=True, stdout=subprocess.DEVNULL)
    for model in fetch.chosen(args.names, False):
        folder = args.folder / "models" / model["name"]
        if "unsupported" in model:
            continue
        feed = prepare_model(model, folder, args)
        peer = torch_peer.export(args.models / f"{model['name']}.onnx", feed, folder)
        size = bytes_in(args.folder) / 1e6
        if size > args.most_mb:
            shutil.rmtree(folder)
            print(f"{model['name']}: left out, {size:.0f} MB with it")
        else:
            print(f"{model['name']}: for adze and {peer}, {size:.0f} MB in all", flush=True)


# ---- run

class Timed:
    """A request whose inputs are set once."""

    def __init__(self, model, feed):
        from adze import _library
        from adze.model import _Request

        self.run_request = _library.runtime().adze_request_run
        self.request = _Request(model._handle)
        self.keep = model._set_inputs(self.request, feed)

    def __call__(self):
        self.run_request(self.request.handle)


def longest_kernels(model, feed):
    """[name, nodes, launches, microseconds], of a run in which each is waited for."""
    model.profile(feed)
    sums = {}
    for kernel, seconds in model.profile(feed):
        row = sums.setdefault(kernel.name, [kernel.name, list(kernel.nodes)[:4], 0, 0.0])
        row[2], row[3] = row[2] + 1, round(row[3] + seconds * 1e6, 2)
    rows = sorted(sums.values(), key=lambda r: -r[3])
    return rows[:SHOWN], round(sum(r[3] for r in rows), 1)


def run_model(folder):
    import adze

    case = json.loads((folder / "case.json").read_text())
    with np.load(folder / "inputs.npz") as stored:
        feed = {name: stored[str(i)] for i, name in enumerate(case["inputs"])}
    begin = time.perf_counter()
    model = adze.Model(str(folder / "model.adze"), device="cuda")
    loaded = time.perf_counter() - begin
    results, shares = model.run(feed), {}
    with np.load(folder / "reference.npz") as stored:
        for i, name in enumerate(case["outputs"]):
            shares[name] = common.agrees(np.asarray(results[name]), stored[str(i)], case["bounds"][name])
    ms = torch_peer.median_ms(Timed(model, feed))
    kernels, total = longest_kernels(model, feed)
    return {"size": case["size"], "right": all(ok for ok, _ in shares.values()),
            "share_of_bound": max((round(share, 3) for _, share in shares.values()), default=0), "load_s": round(loaded, 2),
            "ms": ms, "kernels_us": total, "longest": kernels}


def run_models(args, record):
    os.environ["ADZE_RT_LIBRARY"] = str(args.folder / "libadze_rt.so")
    for folder in sorted((args.folder / "models").iterdir()):
        try:
            row = run_model(folder)
            print(f"{folder.name}: {'right' if row['right'] else 'WRONG'}, {row['share_of_bound']} of the bound, {row['ms']} ms, "
                  f"kernels {row['kernels_us']} us", flush=True)
        except Exception as error:
            row = {"failed": str(error)}
            print(f"{folder.name}: failed: {error}", flush=True)
        record.setdefault("models", {})[folder.name] = row
        yield


def run_products(args, record):
    import gemm_bench
    import gpu

    device = gpu.Device()
    options = argparse.Namespace(runs=20)
    for path in sorted((args.folder / "products").glob("*.ptx")):
        record.setdefault("products", {})[path.stem] = gemm_bench.measure(device, path, options)
        yield


def run_torch(args, record):
    """In a process of its own: what it needs may be missing, and adze's memory is not in its way."""
    written = args.folder / "torch.json"
    folders = [f for f in sorted((args.folder / "models").iterdir()) if (f / "graph.json").exists()]
    command = [sys.executable, HERE / "torch_peer.py", *folders, "--json", written]
    subprocess.run([*command, *(["--seconds", str(args.seconds)] if args.seconds else [])])
    if written.exists():
        record["torch"] = json.loads(written.read_text())
    yield


PARTS = {"models": run_models, "products": run_products, "torch": run_torch}


def run(args):
    import gpu

    try:
        device = gpu.Device()
    except gpu.NoGpu as reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    path = args.record or args.folder / "gpu.json"
    record = {"day": datetime.date.today().isoformat(), "card": device.name, "driver": device.driver}
    print(record, flush=True)
    for part in args.only:
        for _ in PARTS[part](args, record):
            path.write_text(json.dumps(record, indent=1) + "\n")
    wrong = [n for n, row in record.get("models", {}).items() if not row.get("right")]
    sys.exit(f"not right: {', '.join(wrong)}" if wrong else 0)


# ---- table

def table(args):
    record = json.loads(args.folder.read_text())
    modes = ["reduce-overhead", "default", "eager"]
    print("| model | input | adze | of the best | torch: " + " | ".join(modes) + " |\n" + "|---" * 2 + "|---:" * 5 + "|")
    for name, row in record["models"].items():
        peer = record["torch"]["models"].get(name, {})
        times = [peer[mode] for mode in modes if "ms" in peer.get(mode, {})]
        if "ms" not in row or len(times) < len(modes):
            continue
        size = " ".join(f"{n}={'x'.join(map(str, d))}" for n, d in list(row["size"].items())[:1])
        best = row["ms"] / min(t["ms_with_copies"] for t in times)
        cells = [f"{t['ms_with_copies']:.2f} ({t['ms']:.2f})" for t in times]
        print(f"| {name} | {size} | {row['ms']:.2f} | {best:.2f} | {' | '.join(cells)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("action", choices=["prepare", "run", "table"])
    parser.add_argument("folder", type=pathlib.Path, metavar="DIR")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / ".adze/models")
    parser.add_argument("--chip", default="sm_90a")
    parser.add_argument("--most-mb", type=float, default=60)
    parser.add_argument("--products", action="store_true", help="the kernels of gemm_bench.py too")
    parser.add_argument("--only", type=lambda s: s.split(","), default=list(PARTS))
    parser.add_argument("--seconds", type=float, help="torch begins no further model after this time")
    parser.add_argument("--record", type=pathlib.Path, metavar="FILE", help="default: DIR/gpu.json")
    args = parser.parse_intermixed_args()
    args.build, args.adze = args.build.resolve(), args.build.resolve() / "tools/adze/adze"
    {"prepare": prepare, "run": run, "table": table}[args.action](args)


if __name__ == "__main__":
    main()
