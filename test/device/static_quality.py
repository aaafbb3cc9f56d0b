"""What can be said of tile kernels without a GPU: a table of products, convolutions and attention at
five shapes each, and of products with 4-bit weights.

  static_quality.py [--build build] [--nvdisasm PROGRAM]

matrix: instructions that multiply (of the tensor cores; FMA of the ordinary ones), next to all in the
main loop (of the machine code where an nvdisasm is that knows the GPU, else of the PTX). bank: wavefronts of shared memory to the fewest possible. sectors:
bytes of the sectors read and written to the bytes asked for, in the emulator. registers, blocks: of a
thread; that a multiprocessor holds, and what part of its warps that is (needs ptxas)."""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import numpy as np

MMA = "--multiply=tf32x3 --types=f32,f32,f32 --round-sums --block=64,64,32 --warp=32,32 --stages=3"
HALF = "--multiply=f16 --types=f16,f16,f32 --block=128,128,32 --warp=64,64 --stages=4"
WGMMA = "--chip=sm_90a --wgmma --multiply=bf16 --types=bf16,bf16,f32 --block=128,128 --stages=4 --b=along-k"
STREAM = "--multiply=f16 --types=f16,f16,f16 --block=64,64,32 --warp=32,32 --stages=3 --stream=12"
COPIED = "--chip=sm_90a --wgmma --maps=1 --multiply=f16 --types=f16,f16,f32 --block=128,128 --stages=5"
CORES = "--multiply=f32 --types=f32,f32,f32 --stages=2"
T4 = "--chip=sm_75 --stages=2"
V100 = "--chip=sm_70 --multiply=f16 --types=f16,f16,f32 --stages=2"
SPLIT = "--chip=sm_90a --wgmma --multiply=tf32x3 --types=f32,f32,f32 --block=128,64 --stages=3"
ROWS = {
    "product 256x256x256, f32 as 3 tf32": f"--shape=256,256,256 {MMA}",
    "product 512x256x128, f32 as 3 tf32": f"--shape=512,256,128 {MMA}",
    "product 384x384x512, f16": f"--shape=384,384,512 {HALF}",
    "product 128x128x2048, f16, 12 blocks share tiles": f"--shape=128,128,2048 {STREAM}",
    "product 256x512x512, bf16, wgmma": f"--shape=256,512,512 {WGMMA}",
    "product 256x256x256, f32 as 3 tf32, wgmma": f"--shape=256,256,256 {SPLIT}",
    "convolution 3x3, 28x28x64 to 64": f"--conv=1,28,28,64,3,1,1 --shape=0,64,0 {MMA}",
    "convolution 3x3 stride 2, 28x28x64 to 128": f"--conv=1,28,28,64,3,2,1 --shape=0,128,0 {MMA}",
    "convolution 1x1, 28x28x128 to 128": f"--conv=1,28,28,128,1,1,0 --shape=0,128,0 {MMA}",
    "convolution 5x5, 14x14x32 to 64": f"--conv=2,14,14,32,5,1,2 --shape=0,64,0 {MMA}",
    "convolution 3x3, 28x28x64 to 128, f16, wgmma": f"--conv=1,28,28,64,3,1,1 --shape=0,128,0 {COPIED}",
    "convolution 3x3, 28x28x64 to 64, wgmma": f"--conv=1,28,28,64,3,1,1 --shape=0,64,0 {SPLIT}",
    "product 512x512x256, f32, sm_75": f"--shape=512,512,256 {CORES} --chip=sm_75 --block=128,128,8 --warp=64,32",
    "product 512x512x256, f32, sm_70": f"--shape=512,512,256 {CORES} --chip=sm_70 --block=128,64,8 --warp=32,32",
    "product 256x256x256, f32, sm_75": f"--shape=256,256,256 {CORES} --chip=sm_75 --block=64,64,16 --warp=32,32",
    "convolution 3x3, 28x28x64 to 64, f32, sm_75": f"--conv=1,28,28,64,3,1,1 --shape=0,64,0 {CORES} --chip=sm_75 --block=64,32,16 --warp=16,32",
    "product 256x256x256, f16, sm_75": f"--shape=256,256,256 {T4} --multiply=f16 --types=f16,f16,f32 --block=128,128,32 --warp=64,32",
    "product 256x256x256, s8, sm_75": f"--shape=256,256,256 {T4} --multiply=s8 --types=i8,i8,i32 --b=along-k --block=128,128,64 --warp=64,32",
    "product 256x256x256, f16, sm_70": f"--shape=256,256,256 {V100} --block=128,64,32 --warp=32,32",
    "product 256x256x256, f16 along k, sm_70": f"--shape=256,256,256 {V100} --b=along-k --block=128,128,32 --warp=64,32",
    "convolution 3x3, 28x28x64 to 64, f16, sm_70": f"--conv=1,28,28,64,3,1,1 --shape=0,64,0 {V100} --block=64,64,32 --warp=32,32",
    "attention 4 heads, 256 x 256, 64, f16": "--attention=1,4,4,256,256,64 --multiply=f16 --types=f16,f16,f16 --block=64,64 --warp=16,0",
    "attention 4 heads, 256 x 256, 128, f16": "--attention=1,4,4,256,256,128 --multiply=f16 --types=f16,f16,f16 --block=64,64 --warp=16,0",
    "attention 4 heads, 256 x 256, 64, f32 as 3 tf32": "--attention=1,4,4,256,256,64 --multiply=tf32x3 --types=f32,f32,f32 --block=64,32 --warp=16,0",
    "attention 4 heads, 256 x 512, 64, f16, wgmma": "--attention=1,4,4,256,512,64 --chip=sm_90a --wgmma --multiply=f16 --types=f16,f16,f16 --block=128,128 --stages=2",
    "attention 4 heads, 256 x 512, 128, bf16, wgmma": "--attention=1,4,4,256,512,128 --chip=sm_90a --wgmma --multiply=bf16 --types=bf16,bf16,bf16 --block=128,128 --stages=2",
    "4-bit weights, 1x256x2048, groups of 32, f16": "--int4=1,256,2048,32 --multiply=f16 --types=f16,i4,f16",
    "4-bit weights, 8x256x2048, groups of 128, bf16": "--int4=8,256,2048,128 --multiply=bf16 --types=bf16,i4,bf16 --zero-points",
    "4-bit weights, 16x256x2048, groups of 32, f16": "--int4=16,256,2048,32 --block=16,8 --multiply=f16 --types=f16,i4,f16 --zero-points",
}
# Of a multiprocessor: bytes of shared memory, warps, blocks; 64 Ki registers all have.
LIMITS = {"sm_70": (96 << 10, 64, 32), "sm_75": (64 << 10, 32, 16), "sm_80": (164 << 10, 64, 32), "sm_90a": (228 << 10, 64, 32)}
DTYPES = {"f32": np.float32, "f16": np.float16, "bf16": np.uint16, "i8": np.int8, "u8": np.uint8}


