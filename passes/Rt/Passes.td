// From fused groups on tensors to functions that call the runtime: kernels,
// weights, memory, threads, LLVM. In pipeline order.
#ifndef ADZE_PASSES_RT
#define ADZE_PASSES_RT

include "mlir/Pass/PassBase.td"

def OutlineKernels : Pass<"adze-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Turn each adze.fusion into a kernel function in destination-passing style";
  let description = [{
    ```mlir
    %y = adze.fusion (%x) : (tensor<?x8xf32>) -> tensor<?x8xf32> { ... adze.yield %r ... }
    ```
    becomes
    ```mlir
    %d = tensor.dim %x, %c0
    %e = bufferization.alloc_tensor(%d) : tensor<?x8xf32>
    %y = call @kernel_0(%x, %e) {adze.kernel = 0 : i32}
    func.func private @kernel_0(%x, %out) { ...
      %s = bufferization.materialize_in_destination %r in %out
      return %s }
    ```
    so that the caller owns and plans every buffer. A result whose extents
    depend on data (nonzero, unique, nms) has no destination: the kernel
    returns memory of its own.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::mlir::bufferization::BufferizationDialect"];
  let statistics = [Statistic<"numKernels", "kernels", "kernel functions made">];
}

def OrderKernels : Pass<"adze-order-kernels", "::mlir::ModuleOp"> {
  let summary = "Run the entry's kernels in an order that needs less memory at once";
  let description = [{
    ```mlir
    %a = adze.fusion(%x)   // large
    %b = adze.fusion(%x)   // large
    %c = adze.fusion(%a)   // small
    %d = adze.fusion(%b)   // small
    ```
    becomes a, c, b, d, so that one large value is alive at a time. Next comes
    always what leaves least alive; where that does not lower the peak, all stays
    as it is. Extents that are free are taken for 256 each, and what follows from
    them is computed from that.
  }];
  let statistics = [Statistic<"numOrdered", "ordered", "entries whose kernels were moved">];
}

def ExternalizeConstants : Pass<"adze-externalize-constants", "::mlir::ModuleOp"> {
  let summary = "Move constants of more than 16 elements into the weights section";
  let description = [{
    ```mlir
    %w = adze.constant dense_resource<w> : tensor<64x64xf32>
    ```
    becomes
    ```mlir
    %w = adze_rt.constant 4096 size 16384 : tensor<64x64xf32>
    ```
    A constant that only changes its layout (`adze.relayout`) is written in it.
    Offsets are 64-byte aligned, equal contents are stored once, in order of
    first use. The bytes themselves go to the WeightPool of the pipeline.
  }];
  let dependentDialects = ["::adze::rt::RtDialect"];
  let statistics = [Statistic<"numBytes", "bytes", "bytes of weights">];
}

def FuseElementwise : Pass<"adze-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Merge chains of linalg.generic on tensors inside a kernel";
  let description = [{
    Upstream's patterns, with a rule of our own: a producer that reads its
    outs (an epilogue in place, an accumulator's finish) stays apart. Upstream
    would keep those outs in the merged op, where several iterations of the
    consumer read and write one element of them. Nothing is computed twice.
    Where matrix units make attention (`score_depth`), a contraction reads its factors as they
    are, or in another order.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def SinkReshapes : Pass<"adze-sink-reshapes", "::mlir::func::FuncOp"> {
  let summary = "Let elementwise ops and destinations take the shape that a contraction has";
  let description = [{
    A contraction may have more dimensions than its result (a transposed
    convolution writes [h, stride, w, stride]). What follows it in the kernel
    works on those, so that it stays in the contraction's loops:
    ```mlir
    %c = tensor.collapse_shape %y [[0, 1]] : tensor<4x2xf32> into tensor<8xf32>
    %r = linalg.generic {parallel} outs(%c : tensor<8xf32>) { relu }
    %s = bufferization.materialize_in_destination %r in %out
    ```
    becomes
    ```mlir
    %r = linalg.generic {parallel} outs(%y : tensor<4x2xf32>) { relu }
    %o = tensor.expand_shape %out [[0, 1]] output_shape [4, 2]
    %t = bufferization.materialize_in_destination %r in %o
    %s = tensor.collapse_shape %t [[0, 1]]
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def ShareDestinations : Pass<"adze-share-destinations", "::mlir::ModuleOp"> {
  let summary = "Let kernels without loops compute straight into their destinations";
  let description = [{
    Upstream's empty tensor elimination, on functions without scf loops: a
    destination that a loop carries through slices makes one-shot
    bufferization fail with a conflict it cannot copy away. A filled tensor that
    several ops write over is filled for each of them before:
    ```mlir
    %0 = linalg.fill ins(%zero) outs(%empty)
    %1 = linalg.generic ... outs(%0)
    %2 = linalg.generic ... outs(%0)
    ```
    becomes two fills, where bufferization would have copied the one.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def DropDestinationResults : Pass<"adze-drop-destination-results", "::mlir::ModuleOp"> {
  let summary = "Let kernels return nothing that is one of their own arguments";
  let description = [{
    After bufferization a kernel in destination-passing style returns the
    destination it was given:
    ```mlir
    %y = call @kernel_0(%x, %out)   // kernel_0 returns its argument 1
    ```
    becomes `call @kernel_0(%x, %out)` with %out in place of %y. Attributes of
    the call stay (upstream's pass drops them).
  }];
}

def ResolveExtents : Pass<"adze-resolve-extents", "::mlir::func::FuncOp"> {
  let summary = "Let extents of reshaped views be those that the views are made from";
  let description = [{
    ```mlir
    %v = memref.collapse_shape %a [[0, 1]] : memref<?x8xf32> into memref<?xf32>
    %d = memref.dim %v, %c0
    ```
    becomes `%d = %n * 8` with the extent %n of %a, so that sizes that follow from
    it can be known before %a is made.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

def ReuseOperands : Pass<"adze-reuse-operands", "::mlir::ModuleOp"> {
  let summary = "Let kernels write over an operand that dies with them";
  let description = [{
    ```mlir
    %b = memref.alloc() : memref<64xf32>
    call @relu(%a, %b) {adze.kernel = 1 : i32}   // the last use of %a
    memref.dealloc %a
    ```
    becomes `call @relu(%a, %a)` with %a in place of %b from there on. The
    kernel's linalg ops must prove it: all of them run over the destination's
    space, operand and destination are accessed at the loops' own position, the
    others that are written at one part of it each, and no op reads the operand
    after one has written the destination. Elementwise chains and softmax do so;
    a convolution, a matmul or a transpose does not.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
  let statistics = [Statistic<"numReused", "reused", "operands written over">];
}

def PlanMemory : Pass<"adze-plan-memory", "::mlir::ModuleOp"> {
  let summary = "Place the entry function's buffers in one arena";
  let description = [{
    Every memref.alloc in the entry block of the entry function (attribute
    adze.entry) with one unconditional dealloc there, or none (a result),
    becomes a view of the arena. With static sizes the offsets are found here;
    sizes that follow from the inputs' extents are computed first and placed
    by adze_rt.plan at run time; others stay calls to the allocator.
    ```mlir
    %a = memref.alloc() : memref<4x4xf32>  ...  memref.dealloc %a
    ```
    becomes
    ```mlir
    %arena = adze_rt.slab %bytes : memref<?xi8>
    %a = memref.view %arena[%c0][] : memref<?xi8> to memref<4x4xf32>
    ```
    The plan is recorded in the module attribute adze.memory_plan.
  }];
  let dependentDialects = ["::adze::rt::RtDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::arith::ArithDialect"];
  let statistics = [Statistic<"numPlanned", "planned", "buffers placed in the arena">,
                    Statistic<"numDynamic", "dynamic", "buffers left to the allocator">];
}

def FormLaunches : Pass<"adze-form-launches", "::mlir::ModuleOp"> {
  let summary = "Turn calls of kernels into adze_rt.launch, numbered in program order";
  let description = [{
    Each launch carries its number in the artifact's kernel table, which the
    module attribute adze.kernels lists: {function, reason, nodes}.
  }];
  let dependentDialects = ["::adze::rt::RtDialect"];
}

def CountWork : Pass<"adze-count-work", "::mlir::ModuleOp"> {
  let summary = "Say what a launch of each kernel does: operations, bytes read and written";
  let description = [{
    Counted from the kernel's linalg ops (points of the iteration space times
    the scalar operations of the body: a multiplication and an addition are
    two), as postfix over the dynamic extents e0, e1, ... of its arguments
    (lib/Artifact/Count.h). Bytes are the least that must move: each element of
    an argument that is touched counts once, what the kernel keeps to itself not
    at all. "" where the data decides.

    ```mlir
    func.func private @kernel_0(%a: memref<?x64xf32>, %b: memref<64x8xf32>, %c: memref<?x8xf32>)
    // gets, of a matmul,
      attributes {adze.work = {flops = "e1 1024 *", read = "e0 256 * 2048 +", written = "e1 32 *"}}
    ```
  }];
}

def OutlineParallel : Pass<"adze-outline-parallel", "::mlir::ModuleOp"> {
  let summary = "Turn outermost scf.parallel loops into adze_rt.parallel_for";
  let description = [{
    The loop's iterations are numbered row-major; the body becomes a function
    of (begin, end, captures). Attribute adze.grain (i64) on the loop is the
    least number of iterations worth a task.
  }];
  let dependentDialects = ["::adze::rt::RtDialect", "::mlir::func::FuncDialect",
                           "::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect"];
}

def CopyToLinalg : Pass<"adze-copy-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "Turn memref.copy between strided buffers into linalg.generic";
  let description = [{
    Contiguous copies stay (they become memcpy); the others are scheduled like
    any elementwise kernel instead of calling a library.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def ExpandShapeToCast : Pass<"adze-expand-shape-to-cast", "::mlir::func::FuncOp"> {
  let summary = "Turn memref.expand_shape of contiguous buffers into reinterpret_cast";
  let description = [{
    Upstream's expand-strided-metadata (22.1) crashes on a group with two
    dynamic extents; the result's strides follow from its extents anyway.
    ```mlir
    %1 = memref.expand_shape %0 [[0, 1]] output_shape [%a, %b] : memref<?xf32> into memref<?x?xf32>
    ```
    becomes
    ```mlir
    %1 = memref.reinterpret_cast %0 to offset: [0], sizes: [%a, %b], strides: [%b, 1] : ...
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

def LowerRt : Pass<"adze-lower-rt", "::mlir::ModuleOp"> {
  let summary = "Lower adze_rt, allocation and the entry to calls through the request's context";
  let description = [{
    Runs on control-flow graphs (no scf). Every function gets the context
    pointer as its first argument; adze_rt ops, memref.alloc and memref.dealloc
    become loads of function pointers from it (lib/Runtime/HostAbi.h) and
    calls. The entry function becomes `i32 adze_entry(ctx, inputs, outputs)` over
    pointers to memref descriptors: it reads its arguments and writes its results
    there.
    Upstream's conversions to LLVM follow.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::cf::ControlFlowDialect"];
}

#endif
