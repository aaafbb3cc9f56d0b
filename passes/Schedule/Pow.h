// x^y of f32 in double precision.
#pragma once

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace adze::schedule {

/// Lanes for which buildPow is x^y: x positive and finite, or zero with a
/// positive y; y finite.
mlir::Value isPowWithin(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x, mlir::Value y);

/// 2^(y log2 x) of f32 vectors, rounded once more than exactly.
mlir::Value buildPow(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x, mlir::Value y);

}  // namespace adze::schedule
