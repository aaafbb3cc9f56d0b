"""Whole kernels as test data: a list of launches over named buffers, run by the
emulator and a GPU alike. `tma` makes the copies through tensor maps."""

import json

import numpy as np

TMA_HEAD = """.version 8.4
.target sm_90a
.address_size 64
"""


def tma_load(name, rank, coordinates, bytes_, room):
    """Fills `room` bytes of shared memory with 0x5a, loads one box, copies all to
    `out`, and whether the box came at all."""
    coords = ", ".join(str(c) for c in reversed(coordinates))
    return f"""
.visible .entry {name}(.param .align 64 .b8 map[128], .param .u64 out) {{
  .reg .b32 %r<8>; .reg .b64 %rd<8>; .reg .pred %p, %q;
  .shared .align 1024 .b8 tile[{room}]; .shared .align 8 .b64 bar;
  mov.b64 %rd1, map; cvta.param.u64 %rd1, %rd1;
  ld.param.u64 %rd2, [out]; cvta.to.global.u64 %rd2, %rd2;
  mov.u32 %r1, %tid.x; mov.u32 %r2, tile; mov.u32 %r6, bar;
  mov.u32 %r3, %r1; mad.lo.u32 %r4, %r1, 4, %r2;
FILL:
  st.shared.u32 [%r4], 0x5a5a5a5a;
  add.u32 %r3, %r3, 128; add.u32 %r4, %r4, 512; setp.lt.u32 %p, %r3, {room // 4};
  @%p bra FILL;
  setp.ne.u32 %p, %r1, 0;
  @%p bra INIT;
  mbarrier.init.shared.b64 [%r6], 1;
  fence.mbarrier_init.release.cluster;
INIT:
  fence.proxy.async.shared::cta;
  bar.sync 0;
  @%p bra WAIT;
  mbarrier.arrive.expect_tx.shared.b64 %rd3, [%r6], {bytes_};
  cp.async.bulk.tensor.{rank}d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%r2], [%rd1, {{{coords}}}], [%r6];
WAIT:
  mov.u32 %r5, 0;
TRY:
  mbarrier.try_wait.parity.shared.b64 %q, [%r6], 0;
  add.u32 %r5, %r5, 1; setp.lt.u32 %p, %r5, 1000; not.pred %q, %q; and.pred %p, %p, %q;
  @%p bra TRY;
  mad.wide.u32 %rd2, %r1, 4, %rd2; mad.lo.u32 %r2, %r1, 4, %r2; mov.u32 %r3, %r1;
COPY:
  ld.shared.u32 %r4, [%r2]; st.global.u32 [%rd2], %r4;
  add.u32 %r3, %r3, 128; add.u32 %r2, %r2, 512; add.u64 %rd2, %rd2, 512; setp.lt.u32 %p, %r3, {room // 4};
  @%p bra COPY;
  selp.u32 %r4, 1, 0, %q; st.global.u32 [%rd2], %r4;
  ret;
}}
"""


def tma_store(name, rank, coordinates, bytes_):
    """Writes the thread's number times 3 to shared memory, stores one box."""
    coords = ", ".join(str(c) for c in reversed(coordinates))
    return f"""
.visible .entry {name}(.param .align 64 .b8 map[128]) {{
  .reg .b32 %r<8>; .reg .b64 %rd<8>; .reg .pred %p;
  .shared .align 1024 .b8 tile[{bytes_}];
  mov.b64 %rd1, map; cvta.param.u64 %rd1, %rd1;
  mov.u32 %r1, %tid.x; mov.u32 %r5, tile; mad.lo.u32 %r2, %r1, 4, %r5; mov.u32 %r3, %r1;
FILL:
  setp.ge.u32 %p, %r3, {bytes_ // 4};
  @%p bra DONE;
  mul.lo.u32 %r4, %r3, 0x01030307; st.shared.u32 [%r2], %r4;
  add.u32 %r3, %r3, 128; add.u32 %r2, %r2, 512;
  bra FILL;
DONE:
  fence.proxy.async.shared::cta;
  bar.sync 0;
  setp.ne.u32 %p, %r1, 0;
  @%p ret;
  cp.async.bulk.tensor.{rank}d.global.shared::cta.tile.bulk_group [%rd1, {{{coords}}}], [%r5];
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group 0;
  ret;
}}
"""


