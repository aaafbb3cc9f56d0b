// Questions about constants that patterns ask.
#pragma once
#include "dialects/Graph/Graph.h"

namespace adze {

/// The one value of a constant with equal elements (any shape), as a double;
/// nullopt for anything else and for integers that a double cannot hold.
std::optional<double> splatValue(mlir::Value v);

/// `x` broadcast with `v` surely keeps x's shape: v has no more dimensions and
/// each extent, aligned at the right, is 1 or x's static one.
bool broadcastsInto(mlir::Value v, mlir::Value x);

/// `v` as an ElementwiseOp of function `fn`; null if it is not.
graph::ElementwiseOp elementwise(mlir::Value v, graph::ElementwiseFn fn);

/// `type` says at least as much about extents as `other`.
bool atLeastAsStatic(mlir::Type type, mlir::Type other);

}  // namespace adze
