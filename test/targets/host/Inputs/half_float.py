"""half_float.py ADZE CPU...: casts to half precision and back, from float and
double, against numpy's (float16) and bit arithmetic (bfloat16)."""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

import adze

MODEL = """<ir_version: 10, opset_import: ["" : 21]>
g (float[N] f, double[N] d, float16[M] h) => (float[N] fh, float[N] fb, double[N] dh, double[N] db, float[M] hf) {
  a = Cast<to = 10>(f)
  fh = Cast<to = 1>(a)
  b = Cast<to = 16>(f)
  fb = Cast<to = 1>(b)
  c = Cast<to = 10>(d)
  dh = Cast<to = 11>(c)
  e = Cast<to = 16>(d)
  db = Cast<to = 11>(e)
  hf = Cast<to = 1>(h)
}
"""


def bfloat(x):
    """float32 to bfloat16 and back."""
    bits = x.view("u4").astype("u8")
    rounded = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000
    return np.where(np.isnan(x), np.nan, rounded.astype("u4").view("f4")).astype("f4")


def bfloat_of_double(d):
    """The same of doubles, by rounding to odd first."""
    with np.errstate(all="ignore"):
        f = d.astype("f4")
    bits, inexact = f.view("i4").copy(), (f.astype("f8") != d) & ~np.isnan(d)
    toward = np.where(np.abs(f.astype("f8")) < np.abs(d), 1, -1)
    bits[inexact & (bits & 1 == 0)] += toward[inexact & (bits & 1 == 0)].astype("i4")
    return bfloat(bits.view("f4")).astype("f8")


half = np.arange(65536, dtype="u2").view("f2")
random = np.random.default_rng(1)
bits = np.concatenate([random.integers(0, 2**32, 300000, dtype="u4"),
                       (half.astype("f4").view("u4")[:, None] + np.arange(-2, 3) * 0x800).astype("u4").ravel()])
f = bits.view("f4")
near = (half.astype("f8")[:31744, None] * (1 + np.array([0, 2**-11, 2**-11 + 2**-50, 2**-11 - 2**-50]))).ravel()
d = np.concatenate([near, -near, random.normal(size=200000) * 10.0 ** random.integers(-45, 45, 200000)])
n = min(len(f), len(d))
f, d = f[-n:], d[:n]
with np.errstate(all="ignore"):
    want = {"fh": f.astype("f2").astype("f4"), "fb": bfloat(f), "dh": d.astype("f2").astype("f8"),
            "db": bfloat_of_double(d), "hf": half.astype("f4")}
with tempfile.TemporaryDirectory() as folder:
    source, artifact = pathlib.Path(folder) / "m.onnxtxt", pathlib.Path(folder) / "m.adze"
    source.write_text(MODEL)
    for cpu in sys.argv[2:]:
        subprocess.run([sys.argv[1], "compile", source, "-o", artifact, "--cpu", cpu, "-q"], check=True)
        got = adze.Model(str(artifact)).run({"f": f, "d": d, "h": half})
        for name, values in want.items():
            wrong = ~((got[name] == values) | (np.isnan(got[name]) & np.isnan(values)))
            if cpu == "native" and name in ("fb", "db"):
                # AVX512_BF16's instruction takes denormals as zero, always.
                wrong &= (got[name] != 0) | (np.abs(f if name == "fb" else d) >= 2.0**-126)
            assert not wrong.any(), (cpu, name, wrong.sum(), f[wrong][:3] if name[0] == "f" else d[wrong][:3],
                                     got[name][wrong][:3], values[wrong][:3])
        print(f"{cpu}: float16 and bfloat16 are right")
