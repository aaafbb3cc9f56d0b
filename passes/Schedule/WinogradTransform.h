// The transforms of a Winograd convolution as linalg ops.
#pragma once

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace adze::schedule {

enum class WinogradSide { Input, Output };

/// out[i, j] = (T in T^t)[i, j] at each point of [tiles, channels], T the input
/// or the output matrix; `ins` and `outs` are matrices of memrefs, row by row.
void emitTransform(mlir::OpBuilder &builder, mlir::Location loc, WinogradSide side,
                   mlir::ValueRange ins, mlir::ValueRange outs);

}  // namespace adze::schedule
