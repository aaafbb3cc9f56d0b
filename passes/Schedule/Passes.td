// Passes of the schedule phase.
#ifndef ADZE_PASSES_SCHEDULE
#define ADZE_PASSES_SCHEDULE

include "mlir/Pass/PassBase.td"

def ExpandWinograd : Pass<"adze-expand-winograd", "::mlir::func::FuncOp"> {
  let summary = "Give convolutions by Winograd's filtering their loops";
  let description = [{
    The one generic of the convolution (`adze.winograd`), the zeros before it
    and the elementwise ops after it become a parallel loop over blocks of
    tiles: inputs are copied with zeros around them and transformed, 36 matrix
    products follow, their results are transformed back and go through the
    epilogue. What a block needs stays in the second-level cache.

    ```mlir
    linalg.generic {adze.winograd} ins(%x, %u, ...) outs(%y)
    // becomes
    scf.parallel (%n, %row, %column) ... {
      linalg.copy                      // 6 rows of the input
      linalg.generic                   // 36 inputs, 36 results: B d B^T
      linalg.generic                   // products[k] * coefficients[k]
      linalg.generic                   // 36 inputs, 16 results: A m A^T
      linalg.generic                   // bias, activation, ...
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
  let statistics = [Statistic<"numExpanded", "expanded", "Convolutions given loops">];
}

def BlockRows : Pass<"adze-block-rows", "::mlir::func::FuncOp"> {
  let summary = "Run ops that pass rows on block of rows by block of rows";
  let description = [{
    Where a contraction's results are summed up again in the same kernel (queries
    times keys, softmax, times values), a parallel loop takes a block of rows through
    all the ops. What they pass on shrinks to the block's rows, which stay in the
    second-level cache; the whole is never in memory.

    ```mlir
    %s = memref.alloc() : memref<2x512x512xf32>
    linalg.generic ins(%q, %k) outs(%s) ...   // (h, m, n, d): contraction
    linalg.generic ins(%s) outs(%max) ...     // softmax
    linalg.generic ins(%s, %v) outs(%y) ...   // (h, m, d, n): contraction
    // becomes
    scf.parallel (%h, %m) = (0, 0) to (2, 512) step (1, 64) {
      %s = memref.alloc() : memref<1x64x512xf32>
      linalg.generic ins(%q[%h, %m] [1, 64], %k[%h]) outs(%s) ...
      linalg.generic ins(%s) outs(%max) ...
      linalg.generic ins(%s, %v[%h]) outs(%y[%h, %m] [1, 64]) ...
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
  let statistics = [Statistic<"numBlocked", "blocked", "Groups of ops that run by blocks of rows">];
}

def AssignSchedule : Pass<"adze-assign-schedule", "::mlir::func::FuncOp"> {
  let summary = "Choose loop order, vector dimension and register tile of each linalg op";
  let description = [{
    Generalizes named linalg ops and memref.copy, groups consecutive ops that
    run over one iteration space into units, and attaches to each unit's main
    op an `adze.schedule`: plain data, which a person may print, edit and feed
    to `adze-emit-nests`. Everything follows from the module's `adze.target`
    (see MachineModel.h); an op that has a schedule keeps it. Elementary
    functions after a sum whose lanes lie along it are marked `adze.apart` and
    begin a unit of their own.

    ```mlir
    linalg.matmul ins(%a, %b) outs(%c)
    // becomes
    linalg.generic {adze.schedule = {lanes = 16, loops = ["parallel d1 by 32",
        "d0 by 8", "d2 by 1"], tile = array<i64: 8, 2, 1>, vector = 1}} ...
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect"];
  let statistics = [
    Statistic<"numUnits", "units", "Units given a schedule">,
    Statistic<"numUnsupported", "unsupported", "Linalg ops left to the loop fallback">
  ];
}

def ApplyTuned : Pass<"adze-apply-tuned", "::mlir::func::FuncOp"> {
  let summary = "Put schedules that a search found in place of those decided";
  let description = [{
    The module's `adze.tuned` has them, by the kernel's key (a hash of the
    scheduled kernel, Candidates.h) and the unit's number in it. One that does not
    fit the unit is refused with a remark, and the decided one stays. Units that the
    target builds itself have text in place of a dictionary, which the target checks.

    ```mlir
    module attributes {adze.tuned = {"0123456789abcdef.0" = {loops = ["d0 by 4", "d1 by 16"],
                                     tile = array<i64: 4, 1>, vector = 1, lanes = 16}}}
    ```
  }];
  let statistics = [Statistic<"numTuned", "tuned", "Units given a schedule that was found">];
}

def EmitNests : Pass<"adze-emit-nests", "::mlir::func::FuncOp"> {
  let summary = "Turn scheduled units of linalg ops into vector loop nests";
  let description = [{
    Each unit becomes one nest: loops over tiles, accumulators in registers
    (`scf.for` iter_args), the epilogue on the registers, then the stores.
    Tails are masked where the target has masks, else they run with fewer
    lanes. A padded copy whose rows are whole is read through, not made. Linalg ops without an `adze.schedule` stay; `convert-linalg-to-loops`
    takes them, a remark says why, and the function counts them in
    `adze.fallback`.

    Distinct memref values with distinct roots (function arguments, allocs)
    are taken not to overlap.
  }];
  let dependentDialects = ["::adze::rt::RtDialect", "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
  let statistics = [
    Statistic<"numNests", "nests", "Loop nests emitted">,
    Statistic<"numFallback", "fallback", "Linalg ops left to the loop fallback">
  ];
}

def ExpandMath : Pass<"adze-expand-math"> {
  let summary = "Replace elementary functions of f32 by vector formulas";
  let description = [{
    Largest errors, in ulp, over the whole range, denormal inputs and results
    too: exp 1.1, log 1.1, log2 2, log1p 2.5, expm1 2.5, tanh 1.5, erf 2.5,
    erfc 2.6, rsqrt 1.5, pow 0.51; sin and cos 2.5 where |result| > 1e-3, else 2e-10
    absolute. test/passes/Schedule/math-errors.test measures them. f16 and bf16 go through f32. Other functions and f64 stay and become calls of libm.

    ```mlir
    %y = math.exp %x : vector<16xf32>
    // becomes a range reduction, a polynomial and two multiplications
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ExpandHalves : Pass<"adze-expand-halves", "::mlir::func::FuncOp"> {
  let summary = "Round to 16-bit floats once, by integer arithmetic";
  let description = [{
    From f64 and integers to f16, and from all to bf16: to nearest even,
    denormals too. f32 to f16 stays, which CPUs do right.

    ```mlir
    %y = arith.truncf %x : vector<8xf32> to vector<8xbf16>
    // becomes additions and shifts on vector<8xi32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def ForwardTeamValues : Pass<"adze-forward-team-values", "::mlir::func::FuncOp"> {
  let summary = "Let threads of a team keep what the first of them stores for all";
  let description = [{
    All threads of a team have the result of adze_rt.team_reduce, and compute from it
    as fast as one: a number of a row need not go through memory, nor need the memory
    be there. Runs after CSE, on what adze-emit-nests leaves.
    ```mlir
    scf.if %is_first { memref.store %sum, %m[%row] }
    adze_rt.team_barrier team 32
    %v = memref.load %m[%row]
    ```
    %sum takes the place of %v; if nothing else reads %m, the store and %m go.
  }];
  let statistics = [Statistic<"numForwarded", "forwarded", "loads replaced">];
}

def StateAlignment : Pass<"adze-state-alignment", "::mlir::func::FuncOp"> {
  let summary = "Say of vector loads and stores how their addresses are aligned";
  let description = [{
    A CPU does not care; a GPU splits a vector into elements unless it is known to
    lie at a multiple of its size. Follows indices down to constants and loop
    steps, and buffers to allocations and arguments of kernels, which are 64-byte
    aligned.
    ```mlir
    scf.for %i = %c0 to %n step %c4 {
      %v = vector.load %m[%i] : memref<?xf32>, vector<4xf32>
    ```
    becomes
    ```mlir
      %v = vector.load %m[%i] {alignment = 16 : i64} : memref<?xf32>, vector<4xf32>
    ```
  }];
}

#endif
