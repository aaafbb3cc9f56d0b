// x^y of f32 in double precision.
#pragma once

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace adze::schedule {

/// x^y of f32 scalars or vectors: 2^(y log2 |x|), rounded once more than exactly, with
/// the sign and the special cases of C's pow.
mlir::Value buildPow(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x, mlir::Value y);

}  // namespace adze::schedule
