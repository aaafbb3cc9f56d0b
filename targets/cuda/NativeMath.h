// math ops that are PTX instructions.
#pragma once
#include "mlir/IR/Operation.h"

namespace adze::cuda {

/// Replaces the math ops (and arith's maxnumf, minnumf) of `root` that are one or two PTX
/// instructions by LLVM intrinsics and inline PTX; null, or the first op that is none.
mlir::Operation *lowerNativeMath(mlir::Operation *root);

}  // namespace adze::cuda
