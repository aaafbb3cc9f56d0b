"""Small kernels in PTX, written here: each with its launch, its buffers and what
it should compute. planted.py breaks them; kernels.py runs them on a GPU too."""

import numpy as np

HEAD = ".version 8.4\n.target sm_90a\n.address_size 64\n"


def sum_bound(k):
    """Of a float32 sum of k products of normal float16 numbers: each addition cuts off at most 2^-23
    of a partial sum, which stays below four standard deviations, 4 sqrt(k)."""
    return k * 2.0 ** -23 * 4 * np.sqrt(k)


class Kernel:
    def __init__(self, name, text, grid, block, arguments, buffers, results, shared=0, tolerance=0.0):
        self.name, self.text, self.grid, self.block, self.shared = name, HEAD + text, grid, block, shared
        self.arguments, self.buffers, self.results, self.tolerance = arguments, buffers, results, tolerance

    def launch(self):
        return dict(ptx=self.name + ".ptx", entry=self.name, grid=list(self.grid), block=list(self.block), shared=self.shared,
                    arguments=self.arguments, results=list(self.results), policy="exact" if not self.tolerance else "near")


def buffer(name):
    return {"buffer": name}


def block_sum():
    """Sums 1024 words a block: shuffles in a warp, shared memory across."""
    rng = np.random.default_rng(10)
    x = rng.integers(0, 1000, (4, 1024), dtype=np.uint32)
    text = """
.visible .entry block_sum(.param .u64 in, .param .u64 out) .maxntid 256, 1, 1 {
  .reg .b32 %r<20>; .reg .b64 %rd<8>; .reg .pred %p<4>;
  .shared .align 4 .b8 part[32];
  ld.param.u64 %rd1, [in]; ld.param.u64 %rd2, [out];
  cvta.to.global.u64 %rd1, %rd1; cvta.to.global.u64 %rd2, %rd2;
  mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x;
  shl.b32 %r3, %r2, 8; add.u32 %r3, %r3, %r1; mad.wide.u32 %rd3, %r3, 16, %rd1;
  ld.global.v4.u32 {%r4, %r5, %r6, %r7}, [%rd3];
  add.u32 %r4, %r4, %r5; add.u32 %r6, %r6, %r7; add.u32 %r4, %r4, %r6;
  shfl.sync.bfly.b32 %r5, %r4, 16, 31, 0xffffffff; add.u32 %r4, %r4, %r5;
  shfl.sync.bfly.b32 %r5, %r4, 8, 31, 0xffffffff; add.u32 %r4, %r4, %r5;
  shfl.sync.bfly.b32 %r5, %r4, 4, 31, 0xffffffff; add.u32 %r4, %r4, %r5;
  shfl.sync.bfly.b32 %r5, %r4, 2, 31, 0xffffffff; add.u32 %r4, %r4, %r5;
  shfl.sync.bfly.b32 %r5, %r4, 1, 31, 0xffffffff; add.u32 %r4, %r4, %r5;
  and.b32 %r8, %r1, 31; setp.ne.u32 %p1, %r8, 0;
  shr.u32 %r9, %r1, 5; shl.b32 %r10, %r9, 2; mov.u32 %r11, part; add.u32 %r10, %r10, %r11;
  @%p1 bra SYNC;
  st.shared.u32 [%r10], %r4;
SYNC:
  bar.sync 0;
  setp.gt.u32 %p2, %r1, 7;
  @%p2 ret;
  shl.b32 %r12, %r1, 2; add.u32 %r12, %r12, %r11;
  ld.shared.u32 %r4, [%r12];
  shfl.sync.bfly.b32 %r5, %r4, 4, 31, 0xff; add.u32 %r4, %r4, %r5;
  shfl.sync.bfly.b32 %r5, %r4, 2, 31, 0xff; add.u32 %r4, %r4, %r5;
  shfl.sync.bfly.b32 %r5, %r4, 1, 31, 0xff; add.u32 %r4, %r4, %r5;
  setp.ne.u32 %p3, %r1, 0;
  @%p3 ret;
  mad.wide.u32 %rd4, %r2, 4, %rd2;
  st.global.u32 [%rd4], %r4;
  ret;
}
"""
    return Kernel("block_sum", text, (4, 1, 1), (256, 1, 1), [buffer("sum_in"), buffer("sum_out")],
                  {"sum_in": x, "sum_out": np.zeros(4, np.uint32)}, {"sum_out": x.sum(1, dtype=np.uint32)})


