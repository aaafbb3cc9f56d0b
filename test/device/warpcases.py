"""Instructions of whole warps as test data: lanes, matrices, atomics, mma and
wgmma. A thread has `ins` input words %i0 … and `outs` output words %o0 …."""

import itertools

import numpy as np


class WarpCase:
    def __init__(self, name, body, ins, outs, values=None, policy="exact", threads=128, shared=0, target="sm_80", blocks=1, meta=None):
        self.name, self.body, self.ins, self.outs, self.values = name, body, ins, outs, values
        self.policy, self.threads, self.shared, self.target, self.blocks = policy, threads, shared, target, blocks
        self.meta = meta or {}


def words(case, rng):
    shape = (case.blocks, case.threads, case.ins)
    if case.values is None:
        return rng.integers(0, 1 << 32, shape, dtype=np.uint32)
    return np.asarray(case.values(rng, shape), np.uint32).reshape(shape)


def lanes():
    c = []
    for mode in ("up", "down", "bfly", "idx"):
        for clamp in ("0x1f", "0x0", "0x181f", "0x1c1f", "0x1800"):
            c.append(WarpCase(f"shfl.sync.{mode} {clamp}", f"""
  .reg .pred %p0; .reg .b32 %b;
  and.b32 %b, %i1, 31;
  shfl.sync.{mode}.b32 %o0|%p0, %i0, %b, {clamp}, 0xffffffff;
  selp.u32 %o1, 1, 0, %p0;""", 2, 2))
    c.append(WarpCase("vote.sync", """
  .reg .pred %p0, %p1, %p2; .reg .b32 %b;
  and.b32 %b, %i0, 3; setp.ne.u32 %p0, %b, 0;
  vote.sync.all.pred %p1, %p0, 0xffffffff; selp.u32 %o0, 1, 0, %p1;
  vote.sync.any.pred %p1, !%p0, 0xffffffff; selp.u32 %o1, 1, 0, %p1;
  vote.sync.uni.pred %p1, %p0, 0xffffffff; selp.u32 %o2, 1, 0, %p1;
  vote.sync.ballot.b32 %o3, %p0, 0xffffffff;""", 1, 4))
    few = lambda rng, shape: rng.integers(0, 4, shape)
    c.append(WarpCase("match.sync", """
  .reg .pred %p0;
  match.any.sync.b32 %o0, %i0, 0xffffffff;
  match.all.sync.b32 %o1|%p0, %i0, 0xffffffff; selp.u32 %o2, 1, 0, %p0;
  shfl.sync.idx.b32 %o3, %i0, 0, 31, 0xffffffff;
  match.all.sync.b32 %o3|%p0, %o3, 0xffffffff; selp.u32 %o4, 1, 0, %p0;""", 1, 5, few))
    for op in ("add.u32", "add.s32", "min.u32", "min.s32", "max.u32", "max.s32", "and.b32", "or.b32", "xor.b32"):
        c.append(WarpCase("redux.sync." + op, f"redux.sync.{op} %o0, %i0, 0xffffffff;", 1, 1))
    c.append(WarpCase("elect.sync", """
  .reg .pred %p0;
  elect.sync %o0|%p0, 0xffffffff; selp.u32 %o1, 1, 0, %p0;""", 1, 2, target="sm_90"))
    c.append(WarpCase("divergence", """
  .reg .pred %p0, %p1; .reg .b32 %b;
  mov.u32 %o0, 0; and.b32 %b, %i0, 15;
LOOP:
  setp.eq.u32 %p0, %b, 0;
  @%p0 bra DONE;
  and.b32 %o1, %b, 1; setp.eq.u32 %p1, %o1, 0;
  @%p1 bra EVEN;
  mad.lo.u32 %o0, %o0, 3, 1;
  bra NEXT;
EVEN:
  add.u32 %o0, %o0, 7;
NEXT:
  sub.u32 %b, %b, 1;
  bra LOOP;
DONE:
  bar.warp.sync 0xffffffff;
  activemask.b32 %o1;""", 1, 2))
    c.append(WarpCase("add.cc", """
  add.cc.u32 %o0, %i0, %i1; addc.cc.u32 %o1, %i2, %i3; addc.u32 %o2, 0, 0;
  sub.cc.u32 %o3, %i0, %i1; subc.cc.u32 %o4, %i2, %i3; subc.u32 %o5, 0, 0;""", 4, 6))
    c.append(WarpCase("mov of vectors", """
  .reg .b16 %h<4>; .reg .b64 %w; .reg .b8 %y<4>;
  mov.b64 %w, {%i0, %i1}; mov.b64 {%h0, %h1, %h2, %h3}, %w;
  mov.b32 %o0, {%h3, %h1}; mov.b64 %w, {%h2, %h0, %h1, %h3}; mov.b64 {_, %o1}, %w; mov.b32 {_, %h0}, %i0; cvt.u32.u16 %o2, %h0;""", 2, 3))
    c.append(WarpCase("bar.red", """
  .reg .pred %p0, %p1; .reg .b32 %b;
  and.b32 %b, %i0, 7; setp.ne.u32 %p0, %b, 0;
  bar.red.popc.u32 %o0, 0, %p0; bar.red.and.pred %p1, 0, %p0; selp.u32 %o1, 1, 0, %p1;
  bar.red.or.pred %p1, 0, %p0; selp.u32 %o2, 1, 0, %p1;""", 1, 3))
    return c


