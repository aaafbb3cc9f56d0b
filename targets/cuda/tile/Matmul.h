// Matrix products by tensor cores or the ordinary cores: C[b][m][n] = sum over k of A[b][m][k] B[b][k][n].
//
//   MatmulKernel kernel;                        // the schedule
//   MatmulProblem problem = …;                  // extents, factors, what to do with sums
//   if (auto reason = whyNot(kernel, problem)) …
//   buildMatmul(kit, kernel, problem);          // at the start of a gpu.func
// The launch takes threads(kernel) threads a block, blockCount() blocks along x and
// sharedBytes() of dynamic shared memory. docs/cuda.md has the whole picture.
#pragma once
#include "targets/cuda/tile/Epilogue.h"
#include "targets/cuda/tile/Instructions.h"
#include "targets/cuda/tile/Operand.h"

#include <optional>
#include <string>

namespace adze::cuda {

/// A schedule, as data. Tiles are elements.
struct MatmulKernel {
  Multiply multiply = Multiply::TF32x3;
  int chip = 80;  ///< 80 for sm_80; below, copies go through registers
  int64_t blockM = 128, blockN = 128, blockK = 32;
  int64_t warpM = 64, warpN = 64;
  int64_t sliceK = 1;  ///< warps that share the k of one tile of a warp, for small products
  int64_t stages = 3;  ///< tiles of k in shared memory at once
  int64_t splitK = 1;  ///< blocks that share the k of one tile
  /// Each of these blocks gives its sums to the epilogue by themselves, as those of
  /// batch number batch * splitK + split: another kernel adds them up.
  bool splitsApart = false;
  /// Stream-K: so many blocks take equal shares of the steps of all tiles, so that none is idle
  /// while others have a last one. A tile of several blocks is added up by the last of them, in the
  /// order of k: a run gives the bits of the run before. 0: a block has one tile.
  int64_t streamBlocks = 0;
  int64_t rasterGroup = 8;  ///< rows of tiles that blocks take together, for the L2 cache
  /// Sum each tile of k apart and add it rounded to nearest: tensor cores cut
  /// sums towards zero, which shows in TF32x3 when k is long.
  bool roundSums = false;
};

struct MatmulProblem {
  Extent batch = Extent::of(1), m, n, k;
  Operand a, b;
  std::optional<MappedOperand> aMap, bMap;  ///< the same, for the kernels of Hopper.h
  Epilogue epilogue;
  /// With splitK or streamBlocks: f32 of splitBytes(), and u32 zeros, one a tile and batch or one a
  /// block, which the kernel leaves zero again. Both !llvm.ptr<1>.
  Value partialSums, counters;
};

int64_t threads(const MatmulKernel &kernel);
int64_t sharedBytes(const MatmulKernel &kernel, const MatmulProblem &problem);
/// Of blocks along x, for extents that are known when it is launched.
int64_t blockCount(const MatmulKernel &kernel, int64_t batch, int64_t m, int64_t n);
/// Of MatmulProblem::partialSums; 0 where no blocks share a tile.
int64_t splitBytes(const MatmulKernel &kernel, int64_t batch, int64_t m, int64_t n);

/// Why the builder has no such kernel, in a few words.
std::optional<std::string> whyNot(const MatmulKernel &kernel, const MatmulProblem &problem);

/// Builds the kernel's body at the insertion point, all but its return.
void buildMatmul(Kit &kit, const MatmulKernel &kernel, const MatmulProblem &problem);

}  // namespace adze::cuda
