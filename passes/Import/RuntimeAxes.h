// Axes that a model computes at run time, handled as data: only extents of
// reshapes depend on them, no control flow.
#pragma once
#include "passes/Import/NodeBuilder.h"

namespace adze::convert {

/// tensor<rank x i1>: axis i is in `axes` (any integer tensor of rank 0 or 1,
/// negative ones from the end).
mlir::Value axisMask(NodeBuilder &nb, mlir::Value axes, int64_t rank);
/// The entries of `v` (tensor<rank x i64>) where `mask` holds, `count` of them.
mlir::Value maskedEntries(NodeBuilder &nb, mlir::Value v, mlir::Value mask, int64_t count);
/// x reduced over the axes where `mask` holds, all axes kept.
mlir::Value reduceMasked(NodeBuilder &nb, mlir::Value x, graph::ReduceKind kind, mlir::Value mask);
/// x as [before, n, behind] around one axis given as data.
mlir::Value aroundAxis(NodeBuilder &nb, mlir::Value x, mlir::Value axis);
/// x with extents of one at the places where `mask` (of the result's rank) holds.
mlir::Value unsqueezeMasked(NodeBuilder &nb, mlir::Value x, mlir::Value mask);

}  // namespace adze::convert