def atomics():
    """Each lane has an address of its own, so that the order plays no part."""
    c = []
    for space in ("shared", "global"):
        address = "cvta.to.shared.u64 %w, %w;" if space == "shared" else ""
        for t, bits, ops in (("u32", 32, "add min max inc dec exch"), ("s32", 32, "add min max"), ("b32", 32, "and or xor exch"),
                             ("u64", 64, "add min max"), ("s64", 64, "min max"), ("f32", 32, "add"), ("f64", 64, "add"), ("f16x2", 32, "add"), ("bf16x2", 32, "add")):
            for op in ops.split():
                if op == "exch" and t == "u32":
                    continue
                noftz = ".noftz" if t in ("f16x2", "bf16x2") else ""
                target = "sm_90" if t == "bf16x2" else "sm_80"
                where = "%ga" if space == "global" else "%sa"
                one = f".reg .b{bits} %x, %y, %z;"
                pack = "mov.b64 %x, {%i0, %i1}; mov.b64 %y, {%i2, %i3};" if bits == 64 else "mov.b32 %x, %i0; mov.b32 %y, %i2;"
                unpack = "mov.b64 {%o0, %o1}, %z; mov.b64 {%o2, %o3}, %x;" if bits == 64 else "mov.b32 %o0, %z; mov.b32 %o1, %x; mov.b32 %o2, 0; mov.b32 %o3, 0;"
                c.append(WarpCase(f"atom.{space}.{op}.{t}", f"""
  {one} {pack}
  st.{space}.b{bits} [{where}], %x;
  atom.{space}.{op}{noftz}.{t if op not in ('and', 'or', 'xor', 'exch') else 'b' + str(bits)} %z, [{where}], %y;
  ld.{space}.b{bits} %x, [{where}];
  {unpack}""", 4, 4, policy="nan", shared=2048, target=target))
        for bits in (32, 64):
            where = "%ga" if space == "global" else "%sa"
            pack = "mov.b64 %x, {%i0, %i1}; mov.b64 %y, {%i2, %i3};" if bits == 64 else "mov.b32 %x, %i0; mov.b32 %y, %i2;"
            unpack = "mov.b64 {%o0, %o1}, %z; mov.b64 {%o2, %o3}, %q;" if bits == 64 else "mov.b32 %o0, %z; mov.b32 %o1, %q; mov.b32 %o2, 0; mov.b32 %o3, 0;"
            c.append(WarpCase(f"atom.{space}.cas.b{bits}", f"""
  .reg .b{bits} %x, %y, %z, %q, %u; .reg .pred %p0; {pack}
  st.{space}.b{bits} [{where}], %x;
  and.b32 %o0, %i1, 1; setp.ne.u32 %p0, %o0, 0; selp.b{bits} %u, %x, %y, %p0;
  atom.{space}.cas.b{bits} %z, [{where}], %u, %y;
  ld.{space}.b{bits} %q, [{where}];
  {unpack}""", 4, 4, shared=2048))
    c.append(WarpCase("red.shared.add", """
  .reg .pred %p0;
  setp.ne.u32 %p0, %t, 0; @!%p0 st.shared.u32 [smem], 0; bar.sync 0;
  red.shared.add.u32 [smem], %i0; bar.sync 0; ld.shared.u32 %o0, [smem];""", 1, 1, shared=2048))
    return c


