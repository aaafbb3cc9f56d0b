"""Times tile kernels on a GPU, and checks them there: gemm_bench.py FILE.ptx …
The files are those of `adze-tile`, whose first line says how to launch them.

  for the usual ones, where adze-tile is:  gemm_bench.py --make DIR [--tool build/tools/adze-tile/adze-tile]
  on a machine with a GPU:                 gemm_bench.py DIR/*.ptx

Needs libcuda and numpy; compares with torch's library where torch is there."""

import argparse
import ctypes as c
import functools
import json
import pathlib
import subprocess

import numpy as np

SQUARE = "--shape=8192,8192,8192"
KERNELS = {
    "bf16-wgmma": f"{SQUARE} --chip=sm_90a --wgmma --multiply=bf16 --types=bf16,bf16,bf16 --block=128,256 --stages=4 --b=along-k",
    "bf16-wgmma-transposed": f"{SQUARE} --chip=sm_90a --wgmma --multiply=bf16 --types=bf16,bf16,bf16 --block=128,256 --stages=4 --b=along-n",
    "f16-wgmma": f"{SQUARE} --chip=sm_90a --wgmma --multiply=f16 --types=f16,f16,f16 --block=128,256 --stages=4 --b=along-k",
    "f16-wgmma-128": f"{SQUARE} --chip=sm_90a --wgmma --multiply=f16 --types=f16,f16,f16 --block=128,128 --stages=6 --b=along-k",
    "tf32-wgmma": f"{SQUARE} --chip=sm_90a --wgmma --multiply=tf32 --types=f32,f32,f32 --block=128,128 --stages=6 --b=along-k",
    "s8-wgmma": f"{SQUARE} --chip=sm_90a --wgmma --multiply=s8 --types=i8,i8,i32 --block=128,256 --stages=4 --b=along-k",
    "bf16-mma": f"{SQUARE} --multiply=bf16 --types=bf16,bf16,bf16 --block=128,256,32 --warp=64,64 --stages=4",
    "f16-mma": f"{SQUARE} --multiply=f16 --types=f16,f16,f16 --block=128,256,64 --warp=64,64 --stages=3",
    "f16-mma-128": f"{SQUARE} --multiply=f16 --types=f16,f16,f16 --block=128,128,32 --warp=64,64 --stages=4",
    "tf32-mma": f"{SQUARE} --multiply=tf32 --types=f32,f32,f32 --block=128,256,32 --warp=64,64 --stages=3",
    "tf32x3-mma": f"{SQUARE} --multiply=tf32x3 --types=f32,f32,f32 --block=128,128,32 --warp=64,32 --stages=4 --round-sums",
    "tf32x3-mma-b": f"{SQUARE} --multiply=tf32x3 --types=f32,f32,f32 --block=128,128,32 --warp=32,64 --stages=4 --round-sums",
    "tf32x3-mma-small": f"{SQUARE} --multiply=tf32x3 --types=f32,f32,f32 --block=128,64,32 --warp=32,32 --stages=4 --round-sums",
    "tf32x3-mma-cut": f"{SQUARE} --multiply=tf32x3 --types=f32,f32,f32 --block=128,128,16 --warp=64,64 --stages=4",
    "tf32x3-split": "--shape=512,512,8192 --multiply=tf32x3 --types=f32,f32,f32 --block=64,64,32 --warp=32,32 --stages=4 --split=4 --round-sums",
    "tf32x3-wgmma": f"{SQUARE} --chip=sm_90a --wgmma --multiply=tf32x3 --types=f32,f32,f32 --block=128,128 --stages=3",
    "tf32x3-wgmma-4": f"{SQUARE} --chip=sm_90a --wgmma --multiply=tf32x3 --types=f32,f32,f32 --block=128,128 --stages=4",
    "tf32x3-wgmma-k": f"{SQUARE} --chip=sm_90a --wgmma --multiply=tf32x3 --types=f32,f32,f32 --block=128,128 --stages=3 --b=along-k",
    "s8-mma": f"{SQUARE} --multiply=s8 --types=i8,i8,i32 --block=128,128,64 --warp=64,64 --stages=4 --b=along-k",
}
# As models have them: microseconds count.
F32 = "--types=f32,f32,f32"
TILES = {
    "64": "--multiply=tf32x3 --round-sums --block=64,64,32 --warp=32,32 --stages=3",
    "64-slices": "--multiply=tf32x3 --round-sums --block=64,64,64 --warp=32,32 --slices=2 --stages=3",
    "32": "--multiply=tf32x3 --round-sums --block=32,32,32 --warp=16,16 --stages=4",
    "32-slices": "--multiply=tf32x3 --round-sums --block=32,32,64 --warp=16,16 --slices=4 --stages=3",
    "32-slices-8": "--multiply=tf32x3 --round-sums --block=32,32,128 --warp=32,16 --slices=8 --stages=3",
    "wgmma": "--chip=sm_90a --wgmma --multiply=tf32x3 --block=64,64 --stages=4",
}
for shape in ("3136,64,576", "784,128,1152", "49,512,2304", "40,60,2880", "6400,32,144"):
    KERNELS |= {f"small-{shape.replace(',', 'x')}-{name}": f"--shape={shape} {F32} {options}" for name, options in TILES.items()}