def loops(lines, label, branch):
    """Bodies of loops, from a label to a branch back to it, as first and last line."""
    at = {m[1]: i for i, line in enumerate(lines) if (m := label.match(line))}
    return [(at[m[1]], i) for i, line in enumerate(lines) if (m := branch.search(line)) and at.get(m[1], i) < i]


def matrix_share(text, is_ptx, multiply):
    """Instructions that multiply and all of them in the innermost loop that has most."""
    if is_ptx:
        label, branch = re.compile(r"^(\$L\w+):"), re.compile(r"\bbra(?:\.uni)?\s+(\$L\w+)")
        instruction, matrix = re.compile(r"^\s+@?[%\w.]+.*;"), re.compile(r"\bfma\.rn\.f32" if multiply == "f32" else r"\b(mma\.sync|wgmma\.mma_async)")
    else:
        label, branch = re.compile(r"^(\.L_x_\d+):"), re.compile(r"BRA.*`\((\.L_x_\d+)\)")
        instruction, matrix = re.compile(r"^\s+/\*\w+\*/\s+\S"), re.compile(r"\bFFMA\b" if multiply == "f32" else r"\b(HMMA|IMMA|HGMMA|IGMMA)\b")
    lines = text.splitlines()
    counts = {}
    for first, last in loops(lines, label, branch):
        body = lines[first:last + 1]
        if count := sum(bool(matrix.search(x)) for x in body):
            counts[first, last] = count, sum(bool(instruction.match(x)) for x in body)
    inner = [c for (f, l), c in counts.items() if not any((f, l) != o and f <= o[0] and o[1] <= l for o in counts)]
    # A loop of few turns may be unrolled into nothing but its body.
    everything = sum(bool(matrix.search(x)) for x in lines), sum(bool(instruction.match(x)) for x in lines)
    return max(inner, key=lambda c: (c[0], -c[1]), default=everything)


