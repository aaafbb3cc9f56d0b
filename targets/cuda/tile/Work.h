// Which part of a product a block computes.
#pragma once
#include "targets/cuda/tile/Matmul.h"

namespace adze::cuda {

/// Extents of a block's tile, and how many blocks share its k.
struct WorkShape {
  int64_t m, n, k, splitK, rasterGroup;
};

/// A tile, or the part of its k from `firstStep` on; steps are tiles of k.
struct Work {
  Value batch, split, firstRow, firstColumn;
  Value firstStep, endStep;
  Value parts;    ///< how many there are of this tile, by as many blocks
  Value counter;  ///< of these blocks: each tile in parts has one
  Value slot;     ///< where the sums of this part go, in tiles
  std::function<Value(Kit &, Value part)> slotOf;  ///< where those of each part are
};
Work findWork(Kit &kit, const WorkShape &shape, const MatmulProblem &problem);

/// Stream-K: `blocks` blocks take equal shares of the steps of all tiles, one after the other.
/// Calls `body`, in a loop, with each tile that this block has a part of.
void forEachShare(Kit &kit, const WorkShape &shape, int64_t blocks, const MatmulProblem &problem,
                  mlir::function_ref<void(const Work &)> body);

}  // namespace adze::cuda
