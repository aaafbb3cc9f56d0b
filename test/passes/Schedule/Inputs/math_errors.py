"""Measures the largest errors of the elementary functions that adze-expand-math
writes, through the phases schedule and emit, and holds them against the bounds
that passes/Schedule/Passes.td promises.

  math_errors.py ADZE [--every N] [--cpu NAME ...] [--gpu NAME] [--elements f32 f16] [--show]

  --gpu sm_80   in the kernels of that GPU, run on the PTX emulator

Inputs are every N-th float (2^32 in all) and the neighbours of the edges: powers
of two, multiples of ln 2 / 2 and of pi / 4, where formulas change. The truth is
the double-precision libm.
"""

import argparse
import math
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

import adze

erf, erfc = (np.vectorize(f, otypes=["f8"]) for f in (math.erf, math.erfc))
# name: (truth, most ulps of an f32 result)
FUNCTIONS = {
    "exp": (np.exp, 1.1), "log": (np.log, 1.1), "log2": (np.log2, 2), "log1p": (np.log1p, 2.5),
    "expm1": (np.expm1, 2.5), "tanh": (np.tanh, 1.5), "erf": (erf, 2.5), "erfc": (erfc, 2.6),
    "rsqrt": (lambda x: 1 / np.sqrt(x), 1.5), "sin": (np.sin, 2.5), "cos": (np.cos, 2.5),
}
# Powers with one exponent each, exact in f16, and of one base each.
POWERS = {"pow_quarters": 0.75, "pow_negative": -1.25, "pow_odd": 3.6875, "pow_cube": 3, "pow_square": -2,
          "pow_none": 0, "pow_infinite": math.inf, "pow_vanishing": -math.inf, "pow_nan": math.nan}
BASES = {"to_the": 1.75, "of_a_half": 0.5, "of_one": 1, "of_minus_one": -1, "of_minus_three": -3, "of_zero": 0,
         "of_minus_zero": -0.0, "of_infinity": math.inf, "of_minus_infinity": -math.inf, "of_nan": math.nan}
FUNCTIONS |= {n: (lambda x, y=y: np.power(x, y), 0.51) for n, y in POWERS.items()}
FUNCTIONS |= {n: (lambda x, y=y: np.power(np.float64(y), x), 0.51) for n, y in BASES.items()}
# Near a zero of sine and cosine an ulp is no measure.
SMALL, ABSOLUTE = 1e-3, 2e-10


def constant(value, element):
    """Of a number that `element` has, by its bits."""
    kind, digits = (np.float16, 4) if element == "f16" else (np.float32, 8)
    return f"%e = arith.constant 0x{kind(value).view(f'u{digits // 2}'):0{digits}X} : {element}"


def body(name, element):
    if name in POWERS:
        return f"{constant(POWERS[name], element)}\n    %r = math.powf %a, %e : {element}"
    if name in BASES:
        return f"{constant(BASES[name], element)}\n    %r = math.powf %e, %a : {element}"
    return f"%r = math.{name} %a : {element}"


def module(element):
    """A module as the kernel phase leaves it: one kernel a function."""
    t, names = f"memref<?x{element}>", list(FUNCTIONS)
    rows = ", ".join(f'{{onnx.name = "{n}", type = tensor<?x{element}>}}' for n in names)
    table = ", ".join(f'{{function = "{n}", nodes = [], reason = "{n}"}}' for n in names)
    calls = "\n".join(f"  %{n} = memref.alloc(%n) : {t}\n"
                      f"  adze_rt.launch @{n} kernel {i}(%x, %{n}) : ({t}, {t}) -> ()"
                      for i, n in enumerate(names))
    kernels = "\n".join(f"""
func.func private @{n}(%x: {t}, %y: {t}) {{
  linalg.generic {{indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
                  iterator_types = ["parallel"]}} ins(%x : {t}) outs(%y : {t}) {{
  ^bb0(%a: {element}, %b: {element}):
    {body(n, element)}
    linalg.yield %r : {element}
  }}
  return
}}""" for n in names)
    return f"""
module attributes {{adze.inputs = [{{onnx.name = "x", type = tensor<?x{element}>}}],
                   adze.outputs = [{rows}], adze.kernels = [{table}]}} {{
func.func @main(%x: {t}) -> ({", ".join([t] * len(names))}) attributes {{adze.entry}} {{
  %zero = arith.constant 0 : index
  %n = memref.dim %x, %zero : {t}
{calls}
  return {", ".join("%" + n for n in names)} : {", ".join([t] * len(names))}
}}{kernels}
}}"""


