#!/usr/bin/env python3
"""planted.py ADZE FOLDER: breaks the kernels of ptxkernels.py one way after the
other and expects the emulator to name each fault. The kernels as they are must
be right and free of findings with 20 orders of their warps."""

import json
import pathlib
import subprocess
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import opcodes
import ptxkernels

# kernel, what is wrong, the text (which occurrence, from 0), its replacement, the finding
PLANTED = [
    ("block_sum", "barrier removed", ("  bar.sync 0;", 0), "", "race"),
    ("block_sum", "a lane's value is taken that has left", ("0xff; add.u32 %r4, %r4, %r5;\n  setp.ne", 0), "0xff; add.u32 %r4, %r4, %r5; shfl.sync.idx.b32 %r5, %r4, 20, 31, 0xff;\n  setp.ne", "inactive-lane"),
    ("block_sum", "global access one element too far", ("[%rd3];", 0), "[%rd3+16];", "out-of-bounds"),
    ("block_sum", "misaligned vector", ("[%rd3];", 0), "[%rd3+4];", "misaligned"),
    ("block_sum", "shared store one word too far", ("st.shared.u32 [%r10], %r4;", 0), "st.shared.u32 [%r10+4], %r4;", "out-of-bounds"),
    ("block_sum", "part of shared memory never written", ("setp.ne.u32 %p1, %r8, 0;", 0), "setp.ne.u32 %p1, %r8, 0; setp.gt.u32 %p2, %r1, 223; or.pred %p1, %p1, %p2;", "uninitialised-read"),
    ("block_sum", "barrier in a branch", ("  @%p1 bra SYNC;", 0), "  @%p1 bra OTHER;\n  bar.sync 0;\nOTHER:\n  @%p1 bra SYNC;", "divergent-barrier"),
    ("block_sum", "shuffle in a branch", ("  setp.ne.u32 %p3, %r1, 0;", 0), "  setp.lt.u32 %p3, %r1, 4;\n  @!%p3 bra OUT;\n  shfl.sync.bfly.b32 %r5, %r4, 1, 31, 0xff;\n  bra OUT;\nOUT:\n  setp.ne.u32 %p3, %r1, 0;", "deadlock"),
    ("block_sum", "member mask without the lane itself", ("1, 31, 0xff;", 0), "1, 31, 0xf;", "invalid-operand"),
    ("block_sum", "writes to read-only memory", ("[%rd4], %r4;", 0), "[%rd4], %r4;\n  mov.u64 %rd5, table; st.global.u32 [%rd5], %r4;", "read-only-write"),
    ("block_sum", "endless loop", ("  setp.gt.u32 %p2, %r1, 7;", 0), "AGAIN:\n  setp.gt.u32 %p2, %r1, 7;\n  bra AGAIN;", "livelock"),
    ("block_sum", "trap reached", ("  @%p3 ret;", 0), "  @%p3 trap;", "trap"),
    ("transpose", "barrier removed", ("  bar.sync 0;", 0), "", "race"),
    ("transpose", "layout with bank conflicts", ("132", None), "128", "bank-conflict"),
    ("transpose", "reads a column too many", ("mad.lo.u32 %r10, %r7, 4, %r10;\n  ld.shared", 0), "mad.lo.u32 %r10, %r7, 4, %r10;\n  add.u32 %r10, %r10, 4;\n  ld.shared", "uninitialised-read"),
    ("transpose", "wrong pitch of the result", ("%r8, 64, %r6", 0), "%r8, 96, %r6", "out-of-bounds"),
    ("transpose", "lanes of a warp exchange without synchronisation", ("  bar.sync 0;", 0), "  bar.sync 0;\n  st.shared.u32 [%r10], %r9; xor.b32 %r11, %r10, 4; ld.shared.u32 %r9, [%r11]; bar.sync 0;", "lane-race"),
    ("named_barriers", "consumer does not wait", ("  bar.sync %r9, 64;\n  ld.shared", 0), "  bar.arrive %r9, 64;\n  ld.shared", "race"),
    ("named_barriers", "producer does not wait", ("  bar.sync %r9, 64;\nFREE", 0), "FREE", "deadlock"),
    ("named_barriers", "wrong barrier", ("  add.u32 %r9, %r5, 1;\n  bar.arrive", 0), "  add.u32 %r9, %r5, 5;\n  bar.arrive", "deadlock"),
    ("named_barriers", "threads that never come", ("bar.arrive %r9, 64;\n  add.u32 %r4", 0), "bar.arrive %r9, 96;\n  add.u32 %r4", "invalid-operand"),
    ("named_barriers", "a number of threads of no whole warps", ("bar.arrive %r9, 64;\n  add.u32 %r4", 0), "bar.arrive %r9, 60;\n  add.u32 %r4", "invalid-operand"),
    ("histogram", "plain addition for an atomic one", ("red.shared.add.u32 [%r6], 1;", 0), "ld.shared.u32 %r8, [%r6]; add.u32 %r8, %r8, 1; st.shared.u32 [%r6], %r8;", "race"),
    ("histogram", "counters not cleared", ("  st.shared.u32 [%r4], 0;", 0), "", "uninitialised-read"),
    ("histogram", "barrier before the sum removed", ("  bar.sync 0;", 1), "", "race"),
    ("bulk_copy", "announces too few bytes", ("[%r3], 2048;\n  cp", 0), "[%r3], 2032;\n  cp", "mbarrier-bytes"),
    ("bulk_copy", "announces too many bytes", ("[%r9], 2048;\n  cp", 0), "[%r9], 2064;\n  cp", "mbarrier-bytes"),
    ("bulk_copy", "waits for the wrong phase", ("and.b32 %r6, %r6, 1;", 0), "and.b32 %r6, %r6, 1; xor.b32 %r6, %r6, 1;", "copy-in-flight"),
    ("bulk_copy", "takes a try_wait that gave up for done", ("  @!%p3 bra TRY;", 0), "", "race"),
    ("bulk_copy", "no wait at all", ("  mbarrier.try_wait.parity.shared.b64 %p3, [%r9], %r6;\n  @!%p3 bra TRY;", 0), "", "copy-in-flight"),
    ("bulk_copy", "fence of the proxy removed", ("  fence.proxy.async.shared::cta;\n", 0), "", "missing-proxy-fence"),
    ("bulk_copy", "shared memory reused too early", ("bulk.wait_group 0", 0), "bulk.wait_group 1", "copy-in-flight"),
    ("bulk_copy", "store never waited for", ("  cp.async.bulk.commit_group;\n  cp.async.bulk.wait_group 0;\n", 0), "", "unfinished-copy"),
    ("bulk_copy", "load of an odd size", ("[%r10], [%rd4], 2048", 0), "[%r10], [%rd4], 2044", "misaligned"),
    ("bulk_copy", "mbarrier not initialised", ("mbarrier.init.shared.b64 [%r3+8], 1;", 0), "", "mbarrier-uninitialised"),
    ("bulk_copy", "mbarrier overwritten", ("  fence.mbarrier_init", 0), "  st.shared.u32 [%r3], 0;\n  fence.mbarrier_init", "mbarrier-access"),
    ("bulk_copy", "arrives twice", ("[%r3], 2048;\n  cp", 0), "[%r3], 2048;\n  mbarrier.arrive.shared.b64 %rd3, [%r3];\n  mbarrier.arrive.shared.b64 %rd3, [%r3];\n  cp", "mbarrier-arrivals"),
    ("bulk_copy", "the last store's barrier removed", ("  bar.sync 0;\n  add.u32 %r4", 0), "  add.u32 %r4", "race"),
    ("tensor_store", "begins before the tensor", ("{16, 8}", 0), "{16, -3}", "invalid-operand"),
    ("tensor_store", "fence of the proxy removed", ("  fence.proxy.async.shared::cta;\n", 0), "", "missing-proxy-fence"),
    ("gemm", "barrier removed", ("  bar.sync 0;", 0), "", "race"),
    ("gemm", "wait one short", ("cp.async.wait_group 1", 0), "cp.async.wait_group 2", "copy-in-flight"),
    ("gemm", "commit removed", ("  cp.async.commit_group;", 0), "", "copy-in-flight"),
    ("gemm", "loads into the slot that is read", ("mov.u32 %r3, 2;", 0), "mov.u32 %r3, 0;", "copy-in-flight"),
    ("gemm", "reads a tile that is not loaded", ("add.u32 %r2, %r2, 1; setp.eq", 0), "add.u32 %r2, %r2, 2; setp.eq", "copy-in-flight"),
    ("gemm", "A not swizzled on reading", ("xor.b32 %r8, %r8, %r9; mad.lo.u32 %r10, %r7, 64", None), "mad.lo.u32 %r10, %r7, 64", "bank-conflict"),
    ("gemm", "copy of the wrong size", ("[%rd4], 16;", 0), "[%rd4], 16, 24;", "invalid-operand"),
    ("gemm", "mma by half a warp", ("mma.sync", 0), "setp.lt.u32 %p2, %lane, 16;\n  @%p2 mma.sync", "divergent-collective"),
    ("wgmma", "consumer's wait in the wrong phase", ("mov.u32 %phase, 0;", 0), "mov.u32 %phase, 1;", "copy-in-flight"),
    ("wgmma", "producer's wait in the wrong phase", ("mov.u32 %phase, 1;", 0), "mov.u32 %phase, 0;", "deadlock"),
    ("wgmma", "producer does not wait", ("  mbarrier.try_wait.parity.shared.b64 %p4, [%r3], %phase;\n  @!%p4 bra EMPTY;", 0), "", "copy-in-flight"),
    ("wgmma", "announces too many bytes", (", 16384;", 0), ", 16400;", "mbarrier-bytes"),
    ("wgmma", "no consumer says that it is done", ("  mbarrier.arrive.shared.b64 %rd6, [%r3];", 0), "", "deadlock"),
    ("wgmma", "everybody says that it is done", ("  @%p1 bra NOARRIVE;\n", 0), "", "deadlock"),
    ("wgmma", "tile released before it is used", ("  wgmma.wait_group.sync.aligned 0;\n  @%p1 bra NOARRIVE;\n  mbarrier.arrive.shared.b64 %rd6, [%r3];\nNOARRIVE:", 0),
     "  @%p1 bra NOARRIVE;\n  mbarrier.arrive.shared.b64 %rd6, [%r3];\nNOARRIVE:\n  wgmma.wait_group.sync.aligned 0;", "copy-in-flight"),
    ("wgmma", "results used before they are there", ("  wgmma.wait_group.sync.aligned 0;", 0), "  add.f32 %d0, %d0, %d1;\n  wgmma.wait_group.sync.aligned 0;", "wgmma-registers"),
    ("wgmma", "results never waited for", ("  wgmma.wait_group.sync.aligned 0;", 0), "", "wgmma-registers"),
    ("wgmma", "fence removed", ("  wgmma.fence.sync.aligned;", 0), "", "wgmma-fence"),
    ("wgmma", "warps with different descriptors", ("  wgmma.fence.sync.aligned;", 0), "  shr.u32 %r10, %t, 5; cvt.u64.u32 %rd10, %r10; shl.b64 %rd10, %rd10, 6; add.u64 %rd5, %rd5, %rd10;\n  wgmma.fence.sync.aligned;", "warpgroup"),
    ("wgmma", "descriptor out of shared memory", ("shr.u32 %r4, %r4, 4;", 0), "shr.u32 %r4, %r4, 4; or.b32 %r4, %r4, 0x3800;", "out-of-bounds"),
    ("wgmma", "registers of no multiple of 8", ("CONSUMER:", 0), "CONSUMER:\n  setmaxnreg.inc.sync.aligned.u32 229;", "invalid-operand"),
    ("wgmma", "box off a multiple of 16 bytes", ("shl.b32 %r6, %r1, 6;", 0), "shl.b32 %r6, %r1, 6; add.u32 %r6, %r6, 4;", "misaligned"),
]
TABLE = ".const .align 4 .b32 table[4] = {1, 2, 3, 4};\n"


