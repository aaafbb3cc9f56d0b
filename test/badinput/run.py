#!/usr/bin/env python3
"""Compiles every bad model and checks how adze refuses it.

    run.py ADZE [--work FOLDER] [--only TEXT] [--python EXE] [--jobs N]

A case passes when the exit code is one of those its row allows, within its
seconds and memory; the message has at most ten lines, no control characters,
no stack, and one of the row's words; and no file is left but a whole output
of a compile that succeeded. A row with inputs is compiled, and the same asked
of its run. The models are generated first (generate.py).
"""
import argparse
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
# Address space, not memory in use: the compiler's libraries alone map some
# hundred MB, and one case maps a model of 1 GiB.
ADDRESS_SPACE = 6 << 30
RUN_ADDRESS_SPACE = 2 << 30
MEMORY = 1 << 30
STACK = re.compile(r"Stack dump|Traceback|LLVM ERROR|Assertion|UNREACHABLE|terminate called|#0 0x")
# Seconds are of processor time, so that a busy machine fails no case; one that
# waits instead of working is stopped after this many times as long.
WAIT = 10


def limits(space):
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limited(command, cwd, seconds, space=ADDRESS_SPACE):
    """Exit code (negative: signal; None: killed for time), stderr, usage."""
    with tempfile.TemporaryFile() as err:
        p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err,
                             cwd=cwd, preexec_fn=lambda: limits(space))
        deadline = time.monotonic() + seconds * WAIT
        code, usage = None, None
        while usage is None:
            pid, status, usage_now = os.wait4(p.pid, os.WNOHANG)
            if pid:
                usage, code = usage_now, os.waitstatus_to_exitcode(status)
                p.returncode = code
            elif time.monotonic() > deadline:
                os.kill(p.pid, signal.SIGKILL)
                _, _, usage = os.wait4(p.pid, 0)
                p.returncode = -9
            else:
                time.sleep(0.005)
        err.seek(0)
        return code, err.read(1 << 20).decode("utf-8", "replace"), usage


def listing(folder):
    return sorted(os.path.join(d, f) for d, _, files in os.walk(folder) for f in files)


def complaints(row, code, text, usage, size, left, before, after, outputs=("model.adze",)):
    memory = usage.ru_maxrss << 10
    if code is None or usage.ru_utime + usage.ru_stime > row["seconds"]:
        return [f"ran longer than {row['seconds']} s"]
    if code < 0:
        return [f"died of signal {-code}: {text[:300]!r}"]
    bad = []
    if code not in row["exits"]:
        bad.append(f"exit code {code}, expected one of {row['exits']}: {text[:300]!r}")
    if memory > MEMORY + size:
        bad.append(f"took {memory >> 20} MB")
    lines = text.splitlines()
    if len(lines) > 10:
        bad.append(f"{len(lines)} lines of message")
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", text):
        bad.append("control characters in the message")
    if STACK.search(text):
        bad.append(f"a stack or an abort: {text[:300]!r}")
    if code and row["words"] and not any(w in text for w in row["words"]):
        bad.append(f"none of {row['words']} in {text[:300]!r}")
    if code and not text.strip():
        bad.append("no message")
    if left != (list(outputs) if code == 0 else []):
        bad.append(f"left {left}")
    if before != after:
        bad.append("left a file beside the model")
    return bad


def run_case(adze, folder, row):
    here = os.path.join(folder, row["name"])
    model = row["model"] if row["model"].startswith("/") else os.path.join(here, row["model"])
    size = sum(os.path.getsize(f) for f in listing(here) if os.path.isfile(f))
    before = listing(here)
    with tempfile.TemporaryDirectory() as out:
        artifact = os.path.join(out, "model.adze")
        code, text, usage = limited([adze, "compile", model, "-o", artifact], out, row["seconds"])
        if "inputs" in row:
            if code != 0:
                return [f"did not compile: exit code {code}, {text[:300]!r}"], usage.ru_utime
            return run_model(adze, here, row, artifact)
        return complaints(row, code, text, usage, size, sorted(os.listdir(out)), before,
                          listing(here)), usage.ru_utime + usage.ru_stime


