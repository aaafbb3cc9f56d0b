// What a kind of kernel says of itself to TileSchedule.cpp, next to the overloads of whyNot,
// sharedBytes and buildMatmul that come with it.
#pragma once
#include "targets/cuda/TileSchedule.h"

namespace adze::cuda {

/// Part of a schedule's text: a word and numbers, "warp 32x16". Either may be missing.
struct TileField {
  llvm::StringLiteral word;
  llvm::SmallVector<int64_t *, 3> numbers;
  bool isOptional = false;  ///< left out where the number is 1 or 0
};

template <typename Kernel>
struct TileKind;

template <>
struct TileKind<MatmulKernel> {
  /// A kernel that multiplies so on that device; nullopt: this kind has none.
  static std::optional<MatmulKernel> begin(Multiply multiply, const Device &device);
  static Multiply multiply(const MatmulKernel &k) { return k.multiply; }
  /// Largest error of a product of two f32, relative to it.
  static double productError(const MatmulKernel &k) { return cuda::productError(k.multiply); }
  static std::vector<TileField> fields(MatmulKernel &k);
  /// Sets what follows from fields and product.
  static void complete(MatmulKernel &k, const ProductSize &size);
  /// Begun kernels with the fields that are worth a try; of equals the first is taken.
  static std::vector<MatmulKernel> candidates(const MatmulKernel &begun, const TileTask &task);
  static double cycles(const MatmulKernel &k, const ProductSize &size, const Device &device);
  static TileGrid grid(const MatmulKernel &k) {
    return {k.blockM, k.blockN, k.splitK, k.streamBlocks, 2 * k.streamBlocks};
  }
  static int64_t threads(const MatmulKernel &k, const MatmulProblem &) { return cuda::threads(k); }
};

template <>
struct TileKind<HopperSplitKernel> {
  static std::optional<HopperSplitKernel> begin(Multiply multiply, const Device &device);
  static Multiply multiply(const HopperSplitKernel &) { return Multiply::TF32x3; }
  static double productError(const HopperSplitKernel &k) { return cuda::productError(multiply(k)); }
  static std::vector<TileField> fields(HopperSplitKernel &k);
  static void complete(HopperSplitKernel &, const ProductSize &) {}
  static std::vector<HopperSplitKernel> candidates(const HopperSplitKernel &begun,
                                                   const TileTask &task);
  static double cycles(const HopperSplitKernel &k, const ProductSize &size, const Device &device);
  static TileGrid grid(const HopperSplitKernel &k) { return {k.blockM, k.blockN, k.splitK}; }
  static int64_t threads(const HopperSplitKernel &k, const MatmulProblem &p) {
    return cuda::threads(k, p);
  }
};

template <>
struct TileKind<HopperKernel> {
  static std::optional<HopperKernel> begin(Multiply multiply, const Device &device);
  static Multiply multiply(const HopperKernel &k) { return k.multiply; }
  /// wgmma cuts f32 where mma's factors are rounded.
  static double productError(const HopperKernel &k) { return 2 * cuda::productError(k.multiply); }
  static std::vector<TileField> fields(HopperKernel &k);
  static void complete(HopperKernel &, const ProductSize &) {}
  static std::vector<HopperKernel> candidates(const HopperKernel &begun, const TileTask &task);
  static double cycles(const HopperKernel &k, const ProductSize &size, const Device &device);
  static TileGrid grid(const HopperKernel &k) {
    return {k.blockM, k.blockN, 1, k.blocks, /*slots=*/0, k.maps};
  }
  static int64_t threads(const HopperKernel &k, const MatmulProblem &) { return cuda::threads(k); }
};

}  // namespace adze::cuda