def planted(text, what, replacement):
    old, which = what
    if which is None:
        assert old in text, old
        return text.replace(old, replacement)
    at = -1
    for _ in range(which + 1):
        at = text.index(old, at + 1)
    return text[:at] + replacement + text[at + len(old):]


def run(adze, folder, kernel, text, seeds):
    (folder / f"{kernel.name}.ptx").write_text(text)
    launch = kernel.launch()
    command = [adze, "emulate", str(folder / launch["ptx"]), "--entry", launch["entry"], "--json", "--seeds", str(seeds),
               "--max-instructions", "2000000", "--shared", str(launch["shared"]),
               *[f"--{k}={','.join(map(str, launch[k]))}" for k in ("grid", "block")], *opcodes.launch_arguments(folder, launch)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 4):
        sys.exit(f"{kernel.name}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)["launches"][0]["findings"]


def main():
    adze, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    kernels = {k.name: k for k in ptxkernels.all_kernels()}
    failed = 0
    for k in kernels.values():
        for name, array in k.buffers.items():
            np.save(folder / f"{name}.npy", array)
        findings = run(adze, folder, k, k.text, 20)
        error = max(np.abs(np.load(folder / f"emulator-{n}.npy").astype(np.float64) - want).max() for n, want in k.results.items())
        good = not findings and error <= k.tolerance
        failed += not good
        print(f"{'ok' if good else 'FAILED'}: {k.name}: error {error:.3g}, findings {[f['kind'] for f in findings]}")
    count = 0
    for name, fault, what, replacement, finding in PLANTED:
        k = kernels[name]
        text = planted(k.text, what, replacement)
        if "table" in replacement:
            text = text.replace(".visible", TABLE + ".visible", 1)
        found = [f["kind"] for f in run(adze, folder, k, text, 5)]
        good = finding in found
        count += 1
        failed += not good
        print(f"{'ok' if good else 'FAILED'}: {name}: {fault}: {finding} in {found}")
    print(f"{count} planted faults, {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
