#!/usr/bin/env python3
"""Checks the emulator's instructions against a GPU, bit for bit.

  opcodes.py build DIR                     writes PTX, inputs and cases.json to DIR
  opcodes.py gpu DIR                       runs them on the GPU (libcuda only)
  opcodes.py emulate DIR --adze PROGRAM    runs them on the emulator
  opcodes.py compare DIR                   holds the two against each other
  opcodes.py record DIR FILE               writes what the GPU gave to FILE: checksums
                                           of exact results, errors of others
  opcodes.py check DIR FILE                holds emulator-*.npy against a record

Every case is one entry over the same two buffers; `gpu` leaves its results in
gpu-*.npy, `emulate` in emulator-*.npy. Without a GPU, `gpu` says so and exits 77."""

import argparse
import datetime
import json
import pathlib
import re
import subprocess
import sys
import zlib

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import cases
import kernels
import warpcases

VERSIONS = {"sm_80": "8.0", "sm_90": "8.4", "sm_90a": "8.4"}
FILL = 0xCD


def align(n, to=1024):
    return (n + to - 1) // to * to


def image_of(case, rng):
    size, kind, style = case.meta["image"]
    per = warpcases.PER[kind]
    return warpcases.encode(kind, warpcases.numbers(kind, style, rng, (size // 4 * per,))).astype(np.uint32).view(np.uint8)


def build(folder, mlir):
    """Lays all cases out; a file a target."""
    rng = np.random.default_rng(1)
    inputs, at, out = [], 0, 0
    texts, records = {}, []

    def put(array):
        nonlocal at
        raw = np.ascontiguousarray(array).view(np.uint8).reshape(-1)
        inputs.append((at, raw))
        begin, at = at, align(at + raw.size)
        return begin

    for case in cases.lane_cases():
        number = len(records)
        offsets = [put(v) for v in cases.operand_values(case, rng)]
        bits = cases.BITS[case.result]
        texts.setdefault(case.target, []).append(cases.lane_entry(case, number, offsets, out))
        records.append(dict(name=case.name, entry=f"case{number}", target=case.target, grid=-(-case.count // 128), block=128,
                            offset=out, bytes=case.count * bits // 8, result=case.result, policy=case.policy,
                            operands=case.operands, offsets=offsets, reads=case.count * cases.BITS[case.operands[-1]] // 8))
        out = align(out + case.count * bits // 8)
    for case in warpcases.warp_cases():
        number = len(records)
        where = put(warpcases.words(case, rng))
        image = put(image_of(case, rng)) if "image" in case.meta else None
        size = case.blocks * case.threads * case.outs * 4
        texts.setdefault(case.target, []).append(warpcases.warp_entry(case, number, where, out, image))
        records.append(dict(name=case.name, entry=f"case{number}", target=case.target, grid=case.blocks, block=case.threads,
                            offset=out, bytes=size, result=case.meta.get("d", "b32"), policy=case.policy, meta=case.meta, offsets=[where], reads=at - where,
                            ins=case.ins, outs=case.outs))
        out = align(out + size)
    folder.mkdir(parents=True, exist_ok=True)
    data = np.zeros(at, np.uint8)
    for begin, raw in inputs:
        data[begin:begin + raw.size] = raw
    np.save(folder / "in.npy", data)
    np.save(folder / "out.npy", np.full(out, FILL, np.uint8))
    for target, entries in texts.items():
        head = f".version {VERSIONS[target]}\n.target {target}\n.address_size 64\n"
        (folder / f"opcodes-{target}.ptx").write_text(head + "".join(entries))
    (folder / "cases.json").write_text(json.dumps(records, indent=0))
    kernels.build(folder, mlir)
    print(f"{len(records)} cases, {at >> 10} KiB in, {out >> 10} KiB out")


# ---- results of a launch list: see kernels.py for its other user

def groups(records):
    """Cases with the same module and launch run together on the emulator."""
    by = {}
    for r in records:
        by.setdefault((r["target"], r["grid"], r["block"]), []).append(r["entry"])
    return by


def launch_arguments(folder, launch):
    """The flags of `adze emulate`: tensors first, their maps count on them."""
    flags, tensors = [], 0
    for a in launch["arguments"]:
        if "map" in a:
            name = a["map"]
            written = f"={folder}/emulator-{name}.npy" if name in launch["results"] else ""
            flags[tensors:tensors] = [f"tensor:{folder}/{name}.npy{written}"]
            flags.append(f"map:{tensors}:box={'x'.join(map(str, a['box']))}:swizzle={a['swizzle']}")
            tensors += 1
        else:
            name = a["buffer"]
            flags.append(f"{folder}/{name}.npy" + (f"={folder}/emulator-{name}.npy" if name in launch["results"] else ""))
    return [x for f in flags for x in ("--arg", f)]


def emulate_launches(folder, adze, seeds):
    clean = True
    for launch in json.loads((folder / "launches.json").read_text()):
        extents = [f"--{k}={','.join(map(str, launch[k]))}" for k in ("grid", "block")]
        command = [adze, "emulate", str(folder / launch["ptx"]), "--entry", launch["entry"], *extents, "--seeds", str(seeds),
                   "--shared", str(launch["shared"]), *launch_arguments(folder, launch)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            clean = False
            print(f"{launch['entry']}: {done.stdout[-2000:]}{done.stderr}")
    return clean


def gpu_launches(folder, first):
    """From number `first` on; the number of the one that failed, or -1."""
    import gpu as driver
    device = driver.Device()
    for number, launch in enumerate(json.loads((folder / "launches.json").read_text())):
        if number < first:
            continue
        module = device.load((folder / launch["ptx"]).read_text())
        arguments, pointers = [], {}
        for a in launch["arguments"]:
            name = a.get("map") or a["buffer"]
            array = np.load(folder / f"{name}.npy")
            pointers[name] = device.upload(array), array
            arguments.append(device.tensor_map(pointers[name][0], array.dtype, array.shape, a["box"], a["swizzle"]) if "map" in a else pointers[name][0])
        error = device.launch(module, launch["entry"], launch["grid"], launch["block"], launch["shared"], arguments)
        print(f"{launch['ptx']} {launch['entry']}: {error or 'ran'}", flush=True)
        if error:
            return number
        for name in launch["results"]:
            np.save(folder / f"gpu-{name}.npy", device.download(*pointers[name]))
    return -1


def compare_launches(folder):
    bad = 0
    for launch in json.loads((folder / "launches.json").read_text()):
        for name in launch["results"]:
            if not (folder / f"gpu-{name}.npy").exists():
                print(f"{launch['entry']} did not run on the GPU")
                continue
            want, got = np.load(folder / f"gpu-{name}.npy"), np.load(folder / f"emulator-{name}.npy")
            same = np.array_equal(want.reshape(-1).view(np.uint8), got.reshape(-1).view(np.uint8))
            if launch["policy"] == "exact" and not same:
                bad += 1
                at = np.flatnonzero(want.reshape(-1).view(np.uint8) != got.reshape(-1).view(np.uint8))
                print(f"differs: {launch['entry']}: {len(at)} bytes, the first at {at[0]}")
            elif not same:
                error = np.abs(want.astype(np.float64) - got.astype(np.float64)).max()
                print(f"{launch['entry']}: differs by at most {error:.3g} of {np.abs(want).max():.4g}")
    return bad == 0


def emulate(folder, adze):
    records = json.loads((folder / "cases.json").read_text())
    result = np.load(folder / "out.npy")
    np.save(folder / "emulator-out.npy", result)
    findings = []
    for (target, grid, block), entries in groups(records).items():
        for i in range(0, len(entries), 200):
            command = [adze, "emulate", str(folder / f"opcodes-{target}.ptx"), "--grid", str(grid), "--block", str(block), "--json",
                       "--arg", f"{folder}/in.npy", "--arg", f"{folder}/emulator-out.npy={folder}/emulator-out.npy"]
            for e in entries[i:i + 200]:
                command += ["--entry", e]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode not in (0, 4):
                sys.exit(f"opcodes-{target}.ptx: {done.stderr}")
            names = {r["entry"]: r["name"] for r in records}
            for launch in json.loads(done.stdout)["launches"]:
                findings += [f"{names[launch['entry']]}: {f['kind']}: {f['message']}" for f in launch["findings"] if not f["advice"]]
    for f in findings:
        print("finding in", f)
    print(f"{len(records)} cases emulated, {len(findings)} findings")
    return not findings


def gpu_part(folder, target, without):
    """The cases of one target, in a process of its own: a fault of one of them
    ends the context. Exit code 3 names the case; it is left out the next time."""
    import gpu as driver
    device = driver.Device()
    records = [r for r in json.loads((folder / "cases.json").read_text()) if r["target"] == target]
    out = np.load(folder / "out.npy")
    pin, pout = device.upload(np.load(folder / "in.npy")), device.upload(out)
    module = device.load((folder / f"opcodes-{target}.ptx").read_text())
    for r in records:
        if r["entry"] in without:
            continue
        error = device.launch(module, r["entry"], (r["grid"], 1, 1), (r["block"], 1, 1), 0, [pin, pout])
        if error:
            print(json.dumps([r["entry"], f"{r['name']}: {error}"]))
            return 3
    np.save(folder / f"gpu-out-{target}.npy", device.download(pout, out))
    return 0


def gpu(folder):
    import gpu as driver
    try:
        device = driver.Device()
    except driver.NoGpu as reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    records = json.loads((folder / "cases.json").read_text())
    merged, failed = np.load(folder / "out.npy"), {}
    for target in sorted({r["target"] for r in records}):
        for _ in range(20):
            done = subprocess.run([sys.executable, __file__, "gpu", str(folder), "--part", target, "--without", ",".join(failed)],
                                  stdout=subprocess.PIPE, text=True)
            if done.returncode != 3:
                break
            entry, why = json.loads(done.stdout.splitlines()[-1])
            failed[entry] = why
            print("failed", why, flush=True)
        if done.returncode:
            print(f"{target} did not run")
            continue
        part = np.load(folder / f"gpu-out-{target}.npy")
        for r in records:
            if r["target"] == target:
                merged[r["offset"]:r["offset"] + r["bytes"]] = part[r["offset"]:r["offset"] + r["bytes"]]
    np.save(folder / "gpu-out.npy", merged)
    info = dict(card=device.name, driver=device.driver, failed=list(failed), why=list(failed.values()), day=datetime.date.today().isoformat())
    (folder / "gpu.json").write_text(json.dumps(info))
    print(f"{len(records) - len(failed)} cases ran on {device.name}, driver {device.driver}", flush=True)
    first = 0
    while first >= 0:  # a fault ends the process's context
        done = subprocess.run([sys.executable, __file__, "gpu", str(folder), "--launches-from", str(first)], stdout=subprocess.PIPE, text=True)
        print(done.stdout, end="", flush=True)
        if done.returncode not in (0, 3):
            break
        first = int(done.stdout.splitlines()[-1]) + 1 if done.returncode == 3 else -1


# ---- comparison

FLOATS = {"f16": (np.uint16, np.float16), "f32": (np.uint32, np.float32), "f64": (np.uint64, np.float64)}


def as_values(bits, kind):
    """Bits as doubles, and their place in the order of the format's numbers."""
    if kind in ("f16x2", "bf16x2"):
        return as_values(bits.view(np.uint16), kind[:-2])
    if kind == "bf16":
        wide = bits.astype(np.uint32) << 16
        values, order = wide.view(np.float32).astype(np.float64), bits.astype(np.int64)
        top = 15
    else:
        unsigned, floating = FLOATS[kind]
        values, order = bits.view(floating).astype(np.float64), bits.view(unsigned).astype(np.uint64)
        top = 8 * bits.dtype.itemsize - 1
        if top == 63:
            magnitude = (order & np.uint64((1 << 63) - 1)).astype(np.int64)
            return values, np.where(order >> np.uint64(63) != 0, -magnitude, magnitude)
        order = order.astype(np.int64)
    magnitude = order & ((1 << top) - 1)
    return values, np.where(order >> top, -magnitude, magnitude)


def differences(record, want, got):
    """Indices that differ by more than the policy, and the largest ULP distance."""
    size = cases.BITS[record["result"]] // 8 if record["result"] in cases.BITS else 4
    want, got = want.view(cases.UINT[8 * size]), got.view(cases.UINT[8 * size])
    policy = record["policy"]
    if policy == "exact" or record["result"] not in FLOATS and record["result"] not in ("bf16", "f16x2", "bf16x2"):
        return np.flatnonzero(want != got), 0
    wv, wo = as_values(want, record["result"])
    gv, go = as_values(got, record["result"])
    ulps = np.abs(wo - go)
    nans = np.isnan(wv) | np.isnan(gv)
    ulps = np.where(nans, np.where(np.isnan(wv) & np.isnan(gv), 0, 1 << 40), ulps)
    worst = int(ulps.max(initial=0))
    if policy == "nan":
        return np.flatnonzero(ulps), worst
    kind, _, bound = policy.partition(":")
    with np.errstate(all="ignore"):
        error = np.where(nans | (wo == go), 0, np.abs(wv - gv))
        if kind == "ulp":
            return np.flatnonzero(ulps > int(bound)), worst
        bound = float.fromhex(bound) if bound else 0
        if kind == "abs":
            return np.flatnonzero((error > bound) & (ulps > 4) | nans & (ulps > 0)), worst
        if kind == "rel":
            return np.flatnonzero((error > bound * np.abs(wv)) & (ulps > 1)), worst
    return np.flatnonzero(ulps > 0), worst


def compare(folder, verbose):
    records = json.loads((folder / "cases.json").read_text())
    info = json.loads((folder / "gpu.json").read_text())
    want, got = np.load(folder / "gpu-out.npy"), np.load(folder / "emulator-out.npy")
    data = np.load(folder / "in.npy")
    bad = 0
    for r in records:
        if r["entry"] in info["failed"]:
            continue
        w, g = (x[r["offset"]:r["offset"] + r["bytes"]] for x in (want, got))
        wrong, worst = differences(r, w, g)
        if len(wrong):
            bad += r["policy"] != "mma"
            print(f"{'differs' if r['policy'] != 'mma' else 'mma'}: {r['name']}: {len(wrong)} results, at most {worst} ulp")
            for i in list(wrong[:verbose]):
                show(r, i, w, g, data)
    print(f"{len(records)} cases, {bad} differ from {info['card']}")
    return bad == 0


# ---- records: a GPU's results, for machines without one

def checksum(array):
    return f"{zlib.crc32(np.ascontiguousarray(array).view(np.uint8).tobytes()):08x}"


def input_checksum(folder, r, data):
    """Of all that the case reads; for an old record's inputs no result counts."""
    begin = min(r["offsets"])
    end = max(r["offsets"]) + r.get("reads", 0)
    return checksum(data[begin:end])


def record(folder, file):
    info = json.loads((folder / "gpu.json").read_text())
    data, want, got = np.load(folder / "in.npy"), np.load(folder / "gpu-out.npy"), np.load(folder / "emulator-out.npy")
    result = dict(card=info["card"], driver=info["driver"], day=info["day"], cases={}, launches={})
    for r in json.loads((folder / "cases.json").read_text()):
        if r["entry"] in info["failed"]:
            continue
        w, g = (x[r["offset"]:r["offset"] + r["bytes"]] for x in (want, got))
        entry = [input_checksum(folder, r, data)]
        wrong, worst = differences(r, w, g)
        # Results that are the same everywhere are held to their checksum.
        same = np.array_equal(w, g)
        entry.append(checksum(w) if same else f"{r['policy']}, {len(wrong)} beyond, at most {worst} ulp")
        result["cases"][r["name"]] = entry
    for launch in json.loads((folder / "launches.json").read_text()):
        for name in launch["results"]:
            w, g = folder / f"gpu-{name}.npy", folder / f"emulator-{name}.npy"
            if w.exists() and np.array_equal(np.load(w), np.load(g)):
                result["launches"][name] = checksum(np.load(w))
    lines = json.dumps(result, indent=0).replace("[\n", "[").replace(",\n\"", ",\n\"")
    file.write_text(re.sub(r'\[\s*("[^"]*"),\s*("[^"]*")\s*\]', r"[\1, \2]", lines) + "\n")
    print(f"{len(result['cases'])} cases and {len(result['launches'])} results of kernels, {info['card']}, {info['day']}")


def check(folder, file):
    known = json.loads(file.read_text())
    data, got = np.load(folder / "in.npy"), np.load(folder / "emulator-out.npy")
    equal = bad = 0
    for r in json.loads((folder / "cases.json").read_text()):
        entry = known["cases"].get(r["name"])
        if not entry or entry[0] != input_checksum(folder, r, data):
            bad += 1
            print(f"{r['name']}: not in the record, or with other inputs: run it on a GPU again")
        elif re.fullmatch("[0-9a-f]{8}", entry[1]):
            same = checksum(got[r["offset"]:r["offset"] + r["bytes"]]) == entry[1]
            equal += same
            bad += not same
            if not same:
                print(f"{r['name']}: differs from {known['card']}")
    for name, want in known["launches"].items():
        file = folder / f"emulator-{name}.npy"
        if file.exists() and checksum(np.load(file)) != want:
            bad += 1
            print(f"{name}: differs from {known['card']}")
    print(f"{equal} cases equal to {known['card']}, {bad} failures")
    return bad == 0


def show(r, i, want, got, data):
    size = cases.BITS.get(r["result"], 32) // 8
    half = 2 if r["result"] in ("f16x2", "bf16x2") and r["policy"] != "exact" else 1
    element = i // half if half == 2 else i
    want, got = (x.view(cases.UINT[8 * size])[element] for x in (want, got))
    operands = ""
    if "operands" in r:
        operands = " ".join(hex(int(data[at:].view(np.uint8)[element * (cases.BITS[k] // 8):][:cases.BITS[k] // 8].copy().view(cases.UINT[cases.BITS[k]])[0]))
                            for k, at in zip(r["operands"], r["offsets"]))
    print(f"    [{element}] ({operands}) gpu {int(want):#x} emulator {int(got):#x}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["build", "gpu", "emulate", "compare", "record", "check"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("file", type=pathlib.Path, nargs="?")
    parser.add_argument("--no-mlir", action="store_true", help="build without the kernels that need mlir-opt")
    parser.add_argument("--adze", default="build/tools/adze/adze")
    parser.add_argument("--part", help="one target's cases only")
    parser.add_argument("--launches-from", type=int)
    parser.add_argument("--without", default="", help="entries to leave out")
    parser.add_argument("--show", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=1)
    a = parser.parse_args()
    if a.action == "build":
        build(a.folder, not a.no_mlir)
    elif a.action == "gpu":
        if a.launches_from is not None:
            stopped = gpu_launches(a.folder, a.launches_from)
            print(stopped)
            return 3 if stopped >= 0 else 0
        return gpu_part(a.folder, a.part, a.without.split(",")) if a.part else gpu(a.folder) or 0
    elif a.action == "emulate":
        cases_clean, launches_clean = emulate(a.folder, a.adze), emulate_launches(a.folder, a.adze, a.seeds)
        return 0 if cases_clean and launches_clean else 1
    elif a.action == "record":
        record(a.folder, a.file)
    elif a.action == "check":
        return 0 if check(a.folder, a.file) else 1
    else:
        cases_same, launches_same = compare(a.folder, a.show), compare_launches(a.folder)
        return 0 if cases_same and launches_same else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