def transpose():
    """32 x 32 words through padded shared memory, 8 rows at a time."""
    x = np.arange(64 * 96, dtype=np.uint32).reshape(64, 96)
    text = """
.visible .entry transpose(.param .u64 in, .param .u64 out) .maxntid 32, 8, 1 {
  .reg .b32 %r<20>; .reg .b64 %rd<8>; .reg .pred %p<4>;
  .shared .align 16 .b8 tile[4224];
  ld.param.u64 %rd1, [in]; ld.param.u64 %rd2, [out];
  cvta.to.global.u64 %rd1, %rd1; cvta.to.global.u64 %rd2, %rd2;
  mov.u32 %r1, %tid.x; mov.u32 %r2, %tid.y; mov.u32 %r3, %ctaid.x; mov.u32 %r4, %ctaid.y;
  shl.b32 %r5, %r3, 5; shl.b32 %r6, %r4, 5; mov.u32 %r15, tile;
  mov.u32 %r7, %r2;
LOAD:
  add.u32 %r8, %r6, %r7; mad.lo.u32 %r8, %r8, 96, %r5; add.u32 %r8, %r8, %r1;
  mad.wide.u32 %rd3, %r8, 4, %rd1; ld.global.u32 %r9, [%rd3];
  mad.lo.u32 %r10, %r7, 132, %r15; mad.lo.u32 %r10, %r1, 4, %r10;
  st.shared.u32 [%r10], %r9;
  add.u32 %r7, %r7, 8; setp.lt.u32 %p1, %r7, 32;
  @%p1 bra LOAD;
  bar.sync 0;
  mov.u32 %r7, %r2;
STORE:
  mad.lo.u32 %r10, %r1, 132, %r15; mad.lo.u32 %r10, %r7, 4, %r10;
  ld.shared.u32 %r9, [%r10];
  add.u32 %r8, %r5, %r7; mad.lo.u32 %r8, %r8, 64, %r6; add.u32 %r8, %r8, %r1;
  mad.wide.u32 %rd3, %r8, 4, %rd2; st.global.u32 [%rd3], %r9;
  add.u32 %r7, %r7, 8; setp.lt.u32 %p1, %r7, 32;
  @%p1 bra STORE;
  ret;
}
"""
    return Kernel("transpose", text, (3, 2, 1), (32, 8, 1), [buffer("tr_in"), buffer("tr_out")],
                  {"tr_in": x, "tr_out": np.zeros((96, 64), np.uint32)}, {"tr_out": x.T.copy()})