def subword():
    """Loads and stores of each size and extension."""
    c = []
    for t, reg in itertools.product(("u8", "s8", "u16", "s16", "b8"), (16, 32, 64)):
        if reg == 16 and t.endswith("8") or reg >= 32:
            up = {16: "cvt.u32.u16 %o0, %x; mov.u32 %o1, 0;", 32: "mov.b32 %o0, %x; mov.u32 %o1, 0;", 64: "mov.b64 {%o0, %o1}, %x;"}[reg]
            c.append(WarpCase(f"ld.shared.{t} b{reg}", f"""
  .reg .b{reg} %x;
  st.shared.b32 [%sa], %i0; st.shared.b32 [%sa+4], %i1; st.shared.b32 [%sa+8], %i2;
  ld.shared.{t} %x, [%sa+{2 if t.endswith('16') else 3}]; st.shared.{t.replace('s', 'u') } [%sa+{10 if t.endswith('16') else 9}], %x;
  {up} ld.shared.b32 %o2, [%sa+8];""", 3, 3, shared=2048))
    c.append(WarpCase("ld.shared.v4", """
  st.shared.v4.b32 [%sa], {%i0, %i1, %i2, %i3};
  .reg .b64 %x, %y; .reg .b16 %h<4>;
  ld.shared.v2.b64 {%x, %y}, [%sa]; mov.b64 {%o0, %o1}, %y; ld.shared.v4.b16 {%h0, %h1, %h2, %h3}, [%sa+8];
  mov.b32 %o2, {%h1, %h2}; mov.b32 %o3, {%h3, %h0};""", 4, 4, shared=2048))
    return c


def matrices():
    c = []
    fill = "st.shared.v4.b32 [%sa], {%i0, %i1, %i2, %i3}; bar.sync 0;"
    # Rows in an order of their own: row r of matrix i is row (5 r + 3 i) mod 32 of the warp's 32 rows.
    rows = """.reg .b32 %a, %m, %w;
  and.b32 %a, %lane, 7; shr.u32 %m, %lane, 3; mul.lo.u32 %a, %a, 5; mad.lo.u32 %a, %m, 3, %a; and.b32 %a, %a, 31;
  sub.u32 %w, %t, %lane; add.u32 %a, %a, %w; shl.b32 %a, %a, 4; mov.u32 %w, smem; add.u32 %a, %a, %w;"""
    for n, trans in itertools.product((1, 2, 4), ("", ".trans")):
        regs = ", ".join(f"%o{i}" for i in range(n))
        c.append(WarpCase(f"ldmatrix.x{n}{trans}", f"{fill} {rows} ldmatrix.sync.aligned.m8n8.x{n}{trans}.shared.b16 {{{regs}}}, [%a];", 4, n, shared=2048))
        regs = ", ".join(f"%i{i}" for i in range(n))
        c.append(WarpCase(f"stmatrix.x{n}{trans}", f"{fill} {rows.replace('mul.lo.u32 %a, %a, 5;', '').replace('mad.lo.u32 %a, %m, 3, %a;', 'mad.lo.u32 %a, %m, 8, %a;')} stmatrix.sync.aligned.m8n8.x{n}{trans}.shared.b16 [%a], {{{regs}}}; bar.sync 0;"
                          " ld.shared.v4.b32 {%o0, %o1, %o2, %o3}, [%sa];", 4, 4, shared=2048, target="sm_90"))
    c.append(WarpCase("movmatrix", "movmatrix.sync.aligned.m8n8.trans.b16 %o0, %i0;", 1, 1))
    return c


# ---- mma: values

