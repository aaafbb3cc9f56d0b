"""What the model tests and the benchmark share."""

import json
import os
import subprocess
import sys
import tempfile
import zlib

import numpy as np


def input_of(name, spec, shape, seed):
    """A seeded input as models.json describes it."""
    random = np.random.default_rng([seed, zlib.crc32(name.encode()), *shape])
    if "value" in spec:
        return np.full(shape, spec["value"], spec["dtype"])
    if spec["random"] == "integers":
        return random.integers(spec["low"], spec["high"], shape).astype(spec["dtype"])
    if spec["random"] == "prefix-mask":  # ones, then zeros, at least one one
        lengths = random.integers(1, shape[1] + 1, (shape[0], 1))
        return (np.arange(shape[1]) < lengths).astype(spec["dtype"])
    noise = random.normal(0, spec.get("scale", 1), shape)
    if spec["random"] == "page":  # on noise alone a text detector's results vanish
        return (page_like(random, shape) + 0.05 * noise).astype(spec["dtype"])
    return noise.astype(spec["dtype"])


def page_like(random, shape):
    """Rows of dark strokes on a light ground, NCHW, in [-2, 2]."""
    page = np.full(shape, 2.0)
    _, _, height, width = shape
    for top in range(4, height - 12, 24):
        strokes = random.random((shape[0], 1, 10, width // 4)) < 0.5
        page[..., top:top + 10, :width // 4 * 2] -= 4 * np.repeat(strokes, 2, -1)
    return page


def inputs_of(model, size, seed=1):
    return {name: input_of(name, model["inputs"][name], size[name], seed) for name in size}


def input_flags(feed, folder):
    """Writes the inputs to `folder`; flags that name them."""
    flags = []
    for number, (name, value) in enumerate(feed.items()):
        path = f"{folder}/{number}.npy"
        np.save(path, value)
        flags += ["--input", f"{name}={path}"]
    return flags


# A process counts the memory of the one that starts it until it runs its program:
# a small one stands between.
_MEASURE = """
import os, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, file=os.fdopen(int(sys.argv[1]), "w"))
sys.exit(code if code >= 0 else 128 - code)
"""


def measured(command):
    """Runs a command: its result, seconds of CPU, and the most memory it had, in bytes."""
    read, write = os.pipe()
    launcher = [sys.executable, "-I", "-S", "-c", _MEASURE, str(write)]
    done = subprocess.run([*launcher, *map(str, command)], capture_output=True, text=True,
                          pass_fds=[write])
    os.close(write)
    with os.fdopen(read) as pipe:
        seconds, peak = pipe.read().split()
    return done, float(seconds), int(peak)


def compile_model(adze, source, target, *flags):
    """Compiles without shapes: (summary, seconds of CPU, peak bytes); raises on failure."""
    done, seconds, peak = measured([str(adze), "compile", str(source), "-o", str(target), "--json",
                                    *flags])
    if done.returncode:
        text = " ".join(done.stderr.split())[:300]
        raise RuntimeError(f"adze compile: exit code {done.returncode}: {text}")
    return json.loads(done.stdout), seconds, peak


def arena_of(adze, artifact, flags):
    """Bytes of the arena's plan in a run with these inputs, and their ratio to the
    most that are alive at once, which no plan can beat."""
    done = subprocess.run([str(adze), "run", str(artifact), "--json", *flags],
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"adze run: {' '.join(done.stderr.split())[:300]}")
    memory = json.loads(done.stdout)["memory"]
    return memory["arena_bytes"], memory["arena_bytes"] / max(1, memory["peak_live_bytes"])


def said(done):
    """What a command that failed wrote, on one line."""
    return " ".join((done.stderr or done.stdout).split())[:400]


def verify(adze, artifact, source, feed, *flags):
    """`adze verify --json` on these inputs."""
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run([str(adze), "verify", str(artifact), "--against", str(source), "--json", *flags,
                               *input_flags(feed, folder)], capture_output=True, text=True)


def bounds_in(done):
    """The bounds that `verify` derived, by output."""
    return {row["output"]: row["bounds"] for row in json.loads(done.stdout)["outputs"]}


def agrees(got, want, bounds):
    """(verdict, largest error in units of the bound)"""
    if got.shape != want.shape or got.dtype != want.dtype:
        return False, float("inf")
    if want.dtype.kind != "f":
        return bool((got == want).all()), 0.0
    if not want.size:
        return True, 0.0
    bound = (bounds["relative"] * np.abs(want) + bounds["of_largest"] * np.abs(want).max()
             + bounds["absolute"])
    share = np.abs(got.astype("f8") - want) / np.maximum(bound, 1e-30)
    return bool((share <= 1).all()), float(share.max())