def named_barriers():
    """Warp 0 fills two buffers in turn, warp 1 empties them: barriers 1 and 2
    say full, 3 and 4 empty."""
    x = np.arange(8 * 32, dtype=np.uint32)
    text = """
.visible .entry named_barriers(.param .u64 in, .param .u64 out) .maxntid 64, 1, 1 {
  .reg .b32 %r<20>; .reg .b64 %rd<8>; .reg .pred %p<4>;
  .shared .align 4 .b8 ring[256];
  ld.param.u64 %rd1, [in]; ld.param.u64 %rd2, [out];
  cvta.to.global.u64 %rd1, %rd1; cvta.to.global.u64 %rd2, %rd2;
  mov.u32 %r1, %tid.x; and.b32 %r2, %r1, 31; mov.u32 %r3, ring; mov.u32 %r4, 0;
  setp.gt.u32 %p1, %r1, 31;
  @%p1 bra CONSUMER;
PRODUCER:
  and.b32 %r5, %r4, 1; shl.b32 %r6, %r5, 7; add.u32 %r6, %r6, %r3; mad.lo.u32 %r6, %r2, 4, %r6;
  shl.b32 %r7, %r4, 5; add.u32 %r7, %r7, %r2; mad.wide.u32 %rd3, %r7, 4, %rd1; ld.global.u32 %r8, [%rd3];
  add.u32 %r9, %r5, 3; setp.lt.u32 %p2, %r4, 2;
  @%p2 bra FREE;
  bar.sync %r9, 64;
FREE:
  st.shared.u32 [%r6], %r8;
  add.u32 %r9, %r5, 1;
  bar.arrive %r9, 64;
  add.u32 %r4, %r4, 1; setp.lt.u32 %p2, %r4, 8;
  @%p2 bra PRODUCER;
  ret;
CONSUMER:
  and.b32 %r5, %r4, 1; shl.b32 %r6, %r5, 7; add.u32 %r6, %r6, %r3; xor.b32 %r10, %r2, 31; mad.lo.u32 %r6, %r10, 4, %r6;
  add.u32 %r9, %r5, 1;
  bar.sync %r9, 64;
  ld.shared.u32 %r8, [%r6];
  add.u32 %r9, %r5, 3; setp.gt.u32 %p2, %r4, 5;
  @%p2 bra LAST;
  bar.arrive %r9, 64;
LAST:
  shl.b32 %r7, %r4, 5; add.u32 %r7, %r7, %r2; mad.wide.u32 %rd3, %r7, 4, %rd2; st.global.u32 [%rd3], %r8;
  add.u32 %r4, %r4, 1; setp.lt.u32 %p2, %r4, 8;
  @%p2 bra CONSUMER;
  ret;
}
"""
    return Kernel("named_barriers", text, (1, 1, 1), (64, 1, 1), [buffer("nb_in"), buffer("nb_out")],
                  {"nb_in": x, "nb_out": np.zeros(256, np.uint32)}, {"nb_out": x.reshape(8, 32)[:, ::-1].copy().reshape(-1)})


def histogram():
    """Shared counters by atomics, then added to the global ones."""
    rng = np.random.default_rng(11)
    x = rng.integers(0, 64, 1024, dtype=np.uint8)
    text = """
.visible .entry histogram(.param .u64 in, .param .u64 out) .maxntid 128, 1, 1 {
  .reg .b32 %r<20>; .reg .b64 %rd<8>; .reg .pred %p<4>; .reg .b16 %h;
  .shared .align 4 .b8 bins[256];
  ld.param.u64 %rd1, [in]; ld.param.u64 %rd2, [out];
  cvta.to.global.u64 %rd1, %rd1; cvta.to.global.u64 %rd2, %rd2;
  mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mov.u32 %r3, bins; mad.lo.u32 %r4, %r1, 4, %r3;
  setp.gt.u32 %p1, %r1, 63;
  @%p1 bra CLEAR;
  st.shared.u32 [%r4], 0;
CLEAR:
  bar.sync 0;
  shl.b32 %r5, %r2, 8; add.u32 %r5, %r5, %r1; cvt.u64.u32 %rd3, %r5; add.u64 %rd3, %rd3, %rd1;
  ld.global.u8 %h, [%rd3]; cvt.u32.u16 %r6, %h; mad.lo.u32 %r6, %r6, 4, %r3; red.shared.add.u32 [%r6], 1;
  ld.global.u8 %h, [%rd3+128]; cvt.u32.u16 %r6, %h; mad.lo.u32 %r6, %r6, 4, %r3; red.shared.add.u32 [%r6], 1;
  bar.sync 0;
  @%p1 ret;
  ld.shared.u32 %r7, [%r4];
  mad.wide.u32 %rd4, %r1, 4, %rd2; red.global.add.u32 [%rd4], %r7;
  ret;
}
"""
    return Kernel("histogram", text, (4, 1, 1), (128, 1, 1), [buffer("hist_in"), buffer("hist_out")],
                  {"hist_in": x, "hist_out": np.zeros(64, np.uint32)}, {"hist_out": np.bincount(x, minlength=64).astype(np.uint32)})


