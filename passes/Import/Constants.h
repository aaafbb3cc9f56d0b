// Making and reading constant attributes.
#pragma once
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Value.h"

#include <optional>

namespace adze::convert {

/// `value` wrapped to the width of the integer type.
mlir::IntegerAttr intAttrOf(mlir::Type element, int64_t value);
/// `value` rounded to `element`; null for types that are no numbers.
mlir::TypedAttr numberAttr(mlir::Type element, double value);
/// The value of a constant op; null if `v` is none.
mlir::ElementsAttr constantOf(mlir::Value v);
/// The elements of a constant float tensor; nullopt if it is none, or has more
/// than `limit` elements.
std::optional<llvm::SmallVector<double>> constantFloats(mlir::Value v, int64_t limit = 1 << 20);
/// The one element of a constant (rank 0 or one element), as a double.
std::optional<double> constantScalar(mlir::Value v);

}  // namespace adze::convert
