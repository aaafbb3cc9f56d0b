"""PTX instructions as test data: a snippet, its operands' types, their values.

Every case is one entry NAME(in, out) over two byte buffers that all cases
share. `build` lays them out and writes the PTX; opcodes.py runs the same text
on the emulator and on a GPU."""

import itertools
import struct

import numpy as np

BITS = {"u8": 8, "s8": 8, "b8": 8, "u16": 16, "s16": 16, "b16": 16, "f16": 16, "bf16": 16, "u32": 32,
        "s32": 32, "b32": 32, "f32": 32, "f16x2": 32, "bf16x2": 32, "u64": 64, "s64": 64, "b64": 64,
        "f64": 64, "pred": 32, "e4m3x2": 16, "e5m2x2": 16, "tf32": 32}
UINT = {8: np.uint8, 16: np.uint16, 32: np.uint32, 64: np.uint64}


class Case:
    """`snippet` has $d, $a, $b, $c, $e for its operands; `policy` says how a
    result may differ: "exact", "nan" (any NaN for a NaN), "ulp:N", "abs:X"."""

    def __init__(self, name, snippet, result, operands, policy="exact", count=1024, values=None,
                 target="sm_80", same=False):
        self.name, self.snippet, self.result, self.operands = name, snippet, result, operands
        self.policy, self.count, self.values, self.target = policy, count, values, target


# ---- values

FLOAT_SPECIALS = {
    16: [0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x0400, 0x3c00, 0xbc00, 0x3800, 0x3e00, 0x7bff, 0xfbff,
         0x7c00, 0xfc00, 0x7e00, 0x7c01, 0xfe12, 0x4248],
    "bf16": [0x0000, 0x8000, 0x0001, 0x8001, 0x007f, 0x0080, 0x3f80, 0xbf80, 0x3f00, 0x3fc0, 0x7f7f,
             0xff7f, 0x7f80, 0xff80, 0x7fc0, 0x7f81, 0xffd2, 0x4049],
    32: [0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x00800000, 0x3f800000, 0xbf800000,
         0x3f000000, 0x40200000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001,
         0xffc12345, 0x40490fdb, 0x4f000000, 0xcf000000, 0x4f800000, 0x5f000000, 0x477fe000, 0x477ff000,
         0x33000000, 0x387fe000],
    64: [0, 1 << 63, 1, (1 << 63) | 1, 0x000fffffffffffff, 0x0010000000000000, 0x3ff0000000000000,
         0xbff0000000000000, 0x3fe0000000000000, 0x4004000000000000, 0x7fefffffffffffff,
         0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0x7ff0000000000001,
         0xfff8000000012345, 0x41e0000000000000, 0xc1e0000000000000, 0x43e0000000000000],
}


def integers(bits, rng, count):
    top = 1 << bits
    special = [0, 1, 2, 3, 5, 7, top - 1, top - 2, top >> 1, (top >> 1) - 1, (top >> 1) + 1, 31, 32, 33,
               63 % top, 64 % top, 255 % top, 0x1234567890abcdef % top]
    random = [int(rng.integers(0, 1 << 63)) * 2 % top >> int(rng.integers(0, bits)) for _ in range(count)]
    return special, random


def floats(kind, bits, rng, count):
    """Random bits; half of them of few fraction bits and moderate exponents, so
    that sums cancel, round to even and convert in ties."""
    special = FLOAT_SPECIALS["bf16" if kind.startswith("bf16") else bits]
    if bits == 16:
        return special, [int(x) for x in rng.integers(0, 1 << 16, count)]
    random = []
    for i in range(count):
        if i % 2:
            random.append(int(rng.integers(0, 1 << 63)) * 2 % (1 << bits) ^ int(rng.integers(0, 2)))
        else:
            value = float(rng.integers(-4096, 4096)) * 2.0 ** int(rng.integers(-14, 8))
            random.append(struct.unpack("<I" if bits == 32 else "<Q", struct.pack("<f" if bits == 32 else "<d", value))[0])
    return special, random