def bulk_copy():
    """One bulk load a stage, two stages, every word doubled, one bulk store."""
    x = np.arange(4 * 512, dtype=np.uint32)
    text = """
.visible .entry bulk_copy(.param .u64 in, .param .u64 out) .maxntid 128, 1, 1 {
  .reg .b32 %r<20>; .reg .b64 %rd<8>; .reg .pred %p<4>;
  .shared .align 128 .b8 stage[4096]; .shared .align 128 .b8 done[2048]; .shared .align 8 .b64 full[2];
  ld.param.u64 %rd1, [in]; ld.param.u64 %rd2, [out];
  cvta.to.global.u64 %rd1, %rd1; cvta.to.global.u64 %rd2, %rd2;
  mov.u32 %r1, %tid.x; mov.u32 %r2, stage; mov.u32 %r3, full; mov.u32 %r4, 0; mov.u32 %r14, done;
  setp.ne.u32 %p1, %r1, 0;
  @%p1 bra READY;
  mbarrier.init.shared.b64 [%r3], 1; mbarrier.init.shared.b64 [%r3+8], 1;
  fence.mbarrier_init.release.cluster;
  mbarrier.arrive.expect_tx.shared.b64 %rd3, [%r3], 2048;
  cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r2], [%rd1], 2048, [%r3];
READY:
  bar.sync 0;
LOOP:
  and.b32 %r5, %r4, 1; shr.u32 %r6, %r4, 1; and.b32 %r6, %r6, 1;
  add.u32 %r7, %r4, 1; setp.ge.u32 %p2, %r7, 4; or.pred %p2, %p2, %p1;
  @%p2 bra WAIT;
  and.b32 %r8, %r7, 1; shl.b32 %r9, %r8, 3; add.u32 %r9, %r9, %r3; shl.b32 %r10, %r8, 11; add.u32 %r10, %r10, %r2;
  mad.wide.u32 %rd4, %r7, 2048, %rd1;
  mbarrier.arrive.expect_tx.shared.b64 %rd3, [%r9], 2048;
  cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r10], [%rd4], 2048, [%r9];
WAIT:
  shl.b32 %r9, %r5, 3; add.u32 %r9, %r9, %r3;
TRY:
  mbarrier.try_wait.parity.shared.b64 %p3, [%r9], %r6;
  @!%p3 bra TRY;
  shl.b32 %r10, %r5, 11; add.u32 %r10, %r10, %r2; mad.lo.u32 %r10, %r1, 16, %r10; mad.lo.u32 %r11, %r1, 16, %r14;
  ld.shared.v4.u32 {%r15, %r16, %r17, %r18}, [%r10];
  add.u32 %r15, %r15, %r15; add.u32 %r16, %r16, %r16; add.u32 %r17, %r17, %r17; add.u32 %r18, %r18, %r18;
  st.shared.v4.u32 [%r11], {%r15, %r16, %r17, %r18};
  fence.proxy.async.shared::cta;
  bar.sync 0;
  @%p1 bra NEXT;
  mad.wide.u32 %rd5, %r4, 2048, %rd2;
  cp.async.bulk.global.shared::cta.bulk_group [%rd5], [%r14], 2048;
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group 0;
NEXT:
  bar.sync 0;
  add.u32 %r4, %r4, 1; setp.lt.u32 %p2, %r4, 4;
  @%p2 bra LOOP;
  ret;
}
"""
    return Kernel("bulk_copy", text, (1, 1, 1), (128, 1, 1), [buffer("bulk_in"), buffer("bulk_out")],
                  {"bulk_in": x, "bulk_out": np.zeros(2048, np.uint32)}, {"bulk_out": 2 * x})