ATTENTION = "--attention=4,16,16,4096,4096,128"
KERNELS |= {
    "attention-f16": f"{ATTENTION} --multiply=f16 --types=f16,f16,f16 --block=64,64 --warp=16,0",
    "attention-f16-causal": f"{ATTENTION} --multiply=f16 --types=f16,f16,f16 --block=64,64 --warp=16,0 --causal",
    "attention-bf16-64": "--attention=4,16,16,4096,4096,64 --multiply=bf16 --types=bf16,bf16,bf16 --block=128,64 --warp=32,0",
    "attention-f16-wgmma": f"{ATTENTION} --chip=sm_90a --wgmma --multiply=f16 --types=f16,f16,f16 --block=128,128 --stages=2",
    "attention-f16-wgmma-176": f"{ATTENTION} --chip=sm_90a --wgmma --multiply=f16 --types=f16,f16,f16 --block=128,176 --stages=2",
    "attention-f16-wgmma-3-64": f"{ATTENTION} --chip=sm_90a --wgmma --multiply=f16 --types=f16,f16,f16 --block=192,64 --stages=3",
    "attention-f16-wgmma-no-turns": f"{ATTENTION} --chip=sm_90a --wgmma --multiply=f16 --types=f16,f16,f16 --block=128,128 --stages=2 --turns=0",
    "attention-f16-wgmma-causal": f"{ATTENTION} --chip=sm_90a --wgmma --multiply=f16 --types=f16,f16,f16 --block=128,128 --stages=2 --causal",
    "attention-bf16-64-wgmma": "--attention=4,16,16,4096,4096,64 --chip=sm_90a --wgmma --multiply=bf16 --types=bf16,bf16,bf16 --block=128,128 --stages=2",
    "attention-bf16-64-wgmma-3": "--attention=4,16,16,4096,4096,64 --chip=sm_90a --wgmma --multiply=bf16 --types=bf16,bf16,bf16 --block=192,128 --stages=2",
    "attention-tf32": f"{ATTENTION} --multiply=tf32 --types=f32,f32,f32 --block=64,32 --warp=16,0",
    "attention-tf32x3": f"{ATTENTION} --multiply=tf32x3 --types=f32,f32,f32 --block=64,16 --warp=16,0",
    "attention-tf32x3-8": f"{ATTENTION} --multiply=tf32x3 --types=f32,f32,f32 --block=128,32 --warp=16,0",
}


def make(folder, tool):
    folder.mkdir(parents=True, exist_ok=True)
    for name, options in KERNELS.items():
        (folder / f"{name}.ptx").write_text(subprocess.run([tool, *options.split()], check=True, stdout=subprocess.PIPE, text=True).stdout)
        print(folder / f"{name}.ptx")