def run_model(adze, here, row, artifact):
    words = [w for name, file in row["inputs"].items()
             for w in ("--input", f"{name}={os.path.join(here, file)}")]
    with tempfile.TemporaryDirectory() as out:
        code, text, usage = limited([adze, "run", artifact, "-q", *words], out, row["seconds"],
                                    RUN_ADDRESS_SPACE)
        return complaints(row, code, text, usage, RUN_ADDRESS_SPACE, os.listdir(out), [], [], outputs=[]), usage.ru_utime


def once(adze, model, out, cwd, env=None, kill=None, after=0.0):
    """Exit code of a compile, which signal `kill` ends after some seconds."""
    p = subprocess.Popen([adze, "compile", model, "-o", out, "-q"], cwd=cwd, stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         env=dict(os.environ, TMPDIR=cwd, **(env or {})))
    if kill is None:
        return p.wait()
    try:
        return p.wait(after)
    except subprocess.TimeoutExpired:
        p.send_signal(kill)
        return p.wait()


def interruptions(adze, model):
    """Compiles are killed at random moments, then others run to their end in
    other surroundings: a name is only ever seen with all of its bytes, the same
    ones each time."""
    bad, rng = [], random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "model.adze")
        begin = time.monotonic()
        if once(adze, model, out, folder) != 0:
            return ["does not compile"]
        whole, took = open(out, "rb").read(), time.monotonic() - begin
        for i in range(24):
            fresh = i % 2  # else the name is taken by an older, good artifact
            if fresh:
                os.unlink(out)
            kill = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)[i // 2 % 4]
            # Half of the moments lie where the file is written.
            share = rng.uniform(0, 1) if i < 12 else rng.uniform(0.8, 1)
            code = once(adze, model, out, folder, kill=kill, after=share * took)
            # The last step may outlive the process that began it, by a moment.
            for _ in range(40):
                left = sorted(os.listdir(folder))
                good = left == ["model.adze"] or (fresh and code != 0 and not left)
                if good:
                    break
                time.sleep(0.05)
            if not good:
                bad.append(f"{kill.name} at {share:.2f} of the time left {left}")
            elif left and open(out, "rb").read() != whole:
                bad.append(f"{kill.name} at {share:.2f} of the time left other bytes")
            if not left and once(adze, model, out, folder) != 0:
                bad.append("does not compile again")
        for env in ({"TZ": "Asia/Tokyo", "LC_ALL": "C"}, {"LANG": "de_DE.UTF-8", "HOME": "/nowhere"}):
            other = os.path.join(folder, env.get("TZ", "other")[:4] + ".adze")
            if once(adze, model, other, folder, env) != 0 or open(other, "rb").read() != whole:
                bad.append(f"other bytes with {env}")
    return bad


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("adze")
    p.add_argument("--work", help="keep the models here")
    p.add_argument("--only", default="", help="cases whose name contains this")
    p.add_argument("--python", default=sys.executable, help="a Python with onnx, to generate the models")
    p.add_argument("--jobs", type=int, default=1)
    p.add_argument("--full", action="store_true", help="the slow known failures too")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = a.work or temporary
        os.makedirs(folder, exist_ok=True)
        subprocess.run([a.python, os.path.join(HERE, "generate.py"), folder], check=True)
        with open(os.path.join(folder, "manifest.json")) as f:
            rows = [r for r in json.load(f) if a.only in r["name"]]
        # Expected failures, each with its reason; one that passes is a failure.
        with open(os.path.join(HERE, "known.json")) as f:
            known = json.load(f)
        if not a.full:
            rows = [r for r in rows if not known.get(r["name"], {}).get("slow")]
        adze = os.path.abspath(a.adze)
        failed = 0

        def check(row):
            bad, seconds = run_case(adze, folder, row)
            if row["name"] == "I_interrupted" and not bad:
                bad = interruptions(adze, os.path.join(folder, row["name"], row["model"]))
            return bad, seconds
        with ThreadPoolExecutor(a.jobs) as pool:
            for row, (bad, seconds) in zip(rows, pool.map(check, rows)):
                if row["name"] in known:
                    bad = [] if bad else ["passes, though known.json lists it as failing"]
                failed += bool(bad)
                for line in bad:
                    print(f"FAIL {row['name']} ({seconds:.1f} s): {line}", flush=True)
    print(f"{len(rows) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
