// Which part of a product a block computes.
#pragma once
#include "targets/cuda/tile/Matmul.h"

namespace adze::cuda {

/// Extents of a block's tile, and how many blocks share its k.
struct WorkShape {
  int64_t m, n, k, splitK, rasterGroup;
};

struct Work {
  Value batch, split, firstRow, firstColumn;
  Value tile;                ///< number of the tile and batch
  Value firstStep, endStep;  ///< tiles of k
};
Work findWork(Kit &kit, const WorkShape &shape, const MatmulProblem &problem);

}  // namespace adze::cuda