def arguments(spec, folder):
    """Buffers of ones and zeros for `adze emulate`: counters do not depend on what is in them."""
    def save(name, shape, kind):
        np.save(folder / f"{name}.npy", np.zeros(shape, DTYPES[kind]))
        return str(folder / f"{name}.npy")
    kinds, out = spec["types"], {"bf16": "u16", "i32": "u32"}.get(spec["types"][2], spec["types"][2])
    spare = save("spare", 4096, "f32")
    if "int4" in spec:
        m, n, k, group = spec["int4"]
        groups = -(-k // group)
        files = [save("x", (m, k), kinds[0]), save("w", (n, k // 2), "u8"), save("scales", (n, groups), kinds[0]), save("zeros", (n, -(-groups // 2)), "u8")]
        return [word for file in [*files, f"out:{folder / 'out.npy'}:{out}:{m}x{n}", spare, f"u32:{m}"] for word in ("--arg", file)]
    if "attention" in spec:
        batch, heads, key_heads, queries, keys, depth = spec["attention"]
        shapes = [(batch, heads, queries, depth), (batch, key_heads, keys, depth), (batch, key_heads, keys, depth)]
        numbers, results = (queries, keys, 0), shapes[0]
    else:
        b, m, n, k = (spec[x] for x in ("batch", "m", "n", "k"))
        a = (b, m, k) if "conv" not in spec else spec["conv"][:4]
        shapes = [a, (b, n, k) if spec["b"] == "along-k" else (b, k, n)]
        numbers, results = (m, n, k), (b, m, n)
    files = [save(f"x{i}", shape, kinds[0]) for i, shape in enumerate(shapes)]
    words = []
    if "maps" in spec:
        copied = len(files) - len(spec["maps"])
        for i, file in enumerate(files):
            words += ["--arg", "tensor:" * (i >= copied) + file]
        for i, m in enumerate(spec["maps"], copied):
            words += ["--arg", f"map:{i}:box={'x'.join(map(str, m['box']))}:swizzle={m['swizzle']}"]
    else:
        for file in files:
            words += ["--arg", file]
    words += ["--arg", f"out:{folder / 'out.npy'}:{out}:{'x'.join(map(str, results))}"]
    words += ["--arg", spare]
    if "attention" not in spec and "maps" not in spec:
        words += ["--arg", save("parts", max(spec["split_bytes"] // 4, 4096), "f32"), "--arg", spare]
    for number in numbers:
        words += ["--arg", f"u32:{number}"]
    return words


def blocks_of(registers, shared, threads, chip):
    """Blocks on a multiprocessor, and the part of its warps."""
    warps, (most_shared, most_warps, most_blocks) = threads // 32, LIMITS[chip]
    by_registers = 65536 // (-(-registers * 32 // 256) * 256 * warps)
    reserved = 1024 if chip >= "sm_80" else 0
    count = min(by_registers, most_shared // (shared + reserved), most_warps // warps, most_blocks)
    return count, count * warps / most_warps


def row(name, options, build, ptxas, nvdisasm, folder):
    ptx = folder / "k.ptx"
    text = subprocess.run([build / "tools/adze-tile/adze-tile", *options.split()], check=True, stdout=subprocess.PIPE, text=True).stdout
    ptx.write_text(text)
    spec, chip = json.loads(text.split("\n", 1)[0][3:]), re.search(r"^\.target (\w+)", text, re.M)[1]
    grid = spec.get("blocks") or min(spec["tiles"], 132)
    command = [build / "tools/adze/adze", "emulate", ptx, "--grid", str(grid), "--block", str(spec["threads"]), "--shared", str(spec["shared"]), "--json"]
    done = subprocess.run([*command, *arguments(spec, folder)], stdout=subprocess.PIPE, text=True)
    launch = json.loads(done.stdout)["launches"][0]
    if launch["findings"] or not launch["completed"]:
        raise SystemExit(f"{name}: {launch['findings']}")
    total = launch["total"]
    registers, blocks, share = "", "", matrix_share(text, True, spec["multiply"])
    if ptxas:
        said = subprocess.run([ptxas, "-v", f"-arch={chip}", ptx, "-o", folder / "k.cubin"], check=True, capture_output=True, text=True)
        registers = int(re.search(r"Used (\d+) registers", said.stdout + said.stderr)[1])
        count, part = blocks_of(registers, spec["shared"], spec["threads"], chip)
        blocks = f"{count} ({part:.0%})"
        code = nvdisasm and subprocess.run([nvdisasm, "-c", folder / "k.cubin"], capture_output=True, text=True)
        if code and code.returncode == 0:
            share = matrix_share(code.stdout, False, spec["multiply"])
    bank = total["wavefronts"] / total["shared_accesses"] if total["shared_accesses"] else 1
    sectors = total["sectors"] * 32 / total["bytes"] if total["bytes"] else 1
    return f"| {name} | {share[0]} of {share[1]} ({share[0] / share[1]:.0%}) | {bank:.2f} | {sectors:.2f} | {registers} | {blocks} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2] / "build")
    parser.add_argument("--nvdisasm", default=shutil.which("nvdisasm"))
    options = parser.parse_args()
    ptxas = os.environ.get("PTXAS") or shutil.which("ptxas")
    print("| kernel | matrix | bank | sectors | registers | blocks |\n|---|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name, words in ROWS.items():
            print(row(name, words, options.build.resolve(), ptxas, options.nvdisasm, pathlib.Path(folder)), flush=True)


if __name__ == "__main__":
    main()
