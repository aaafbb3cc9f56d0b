"""Kernels that go through MLIR and LLVM, so that the emulator meets the PTX that
LLVM writes: a softmax, a matrix product, attention. Needs mlir-opt of LLVM 22."""

import re
import shutil
import subprocess

import numpy as np

import ptxkernels
from ptxkernels import buffer, sum_bound


class Builder:
    """Lines of MLIR with fresh names and shared constants."""

    def __init__(self):
        self.lines, self.constants, self.count = [], {}, 0

    def add(self, text):
        self.count += 1
        self.lines.append(f"%v{self.count} = {text}")
        return f"%v{self.count}"

    def c(self, n):
        return self.constants.setdefault(n, f"%c{n}")

    def op(self, name, a, b):
        a, b = (self.c(x) if isinstance(x, int) else x for x in (a, b))
        return self.add(f"arith.{name} {a}, {b} : index")

    def float(self, name, *operands, flags=""):
        return self.add(f"{name} {', '.join(operands)} {flags}: f32")

    def exp2(self, x):
        """As inline PTX: math.exp2 would need libdevice."""
        return self.add(f'nvvm.inline_ptx "ex2.approx.f32 {{$w0}}, {{$r0}};" ro({x} : f32) -> f32')

    def shuffle(self, value, by):
        a, b = self.add(f"arith.constant {by} : i32"), self.add("arith.constant 32 : i32")
        self.count += 1
        self.lines.append(f"%v{self.count}, %w{self.count} = gpu.shuffle xor {value}, {a}, {b} : f32")
        return f"%v{self.count}"

    def kernel(self, name, arguments, block, globals_=""):
        constants = "\n".join(f"%c{n} = arith.constant {n} : index" for n in sorted(self.constants))
        return (f"module attributes {{gpu.container_module}} {{ gpu.module @m {{\n{globals_}\n gpu.func @{name}({arguments}) kernel "
                f"attributes {{known_block_size = array<i32: {block}, 1, 1>}} {{\n{constants}\n" + "\n".join(self.lines) + "\ngpu.return }}}")


def to_ptx(text, chip="sm_80", features="+ptx80"):
    pipeline = f"cubin-chip={chip} cubin-features={features} cubin-format=isa kernel-bare-ptr-calling-convention=1 opt-level=3"
    mlir_opt = shutil.which("mlir-opt-22") or "mlir-opt"
    done = subprocess.run([mlir_opt, f"--gpu-lower-to-nvvm-pipeline={pipeline}"], input=text, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[:2000])
    escaped = re.search(r'assembly = "((?:[^"\\]|\\.)*)"', done.stdout)[1]
    return re.sub(r"\\([0-9A-Fa-f]{2})", lambda m: chr(int(m[1], 16)), escaped).replace("\\\\", "\\").rstrip("\0")


class MlirKernel(ptxkernels.Kernel):
    def __init__(self, name, mlir, *rest, **options):
        super().__init__(name, "", *rest, **options)
        self.text = to_ptx(mlir)


