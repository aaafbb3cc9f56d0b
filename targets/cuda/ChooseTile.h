// Which tile a product of matrices goes by.
#pragma once
#include "targets/cuda/Devices.h"
#include "targets/cuda/tile/HopperSplit.h"

namespace adze::cuda {

struct ProductSize {
  int64_t batch, m, n, k;
};

/// The tile, and the parts of k that blocks share, for which the product takes the
/// least time by a model of the device: turns of blocks, and in each the larger of
/// the tensor cores' rate and one warp's latency.
MatmulKernel chooseTile(const ProductSize &size, Multiply multiply, const Device &device);

/// Of Hopper's warpgroups, where by the same model they need less time than chooseTile's.
std::optional<HopperSplitKernel> chooseWarpgroups(const ProductSize &size, Multiply multiply,
                                                  const Device &device);

/// What the device's tensor cores do with factors of that type, f32 as `products` ("f32",
/// "tf32", "bf16", "f16") allows; nullopt: they have nothing for it.
std::optional<Multiply> multiplyOf(Type element, llvm::StringRef products, const Device &device);

}  // namespace adze::cuda
