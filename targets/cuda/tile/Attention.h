// Attention in one pass over the keys: softmax(scale Q K^T + …) V. Scores never leave registers.
#pragma once
#include "targets/cuda/tile/Epilogue.h"
#include "targets/cuda/tile/Instructions.h"
#include "targets/cuda/tile/Operand.h"
#include "targets/cuda/tile/Softmax.h"

#include <optional>
#include <string>

namespace adze::cuda {

struct AttentionKernel {
  Multiply multiply = Multiply::TF32x3;  ///< all but S8
  int chip = 80;
  int64_t warps = 4;
  int64_t warpM = 16;   ///< queries of a warp: 16 or 32
  int64_t blockN = 32;  ///< keys at once
  /// Warps that share queries: each has its part of the keys of a tile, and sums that are put
  /// together at the end.
  int64_t slices = 1;
  int64_t blockM() const { return warps * warpM; }
  int64_t warpN() const { return blockN / slices; }
};

/// Batches are images, heads and all else that has queries of its own; how many share keys is for
/// the operands to say.
struct AttentionProblem : ScoreRules {
  Extent batch = Extent::of(1);
  int64_t depth = 64;  ///< of queries and keys
  int64_t valueDepth = 64;
  Operand q, k;       ///< rows are queries and keys, along k
  Operand v;          ///< rows are the columns of values, not along k: [key][column]
  Epilogue epilogue;  ///< gets query and column
};

int64_t threads(const AttentionKernel &kernel);
int64_t sharedBytes(const AttentionKernel &kernel, const AttentionProblem &problem);
int64_t blockCount(const AttentionKernel &kernel, int64_t batch, int64_t queries);

std::optional<std::string> whyNot(const AttentionKernel &kernel, const AttentionProblem &problem);

/// Builds the kernel's body at the insertion point, all but its return. A query that sees no key
/// gets NaN, as its softmax does.
void buildAttention(Kit &kit, const AttentionKernel &kernel, const AttentionProblem &problem);

}  // namespace adze::cuda