@functools.lru_cache(maxsize=4)
def numbers(shape, integers, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(-128, 128, shape, dtype=np.int8) if integers else rng.standard_normal(shape, dtype=np.float32)


def to_bits(x, kind):
    """Numbers as `kind` stores them, and what it made of them."""
    if kind != "bf16":
        y = x.astype({"f32": np.float32, "f16": np.float16, "i8": np.int8}[kind])
        return y, y.astype(np.float32)
    u = x.astype(np.float32).view(np.uint32)
    h = ((u + 0x7FFF + ((u >> 16) & 1)) >> 16).astype(np.uint16)
    return h, from_bits(h, "bf16")


def from_bits(y, kind):
    if kind == "bf16":
        return (y.astype(np.uint32) << 16).view(np.float32)
    return y.astype(np.float64 if kind == "i32" else np.float32)


def result_type(kind):
    return {"f32": np.float32, "f16": np.float16, "bf16": np.uint16, "i32": np.int32}[kind]


class AttentionBench:
    def __init__(self, device, path, spec, module, options):
        self.device, self.name, self.spec, self.module, self.options = device, path.stem, spec, module, options

    def run(self):
        s, d = self.spec, self.device
        batch, heads, key_heads, queries, keys, depth = s["attention"]
        kind = s["types"][0]
        shapes = [(batch, heads, queries, depth), (batch, key_heads, keys, depth), (batch, key_heads, keys, depth)]
        bits, values = zip(*(to_bits(numbers(shape, False, seed), kind) for seed, shape in enumerate(shapes)))
        out = np.zeros(shapes[0], result_type(s["types"][2]))
        pointers = [d.upload(x) for x in (*bits, out)]
        factors = pointers[:3]
        if "maps" in s:
            element = {"f16": np.float16, "bf16": np.uint16}[kind]
            factors = [d.tensor_map(p, element, m["extents"], m["box"], m["swizzle"]) for p, m in zip(factors, s["maps"])]
        arguments = [*factors, pointers[3], pointers[3], *(c.c_int(n) for n in (queries, keys, keys - queries))]
        launch = (self.module, s["entry"], (s["blocks"], 1, 1), (s["threads"], 1, 1), s["shared"], arguments)
        if error := d.launch(*launch):
            return {"failed": error}
        got = from_bits(d.download(pointers[3], out), s["types"][2])
        worst = 0.0
        for b, h in ((0, 0), (batch - 1, heads - 1)):
            q, k, v = (x[b, h * x.shape[1] // heads].astype(np.float64) for x in values)
            rows = np.arange(5, queries, queries // 32 + 1)
            scores = q[rows] @ k.T / depth ** 0.5
            if s["causal"]:
                scores[np.arange(keys) > rows[:, None] + keys - queries] = -np.inf
            p = np.exp(scores - scores.max(1, keepdims=True))
            worst = max(worst, np.abs(got[b, h][rows] - p @ v / p.sum(1, keepdims=True)).max())
        seconds = d.time(*launch, self.options.runs)
        flops = 4.0 * batch * heads * queries * keys * depth * (0.5 if s["causal"] else 1)
        for p in pointers:
            d.free(p)
        return row(flops, seconds, worst, self.library(shapes, flops))

    def library(self, shapes, flops):
        try:
            import torch
        except ImportError:
            return None
        kind = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}[self.spec["types"][0]]
        q, k, v = (torch.randn(shape, device="cuda", dtype=kind) for shape in shapes)
        seconds = torch_seconds(torch, lambda: torch.nn.functional.scaled_dot_product_attention(
            q, k, v, is_causal=self.spec["causal"], enable_gqa=shapes[0][1] != shapes[1][1]), self.options.runs)
        return flops / seconds / 1e12


def torch_seconds(torch, call, runs):
    for _ in range(3):
        call()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(runs):
        call()
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / 1e3 / runs


def row(flops, seconds, error, library):
    result = {"tflops": round(flops / seconds / 1e12, 1), "us": round(seconds * 1e6, 1), "error": float(f"{error:.2e}")}
    return result | ({"torch_tflops": round(library, 1)} if library else {})


def measure(device, path, options):
    """TFLOP/s, microseconds and largest error of a file's kernel, or how it failed; says it too."""
    try:
        result = open_bench(device, path, options).run()
    except RuntimeError as error:
        result = {"failed": str(error)}
    print(f"{path.stem}: {', '.join(f'{name} {value}' for name, value in result.items())}", flush=True)
    return result


def open_bench(device, path, options):
    text = path.read_text()
    spec = json.loads(text.split("\n", 1)[0][3:])
    return (AttentionBench if "attention" in spec else Bench)(device, path, spec, device.load(text), options)


class Bench:
    def __init__(self, device, path, spec, module, options):
        self.device, self.name, self.spec, self.module, self.options = device, path.stem, spec, module, options

    def factor(self, rows, layout, kind, seed):
        depth = self.spec["k"]
        shape = (self.spec["batch"], rows, depth) if layout == "along-k" else (self.spec["batch"], depth, rows)
        bits, values = to_bits(numbers(shape, kind == "i8", seed), kind)
        return bits, values if layout == "along-k" else values.swapaxes(1, 2)

    def run(self):
        s, d = self.spec, self.device
        a, a_values = self.factor(s["m"], s["a"], s["types"][0], 1)
        b, b_values = self.factor(s["n"], s["b"], s["types"][1], 2)
        splits = s.get("splits", 1)
        out = np.zeros((s["batch"], splits, s["m"], s["n"]), result_type(s["types"][2]))
        bias = np.zeros(s["n"], np.float32)
        pa, pb, pc, pbias = d.upload(a), d.upload(b), d.upload(out), d.upload(bias)
        if "maps" in s:
            maps = [d.tensor_map(p, {"bf16": np.uint16, "i8": np.int8}.get(kind) or {"f16": np.float16, "f32": np.float32}[kind],
                                 m["extents"], m["box"], m["swizzle"]) for p, kind, m in zip((pa, pb), s["types"], s["maps"])]
            arguments = [*maps, pc, pbias]
            blocks = min(s["tiles"], d.multiprocessors())
        else:
            split = d.upload(np.zeros(max(s["split_bytes"], 4), np.uint8))
            counters = d.upload(np.zeros(s["batch"] * s["m"] * s["n"] // 256 + 1024, np.uint32))
            arguments = [pa, pb, pc, pbias, split, counters]
            blocks = s["blocks"]
        arguments += [c.c_int(s[x]) for x in "mnk"]
        error = d.launch(self.module, s["entry"], (blocks, 1, 1), (s["threads"], 1, 1), s["shared"], arguments)
        if error:
            return {"failed": error}
        got = from_bits(d.download(pc, out), s["types"][2]).sum(1)
        # Some rows and columns, against double precision.
        rng = np.random.default_rng(3)
        rows, columns = (np.sort(rng.choice(s[x], min(s[x], 64), replace=False)) for x in "mn")
        x, y = a_values[:, rows].astype(np.float64), b_values[:, columns].astype(np.float64).swapaxes(1, 2)
        want, size = x @ y, np.abs(x) @ np.abs(y)
        relative = (np.abs(got[:, rows][:, :, columns] - want) / size).max()
        seconds = d.time(self.module, s["entry"], (blocks, 1, 1), (s["threads"], 1, 1), s["shared"], arguments, self.options.runs)
        flops = 2.0 * s["batch"] * s["m"] * s["n"] * s["k"]
        for p in (pa, pb, pc, pbias):
            d.free(p)
        return row(flops, seconds, relative, self.library(flops))  # an error of sum |a||b|

    def library(self, flops):
        """What torch's product of the same type and shape reaches."""
        try:
            import torch
        except ImportError:
            return None
        s = self.spec
        kind = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}.get(s["types"][0])
        if kind is None:
            return None
        torch.backends.cuda.matmul.allow_tf32 = s["multiply"] == "tf32"
        a = torch.randn(s["batch"], s["m"], s["k"], device="cuda", dtype=kind)
        b = torch.randn(s["batch"], s["k"], s["n"], device="cuda", dtype=kind)
        seconds = torch_seconds(torch, lambda: a @ b, self.options.runs)
        return flops / seconds / 1e12


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--make", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--tool", default="build/tools/adze-tile/adze-tile")
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    if options.make:
        make(options.make, options.tool)
    if options.files:
        import gpu
        device = gpu.Device()
        print(device.name, "driver", device.driver)
        for path in options.files:
            measure(device, path, options)


if __name__ == "__main__":
    main()
