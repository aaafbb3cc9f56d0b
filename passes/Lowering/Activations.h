// The activation functions of recurrent cells.
#pragma once
#include "passes/Lowering/Emitter.h"

namespace adze::lowering {

struct Activation {
  llvm::StringRef name;
  double alpha = 0, beta = 0;
};

/// The activations of all directions, in order. Those that take a parameter use
/// up the op's lists of parameters in order.
llvm::SmallVector<Activation> activationsOf(graph::RecurrentOp op);

/// The activation of a float scalar; null if its name is unknown.
mlir::Value emitActivation(mlir::OpBuilder &b, mlir::Location loc, const Activation &a,
                           mlir::Value x);

}  // namespace adze::lowering