def gemm(k=128, stages=3):
    """64 x 64 of C = A B a block, halves: cp.async in three stages, XOR swizzle,
    ldmatrix, mma; four warps of 32 x 32."""
    rng = np.random.default_rng(12)
    a, b = rng.standard_normal((128, k)).astype(np.float16), rng.standard_normal((k, 128)).astype(np.float16)
    c = a.astype(np.float32) @ b.astype(np.float32)
    stage = 64 * 64 + 32 * 128  # bytes: A 64 rows of 32 halves, B 32 rows of 64

    def load():  # tile %r4 into slot %r5; thread: two 16-byte pieces of each
        lines = [f"mad.lo.u32 %r6, %r5, {stage}, %base;"]
        for i in range(2):
            # A: row t/4 + 32 i, piece t%4, swizzled by (row >> 1) & 3
            lines += [f"shr.u32 %r7, %t, 2; add.u32 %r7, %r7, {32 * i}; and.b32 %r8, %t, 3; shr.u32 %r9, %r7, 1; and.b32 %r9, %r9, 3; xor.b32 %r9, %r9, %r8;",
                      "mad.lo.u32 %r10, %r7, 64, %r6; mad.lo.u32 %r10, %r9, 16, %r10;",
                      f"add.u32 %r11, %m0, %r7; mul.lo.u32 %r11, %r11, {k}; mad.lo.u32 %r12, %r4, 32, %r11; mad.lo.u32 %r12, %r8, 8, %r12; mad.wide.u32 %rd4, %r12, 2, %rd1;",
                      "cp.async.cg.shared.global [%r10], [%rd4], 16;"]
            # B: row t/8 + 16 i, piece t%8, swizzled by row & 7
            lines += [f"shr.u32 %r7, %t, 3; add.u32 %r7, %r7, {16 * i}; and.b32 %r8, %t, 7; and.b32 %r9, %r7, 7; xor.b32 %r9, %r9, %r8;",
                      "mad.lo.u32 %r10, %r7, 128, %r6; mad.lo.u32 %r10, %r9, 16, %r10;",
                      "mad.lo.u32 %r11, %r4, 32, %r7; mad.lo.u32 %r12, %r11, 128, %n0; mad.lo.u32 %r12, %r8, 8, %r12; mad.wide.u32 %rd4, %r12, 2, %rd2;",
                      "cp.async.cg.shared.global [%r10+4096], [%rd4], 16;"]
        return "\n  ".join(lines)

    compute = []
    for kk in (0, 16):
        for i in range(2):  # A: row wm + 16 i + lane%16, piece kk/8 + lane/16
            compute.append(f"add.u32 %r7, %wm, {16 * i}; and.b32 %r8, %lane, 15; add.u32 %r7, %r7, %r8; shr.u32 %r8, %lane, 4; add.u32 %r8, %r8, {kk // 8};"
                           " shr.u32 %r9, %r7, 1; and.b32 %r9, %r9, 3; xor.b32 %r8, %r8, %r9; mad.lo.u32 %r10, %r7, 64, %r6; mad.lo.u32 %r10, %r8, 16, %r10;")
            compute.append(f"ldmatrix.sync.aligned.m8n8.x4.shared.b16 {{%a{4 * i}, %a{4 * i + 1}, %a{4 * i + 2}, %a{4 * i + 3}}}, [%r10];")
        for j in range(2):  # B: row kk + lane%16, piece wn/8 + 2 j + lane/16
            compute.append(f"and.b32 %r7, %lane, 15; add.u32 %r7, %r7, {kk}; shr.u32 %r8, %lane, 4; add.u32 %r8, %r8, {2 * j}; shr.u32 %r9, %wn, 3; add.u32 %r8, %r8, %r9;"
                           " and.b32 %r9, %r7, 7; xor.b32 %r8, %r8, %r9; mad.lo.u32 %r10, %r7, 128, %r6; mad.lo.u32 %r10, %r8, 16, %r10;")
            compute.append(f"ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {{%b{4 * j}, %b{4 * j + 1}, %b{4 * j + 2}, %b{4 * j + 3}}}, [%r10+4096];")
        for i in range(2):
            for j in range(4):
                d = ", ".join(f"%d{16 * i + 4 * j + n}" for n in range(4))
                fa = ", ".join(f"%a{4 * i + n}" for n in range(4))
                compute.append(f"mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {{{d}}}, {{{fa}}}, {{%b{2 * j}, %b{2 * j + 1}}}, {{{d}}};")
    store = []
    for i in range(2):
        for j in range(4):
            for h in range(2):
                store.append(f"add.u32 %r7, %m0, %wm; shr.u32 %r8, %lane, 2; add.u32 %r7, %r7, %r8; add.u32 %r7, %r7, {16 * i + 8 * h};"
                             f" add.u32 %r9, %n0, %wn; and.b32 %r8, %lane, 3; mad.lo.u32 %r9, %r8, 2, %r9; add.u32 %r9, %r9, {8 * j}; mad.lo.u32 %r7, %r7, 128, %r9;"
                             f" mad.wide.u32 %rd4, %r7, 4, %rd3; st.global.v2.f32 [%rd4], {{%d{16 * i + 4 * j + 2 * h}, %d{16 * i + 4 * j + 2 * h + 1}}};")
    zero = " ".join(f"mov.f32 %d{i}, 0f00000000;" for i in range(32))
    text = f"""
.extern .shared .align 128 .b8 dynamic[];
.visible .entry gemm(.param .u64 pa, .param .u64 pb, .param .u64 pc) .maxntid 128, 1, 1 {{
  .reg .b32 %r<20>, %a<8>, %b<8>, %base, %t, %lane, %m0, %n0, %wm, %wn; .reg .f32 %d<32>; .reg .b64 %rd<8>; .reg .pred %p<4>;
  ld.param.u64 %rd1, [pa]; ld.param.u64 %rd2, [pb]; ld.param.u64 %rd3, [pc];
  cvta.to.global.u64 %rd1, %rd1; cvta.to.global.u64 %rd2, %rd2; cvta.to.global.u64 %rd3, %rd3;
  mov.u32 %t, %tid.x; and.b32 %lane, %t, 31; mov.u32 %base, dynamic;
  mov.u32 %m0, %ctaid.y; shl.b32 %m0, %m0, 6; mov.u32 %n0, %ctaid.x; shl.b32 %n0, %n0, 6;
  shr.u32 %r1, %t, 6; shl.b32 %wm, %r1, 5; shr.u32 %r1, %t, 5; and.b32 %r1, %r1, 1; shl.b32 %wn, %r1, 5;
  {zero}
  mov.u32 %r4, 0; mov.u32 %r5, 0;
  {load()}
  cp.async.commit_group;
  mov.u32 %r4, 1; mov.u32 %r5, 1;
  {load()}
  cp.async.commit_group;
  mov.u32 %r1, 0; mov.u32 %r2, 0; mov.u32 %r3, 2;
LOOP:
  cp.async.wait_group {stages - 2};
  bar.sync 0;
  add.u32 %r4, %r1, {stages - 1}; mov.u32 %r5, %r3;
  setp.ge.u32 %p1, %r4, {k // 32};
  @%p1 bra LOADED;
  {load()}
LOADED:
  cp.async.commit_group;
  mad.lo.u32 %r6, %r2, {stage}, %base;
  {chr(10).join('  ' + x for x in compute).strip()}
  add.u32 %r2, %r2, 1; setp.eq.u32 %p1, %r2, {stages}; selp.u32 %r2, 0, %r2, %p1;
  add.u32 %r3, %r3, 1; setp.eq.u32 %p1, %r3, {stages}; selp.u32 %r3, 0, %r3, %p1;
  add.u32 %r1, %r1, 1; setp.lt.u32 %p1, %r1, {k // 32};
  @%p1 bra LOOP;
  {chr(10).join('  ' + x for x in store).strip()}
  ret;
}}
"""
    return Kernel("gemm", text, (2, 2, 1), (128, 1, 1), [buffer("gemm_a"), buffer("gemm_b"), buffer("gemm_c")],
                  {"gemm_a": a, "gemm_b": b, "gemm_c": np.zeros((128, 128), np.float32)}, {"gemm_c": c}, shared=stages * stage,
                  tolerance=sum_bound(k))


