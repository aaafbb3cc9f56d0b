// Attention on Hopper (sm_90a), as Attention.h: a warpgroup loads tiles of keys and values through
// tensor maps, others multiply with wgmma. The products of one tile of keys run while the softmax
// of the next is computed, and warpgroups take turns at the tensor cores (Shah et al.,
// FlashAttention-3, 2024).
#pragma once
#include "targets/cuda/tile/Epilogue.h"
#include "targets/cuda/tile/Instructions.h"
#include "targets/cuda/tile/Softmax.h"

#include <array>
#include <optional>
#include <string>

namespace adze::cuda {

struct HopperAttentionKernel {
  Multiply multiply = Multiply::F16;  ///< F16 or BF16
  int64_t groups = 2;                 ///< warpgroups of 64 queries: 1 to 3
  int64_t blockN = 128;               ///< keys at once: a multiple of 16, at most 256
  int64_t stages = 2;
  bool takeTurns = true;
  int64_t blockM() const { return 64 * groups; }
};

/// Tensor maps (Ptx.h, kTensorMaps) are of rank 4: [image][head][row][depth], with any strides but
/// for the last. Query heads share key heads in order.
struct HopperAttentionProblem : ScoreRules {
  Extent images = Extent::of(1);
  int64_t heads = 1, keyHeads = 1;
  int64_t depth = 64, valueDepth = 64;
  Value q, k, v;
  Epilogue epilogue;  ///< gets image * heads + head as batch, query, column
};

int64_t threads(const HopperAttentionKernel &kernel);
int64_t sharedBytes(const HopperAttentionKernel &kernel, const HopperAttentionProblem &problem);
int64_t blockCount(const HopperAttentionKernel &kernel, int64_t batch, int64_t queries);
/// The boxes of the three maps, outermost first; swizzle of 128 bytes.
struct HopperAttentionBoxes {
  std::array<int64_t, 4> q, k, v;
};
HopperAttentionBoxes tensorBoxes(const HopperAttentionKernel &kernel);

std::optional<std::string> whyNot(const HopperAttentionKernel &kernel,
                                  const HopperAttentionProblem &problem);

void buildAttention(Kit &kit, const HopperAttentionKernel &kernel,
                    const HopperAttentionProblem &problem);

}  // namespace adze::cuda
