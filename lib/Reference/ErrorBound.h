// How far a compiled result may be from the reference's: a running error bound,
// op by op, from the magnitudes that the reference computes.
#pragma once
#include "lib/Reference/Tensor.h"

#include "mlir/IR/Operation.h"

#include "llvm/ADT/DenseMap.h"

namespace adze::reference {

/// A value of a program, as the reference has it.
struct Known {
  mlir::Value value;
  Tensor tensor;
  double error = 0;  ///< bound of what compiled code may differ; 0: equal
  /// Of bools: 1 where compiled code may have the other. Empty: nowhere.
  std::vector<int64_t> unsure = {};
};

/// Largest finite magnitude; infinity when an element is not finite.
double magnitudeOf(const Tensor &t);

/// Result `out` of `op`, whose operands err as `ins` say; nullopt where no bound
/// is known (a jump close to an inexact operand).
std::optional<Known> follow(mlir::Operation *op, llvm::ArrayRef<Known> ins, mlir::Value result,
                            const Tensor &out);

/// The errors of a function's values, told of each as it is evaluated
/// (Options::observe). Inputs are exact. Keeps every tensor.
class ErrorBounds {
 public:
  void addInput(mlir::Value v, const Tensor &t) { known[v] = {v, t, 0}; }
  void observe(mlir::Value v, const Tensor &t);
  /// nullopt: no bound is known.
  std::optional<double> of(mlir::Value v) const;
  /// The first op that has no bound; null when all have.
  mlir::Operation *unbounded() const { return unbounded_; }

 private:
  llvm::DenseMap<mlir::Value, Known> known;
  mlir::Operation *unbounded_ = nullptr;
};

}  // namespace adze::reference