def pool(kind, rng, count):
    bits = BITS[kind]
    if kind == "pred":
        return [0, 1], [int(x) for x in rng.integers(0, 2, count)]
    if kind in ("f16x2", "bf16x2"):
        special, random = floats(kind, 16, rng, 2 * count)
        pairs = [(a << 16) | b for a, b in itertools.product(special, special[::3])]
        return pairs[:64], [(a << 16) | b for a, b in zip(random[::2], random[1::2])]
    if kind in ("f16", "bf16", "f32", "f64"):
        return floats(kind, bits, rng, count)
    return integers(bits, rng, count)


def operand_values(case, rng):
    """Arrays of bits, one an operand: products of special values, then random."""
    if case.values is not None:
        return [np.asarray(v, UINT[BITS[k]]) for v, k in zip(case.values(rng, case.count), case.operands)]
    pools = [pool(k, rng, case.count) for k in case.operands]
    rows = list(itertools.islice(itertools.product(*[p[0] for p in pools]), case.count * 64))
    if len(rows) > case.count * 3 // 4:
        picked = rng.permutation(len(rows))[:case.count * 3 // 4]
        rows = [rows[i] for i in picked]
    while len(rows) < case.count:
        i = len(rows)
        rows.append(tuple(p[1][(i + 7 * n) % len(p[1])] if (i + n) % 5 else p[0][i % len(p[0])]
                          for n, p in enumerate(pools)))
    return [np.array([r[i] for r in rows], UINT[BITS[k]]) for i, k in enumerate(case.operands)]


# ---- lane instructions

def spread(pattern):
    """"add.{u32|s32}" into its forms."""
    parts = [[""]]
    at = 0
    while at < len(pattern):
        if pattern[at] in "{[":
            close = pattern.index("}" if pattern[at] == "{" else "]", at)
            choices = pattern[at + 1:close].split("|")
            if pattern[at] == "[":
                choices = [c + "." for c in choices] + [""]
                close += 1  # the dot belongs to the choice
            parts.append(choices)
            at = close + 1
        else:
            parts.append([pattern[at]])
            at += 1
    return ["".join(p) for p in itertools.product(*parts)]


def simple(pattern, signature, **options):
    """Forms whose operands have the opcode's last type where the signature has
    T (t: as T, half as wide), or the type it names."""
    cases = []
    for opcode in spread(pattern):
        last = [w for w in opcode.split(".") if w in BITS][-1]
        types = [last if w == "T" else last[0] + str(BITS[last] * 2) if w == "W" else w for w in signature.split()]
        names = ["$d"] + ["$" + "abce"[i] for i in range(len(types) - 1)]
        cases.append(Case(opcode, f"{opcode} {', '.join(names)};", types[0], types[1:], **options))
    return cases


def lane_cases():
    c = []
    ints = "{u16|s16|u32|s32|u64|s64}"
    c += simple(f"add.{ints}", "T T T") + simple(f"sub.{ints}", "T T T") + simple(f"mul.lo.{ints}", "T T T")
    c += simple(f"mul.hi.{ints}", "T T T") + simple(f"mad.lo.{ints}", "T T T T") + simple("mad.hi.{u32|s32|u64|s64}", "T T T T")
    c += simple("mul.wide.{u16|s16|u32|s32}", "W T T") + simple("mad.wide.{u16|s16|u32|s32}", "W T T W")
    c += simple(f"div.{ints}", "T T T") + simple(f"rem.{ints}", "T T T")
    c += simple(f"min.{ints}", "T T T") + simple(f"max.{ints}", "T T T")
    c += simple("mul24.lo.{u32|s32}", "T T T") + simple("mad24.lo.{u32|s32}", "T T T T")
    c += simple("add.sat.s32", "T T T") + simple("sub.sat.s32", "T T T") + simple("mad.hi.sat.s32", "T T T T")
    c += simple("sad.{u32|s32}", "T T T u32")
    c += simple("abs.{s16|s32|s64}", "T T") + simple("neg.{s16|s32|s64}", "T T")
    for op in ("and", "or", "xor"):
        c += simple(op + ".{b16|b32|b64}", "T T T") + simple(op + ".pred", "T T T")
    c += simple("not.{b16|b32|b64}", "T T") + simple("cnot.{b16|b32|b64}", "T T") + simple("not.pred", "T T")
    amounts = lambda bits: lambda rng, n: [pool("b" + str(bits), rng, n)[1], [int(x) for x in rng.integers(0, bits + 20, n)]]
    for bits in (16, 32, 64):
        c += simple(f"shl.b{bits}", "T T u32", values=amounts(bits))
        c += simple(f"shr.{{u{bits}|s{bits}|b{bits}}}", "T T u32", values=amounts(bits))
    c += simple("shf.{l|r}.{wrap|clamp}.b32", "T T T u32")
    for table in (0xEA, 0x96, 0x1B, 0x00, 0xFF, 0x6A):
        c.append(Case(f"lop3.b32 {table:#x}", f"lop3.b32 $d, $a, $b, $c, {table:#x};", "b32", ["b32"] * 3))
    c += simple("prmt.b32", "T T T u32")
    for mode in ("f4e", "b4e", "rc8", "ecl", "ecr", "rc16"):
        c.append(Case("prmt.b32." + mode, f"prmt.b32.{mode} $d, $a, $b, $c;", "b32", ["b32"] * 3))
    c += simple("popc.{b32|b64}", "u32 T") + simple("clz.{b32|b64}", "u32 T") + simple("brev.{b32|b64}", "T T")
    c += simple("bfind.{u32|s32|u64|s64}", "u32 T") + simple("bfind.shiftamt.{u32|s32|u64|s64}", "u32 T")
    fields = lambda kinds: lambda rng, n: [pool(k, rng, n)[1] for k in kinds] + [[int(x) for x in rng.integers(0, 80, n)] for _ in "ab"]
    for t in ("u32", "s32", "u64", "s64"):
        c += simple("bfe." + t, "T T u32 u32", values=fields([t]))
    for t in ("b32", "b64"):
        c += simple("bfi." + t, "T T T u32 u32", values=fields([t, t]))
    c += simple("bmsk.{wrap|clamp}.b32", "T T u32", values=lambda rng, n: [[int(x) for x in rng.integers(0, 40, n)] for _ in "ab"], target="sm_80")
    c += simple("szext.wrap.{u32|s32}", "T T u32", values=lambda rng, n: [pool("u32", rng, n)[1], [int(x) for x in rng.integers(1, 31, n)]])
    for a, b in itertools.product(("u32", "s32"), repeat=2):
        r = "s32" if "s32" in (a, b) else "u32"
        c.append(Case(f"dp4a.{a}.{b}", f"dp4a.{a}.{b} $d, $a, $b, $c;", r, [a, b, r]))
        for half in ("lo", "hi"):
            c.append(Case(f"dp2a.{half}.{a}.{b}", f"dp2a.{half}.{a}.{b} $d, $a, $b, $c;", r, [a, b, r]))
    c += simple("selp.{b16|b32|b64|f32}", "T T T pred") + simple("slct.{b32|f32}.s32", "b32 b32 b32 s32")
    c.append(Case("slct.b32.f32", "slct.b32.f32 $d, $a, $b, $c;", "b32", ["b32", "b32", "f32"]))
    for t, ops in (("s32", "eq ne lt le gt ge"), ("u32", "eq ne lt le gt ge lo ls hi hs"), ("s64", "lt ge"), ("u64", "lt ge hi"),
                   ("s16", "lt ge eq"), ("u16", "lt gt ne"), ("b32", "eq ne")):
        for op in ops.split():
            c += simple(f"setp.{op}.{t}", "pred T T")
    for op in "eq ne lt le gt ge equ neu ltu leu gtu geu num nan".split():
        c += simple(f"setp.{op}." + "{f32|f64|f16}", "pred T T") + simple(f"setp.{op}.ftz.f32", "pred T T")
        c += simple(f"setp.{op}.bf16", "pred T T", target="sm_90")
    c += simple("set.{eq|lt|ge}.u32.s32", "u32 s32 s32") + simple("set.{lt|geu}.u32.f32", "u32 f32 f32")
    c.append(Case("setp.lt.and.s32|", "setp.lt.and.s32 $d, $a, $b, $c;", "pred", ["s32", "s32", "pred"]))
    c.append(Case("setp.ge.or.f32|", "setp.ge.or.f32 $d, $a, $b, !$c;", "pred", ["f32", "f32", "pred"]))
    for op in ("add", "min", "max"):
        for t in ("u16x2", "s16x2"):
            c.append(Case(f"{op}.{t}", f"{op}.{t} $d, $a, $b;", "b32", ["b32", "b32"], target="sm_90"))
    c.append(Case("max.relu.s16x2", "max.relu.s16x2 $d, $a, $b;", "b32", ["b32", "b32"], target="sm_90"))
    c += simple("min.relu.s32", "T T T", target="sm_90")

    # Floats
    for op in ("add", "sub", "mul"):
        c += simple(op + ".{rn|rz|rm|rp}.f32", "T T T") + simple(op + ".{rn.ftz|rn.sat|rn.ftz.sat|rz.ftz}.f32", "T T T")
        c += simple(op + ".rn.f64", "T T T", policy="nan")
        c += simple(op + ".{rn|rn.ftz|rn.sat}.{f16|f16x2}", "T T T")
        c += simple(op + ".rn.{bf16|bf16x2}", "T T T", target="sm_90")
    c += simple("fma.{rn|rz|rm|rp|rn.ftz|rn.sat|rn.ftz.sat|rz.ftz}.f32", "T T T T", count=4096)
    c += simple("fma.rn.f64", "T T T T", policy="nan")
    c += simple("fma.{rn|rn.ftz|rn.sat|rn.relu}.{f16|f16x2}", "T T T T", count=4096)
    c += simple("fma.{rn|rn.relu}.{bf16|bf16x2}", "T T T T", count=4096)
    c += simple("div.rn.f32", "T T T") + simple("div.rn.ftz.f32", "T T T") + simple("div.rn.f64", "T T T", policy="nan")
    c += simple("rcp.rn.[ftz].f32", "T T") + simple("sqrt.rn.[ftz].f32", "T T") + simple("rcp.rn.f64", "T T", policy="nan") + simple("sqrt.rn.f64", "T T", policy="nan")
    for op in ("min", "max"):
        c += simple(op + ".[ftz].[NaN].f32", "T T T") + simple(op + ".f64", "T T T", policy="nan")
        c += simple(op + ".[NaN].{f16|f16x2|bf16|bf16x2}", "T T T")
    for op in ("abs", "neg"):
        c += simple(op + ".[ftz].f32", "T T") + simple(op + ".f64", "T T") + simple(op + ".{f16|f16x2|bf16|bf16x2}", "T T")
    c += simple("copysign.{f32|f64}", "T T T")
    for test in ("finite", "infinite", "number", "notanumber", "normal", "subnormal"):
        c += simple(f"testp.{test}." + "{f32|f64}", "pred T")
    many = dict(count=65536)
    near = lambda low, high: lambda rng, n: [rng.uniform(low, high, n).astype(np.float32).view(np.uint32)]
    for op in ("rcp", "sqrt", "rsqrt", "ex2"):
        c += simple(op + ".approx.[ftz].f32", "T T", policy="ulp:4", **many)
    c += simple("lg2.approx.[ftz].f32", "T T", policy="abs:0x1p-21", **many)
    c += simple("div.{approx|full|approx.ftz}.f32", "T T T", policy="ulp:4", **many)
    for op in ("sin", "cos"):
        c += simple(op + ".approx.f32", "T T", policy="abs:0x1p-20", values=near(-3.1415926, 3.1415926), **many)
    for name, low, high in (("ex2", -10, 10), ("lg2", 0.5, 2), ("tanh", -4, 4), ("rcp", 1, 4), ("rsqrt", 1, 4), ("sqrt", 1, 4)):
        form = Case(f"{name}.approx.f32 near", f"{name}.approx.f32 $d, $a;", "f32", ["f32"], policy="rel:0x1p-10" if name == "tanh" else "ulp:4", values=near(low, high), **many)
        if name == "lg2":
            form.policy = "abs:0x1p-21"
        c.append(form)
    c += simple("tanh.approx.f32", "T T", policy="rel:0x1p-10", **many)
    every16 = lambda rng, n: [np.arange(65536)]
    for op in ("ex2.approx", "tanh.approx"):
        c += simple(op + ".f16", "T T", policy="rel:0x1p-9", values=every16, **many)
        c += simple(("ex2.approx.ftz" if op[0] == "e" else op) + ".bf16", "T T", policy="rel:0x1p-7", values=every16, target="sm_90", **many)
    return c + convert_cases()


def convert_cases():
    c = []
    ints = ["u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64"]
    for d, a in itertools.product(ints, ints):
        if BITS[d] != BITS[a] or d != a:
            c.append(Case(f"cvt.{d}.{a}", f"cvt.{d}.{a} $d, $a;", d, [a], count=256))
        narrower = BITS[d] < BITS[a] or (d[0] != a[0] and (a[0] == "s" or BITS[d] == BITS[a]))
        if narrower:  # else there is nothing to saturate, and the form is none
            c.append(Case(f"cvt.sat.{d}.{a}", f"cvt.sat.{d}.{a} $d, $a;", d, [a], count=256))
    for d, a in itertools.product(ints, ["f16", "f32", "f64"]):
        for mode in ("rni", "rzi", "rmi", "rpi"):
            c.append(Case(f"cvt.{mode}.{d}.{a}", f"cvt.{mode}.{d}.{a} $d, $a;", d, [a], count=1024))
    for d in ("u32", "s32"):
        for mode in ("rni", "rzi", "rmi", "rpi"):
            c.append(Case(f"cvt.{mode}.ftz.{d}.f32", f"cvt.{mode}.ftz.{d}.f32 $d, $a;", d, ["f32"], count=1024))
    for d, a in itertools.product(["f16", "f32", "f64"], ints):
        for mode in ("rn", "rz", "rm", "rp"):
            if d == "f64" and BITS[a] < 64 and mode != "rn":
                continue
            if d == "f64" and mode != "rn":
                continue
            c.append(Case(f"cvt.{mode}.{d}.{a}", f"cvt.{mode}.{d}.{a} $d, $a;", d, [a], count=1024))
    for mode in ("rn", "rz", "rm", "rp"):
        for d, a in (("f16", "f32"), ("f16", "f64"), ("f32", "f64")):
            c.append(Case(f"cvt.{mode}.{d}.{a}", f"cvt.{mode}.{d}.{a} $d, $a;", d, [a], count=4096))
    for d, a in (("f32", "f16"), ("f64", "f32"), ("f64", "f16")):
        c.append(Case(f"cvt.{d}.{a}", f"cvt.{d}.{a} $d, $a;", d, [a], count=4096))
    c.append(Case("cvt.f32.bf16", "cvt.f32.bf16 $d, $a;", "f32", ["bf16"], count=4096, target="sm_90"))
    for d, a in (("f32", "f64"),):
        c.append(Case(f"cvt.rn.ftz.{d}.{a}", f"cvt.rn.ftz.{d}.{a} $d, $a;", d, [a], count=1024))
    for mode in ("rni", "rzi", "rmi", "rpi"):
        for t in ("f32", "f64", "f16"):
            c.append(Case(f"cvt.{mode}.{t}.{t}", f"cvt.{mode}.{t}.{t} $d, $a;", t, [t], count=1024))
    c.append(Case("cvt.sat.f32.f32", "cvt.sat.f32.f32 $d, $a;", "f32", ["f32"]))
    c.append(Case("cvt.ftz.f32.f32", "cvt.ftz.f32.f32 $d, $a;", "f32", ["f32"]))
    c.append(Case("cvt.rn.sat.f16.f32", "cvt.rn.sat.f16.f32 $d, $a;", "f16", ["f32"]))
    for d in ("f16", "bf16"):
        for mode in ("rn", "rz", "rn.relu"):
            c.append(Case(f"cvt.{mode}.{d}x2.f32", f"cvt.{mode}.{d}x2.f32 $d, $a, $b;", d + "x2", ["f32", "f32"], count=4096))
            if (mode, d) != ("rz", "f16"):
                c.append(Case(f"cvt.{mode}.{d}.f32 single", f"cvt.{mode}.{d}.f32 $d, $a;", d, ["f32"], count=4096))
    for mode in ("rna", "rn", "rz"):
        c.append(Case(f"cvt.{mode}.tf32.f32", f"cvt.{mode}.tf32.f32 $d, $a;", "b32", ["f32"], count=4096, target="sm_80" if mode == "rna" else "sm_90"))
    for f in ("e4m3", "e5m2"):
        for relu in ("", ".relu"):
            c.append(Case(f"cvt.rn.satfinite{relu}.{f}x2.f32", f"cvt.rn.satfinite{relu}.{f}x2.f32 $d, $a, $b;", "b16", ["f32", "f32"], count=4096, target="sm_90"))
        c.append(Case(f"cvt.rn.satfinite.{f}x2.f16x2", f"cvt.rn.satfinite.{f}x2.f16x2 $d, $a;", "b16", ["f16x2"], count=4096, target="sm_90"))
        c.append(Case(f"cvt.rn.f16x2.{f}x2", f"cvt.rn.f16x2.{f}x2 $d, $a;", "f16x2", ["b16"], count=65536, values=lambda rng, n: [np.arange(65536)], target="sm_90"))
    return c


def lane_entry(case, number, offsets, out):
    """One thread an element."""
    lines, names = [], {}
    for i, (kind, at) in enumerate(zip(case.operands, offsets)):
        bits, reg = BITS[kind], f"%v{i}"
        holder = max(bits, 16)
        lines += [f".reg .b{holder} {reg};", f"mad.wide.u32 %rd3, %r1, {bits // 8}, %rd1;", f"ld.global.{'u8' if bits == 8 else f'b{bits}'} {reg}, [%rd3+{at}];"]
        if kind == "pred":
            lines += [f".reg .pred %q{i};", f"setp.ne.u32 %q{i}, {reg}, 0;"]
            reg = f"%q{i}"
        names["$" + "abce"[i]] = reg
    bits = BITS[case.result]
    names["$d"] = "%q9" if case.result == "pred" else "%d"
    text = case.snippet
    for k, v in names.items():
        text = text.replace(k, v)
    lines += [".reg .pred %q9;" if case.result == "pred" else "", f".reg .b{max(bits, 16)} %d;", text]
    if case.result == "pred":
        lines.append("selp.u32 %d, 1, 0, %q9;")
    lines += [f"mad.wide.u32 %rd3, %r1, {bits // 8}, %rd2;", f"st.global.{'u8' if bits == 8 else f'b{bits}'} [%rd3+{out}], %d;"]
    body = "\n  ".join(x for x in lines if x)
    return f"""
.visible .entry case{number}(.param .u64 in, .param .u64 out) {{  // {case.name}
  .reg .b32 %r<4>; .reg .b64 %rd<4>; .reg .pred %p;
  ld.param.u64 %rd1, [in]; ld.param.u64 %rd2, [out];
  cvta.to.global.u64 %rd1, %rd1; cvta.to.global.u64 %rd2, %rd2;
  mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mov.u32 %r3, %tid.x; mad.lo.u32 %r1, %r1, %r2, %r3;
  setp.ge.u32 %p, %r1, {case.count};
  @%p ret;
  {body}
  ret;
}}
"""
