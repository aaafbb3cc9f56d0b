// Matrix products on Hopper (sm_90a): one warpgroup loads tiles through tensor maps
// into a ring of stages, others multiply them straight from shared memory with wgmma.
// As Matmul.h, but the hardware addresses factors: MatmulProblem::aMap and bMap. An A that no map
// has, such as a padded image, is copied by the threads of that warpgroup.
#pragma once
#include "targets/cuda/tile/Matmul.h"

#include <array>

namespace adze::cuda {

struct HopperKernel {
  /// F16, BF16, S8, or TF32: of f32 the tensor cores take the first 10 bits of fraction.
  Multiply multiply = Multiply::F16;
  int64_t blockM = 128;  ///< 64 a warpgroup: 64, 128 or 192
  int64_t blockN = 256;  ///< a multiple of 8, at most 256
  int64_t maps = 2;      ///< factors that have a map; 1: B alone
  int64_t stages = 4;
  int64_t rasterGroup = 8;
  int64_t blocks = 132;  ///< of a launch, best one a multiprocessor: they go on to further tiles
  /// k of a stage: 128 bytes, what a swizzled line holds.
  int64_t blockK() const { return 128 / bytesOf(multiply); }
};

/// What the host gives cuTensorMapEncodeTiled for a dense factor, outermost first; elements
/// beyond the extents read as zero, the swizzle is that of 128 bytes.
struct TensorMapShape {
  std::array<int64_t, 3> extents, box;
};
TensorMapShape tensorMap(const HopperKernel &kernel, bool isA, bool alongK, int64_t batch,
                         int64_t rows, int64_t k);

int64_t threads(const HopperKernel &kernel);
int64_t sharedBytes(const HopperKernel &kernel, const MatmulProblem &problem);
/// Of the product.
int64_t tileCount(const HopperKernel &kernel, int64_t batch, int64_t m, int64_t n);

std::optional<std::string> whyNot(const HopperKernel &kernel, const MatmulProblem &problem);

/// Builds the kernel's body at the insertion point, all but its return.
void buildMatmul(Kit &kit, const HopperKernel &kernel, const MatmulProblem &problem);

}  // namespace adze::cuda
