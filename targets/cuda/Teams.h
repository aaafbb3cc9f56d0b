// Teams of threads (adze_rt.team_reduce, team_barrier) as shuffles and barriers.
#pragma once
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace adze::cuda {

/// Threads of a warp: a team as large is one, a larger one a block.
constexpr int64_t kWarp = 32;

/// Replaces the team ops of `kernel`, which gets shared memory where a team has
/// several warps, and where it allocates some.
void lowerTeams(mlir::gpu::GPUFuncOp kernel);

}  // namespace adze::cuda