def softmax(rows=12, columns=256):
    b = Builder()
    shape = f"memref<{rows}x{columns}xf32>"
    thread, block = b.add("gpu.thread_id x"), b.add("gpu.block_id x")
    row = b.op("addi", b.op("muli", block, 4), b.op("shrui", thread, 5))
    lane4 = b.op("muli", b.op("andi", thread, 31), 4)
    columns_of = [b.op("addi", lane4, 128 * i) for i in range(columns // 128)]
    parts = []
    for col in columns_of:
        v = b.add(f"vector.load %x[{row}, {col}] {{alignment = 16 : i64}} : {shape}, vector<4xf32>")
        parts += [b.add(f"vector.extract {v}[{i}] : f32 from vector<4xf32>") for i in range(4)]
    most = parts[0]
    for p in parts[1:]:
        most = b.float("arith.maximumf", most, p)
    for by in (16, 8, 4, 2, 1):
        most = b.float("arith.maximumf", most, b.shuffle(most, by))
    log2e = b.add("arith.constant 1.44269504 : f32")
    powers = [b.exp2(b.float("arith.mulf", b.float("arith.subf", p, most), log2e)) for p in parts]
    total = powers[0]
    for p in powers[1:]:
        total = b.float("arith.addf", total, p)
    for by in (16, 8, 4, 2, 1):
        total = b.float("arith.addf", total, b.shuffle(total, by))
    inverse = b.float("arith.divf", b.add("arith.constant 1.0 : f32"), total, flags="fastmath<arcp,afn> ")
    for i, col in enumerate(columns_of):
        v = b.add(f"vector.from_elements {', '.join(b.float('arith.mulf', p, inverse) for p in powers[4 * i:4 * i + 4])} : vector<4xf32>")
        b.lines.append(f"vector.store {v}, %y[{row}, {col}] {{alignment = 16 : i64}} : {shape}, vector<4xf32>")
    x = np.random.default_rng(20).standard_normal((rows, columns)).astype(np.float32) * 4
    e = np.exp(x.astype(np.float64) - x.max(1, keepdims=True))
    return MlirKernel("softmax", b.kernel("softmax", f"%x: {shape}, %y: {shape}", 128), (rows // 4, 1, 1), (128, 1, 1),
                      [buffer("sm_x"), buffer("sm_y")], {"sm_x": x, "sm_y": np.zeros_like(x)}, {"sm_y": e / e.sum(1, keepdims=True)},
                      # Of probabilities, at most 1: ex2.approx and rcp.approx err by 2^-22 and 2^-23, the
                      # argument's rounding by p |x| 2^-24 < 2^-24, the sum and two products by 2^-22.
                      tolerance=2.0 ** -20)


def mma(b, a_fragment, b_fragment, accumulator):
    return b.add(f"nvgpu.mma.sync ({a_fragment}, {b_fragment}, {accumulator}) {{mmaShape = [16, 8, 16]}} : "
                 "(vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>")


def stack(b, pairs, zero):
    """vector<2xf16> values as rows of a fragment."""
    kind = f"vector<{len(pairs)}x2xf16>"
    for i, p in enumerate(pairs):
        zero = b.add(f"vector.insert {p}, {zero} [{i}] : vector<2xf16> into {kind}")
    return zero


def tile_product(k=96):
    """64 x 64 of C = relu(A B) a block: asynchronous copies in two stages,
    swizzled ldmatrix, mma; four warps of 16 rows."""
    b = Builder()
    space = "#gpu.address_space<workgroup>"
    ga, gb, gc = f"memref<64x{k}xf16>", f"memref<{k}x64xf16>", "memref<64x64xf32>"
    sa, sb = f"memref<2x64x32xf16, {space}>", f"memref<2x32x64xf16, {space}>"
    thread = b.add("gpu.thread_id x")
    lane, rows = b.op("andi", thread, 31), b.op("muli", b.op("shrui", thread, 5), 16)
    swizzle_a = lambda row, piece: b.op("muli", b.op("xori", piece, b.op("andi", b.op("shrui", row, 1), 3)), 8)
    swizzle_b = lambda row, piece: b.op("muli", b.op("xori", piece, b.op("andi", row, 7)), 8)

    def load(stage, k0):
        tokens = []
        for i in range(2):
            row, piece = b.op("addi", b.op("shrui", thread, 2), 32 * i), b.op("andi", thread, 3)
            tokens.append(b.add(f"nvgpu.device_async_copy %a[{row}, {b.op('addi', k0, b.op('muli', piece, 8))}], %sa[{stage}, {row}, {swizzle_a(row, piece)}], 8 {{bypassL1}} : {ga} to {sa}"))
            row, piece = b.op("addi", b.op("shrui", thread, 3), 16 * i), b.op("andi", thread, 7)
            tokens.append(b.add(f"nvgpu.device_async_copy %b[{b.op('addi', k0, row)}, {b.op('muli', piece, 8)}], %sb[{stage}, {row}, {swizzle_b(row, piece)}], 8 {{bypassL1}} : {gb} to {sb}"))
        return b.add(f"nvgpu.device_async_create_group {', '.join(tokens)}")

    b.lines.append(f"%sa = memref.get_global @sa : {sa}")
    b.lines.append(f"%sb = memref.get_global @sb : {sb}")
    zero = b.add("arith.constant dense<0.0> : vector<2x2xf32>")
    zero_b = b.add("arith.constant dense<0.0> : vector<2x2xf16>")
    load(b.c(0), b.c(0))
    names = [f"%acc{j}" for j in range(8)]
    carried = ", ".join(f"{n} = {zero}" for n in names)
    kinds = ", ".join(["vector<2x2xf32>"] * 8)
    b.lines.append(f"%result:8 = scf.for %k = {b.c(0)} to {b.c(k)} step {b.c(32)} iter_args({carried}) -> ({kinds}) {{")
    stage = b.op("andi", b.op("shrui", "%k", 5), 1)
    ahead = b.op("addi", "%k", 32)
    more = b.add(f"arith.cmpi ult, {ahead}, {b.c(k)} : index")
    b.lines.append(f"scf.if {more} {{")
    token = load(b.op("xori", stage, 1), ahead)
    b.lines.append(f"nvgpu.device_async_wait {token} {{numGroups = 1 : i32}}\n}} else {{")
    empty = b.add("nvgpu.device_async_create_group")
    b.lines.append(f"nvgpu.device_async_wait {empty} {{numGroups = 0 : i32}}\n}}\ngpu.barrier")
    for kk in (0, 16):
        row = b.op("addi", rows, b.op("andi", lane, 15))
        piece = b.op("addi", b.op("shrui", lane, 4), kk // 8)
        fa = b.add(f"nvgpu.ldmatrix %sa[{stage}, {row}, {swizzle_a(row, piece)}] {{numTiles = 4 : i32, transpose = false}} : {sa} -> vector<4x2xf16>")
        for j in range(4):
            row = b.op("addi", b.op("andi", lane, 15), kk)
            piece = b.op("addi", b.op("shrui", lane, 4), 2 * j)
            fb = b.add(f"nvgpu.ldmatrix %sb[{stage}, {row}, {swizzle_b(row, piece)}] {{numTiles = 4 : i32, transpose = true}} : {sb} -> vector<4x2xf16>")
            for h in range(2):
                pairs = [b.add(f"vector.extract {fb}[{2 * h + i}] : vector<2xf16> from vector<4x2xf16>") for i in range(2)]
                names[2 * j + h] = mma(b, fa, stack(b, pairs, zero_b), names[2 * j + h])
    b.lines.append("gpu.barrier")
    b.lines.append(f"scf.yield {', '.join(names)} : {kinds}\n}}")
    zero2 = b.add("arith.constant dense<0.0> : vector<2xf32>")
    for j in range(8):
        for h in range(2):
            row = b.op("addi", b.op("addi", rows, b.op("shrui", lane, 2)), 8 * h)
            column = b.op("addi", b.op("muli", b.op("andi", lane, 3), 2), 8 * j)
            v = b.add(f"vector.extract %result#{j}[{h}] : vector<2xf32> from vector<2x2xf32>")
            v = b.add(f"arith.maximumf {v}, {zero2} : vector<2xf32>")
            b.lines.append(f"vector.store {v}, %c[{row}, {column}] {{alignment = 8 : i64}} : {gc}, vector<2xf32>")
    shared = f"memref.global \"private\" @sa : {sa} {{alignment = 128}}\nmemref.global \"private\" @sb : {sb} {{alignment = 128}}"
    rng = np.random.default_rng(21)
    x, y = rng.standard_normal((64, k)).astype(np.float16), rng.standard_normal((k, 64)).astype(np.float16)
    return MlirKernel("tile_product", b.kernel("tile_product", f"%a: {ga}, %b: {gb}, %c: {gc}", 128, shared), (1, 1, 1), (128, 1, 1),
                      [buffer("tp_a"), buffer("tp_b"), buffer("tp_c")], {"tp_a": x, "tp_b": y, "tp_c": np.zeros((64, 64), np.float32)},
                      {"tp_c": np.maximum(x.astype(np.float32) @ y.astype(np.float32), 0)}, tolerance=sum_bound(k))


def attention(keys=64, depth=32):
    """softmax(Q K^T / sqrt(depth)) V with a running maximum; a warp has 16 rows
    of Q and takes 16 keys at a time, straight from global memory."""
    b = Builder()
    kind = f"memref<{keys}x{depth}xf16>"
    thread, block = b.add("gpu.thread_id x"), b.add("gpu.block_id x")
    row0 = b.op("addi", b.op("muli", block, 16), b.op("shrui", thread, 2))
    pair = b.op("muli", b.op("andi", thread, 3), 2)
    zero = b.add("arith.constant dense<0.0> : vector<2x2xf32>")
    zero_a, zero_b = b.add("arith.constant dense<0.0> : vector<4x2xf16>"), b.add("arith.constant dense<0.0> : vector<2x2xf16>")
    scale = b.add(f"arith.constant {1.44269504 / depth ** 0.5:.9f} : f32")
    least, nought = b.add("arith.constant 0xFF800000 : f32"), b.add("arith.constant 0.0 : f32")
    two = lambda m, r, c: b.add(f"vector.load {m}[{r}, {c}] {{alignment = 4 : i64}} : {kind}, vector<2xf16>")
    q = []
    for kk in range(0, depth, 16):
        q.append(stack(b, [two("%q", b.op("addi", row0, 8 * (i & 1)), b.op("addi", pair, kk + 8 * (i >> 1))) for i in range(4)], zero_a))
    columns = depth // 8
    names = [f"%o{j}" for j in range(columns)] + ["%m0", "%m1", "%l0", "%l1"]
    start = [zero] * columns + [least, least, nought, nought]
    kinds = ", ".join(["vector<2x2xf32>"] * columns + ["f32"] * 4)
    b.lines.append(f"%result:{columns + 4} = scf.for %k = {b.c(0)} to {b.c(keys)} step {b.c(16)} iter_args("
                   + ", ".join(f"{n} = {s}" for n, s in zip(names, start)) + f") -> ({kinds}) {{")
    scores = []
    for n in range(2):
        s = zero
        key = b.op("addi", b.op("addi", "%k", b.op("shrui", thread, 2)), 8 * n)
        for i, kk in enumerate(range(0, depth, 16)):
            s = mma(b, q[i], stack(b, [two("%kk", key, b.op("addi", pair, kk + 8 * h)) for h in range(2)], zero_b), s)
        scores.append([b.add(f"vector.extract {s}[{e // 2}, {e % 2}] : f32 from vector<2x2xf32>") for e in range(4)])
    news, powers = [], [[None] * 4 for _ in range(2)]
    factors, sums = [], []
    for h in range(2):
        mine = [scores[n][2 * h + e] for n in range(2) for e in range(2)]
        m = names[columns + h]
        for s in mine:
            m = b.float("arith.maxnumf", m, s)
        for by in (1, 2):
            m = b.float("arith.maxnumf", m, b.shuffle(m, by))
        factors.append(b.exp2(b.float("arith.mulf", b.float("arith.subf", names[columns + h], m), scale)))
        total = b.float("arith.mulf", names[columns + 2 + h], factors[h])
        for n in range(2):
            for e in range(2):
                p = b.exp2(b.float("arith.mulf", b.float("arith.subf", scores[n][2 * h + e], m), scale))
                powers[n][2 * h + e] = p
                total = b.float("arith.addf", total, p)
        news.append(m)
        sums.append(total)
    rows = []
    for i in range(4):  # the C fragment of the scores is the A fragment of the second product
        x = b.add(f"vector.from_elements {powers[i >> 1][2 * (i & 1)]}, {powers[i >> 1][2 * (i & 1) + 1]} : vector<2xf32>")
        rows.append(b.add(f"arith.truncf {x} : vector<2xf32> to vector<2xf16>"))
    p = stack(b, rows, zero_a)
    outs = []
    for j in range(columns):
        column = b.op("addi", b.op("shrui", thread, 2), 8 * j)
        pairs = []
        for h in range(2):
            first = b.op("addi", b.op("addi", "%k", pair), 8 * h)
            one = [b.add(f"memref.load %v[{b.op('addi', first, i)}, {column}] : {kind}") for i in range(2)]
            pairs.append(b.add(f"vector.from_elements {one[0]}, {one[1]} : vector<2xf16>"))
        f = b.add(f"vector.from_elements {factors[0]}, {factors[0]}, {factors[1]}, {factors[1]} : vector<2x2xf32>")
        outs.append(mma(b, p, stack(b, pairs, zero_b), b.add(f"arith.mulf {names[j]}, {f} : vector<2x2xf32>")))
    b.lines.append(f"scf.yield {', '.join(outs + news + sums)} : {kinds}\n}}")
    one = b.add("arith.constant 1.0 : f32")
    for h in range(2):
        total = f"%result#{columns + 2 + h}"
        for by in (1, 2):
            total = b.float("arith.addf", total, b.shuffle(total, by))
        inverse = b.float("arith.divf", one, total, flags="fastmath<arcp,afn> ")
        for j in range(columns):
            both = [b.float("arith.mulf", b.add(f"vector.extract %result#{j}[{h}, {e}] : f32 from vector<2x2xf32>"), inverse) for e in range(2)]
            x = b.add(f"vector.from_elements {both[0]}, {both[1]} : vector<2xf32>")
            b.lines.append(f"vector.store {x}, %out[{b.op('addi', row0, 8 * h)}, {b.op('addi', pair, 8 * j)}] {{alignment = 8 : i64}} : memref<32x{depth}xf32>, vector<2xf32>")
    rng = np.random.default_rng(22)
    qq, kk, vv = (rng.standard_normal((keys, depth)).astype(np.float16) for _ in range(3))
    s = qq[:32].astype(np.float64) @ kk.astype(np.float64).T / depth ** 0.5
    e = np.exp(s - s.max(1, keepdims=True))
    want = e / e.sum(1, keepdims=True) @ vv.astype(np.float64)
    return MlirKernel("attention", b.kernel("attention", f"%q: {kind}, %kk: {kind}, %v: {kind}, %out: memref<32x{depth}xf32>", 32), (2, 1, 1), (32, 1, 1),
                      [buffer("at_q"), buffer("at_k"), buffer("at_v"), buffer("at_o")],
                      {"at_q": qq, "at_k": kk, "at_v": vv, "at_o": np.zeros((32, depth), np.float32)}, {"at_o": want},
                      # The probabilities, whose sum is 1, are rounded to float16 for the second product.
                      tolerance=2.0 ** -11 * np.abs(vv).max())


def all_kernels():
    return [softmax(), tile_product(), attention()]
