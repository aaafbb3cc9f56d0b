#!/usr/bin/env python3
"""ONNX's node cases through `adze conformance`, compared with their expected outputs and
with the reference's, and held against expected.json: the cases that do not pass, each unsupported or failing with its reason. A case that fails, one
that passes unexpectedly, and one whose reason changed are failures.

  test/conformance/run.py [--build DIR] [--update] [--reference | --target T --device D]
      --update     rewrites expected.json
      --target, --device
                   compiles for a GPU and runs it there, or on ptx-emulator, where a
                   finding fails the case too
      --reference  evaluates the cases with the reference, held against reference.json;
                   every op of the adze dialect must be evaluated by a case that passes,
                   or stand in reference.json with the test that evaluates it
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OPS = ROOT / "dialects" / "Graph" / "GraphOps.td"


def results_of(build, flags):
    cases = build / "node-cases"
    subprocess.run([sys.executable, "-W", "ignore", HERE / "generate.py", cases], check=True)
    done = subprocess.run([build / "tools/adze/adze", "conformance", cases, "--json",
                           "--verify-phases", *flags],
                          stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 4):
        raise SystemExit(f"adze conformance ended with exit code {done.returncode}")
    return {c["name"]: c for c in json.loads(done.stdout)["cases"]}


def flags_of(args):
    if args.target or args.device:
        return [f for name in ("target", "device") if (value := getattr(args, name)) for f in (f"--{name}", value)]
    return ["--reference" if args.reference else "--differential"]


def update(results, path, listed):
    """By reason, so that a change of many cases is a change of few lines. What
    else is in the file stays as it is: it is written by hand."""
    reasons = collections.defaultdict(list)
    for name, case in sorted(results.items()):
        if case["status"] == "unsupported":
            reasons[case["reason"]].append(name)
    listed["unsupported"] = dict(sorted(reasons.items()))
    path.write_text(json.dumps(listed, indent=1) + "\n")


def uncovered(results, elsewhere):
    """Faults in which ops the passing cases evaluate."""
    ops = {"adze." + name for name in re.findall(r'Adze_\w*Op<"(\w+)"', OPS.read_text())}
    seen = set().union(*(c.get("ops", []) for c in results.values()))
    for op in sorted(ops - seen - set(elsewhere)):
        yield f"{op}: no case that passes evaluates it"
    for op in sorted(set(elsewhere) & seen):
        yield f"{op}: a case evaluates it, though reference.json says: {elsewhere[op]}"


def faults(results, expected, failing):
    for name in sorted(set(results) | set(expected)):
        case = results.get(name, {"status": "missing", "reason": "there is no such case"})
        reason = expected.get(name)
        if name in failing:
            if case["status"] == "pass":
                yield f"{name}: passes, though it is listed as failing: {failing[name]}"
        elif case["status"] not in ("pass", "unsupported"):
            yield f"{name}: {case['status']}: {case['reason']}"
        elif case["status"] == "pass" and reason is not None:
            yield f"{name}: passes, though it is listed: {reason}"
        elif case["status"] == "unsupported" and reason is None:
            yield f"{name}: unsupported, and not listed: {case['reason']}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("--target")
    parser.add_argument("--device")
    args = parser.parse_args()
    if (args.target or args.device) and (args.update or args.reference):
        parser.error("--update and --reference are the host's")
    path = HERE / ("reference.json" if args.reference else "expected.json")
    listed = json.loads(path.read_text()) if path.exists() else {}
    results = results_of(args.build.resolve(), flags_of(args))
    if args.update:
        update(results, path, listed)
    expected, failing = ({name: reason for reason, names in listed.get(part, {}).items()
                          for name in names} for part in ("unsupported", "failing"))
    wrong = list(faults(results, expected, failing))
    if args.reference:
        wrong += uncovered(results, listed.get("ops", {}))
    for line in wrong[:40]:
        print("FAILED " + line)
    if len(wrong) > 40:
        print(f"and {len(wrong) - 40} more")
    counts = collections.Counter(c["status"] for c in results.values())
    print(", ".join(f"{n} {status}" for status, n in sorted(counts.items())) + f" of {len(results)} cases")
    print(f"{counts['pass']} passed, {len(wrong)} failed")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
