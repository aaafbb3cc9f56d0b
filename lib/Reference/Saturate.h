// Conversions that clamp what does not fit.
#pragma once
#include "mlir/IR/Types.h"

namespace adze::reference {

/// `v` truncated towards zero and clamped to the range of `type`; NaN gives 0.
int64_t saturatedInt(mlir::Type type, double v);
/// `v` clamped to the finite values of `type`, infinities too; NaN stays.
double saturatedFloat(mlir::Type type, double v);

}  // namespace adze::reference
