// Which buffers of a function that launches GPU kernels stay in host memory.
#pragma once
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace adze::cuda {

/// True for memory that host code fills and asks itself: what decides, where
/// buffers may be the same, which of them a function has to free.
bool isHostBuffer(mlir::Value buffer);

/// Parts of the arena that host code keeps for itself move out of it.
void moveHostBuffersOutOfArena(mlir::Operation *function);

}  // namespace adze::cuda
