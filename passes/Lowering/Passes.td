#ifndef ADZE_PASSES_LOWERING
#define ADZE_PASSES_LOWERING

include "mlir/Pass/PassBase.td"

def AdzeToLinalg : Pass<"adze-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Lowers every adze op to linalg on tensors, with tensor, scf, arith and math";
  let description = [{
    The one lowering of the op set. Afterwards no adze op is left, bool tensors
    are i8 tensors of 0 and 1 (function signatures too), unsigned and narrower
    integers are signless and at least 8 bits wide, and shape arithmetic on
    small integer tensors is scalar code on `tensor.dim` of the inputs.

    Before:
    ```mlir
    %0 = adze.elementwise add(%a, %b) : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
    ```
    After:
    ```mlir
    %e = tensor.empty(%d) : tensor<?x8xf32>
    %0 = linalg.generic {indexing_maps = [(d0, d1) -> (d0, d1), (d0, d1) -> (d1),
                                          (d0, d1) -> (d0, d1)], ...}
           ins(%a, %b) outs(%e) { arith.addf }
    ```
    What holds only at run time (an index in range, extents that match) is
    asserted with `adze_rt.check`; the code stays inside its buffers either way.
  }];
  let statistics = [
    Statistic<"numOps", "ops-lowered", "adze ops lowered">,
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
    "::adze::rt::RtDialect"];
}

#endif
