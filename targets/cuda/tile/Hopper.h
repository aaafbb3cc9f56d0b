// Matrix products on Hopper (sm_90a): one warpgroup loads tiles through tensor maps
// into a ring of stages, others multiply them straight from shared memory with wgmma.
// As Matmul.h, but factors are dense matrices, which the hardware addresses.
#pragma once
#include "targets/cuda/tile/Epilogue.h"
#include "targets/cuda/tile/Instructions.h"

#include <array>
#include <optional>
#include <string>

namespace adze::cuda {

struct HopperKernel {
  /// F16, BF16, S8, or TF32: of f32 the tensor cores take the first 10 bits of fraction.
  Multiply multiply = Multiply::F16;
  int64_t blockM = 128;  ///< 64 a warpgroup: 64, 128 or 192
  int64_t blockN = 256;  ///< a multiple of 8, at most 256
  int64_t stages = 4;
  int64_t rasterGroup = 8;
  /// k of a stage: 128 bytes, what a swizzled line holds.
  int64_t blockK() const { return 128 / bytesOf(multiply); }
};

/// A factor: [batch][rows][k] with `alongK`, else [batch][k][rows] (16-bit types only).
struct HopperFactor {
  Value map;  ///< the kernel's argument, an !llvm.ptr of kTensorMaps (Ptx.h)
  bool alongK = true;
};

struct HopperProblem {
  Extent batch = Extent::of(1), m, n, k;
  HopperFactor a, b;
  Epilogue epilogue;
};

/// What the host gives cuTensorMapEncodeTiled for a factor, outermost first; elements
/// beyond the extents read as zero, the swizzle is that of 128 bytes.
struct TensorMapShape {
  std::array<int64_t, 3> extents, box;
};
TensorMapShape tensorMap(const HopperKernel &kernel, bool isA, bool alongK, int64_t batch,
                         int64_t rows, int64_t k);

int64_t threads(const HopperKernel &kernel);
int64_t sharedBytes(const HopperKernel &kernel);
/// Of the product; a grid of fewer blocks, as many as the device has multiprocessors, is best:
/// blocks go on to further tiles.
int64_t tileCount(const HopperKernel &kernel, int64_t batch, int64_t m, int64_t n);

std::optional<std::string> whyNot(const HopperKernel &kernel, const HopperProblem &problem);

/// Builds the kernel's body at the insertion point, all but its return.
void buildMatmul(Kit &kit, const HopperKernel &kernel, const HopperProblem &problem);

}  // namespace adze::cuda
