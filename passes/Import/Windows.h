// Attributes that all windowed operators share.
#pragma once
#include "passes/Import/NodeBuilder.h"

namespace adze::convert {

/// Window of s spatial axes; pads has 2s entries, begins first.
struct Windows {
  Ints kernel, strides, dilations, pads;
};

/// Reads strides, dilations, pads and auto_pad of the node, whose data operand
/// is x ([N, C, spatial...]). Where SAME padding depends on an extent that is
/// dynamic, x is padded by an op with `padValue` and pads are zero; a null
/// padValue makes that case unsupported. nullopt after a recorded failure.
std::optional<Windows> readWindows(NodeBuilder &nb, mlir::Value &x, Ints kernel,
                                   mlir::Value padValue);
/// Extents of the kernel: the weight's ([O, C, spatial...]), with which an
/// attribute must agree.
std::optional<Ints> kernelShape(NodeBuilder &nb, mlir::Value weight);

/// Conv's core with the node's own attributes; bias may be null.
mlir::Value buildConv(NodeBuilder &nb, mlir::Value x, mlir::Value w, mlir::Value bias,
                      mlir::Value padValue, mlir::Type accumulator = {});

}  // namespace adze::convert