def encode(kind, x):
    """Floats or integers as the words of registers, lowest element first."""
    x = np.asarray(x)
    if kind == "f32":
        return x.astype(np.float32).view(np.uint32)
    if kind == "tf32":
        return x.astype(np.float32).view(np.uint32) & 0xffffe000
    if kind == "s32":
        return x.astype(np.int64).astype(np.uint32)
    if kind == "f16":
        bits = x.astype(np.float16).view(np.uint16)
    elif kind == "bf16":
        bits = (x.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    elif kind in ("e4m3", "e5m2"):
        bits = x.astype(np.int64).astype(np.uint8)
    else:
        bits = x.astype(np.int64).astype(np.uint8)
    if kind in ("s4", "u4"):
        x = x.astype(np.int64) & 15
        return sum(x[..., i::8] << (4 * i) for i in range(8)).astype(np.uint32)
    per = 4 // bits.dtype.itemsize
    wide = bits.astype(np.uint32)
    return sum(wide[..., i::per] << np.uint32(8 * bits.dtype.itemsize * i) for i in range(per)).astype(np.uint32)


PER = {"f32": 1, "tf32": 1, "s32": 1, "f16": 2, "bf16": 2, "e4m3": 4, "e5m2": 4, "s8": 4, "u8": 4, "s4": 8, "u4": 8}


def numbers(kind, style, rng, shape):
    """`shape` elements. exact: small integers; normal; wide: far exponents."""
    if kind in ("s8", "u8", "s4", "u4"):
        low, high = {"s8": (-128, 128), "u8": (0, 256), "s4": (-8, 8), "u4": (0, 16)}[kind]
        return rng.integers(low, high, shape)
    if kind == "s32":
        return rng.integers(-1 << 31, 1 << 31, shape) if style == "wide" else rng.integers(-1000, 1000, shape)
    if kind in ("e4m3", "e5m2"):
        bits = rng.integers(0, 256, shape)
        if style == "exact":  # few exponents, one fraction bit
            table = [0x00, 0x38, 0xb8, 0x40, 0xc0, 0x44, 0x30] if kind == "e4m3" else [0x00, 0x3c, 0xbc, 0x40, 0xc0, 0x42, 0x38]
            return np.array(table)[rng.integers(0, len(table), shape)]
        top = 0x7f if kind == "e4m3" else 0x7b
        return np.where((bits & 0x7f) >= top, bits & 0xb7 & 0xdb, bits)
    if style == "exact":
        return rng.integers(-8, 9, shape).astype(np.float64)
    if style == "normal":
        return rng.standard_normal(shape)
    if style == "tiny":  # subnormals, and others near them
        least = {"f16": -24, "bf16": -133, "tf32": -136, "f32": -149}[kind]
        return rng.integers(-1023, 1024, shape) * 2.0 ** (least + rng.integers(0, 6, shape))
    if style == "special":
        x = rng.standard_normal(shape)
        return np.where(rng.integers(0, 200, shape) == 0, np.array([np.inf, -np.inf, np.nan, 60000.0])[rng.integers(0, 4, shape)], x)
    if style == "huge":
        top = {"f16": 2.0 ** 15, "bf16": 2.0 ** 64, "tf32": 2.0 ** 64, "f32": 2.0 ** 127}[kind]
        return rng.choice([-1, 1], shape) * (1 + rng.random(shape) * 0.9) * top
    span = 8 if kind == "f16" else 20
    return rng.standard_normal(shape) * 2.0 ** rng.integers(-span, span // 2, shape)


MMA = [  # shape, D, A, B, C, words of D, A, B, C, target
    ("m8n8k4", "f32", "f16", "f16", "f32", 8, 2, 2, 8, "sm_80"), ("m8n8k4", "f16", "f16", "f16", "f16", 4, 2, 2, 4, "sm_80"),
    ("m16n8k8", "f32", "f16", "f16", "f32", 4, 2, 1, 4, "sm_80"), ("m16n8k8", "f16", "f16", "f16", "f16", 2, 2, 1, 2, "sm_80"),
    ("m16n8k16", "f32", "f16", "f16", "f32", 4, 4, 2, 4, "sm_80"), ("m16n8k16", "f16", "f16", "f16", "f16", 2, 4, 2, 2, "sm_80"),
    ("m16n8k8", "f32", "bf16", "bf16", "f32", 4, 2, 1, 4, "sm_80"), ("m16n8k16", "f32", "bf16", "bf16", "f32", 4, 4, 2, 4, "sm_80"),
    ("m16n8k4", "f32", "tf32", "tf32", "f32", 4, 2, 1, 4, "sm_80"), ("m16n8k8", "f32", "tf32", "tf32", "f32", 4, 4, 2, 4, "sm_80"),
    ("m16n8k32", "f32", "e4m3", "e4m3", "f32", 4, 4, 2, 4, "sm_90"), ("m16n8k32", "f32", "e5m2", "e4m3", "f32", 4, 4, 2, 4, "sm_90"),
    ("m8n8k16", "s32", "s8", "s8", "s32", 2, 1, 1, 2, "sm_80"), ("m8n8k16", "s32", "u8", "s8", "s32", 2, 1, 1, 2, "sm_80"),
    ("m16n8k16", "s32", "s8", "s8", "s32", 4, 2, 1, 4, "sm_80"), ("m16n8k32", "s32", "s8", "u8", "s32", 4, 4, 2, 4, "sm_80"),
    ("m16n8k32", "s32", "u8", "u8", "s32", 4, 4, 2, 4, "sm_80"), ("m8n8k32", "s32", "s4", "s4", "s32", 2, 1, 1, 2, "sm_80"),
    ("m16n8k64", "s32", "s4", "u4", "s32", 4, 4, 2, 4, "sm_80"), ("m16n8k32", "s32", "u4", "s4", "s32", 4, 2, 1, 4, "sm_80")]


def vector(prefix, first, count):
    return "{" + ", ".join(f"%{prefix}{first + i}" for i in range(count)) + "}"


def mma():
    c = []
    for shape, d, a, b, acc, nd, na, nb, nc, target in MMA:
        layouts = ["row.col"]
        if shape == "m8n8k4":
            layouts = ["row.col", "row.row", "col.col", "col.row"]
        styles = ("exact", "normal", "wide") + (("tiny", "special", "huge") if a in ("f16", "bf16", "tf32") and shape != "m8n8k4" else ())
        for layout, style in itertools.product(layouts, styles):
            if style != "exact" and layout != "row.col":
                continue
            for sat in ([".satfinite", ""] if d == "s32" and style == "wide" else [""]):
                def values(rng, size, style=style, kinds=((a, na), (b, nb), (acc, nc))):
                    blocks, threads, _ = size
                    parts = [encode(k, numbers(k, style, rng, (blocks, threads, n * PER[k]))) for k, n in kinds]
                    return np.concatenate(parts, -1)
                exact = style == "exact" or d == "s32"
                c.append(WarpCase(
                    f"mma.{shape}.{layout}{sat}.{d}.{a}.{b}.{acc} {style}",
                    f"mma.sync.aligned.{shape}.{layout}{sat}.{d}.{a}.{b}.{acc} {vector('o', 0, nd)}, {vector('i', 0, na)}, {vector('i', na, nb)}, {vector('i', na + nb, nc)};",
                    na + nb + nc, nd, values, "mma" if shape == "m8n8k4" and not exact else "exact", target=target, blocks=1 if exact else 8,
                    meta={"a": a, "b": b, "c": acc, "d": d, "shape": shape}))
    return c + wmma()


def wmma():
    """Shared memory holds A, B and C in a KiB each, 8 words a thread."""
    c = []

    def values(rng, size):
        halves = encode("f16", numbers("f16", "exact", rng, (size[0], size[1], 32)))
        return np.concatenate([halves, encode("f32", numbers("f32", "exact", rng, (size[0], size[1], 8)))], -1)
    fill = " ".join(f"st.shared.v4.b32 [%sb+{1024 * (i // 2) + 16 * (i % 2)}], {vector('i', 4 * i, 4)};" for i in range(6))
    for shape, (m, n) in (("m16n16k16", (16, 16)), ("m8n32k16", (8, 32)), ("m32n8k16", (32, 8))):
        for la, lb in itertools.product(("row", "col"), repeat=2):
            lda, ldb = (16 if la == "row" else m), (n if lb == "row" else 16)
            body = f"""
  .reg .b32 %a<8>, %b<8>, %c<8>, %x; mov.u32 %x, smem;
  {fill} bar.sync 0;
  wmma.load.a.sync.aligned.{la}.{shape}.shared.f16 {vector('a', 0, 8)}, [%x], {lda};
  wmma.load.b.sync.aligned.{lb}.{shape}.shared.f16 {vector('b', 0, 8)}, [%x+1024], {ldb};
  wmma.load.c.sync.aligned.row.{shape}.shared.f32 {vector('c', 0, 8)}, [%x+2048], {n};
  wmma.mma.sync.aligned.{la}.{lb}.{shape}.f32.f32 {vector('c', 0, 8)}, {vector('a', 0, 8)}, {vector('b', 0, 8)}, {vector('c', 0, 8)};
  bar.sync 0;
  wmma.store.d.sync.aligned.row.{shape}.shared.f32 [%x], {vector('c', 0, 8)}, {n}; bar.sync 0;
  ld.shared.v4.b32 {vector('o', 0, 4)}, [%sb]; ld.shared.v4.b32 {vector('o', 4, 4)}, [%sb+16];"""
            c.append(WarpCase(f"wmma.{shape}.{la}.{lb}", body, 24, 8, values, threads=32, shared=3072))
    return c


# ---- wgmma: a shared memory image, two descriptors

WGMMA = [("f32", "f16", 16), ("f16", "f16", 16), ("f32", "bf16", 16), ("f32", "tf32", 8), ("f32", "e4m3", 32), ("f32", "e5m2", 32),
         ("s32", "s8", 32), ("s32", "u8", 32)]


def descriptor(start, leading, stride, swizzle):
    return start >> 4 | leading >> 4 << 16 | stride >> 4 << 32 | {0: 0, 128: 1, 64: 2, 32: 3}[swizzle] << 62


def wgmma_case(name, d, a, k, n, la, lb, policy, style, registers=False, transpose=(0, 0), scale=(1, 1), image=32768):
    nd = n // 4 if d == "f16" else n // 2
    regs = vector("o", 0, nd)
    operand = "{%i8, %i9, %i10, %i11}" if registers else "%da"
    tail = "" if d == "s32" else f", {scale[0]}, {scale[1]}"
    if a in ("f16", "bf16"):
        tail += f", {transpose[1]}" if registers else f", {transpose[0]}, {transpose[1]}"
    sat = ".satfinite" if d == "s32" and style == "wide" else ""
    init = " ".join(f"mov.b32 %o{i}, %i{12 + i % 4};" for i in range(nd))
    per = image // 128 // 16  # 16-byte words a thread
    body = f"""
  .reg .b64 %da, %db, %im; .reg .b32 %z<4>, %sp; .reg .pred %p0;
  mov.b64 %da, {{%i0, %i1}}; mov.b64 %db, {{%i2, %i3}};
  mov.u32 %sp, smem; shr.u32 %sp, %sp, 4; cvt.u64.u32 %im, %sp; add.u64 %da, %da, %im; add.u64 %db, %db, %im; setp.ne.b32 %p0, %i4, 0;
  mad.wide.u32 %im, %t, 16, %img; mov.u32 %sp, smem; mad.lo.u32 %sp, %t, 16, %sp;
""" + "\n".join(f"  ld.global.v4.b32 {{%z0, %z1, %z2, %z3}}, [%im+{2048 * i}]; st.shared.v4.b32 [%sp+{2048 * i}], {{%z0, %z1, %z2, %z3}};" for i in range(per)) + f"""
  fence.proxy.async.shared::cta; bar.sync 0;
  {init}
  wgmma.fence.sync.aligned;
  wgmma.mma_async.sync.aligned.m64n{n}k{k}.{d}.{a}.{a}{sat} {regs}, {operand}, %db, %p0{tail};
  wgmma.commit_group.sync.aligned;
  wgmma.wait_group.sync.aligned 0;"""

    def values(rng, size):
        w = np.zeros(size, np.uint32)
        da, db = descriptor(*la), descriptor(*lb)
        w[..., 0], w[..., 1], w[..., 2], w[..., 3] = da & 0xffffffff, da >> 32, db & 0xffffffff, db >> 32
        w[..., 4] = 1
        fragment = encode(a, numbers(a, style, rng, (size[0], size[1], 4 * PER[a])))
        w[..., 8:12] = fragment
        acc = encode(d, numbers(d, style, rng, (size[0], size[1], 4 * PER[d])))
        w[..., 12:16] = acc
        return w
    return WarpCase("wgmma." + name, body, 16, nd, values, policy, 128, image, "sm_90a", 1,
                    {"image": (image, a, style), "a": a, "d": d, "k": k, "n": n})


def wgmma():
    c = []
    size = {"f16": 2, "bf16": 2, "tf32": 4, "e4m3": 1, "e5m2": 1, "s8": 1, "u8": 1}
    for d, a, k in WGMMA:
        for n in (8, 64, 128):
            for style in ("exact", "normal", "wide"):
                policy = "exact"
                if n == 64 or style == "exact":
                    c.append(wgmma_case(f"m64n{n}k{k}.{d}.{a} {style}", d, a, k, n, (0, 16, 1024, 128), (8192, 16, 1024, 128), policy, style))
        c.append(wgmma_case(f"m64n32k{k}.{d}.{a} A in registers", d, a, k, 32, (0, 16, 1024, 128), (8192 + 64, 16, 1024, 128), "exact", "exact", True))
    for swizzle, stride in ((64, 512), (32, 256)):
        c.append(wgmma_case(f"swizzle{swizzle}", "f32", "f16", 16, 64, (0, 16, stride, swizzle), (8192, 16, stride, swizzle), "exact", "exact"))
    c.append(wgmma_case("swizzle64 offset", "f32", "f16", 16, 64, (32, 16, 512, 64), (8192 + 32, 16, 512, 64), "exact", "exact"))
    c.append(wgmma_case("no swizzle", "f32", "f16", 16, 64, (0, 128, 256, 0), (8192, 1024, 128, 0), "exact", "exact"))
    c.append(wgmma_case("no swizzle s8", "s32", "s8", 32, 64, (0, 128, 256, 0), (8192, 1024, 128, 0), "exact", "exact"))
    for swizzle in (128, 64, 32):
        leading, stride = 16 * swizzle, 8 * swizzle
        name = f"B transposed swizzle{swizzle}"
        c.append(wgmma_case(name, "f32", "f16", 16, 128, (0, 16, 1024, 128), (8192, leading, stride, swizzle), "exact", "exact", transpose=(0, 1)))
    c.append(wgmma_case("A transposed", "f32", "f16", 16, 64, (0, 2048, 1024, 128), (8192, 2048, 1024, 128), "exact", "exact", transpose=(1, 1)))
    c.append(wgmma_case("A transposed swizzle32", "f32", "bf16", 16, 64, (0, 512, 256, 32), (8192, 512, 256, 32), "exact", "exact", transpose=(1, 1)))
    c.append(wgmma_case("transposed no swizzle", "f32", "f16", 16, 64, (0, 128, 256, 0), (8192, 1024, 128, 0), "exact", "exact", transpose=(1, 1)))
    c.append(wgmma_case("negated", "f32", "f16", 16, 64, (0, 16, 1024, 128), (8192, 16, 1024, 128), "exact", "exact", scale=(-1, 1)))
    for style in ("exact", "normal"):
        c.append(wgmma_case(f"m64n64k32.f16.e4m3 {style}", "f16", "e4m3", 32, 64, (0, 16, 1024, 128), (8192, 16, 1024, 128), "exact", style))
    c.append(wgmma_case("s8 satfinite", "s32", "s8", 32, 64, (0, 16, 1024, 128), (8192, 16, 1024, 128), "exact", "wide"))
    return c


def warp_cases():
    return lanes() + atomics() + subword() + matrices() + mma() + wgmma()


def warp_entry(case, number, at, out, image):
    """`at`, `out`: offsets of the case's words; `image`: of its shared memory image."""
    loads = "\n  ".join(f"ld.global.u32 %i{i}, [%rin+{at + 4 * i}];" for i in range(case.ins))
    stores = "\n  ".join(f"st.global.u32 [%rout+{out + 4 * i}], %o{i};" for i in range(case.outs))
    shared = f".shared .align 1024 .b8 smem[{max(case.shared, 16)}];"
    img = f"add.u64 %img, %img, {image};" if image is not None else ""
    return f"""
.visible .entry case{number}(.param .u64 in, .param .u64 out) .maxntid {case.threads}, 1, 1 {{  // {case.name}
  .reg .b32 %i<{case.ins + 1}>, %o<{case.outs + 1}>; .reg .b32 %t, %lane, %g, %sa, %sb, %n; .reg .b64 %rin, %rout, %ga, %img;
  {shared}
  ld.param.u64 %rin, [in]; ld.param.u64 %rout, [out];
  cvta.to.global.u64 %rin, %rin; cvta.to.global.u64 %rout, %rout; mov.u64 %img, %rin; {img}
  mov.u32 %t, %tid.x; mov.u32 %lane, %laneid; mov.u32 %g, %ctaid.x; mov.u32 %n, %ntid.x; mad.lo.u32 %g, %g, %n, %t;
  mad.wide.u32 %ga, %g, {4 * case.outs}, %rout; add.u64 %ga, %ga, {out};
  mad.wide.u32 %rin, %g, {4 * case.ins}, %rin; mad.wide.u32 %rout, %g, {4 * case.outs}, %rout;
  mov.u32 %sa, smem; mov.u32 %sb, %sa; mad.lo.u32 %sa, %t, 16, %sa; mad.lo.u32 %sb, %t, 32, %sb;
  {loads}
  {case.body}
  {stores}
  ret;
}}
"""
