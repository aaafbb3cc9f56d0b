// How far a compiled result may be from the reference's: a running error bound,
// op by op, from the magnitudes that the reference computes.
#pragma once
#include "lib/Reference/Tensor.h"

#include "mlir/IR/Operation.h"

namespace adze::differential {

/// A value of a program, as the reference has it.
struct Known {
  mlir::Value value;
  reference::Tensor tensor;
  double error = 0;  ///< bound of what compiled code may differ; 0: equal
};

/// Largest finite magnitude; infinity when an element is not finite.
double magnitudeOf(const reference::Tensor &t);

/// The error of result `out` of `op`, whose operands err as `ins` say; nullopt
/// where no bound is known (a jump at an inexact operand).
std::optional<double> errorOf(mlir::Operation *op, llvm::ArrayRef<Known> ins,
                              const reference::Tensor &out);

}  // namespace adze::differential
