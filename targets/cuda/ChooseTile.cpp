#include "targets/cuda/ChooseTile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace adze::cuda {
namespace {

constexpr int64_t kTileK = 32;
struct TileShape {
  int64_t m, n, warpM, warpN;
  int64_t warps() const { return m / warpM * (n / warpN); }
  /// mma of a warp for kTileK of k: m16n8k8 of TF32, three for each product of TF32x3;
  /// m16n8k16 of the half precisions.
  int64_t instructions(Multiply multiply) const {
    int64_t depth = bytesOf(multiply) == 2 ? 16 : 8;
    return warpM / 16 * (warpN / 8) * (kTileK / depth) * (multiply == Multiply::TF32x3 ? 3 : 1);
  }
};
constexpr TileShape kTiles[] = {{128, 128, 64, 32}, {128, 64, 32, 32}, {64, 64, 32, 32},
                                {64, 64, 16, 32},   {64, 32, 16, 32},  {32, 64, 16, 32},
                                {32, 32, 16, 32}};

// Of an H100 with clocks at 1.7 GHz, measured: a warp alone takes 23 cycles an mma,
// a launch that adds up what blocks summed apart 2.5 us. A multiprocessor's four
// tensor cores begin an mma.m16n8k8 every eight cycles.
constexpr double kWarpCycles = 20, kStepCycles = 300, kCyclesPerInstruction = 2;
constexpr double kSumCycles = 4200, kBlockCycles = 1500;
constexpr int64_t kResidentWarps = 16;  ///< registers of a tile's warps leave room for so many

/// 80 of "sm_80".
int chipOf(const Device &device) {
  int chip = 0;
  StringRef(device.name.data(), device.name.size()).drop_front(3).take_while(llvm::isDigit).getAsInteger(10, chip);
  return chip;
}

double cycles(const TileShape &t, Multiply multiply, int64_t split, const ProductSize &size,
              const Device &device) {
  double blocks = double(llvm::divideCeil(size.m, t.m)) * llvm::divideCeil(size.n, t.n) *
                  size.batch * split;
  double resident = std::max<int64_t>(1, kResidentWarps / t.warps());
  double shared = std::clamp(blocks / device.multiprocessors, 1.0, resident);
  double turns = std::max(1.0, std::ceil(blocks / (device.multiprocessors * resident)));
  double rate = shared * t.warps() * t.instructions(multiply) * kCyclesPerInstruction;
  double step = std::max(t.instructions(multiply) * kWarpCycles + kStepCycles, rate);
  double steps = llvm::divideCeil(llvm::divideCeil(size.k, kTileK), split);
  return turns * (steps * step + kBlockCycles) + (split > 1 ? kSumCycles : 0);
}

}  // namespace

std::optional<Multiply> multiplyOf(StringRef products, const Device &device) {
  Multiply wanted = products == "f16"    ? Multiply::F16
                    : products == "bf16" ? Multiply::BF16
                    : products == "tf32" ? Multiply::TF32
                                         : Multiply::TF32x3;
  return findInstruction(wanted, chipOf(device)) ? std::optional(wanted) : std::nullopt;
}

MatmulKernel chooseTile(const ProductSize &size, Multiply multiply, const Device &device) {
  const TileShape *best = nullptr;
  int64_t bestSplit = 1;
  double least = 0;
  for (const TileShape &t : kTiles)
    for (int64_t split = 1; split <= 32 && split * 2 * kTileK <= std::max(size.k, 2 * kTileK); split *= 2) {
      double c = cycles(t, multiply, split, size, device);
      if (best && c >= least) continue;
      best = &t, bestSplit = split, least = c;
    }
  MatmulKernel k;
  k.multiply = multiply;
  k.chip = chipOf(device);
  k.blockM = best->m, k.blockN = best->n, k.blockK = kTileK;
  k.warpM = best->warpM, k.warpN = best->warpN;
  k.stages = 3;
  k.splitK = bestSplit;
  k.splitsApart = bestSplit > 1;
  return k;
}

}  // namespace adze::cuda
