// Products of few rows with a matrix of 4-bit integers that groups of k scale, on tensor cores:
// y[m][n] = sum over k of x[m][k] (w[n][k] - zero[n][k / group]) scale[n][k / group].
// What a language model does for each token: all of it is the time that reading w takes.
#pragma once
#include "targets/cuda/tile/Epilogue.h"
#include "targets/cuda/tile/Instructions.h"

#include <optional>
#include <string>

namespace adze::cuda {

/// A block has 16 columns; its warps take turns at 128 of k, and add up their sums in the end.
struct Int4Kernel {
  int chip = 80;
  int64_t rows = 8;  ///< of x that a block multiplies: 8 or 16
  int64_t warps = 8;
  static constexpr int64_t kColumns = 16;
};

struct Int4Problem {
  Extent m;
  int64_t n = 0, k = 0;  ///< k a multiple of 32
  int64_t group = 32;    ///< elements of k with one scale, a multiple of 32
  Type element;   ///< of x and the scales: f16, bf16; f32, which is taken apart into two tf32
  Value x;        ///< [m][k]
  Value weights;  ///< [n][k], two a byte, the first in the lower half
  Value scales;   ///< [n][ceil(k / group)]
  /// As weights, [n][ceil(k / group)], a row begins with a byte of its own. Null: they are all
  /// `zeroPoint`.
  Value zeroPoints;
  int64_t zeroPoint = 8;
  bool isSigned = false;  ///< weights and zero points are -8 to 7, not 0 to 15
  Epilogue epilogue;      ///< the batch is 0
};

int64_t threads(const Int4Kernel &kernel);
int64_t sharedBytes(const Int4Kernel &kernel);
/// Of blocks along x.
int64_t blockCount(const Int4Kernel &kernel, int64_t m, int64_t n);
/// Why the builder has no such kernel, in a few words.
std::optional<std::string> whyNot(const Int4Kernel &kernel, const Int4Problem &problem);
/// Builds the kernel's body at the insertion point, all but its return. Pointers are
/// !llvm.ptr<1>, aligned to 16 bytes.
void buildMatmul(Kit &kit, const Int4Kernel &kernel, const Int4Problem &problem);

}  // namespace adze::cuda
