#!/usr/bin/env python3
"""Runs the test suites of a build and closes with one line, "N passed, N failed".

  test/run.py [--build DIR] [--full] [SUITE ...]     suites: see SUITES below

Every suite counts its own cases; one that does not run at all is one failure."""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERDICT = re.compile(r"^(\d+) passed, (\d+) failed$")


class Failure(Exception):
    """A suite that could not be run."""


def stream(command, **options):
    """Runs a command, shows what it says, returns its output and exit code."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", **options)
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if not VERDICT.match(lines[-1]):  # only the sum of all stands alone on a line
            print("    " + lines[-1], flush=True)
    return lines, process.wait()


def script(path, *arguments):
    """A suite that is a script of its own, closing with the verdict line."""
    lines, code = stream([sys.executable, str(ROOT / path), *map(str, arguments)])
    found = [m for line in lines if (m := VERDICT.match(line))]
    if not found:
        raise Failure(f"{path} ended with exit code {code} and no verdict")
    passed, failed = map(int, found[-1].groups())
    return passed, failed if code == 0 or failed else 1


def unit(args):
    lines, code = stream([str(args.build / "test/unit/adze-unit")])
    text = "\n".join(lines)
    if m := re.search(r"All tests passed \(\d+ assertions? in (\d+) test cases?\)", text):
        return int(m[1]), 0 if code == 0 else 1
    m = re.search(r"test cases: .*", text)
    if not m:
        raise Failure(f"adze-unit ended with exit code {code}")
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed)", m[0])}
    return counts.get("passed", 0), max(1, counts.get("failed", 0))


def lit(args):
    program = next((str(p) for p in (pathlib.Path("/usr/lib/llvm-22/bin/lit"),) if p.exists()), "lit")
    with tempfile.TemporaryDirectory() as folder:
        result = pathlib.Path(folder) / "lit.json"
        stream([program, "-sv", "--output", str(result), str(args.build / "test")])
        if not result.exists():
            raise Failure("lit wrote no result")
        codes = [t["code"] for t in json.loads(result.read_text())["tests"]]
    passed = sum(c in ("PASS", "XFAIL", "FLAKYPASS") for c in codes)
    return passed, sum(c not in ("UNSUPPORTED", "SKIPPED", "EXCLUDED") for c in codes) - passed


def ctest(args):
    """What is neither lit nor adze-unit: the Python package, the installed package."""
    shown = subprocess.run(["ctest", "--show-only=json-v1"], cwd=args.build, capture_output=True,
                           text=True, check=True)
    names = [t["name"] for t in json.loads(shown.stdout)["tests"]
             if t["name"] != "lit" and not t.get("command", [""])[0].endswith("adze-unit")]
    passed = 0
    for name in names:
        _, code = stream(["ctest", "-R", f"^{re.escape(name)}$", "--output-on-failure", "-Q"],
                         cwd=args.build)
        print(f"    {'ok    ' if code == 0 else 'FAILED'} {name}")
        passed += code == 0
    return passed, len(names) - passed


def conformance(args):
    return script("test/conformance/run.py", "--build", args.build)


def reference(args):
    return script("test/conformance/run.py", "--build", args.build, "--reference")


def emulator(args):
    """The node cases, compiled for GPUs, on the PTX emulator."""
    counts = [script("test/conformance/run.py", "--build", args.build, "--target", f"cuda:{chip}", "--device", "ptx-emulator")
              for chip in ("sm_80", *["sm_75", "sm_90a"] * args.full)]
    return tuple(map(sum, zip(*counts)))


def emulated(args):
    return script("test/models/emulated.py", "--build", args.build, *["--full"] * args.full)


def ptxas(args):
    return script("test/device/ptxas_models.py", "--build", args.build, *["--full"] * args.full)


def models(args):
    return script("test/models/run.py", "--build", args.build, *["--full"] * args.full)


def graphs(args):
    return script("test/random/run.py", "--build", args.build, "--seeds", "0:500" if args.full else "0:100")


def fusion(args):
    return script("test/models/fusion.py", "--build", args.build)


def badinput(args):
    return script("test/badinput/run.py", args.build / "tools/adze/adze", "--jobs", os.cpu_count() or 1)


def invoice(args):
    _, code = stream([sys.executable, str(ROOT / "docs/examples/invoice/ocr.py"), "--least", "0.98",
                      "--adze", str(args.build / "tools/adze/adze"),
                      "--artifacts", str(args.build / "invoice")])
    return int(code == 0), int(code != 0)


SUITES = [unit, lit, ctest, badinput, models, graphs, fusion, invoice, reference, conformance, emulator, emulated, ptxas]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="SUITE")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--full", action="store_true", help="the long tests too")
    args = parser.parse_args()
    args.build = args.build.resolve()
    os.environ.setdefault("ADZE_PYTHON", sys.executable)
    known = {s.__name__: s for s in SUITES}
    if unknown := set(args.suites) - set(known):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    rows, begin = [], time.monotonic()
    for suite in SUITES:
        if args.suites and suite.__name__ not in args.suites:
            continue
        start = time.monotonic()
        print(f"{suite.__name__}:", flush=True)
        try:
            passed, failed = suite(args)
        except (Failure, OSError, subprocess.CalledProcessError) as error:
            print(f"    FAILED: {error}")
            passed, failed = 0, 1
        rows.append((suite.__name__, passed, failed, time.monotonic() - start))
        print(f"  {suite.__name__}: {passed} passed and {failed} failed, {rows[-1][3]:.0f} s", flush=True)
    print(f"\n{'suite':14}{'passed':>8}{'failed':>8}{'seconds':>9}")
    for name, passed, failed, seconds in rows:
        print(f"{name:14}{passed:8}{failed:8}{seconds:9.0f}")
    failed = sum(r[2] for r in rows)
    print(f"in all {time.monotonic() - begin:.0f} s\n")
    print(f"{sum(r[1] for r in rows)} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
