#!/usr/bin/env python3
"""Measures single layers against the FMA peak of one core, and prints a table.

  test/models/kernels.py [--build DIR] [--static] [--kept]

Each layer is a model of its own with bias and ReLU; what counts is the kernel that
holds it. The peak is that of a loop of independent multiply-adds, measured before
each layer, so that a machine that others use slows both. With --kept, layers and
their neighbours stay in the model's order of dimensions (docs/layout.md)."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

PEAK = r"""
#include <stdio.h>
#include <time.h>
#ifdef __AVX512F__
typedef float V __attribute__((vector_size(64)));
#elif defined(__AVX__)
typedef float V __attribute__((vector_size(32)));
#else
typedef float V __attribute__((vector_size(16)));
#endif
enum { kSums = 10, kSteps = 2000000 };
int main(void) {
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    V sum[kSums], x, y;
    for (int i = 0; i < kSums; ++i) sum[i] = (V){0} + (float)i;
    x = (V){0} + 0.999f, y = (V){0} + 1e-9f;
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (long k = 0; k < kSteps; ++k) {
      for (int i = 0; i < kSums; ++i) sum[i] = sum[i] * x + y;
      __asm__ volatile("" : : "x"(sum[0]), "x"(sum[1]));
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    volatile float keep = 0;
    for (int i = 0; i < kSums; ++i) keep += sum[i][0];
    double seconds = (b.tv_sec - a.tv_sec) + 1e-9 * (b.tv_nsec - a.tv_nsec);
    double flops = 2.0 * kSums * kSteps * (sizeof(V) / sizeof(float)) / seconds;
    if (flops > best) best = flops;
  }
  printf("%g\n", best);
}
"""

# kernel, stride, groups (0: depthwise), inputs, outputs, height and width
CONVOLUTIONS = [
    (3, 1, 1, 96, 96, 160), (3, 1, 1, 64, 64, 80), (3, 1, 1, 64, 64, 56), (3, 1, 1, 128, 128, 40),
    (3, 1, 1, 256, 256, 24), (3, 1, 1, 512, 512, 20), (3, 1, 1, 512, 512, 7), (7, 2, 1, 3, 64, 224),
    (1, 1, 1, 64, 256, 56), (1, 1, 1, 512, 128, 28), (1, 1, 1, 1024, 256, 14),
    (3, 1, 1, 96, 24, 80), (3, 1, 0, 64, 64, 80), (3, 2, 0, 96, 96, 112), (5, 1, 0, 240, 240, 28),
    (5, 1, 0, 672, 672, 14)]
MATMULS = [(512, 768, 768), (128, 768, 3072), (128, 3072, 768), (197, 3072, 768), (1, 1280, 1000)]


def weights(random, *shape):
    return (random.normal(size=shape) * 0.05).astype(np.float32)


def model_of(nodes, arrays, shape, free):
    dims = [f"d{i}" if i in free else n for i, n in enumerate(shape)]
    graph = helper.make_graph(
        [*nodes, helper.make_node("Relu", ["z"], ["y"])], "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, dims)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(v, k) for k, v in arrays.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def convolution(random, kernel, stride, groups, inputs, outputs, size, static):
    groups = groups or inputs
    arrays = {"w": weights(random, outputs, inputs // groups, kernel, kernel),
              "b": weights(random, outputs), "v": weights(random, inputs, 1, 1, 1)}
    # What a layer reads was written by another, as in a model.
    nodes = [helper.make_node("Conv", ["x", "v"], ["u"], group=inputs),
             helper.make_node("Conv", ["u", "w", "b"], ["z"], name="layer", group=groups,
                              strides=[stride] * 2, pads=[kernel // 2] * 4)]
    shape = (1, inputs, size, size)
    out = (size + 2 * (kernel // 2) - kernel) // stride + 1
    name = f"{'depthwise' if groups > 1 else 'conv'} {kernel}×{kernel}" + f" /{stride}" * (stride > 1)
    name += f" {inputs}" + (f"→{outputs}" if groups == 1 else "") + f" @{size}²"
    flops = 2 * out * out * outputs * (inputs // groups) * kernel * kernel
    return name, model_of(nodes, arrays, shape, () if static else (2, 3)), shape, flops


def matmul(random, rows, depth, columns, static):
    arrays = {"w": weights(random, depth, columns), "b": weights(random, columns)}
    nodes = [helper.make_node("MatMul", ["x", "w"], ["p"], name="layer"),
             helper.make_node("Add", ["p", "b"], ["z"])]
    model = model_of(nodes, arrays, (rows, depth), () if static else (0,))
    return f"matmul {rows}×{depth}×{columns}", model, (rows, depth), 2 * rows * depth * columns


def compile_layer(adze, path, artifact, kept):
    if not kept:
        return subprocess.run([adze, "compile", path, "-o", artifact, "-q"], check=True)
    subprocess.run([adze, "compile", path, "-o", f"{path}.mlir", "--to", "quantize", "-q"], check=True)
    graph = pathlib.Path(f"{path}.mlir").read_text()
    pathlib.Path(f"{path}.mlir").write_text(graph.replace("{dilations", '{adze.order = "keep", dilations'))
    subprocess.run([adze, "compile", f"{path}.mlir", "--from", "layout", "-o", artifact, "-q"], check=True)


def seconds_of(adze_module, artifact, x):
    loaded = adze_module.Model(artifact, threads=1)
    runs = [loaded.profile({"x": x}) for _ in range(30)]
    return min(seconds for run in runs for kernel, seconds in run
               if "layer" in kernel.nodes and kernel.kind.startswith(("conv", "matmul")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--static", action="store_true", help="extents known at compile time")
    parser.add_argument("--kept", action="store_true", help="convolutions in NCHW")
    args = parser.parse_args()
    build = args.build.resolve()
    os.environ.setdefault("ADZE_RT_LIBRARY", str(build / "lib/libadze_rt.so"))
    sys.path.insert(0, str(ROOT / "python"))
    import adze

    random = np.random.default_rng(1)
    cases = [convolution(random, *c, args.static) for c in CONVOLUTIONS]
    cases += [matmul(random, *c, args.static) for c in MATMULS if not args.kept]
    print("| kernel, fp32 | GFLOP/s | of the peak |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        source, program = f"{folder}/peak.c", f"{folder}/peak"
        pathlib.Path(source).write_text(PEAK)
        subprocess.run(["clang-22", "-O2", "-march=native", "-ffp-contract=fast", source, "-o", program],
                       check=True)
        for name, model, shape, flops in cases:
            path, artifact = f"{folder}/m.onnx", f"{folder}/m.adze"
            onnx.save(model, path)
            compile_layer(str(build / "tools/adze/adze"), path, artifact, args.kept)
            peak = float(subprocess.run([program], capture_output=True, check=True).stdout)
            x = random.normal(size=shape).astype(np.float32)
            speed = flops / seconds_of(adze, artifact, x)
            print(f"| {name} | {speed / 1e9:.0f} | {100 * speed / peak:.0f} % |", flush=True)


if __name__ == "__main__":
    main()
