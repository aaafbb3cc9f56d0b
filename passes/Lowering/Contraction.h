// What anchors share.
#pragma once
#include "passes/Lowering/Emitter.h"

namespace adze::lowering {

/// The type products are summed in: f32 for half precision, else the element's
/// own unless the op gives one.
mlir::Type accumulatorType(mlir::Type element, std::optional<mlir::Type> given = std::nullopt);

/// out[outMap] += a[aMap] * w[wMap] from zeros of `extents`. a and w hold the
/// elements of the op's operands 0 and 1.
mlir::Value contract(Emitter &e, mlir::Value a, mlir::AffineMap aMap, mlir::Value w,
                     mlir::AffineMap wMap, llvm::ArrayRef<Fold> extents, mlir::AffineMap outMap,
                     llvm::ArrayRef<mlir::utils::IteratorType> iterators, mlir::Type accumulator);

/// The convolution without its bias, from zeros; its weights are Winograd
/// coefficients.
mlir::Value contractWinograd(Emitter &e, graph::ConvOp op, llvm::ArrayRef<Fold> extents);

/// Adds the bias, if any, and rounds to the result's element type; in place
/// where no rounding is needed.
mlir::Value finishContraction(Emitter &e, mlir::Value acc, mlir::Type element, unsigned biasOperand,
                              std::optional<mlir::AffineMap> biasMap);

}  // namespace adze::lowering