def wgmma(k=256, stages=3, n=64):
    """C = A B^T, halves: a warp loads tiles of 64 K through tensor maps into a
    ring with mbarriers, a warpgroup multiplies."""
    rng = np.random.default_rng(13)
    a, b = rng.standard_normal((128, k)).astype(np.float16), rng.standard_normal((128, k)).astype(np.float16)
    c = a.astype(np.float32) @ b.astype(np.float32).T
    tile_a, tile_b = 64 * 128, n * 128
    stage = tile_a + tile_b
    d = ", ".join(f"%d{i}" for i in range(n // 2))
    step = "\n".join(f"""  add.u64 %rd6, %rd4, {2 * i}; add.u64 %rd7, %rd5, {2 * i};
  wgmma.mma_async.sync.aligned.m64n{n}k16.f32.f16.f16 {{{d}}}, %rd6, %rd7, 1, 1, 1, 0, 0;""" for i in range(4))
    store = "\n".join(f"  add.f32 %d{4 * j + 2 * h}, %d{4 * j + 2 * h}, 0f00000000; st.global.v2.f32 [%rd{8 + h}+{32 * j}], {{%d{4 * j + 2 * h}, %d{4 * j + 2 * h + 1}}};"
                      for j in range(n // 8) for h in range(2))
    init = "\n".join(f"  mbarrier.init.shared.b64 [%bar+{8 * i}], 1; mbarrier.init.shared.b64 [%bar+{8 * (stages + i)}], 1;" for i in range(stages))
    zero = " ".join(f"mov.f32 %d{i}, 0f00000000;" for i in range(n // 2))
    text = f"""
.extern .shared .align 1024 .b8 dynamic[];
.visible .entry wgmma(.param .align 64 .b8 ma[128], .param .align 64 .b8 mb[128], .param .u64 pc) .maxntid 160, 1, 1 {{
  .reg .b32 %r<20>, %bar, %t, %m0, %n0, %slot, %phase; .reg .f32 %d<{n // 2}>; .reg .b64 %rd<12>; .reg .pred %p<6>;
  .shared .align 8 .b64 bars[{2 * stages}];
  mov.b64 %rd1, ma; cvta.param.u64 %rd1, %rd1; mov.b64 %rd2, mb; cvta.param.u64 %rd2, %rd2;
  ld.param.u64 %rd3, [pc]; cvta.to.global.u64 %rd3, %rd3;
  mov.u32 %t, %tid.x; mov.u32 %bar, bars; mov.u32 %slot, 0;
  mov.u32 %m0, %ctaid.y; shl.b32 %m0, %m0, 6; mov.u32 %n0, %ctaid.x; mul.lo.u32 %n0, %n0, {n};
  setp.ne.u32 %p1, %t, 0;
  @%p1 bra READY;
{init}
  fence.mbarrier_init.release.cluster;
READY:
  bar.sync 0;
  setp.lt.u32 %p2, %t, 128;
  @%p2 bra CONSUMER;
  setp.ne.u32 %p3, %t, 128;
  @%p3 ret;
  mov.u32 %phase, 1; mov.u32 %r1, 0;
LOAD:
  mad.lo.u32 %r2, %slot, 8, %bar; add.u32 %r3, %r2, {8 * stages};
EMPTY:
  mbarrier.try_wait.parity.shared.b64 %p4, [%r3], %phase;
  @!%p4 bra EMPTY;
  mbarrier.arrive.expect_tx.shared.b64 %rd4, [%r2], {stage};
  mov.u32 %r4, dynamic; mad.lo.u32 %r4, %slot, {stage}, %r4; add.u32 %r5, %r4, {tile_a}; shl.b32 %r6, %r1, 6;
  cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%r4], [%rd1, {{%r6, %m0}}], [%r2];
  cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%r5], [%rd2, {{%r6, %n0}}], [%r2];
  add.u32 %slot, %slot, 1; setp.eq.u32 %p5, %slot, {stages}; selp.u32 %slot, 0, %slot, %p5;
  xor.b32 %r7, %phase, 1; selp.u32 %phase, %r7, %phase, %p5;
  add.u32 %r1, %r1, 1; setp.lt.u32 %p5, %r1, {k // 64};
  @%p5 bra LOAD;
  ret;
CONSUMER:
  {zero}
  mov.u32 %phase, 0; mov.u32 %r1, 0;
MULTIPLY:
  mad.lo.u32 %r2, %slot, 8, %bar; add.u32 %r3, %r2, {8 * stages};
FULL:
  mbarrier.try_wait.parity.shared.b64 %p4, [%r2], %phase;
  @!%p4 bra FULL;
  mov.u32 %r4, dynamic; mad.lo.u32 %r4, %slot, {stage}, %r4; add.u32 %r5, %r4, {tile_a};
  shr.u32 %r4, %r4, 4; shr.u32 %r5, %r5, 4; cvt.u64.u32 %rd4, %r4; cvt.u64.u32 %rd5, %r5;
  or.b64 %rd4, %rd4, {1 << 62 | 64 << 32 | 1 << 16}; or.b64 %rd5, %rd5, {1 << 62 | 64 << 32 | 1 << 16};
  wgmma.fence.sync.aligned;
{step}
  wgmma.commit_group.sync.aligned;
  wgmma.wait_group.sync.aligned 0;
  @%p1 bra NOARRIVE;
  mbarrier.arrive.shared.b64 %rd6, [%r3];
NOARRIVE:
  add.u32 %slot, %slot, 1; setp.eq.u32 %p5, %slot, {stages}; selp.u32 %slot, 0, %slot, %p5;
  xor.b32 %r7, %phase, 1; selp.u32 %phase, %r7, %phase, %p5;
  add.u32 %r1, %r1, 1; setp.lt.u32 %p5, %r1, {k // 64};
  @%p5 bra MULTIPLY;
  shr.u32 %r8, %t, 5; shl.b32 %r8, %r8, 4; and.b32 %r9, %t, 31; shr.u32 %r10, %r9, 2; add.u32 %r8, %r8, %r10; add.u32 %r8, %r8, %m0;
  and.b32 %r9, %t, 3; mad.lo.u32 %r9, %r9, 2, %n0; mad.lo.u32 %r8, %r8, 128, %r9;
  mad.wide.u32 %rd8, %r8, 4, %rd3; add.u64 %rd9, %rd8, 4096;
{store}
  ret;
}}
"""
    return Kernel("wgmma", text, (128 // n, 2, 1), (160, 1, 1),
                  [{"map": "wg_a", "box": [64, 64], "swizzle": 128}, {"map": "wg_b", "box": [n, 64], "swizzle": 128}, buffer("wg_c")],
                  {"wg_a": a, "wg_b": b, "wg_c": np.zeros((128, 128), np.float32)}, {"wg_c": c}, shared=stages * stage,
                  tolerance=sum_bound(k))


def tensor_store():
    """One box of 16 rows of 64 halves through a tensor map."""
    import kernels
    words = np.arange(512, dtype=np.uint32) * np.uint32(0x01030307)
    want = np.zeros((40, 96), np.uint16)
    want[8:24, 16:80] = words.view(np.uint16).reshape(16, 64)
    return Kernel("tensor_store", kernels.tma_store("tensor_store", 2, (8, 16), 2048), (1, 1, 1), (128, 1, 1),
                  [{"map": "ts_out", "box": [16, 64], "swizzle": 0}], {"ts_out": np.zeros((40, 96), np.uint16)}, {"ts_out": want})


def all_kernels():
    return [block_sum(), transpose(), named_barriers(), histogram(), bulk_copy(), gemm(), wgmma(), tensor_store()]