def compiled(program, element, cpu, gpu, folder):
    source, artifact = folder / f"{element}.mlir", folder / f"{element}-{cpu}.adze"
    source.write_text(module(element))
    flags = ["--target", f"cuda:{gpu}", "--ptxas", "none"] if gpu else []
    subprocess.run([program, "compile", source, "-o", artifact, "--from", "schedule", "--cpu", cpu,
                    "--quiet", "--verify-phases", *flags], check=True)
    return adze.Model(str(artifact), **({"device": "ptx-emulator"} if gpu else {}))


def inputs(every):
    centres = np.concatenate([
        2.0 ** np.arange(-149, 128), np.arange(1, 300) * (math.log(2) / 2),
        np.arange(1, 12000) * (math.pi / 4), np.arange(1, 300), [0, 0.5, 0.625, 1, 4, 8192, 88.722839, 104, 3.4028235e38]])
    centres = np.concatenate([centres, -centres]).astype("f4").view("i4")
    near = np.concatenate([centres + d for d in range(-3, 4)])
    grid = np.arange(0, 2**32, every, dtype="u8").astype("u4").view("i4")
    return np.concatenate([grid, near]).view("f4")


def ulps(got, want, kind):
    """|got - want| in units of the last place of `want`, rounded to `kind`."""
    info = np.finfo(kind)
    with np.errstate(all="ignore"):
        rounded = want.astype(kind)
    size = np.abs(rounded.astype("f8"))
    exponent = np.frexp(np.where(np.isfinite(size), size, 1))[1] - 1
    unit = 2.0 ** (np.maximum(exponent, info.minexp) - info.nmant)
    with np.errstate(invalid="ignore"):
        error = np.abs(got.astype("f8") - want) / unit
    # Infinities and NaN are right or wrong. What is past the largest number may be it.
    special = ~np.isfinite(rounded) | ~np.isfinite(got)
    same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
    near_end = (np.abs(want) > 0.999999 * float(info.max)) & (np.sign(want) == np.sign(got)) & (
        np.abs(got) >= 0.999999 * float(info.max))
    return np.where(special, np.where(same | near_end, 0, np.inf), error)


def worst(name, x, got, kind):
    """(largest error in ulps, its input; largest error near a sine's zeros)"""
    with np.errstate(all="ignore"):
        want = FUNCTIONS[name][0](x.astype("f8"))
    error, small = ulps(got, want, kind), 0.0
    if name in ("sin", "cos"):
        tiny = np.abs(want) <= SMALL
        small = float(np.abs(got.astype("f8") - want)[tiny].max())
        error[tiny] = 0
    at = int(error.argmax())
    return float(error[at]), float(x[at]), small


def check(name, label, most, x, got, kind, show):
    error, at, small = worst(name, x, got, kind)
    absolute = ABSOLUTE if kind == np.float32 else SMALL * np.finfo(kind).eps
    ok = error <= most and small <= absolute
    if show or not ok:
        print(f"{'ok    ' if ok else 'FAILED'} {name:6} {label}: {error:.3f} ulp at {at!r}, "
              f"{most} promised; near zeros {small:.2g}")
    return ok


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("adze")
    parser.add_argument("--every", type=int, default=4099)
    parser.add_argument("--cpu", nargs="+", default=["native"])
    parser.add_argument("--gpu")
    parser.add_argument("--elements", nargs="+", default=["f32", "f16"], choices=["f32", "f16"])
    parser.add_argument("--show", action="store_true")
    args = parser.parse_args()
    # f16 goes through f32: half an ulp, and the formula's own error.
    kinds = {"f32": (np.float32, lambda: inputs(args.every), lambda most: most),
             "f16": (np.float16, lambda: np.arange(65536, dtype="u2").view("f2"), lambda _: 0.502)}
    passed = True
    with tempfile.TemporaryDirectory() as folder:
        for element in args.elements:
            kind, make, bound = kinds[element]
            x = make()
            for cpu in args.cpu:
                results = compiled(args.adze, element, cpu, args.gpu, pathlib.Path(folder)).run({"x": x})
                for name, (_, most) in FUNCTIONS.items():
                    passed &= check(name, f"{element} {cpu}", bound(most), x, results[name], kind,
                                    args.show)
    print(f"{'all' if passed else 'not all'} errors are within their bounds")
    sys.exit(not passed)


if __name__ == "__main__":
    main()