# name, dtype, shape, box, swizzle, coordinates (outermost first), store
TMA = [("plain", "float16", (40, 96), (16, 64), 0, (8, 16), False),
       ("swizzle128", "float16", (80, 96), (64, 64), 128, (5, 24), False),
       ("swizzle64", "float16", (80, 96), (64, 32), 64, (3, 8), False),
       ("swizzle32", "float16", (80, 96), (32, 16), 32, (0, 0), False),
       ("over_the_end", "float16", (50, 72), (64, 64), 128, (20, 40), False),
       ("before_the_begin", "float16", (50, 72), (64, 64), 128, (-6, -8), False),
       ("bytes", "int8", (70, 144), (64, 128), 128, (9, 32), False),
       ("words", "float32", (40, 36), (32, 32), 128, (2, 4), False),
       ("narrow_box", "float16", (40, 64), (32, 16), 128, (0, 16), False),
       ("narrow_box64", "float16", (40, 64), (32, 16), 64, (0, 16), False),
       ("line", "float32", (256,), (64,), 0, (100,), False),
       ("cube", "float16", (6, 10, 64), (4, 8, 32), 64, (3, 4, 16), False),
       ("four", "int8", (3, 4, 5, 64), (2, 3, 4, 32), 32, (2, -1, 2, 48), False),
       ("store_plain", "float16", (40, 96), (16, 64), 0, (8, 16), True),
       ("store_swizzle128", "float16", (80, 96), (64, 64), 128, (40, 56), True),
       ("store_swizzle32", "int8", (40, 64), (32, 32), 32, (20, 48), True),
       ("store_cube", "float16", (6, 10, 64), (4, 8, 32), 64, (4, 5, 48), True)]


def tma(folder, buffers, launches):
    rng = np.random.default_rng(3)
    text = TMA_HEAD
    for name, dtype, shape, box, swizzle, at, store in TMA:
        size = int(np.prod(box)) * np.dtype(dtype).itemsize
        room = max(512, size) * (8 if name.startswith("narrow") else 1)
        text += tma_store("tma_" + name, len(shape), at, size) if store else tma_load("tma_" + name, len(shape), at, size, room)
        count = int(np.prod(shape)) * np.dtype(dtype).itemsize
        raw = rng.integers(0, 100, count, dtype=np.uint8)
        buffers["tma_" + name] = raw.view(dtype).reshape(shape)
        arguments = [{"map": "tma_" + name, "box": list(box), "swizzle": swizzle}]
        if not store:
            buffers[f"tma_{name}_out"] = np.full(room + 512, 0xCD, np.uint8)
            arguments.append({"buffer": f"tma_{name}_out"})
        launches.append(dict(ptx="tma.ptx", entry="tma_" + name, grid=[1, 1, 1], block=[128, 1, 1], shared=0, arguments=arguments,
                             results=["tma_" + name if store else f"tma_{name}_out"], policy="exact"))
    (folder / "tma.ptx").write_text(text)


def build(folder, mlir=True):
    """Every whole kernel; those of MLIR where mlir-opt is there."""
    import mlirkernels
    import ptxkernels
    buffers, launches = {}, []
    for k in ptxkernels.all_kernels() + (mlirkernels.all_kernels() if mlir else []):
        (folder / (k.name + ".ptx")).write_text(k.text)
        buffers.update(k.buffers)
        launches.append(k.launch())
    tma(folder, buffers, launches)
    for name, array in buffers.items():
        np.save(folder / f"{name}.npy", array)
    (folder / "launches.json").write_text(json.dumps(launches, indent=1))
