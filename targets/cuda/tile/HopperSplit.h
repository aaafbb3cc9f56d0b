// Products of f32 on Hopper (sm_90a) as three of tf32, with wgmma. Factors are addressed as
// Matmul.h's: a warpgroup copies tiles and splits one factor, which wgmma reads from shared memory,
// into big and small parts; others read the other factor into registers, split it there, and
// multiply.
#pragma once
#include "targets/cuda/tile/Matmul.h"

namespace adze::cuda {

/// One factor, contiguous along k, is read from shared memory; the other one from registers: B if
/// it is not along k, else A. A warpgroup has 64 rows of the latter.
struct HopperSplitKernel {
  int64_t blockM = 128,
          blockN = 128;  ///< of the factor in registers 64, 128 or 192; of the other 8 to 128
  int64_t stages = 3;
  int64_t splitK = 1;  ///< blocks that share k, each with sums of its own
                       ///< (as MatmulKernel::splitsApart)
  int64_t rasterGroup = 8;
  static constexpr int64_t kBlockK = 32;
};

int64_t threads(const HopperSplitKernel &kernel, const MatmulProblem &problem);
int64_t sharedBytes(const HopperSplitKernel &kernel, const MatmulProblem &problem);
int64_t blockCount(const HopperSplitKernel &kernel, int64_t batch, int64_t m, int64_t n);
std::optional<std::string> whyNot(const HopperSplitKernel &kernel, const MatmulProblem &problem);
void buildMatmul(Kit &kit, const HopperSplitKernel &kernel, const MatmulProblem &problem);

}  // namespace adze::cuda
