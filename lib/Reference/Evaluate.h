// The reference evaluator of the adze dialect: the oracle that every lowering
// is compared with, and the folder of constants. Slow, exact, readable.
//
// Numerics. Floats of every format are computed in double, sums as well, and
// rounded once when they are stored; integers are exact and wrap. A result is
// thus the correctly rounded one, or within an ulp of it for functions that the
// C library does not round correctly.
#pragma once
#include "lib/Reference/Tensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <functional>
#include <string>

namespace adze::reference {

using Tensors = llvm::SmallVector<Tensor>;

struct Options {
  int64_t maxBytes = int64_t(1) << 34;       ///< of one tensor; above is an error
  int64_t maxIterations = int64_t(1) << 24;  ///< of one loop; above is an error
  /// Called with every value that a function computes, in order.
  std::function<void(mlir::Value, const Tensor &)> observe;
};

/// True when the reference can evaluate ops of this name ("adze.conv").
bool hasEvaluator(llvm::StringRef opName);

/// Evaluates one op. Values that its regions capture must be constants. On
/// failure (a shape that does not fit, an index out of range, an integer
/// division by zero, not enough memory) `message`, when given, says why.
mlir::FailureOr<Tensors> evaluate(mlir::Operation *op, llvm::ArrayRef<Tensor> inputs,
                                  std::string *message = nullptr, const Options &options = {});

/// Evaluates a function of adze ops: one tensor an argument, one a result.
/// `message` also names the op that failed.
mlir::FailureOr<Tensors> evaluateFunction(mlir::func::FuncOp function,
                                          llvm::ArrayRef<Tensor> inputs,
                                          std::string *message = nullptr,
                                          const Options &options = {});

/// Evaluates the module's entry: the function "main", else its only public one.
mlir::FailureOr<Tensors> runModule(mlir::ModuleOp module, llvm::ArrayRef<Tensor> inputs,
                                   std::string *message = nullptr, const Options &options = {});

}  // namespace adze::reference
