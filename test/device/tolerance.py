"""tolerance.py DIR: what `opcodes.py emulate` left of the whole kernels lies near
what they should compute."""

import pathlib
import sys

import numpy as np

import mlirkernels
import ptxkernels

folder = pathlib.Path(sys.argv[1])
near = 0
for k in ptxkernels.all_kernels() + mlirkernels.all_kernels():
    error = max(np.abs(np.load(folder / f"emulator-{n}.npy").astype(np.float64) - want).max() for n, want in k.results.items())
    near += error <= k.tolerance
    print(f"{k.name}: error {error:.3g}, bound {k.tolerance:.3g}")
print(near, "kernels near their references")
