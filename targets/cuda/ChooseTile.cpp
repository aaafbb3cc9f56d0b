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
                                {32, 32, 16, 32},   {32, 32, 16, 16},  {16, 32, 16, 32}};

/// How a product is shared out: a tile's warps, the warps that share a warp's k, the
/// blocks that share a tile's.
struct Plan {
  const TileShape *tile;
  int64_t slices, split;
  int64_t warps() const { return tile->warps() * slices; }
};

// Of an H100 with clocks at 1.7 GHz, measured: a warp alone takes 23 cycles an mma,
// a launch that adds up what blocks summed apart 2.5 us. A multiprocessor's four
// tensor cores begin an mma.m16n8k8 every eight cycles.
constexpr double kWarpCycles = 20, kStepCycles = 300, kCyclesPerInstruction = 2;
constexpr double kSumCycles = 4200, kBlockCycles = 1500, kSliceCycles = 500;
// A block of warpgroups has a multiprocessor to itself and takes so many for 128 x 128 x 32.
constexpr double kWarpgroupCycles = 2150;
constexpr int64_t kResidentWarps = 16;  ///< registers of a tile's warps leave room for so many

/// 80 of "sm_80".
int chipOf(const Device &device) {
  int chip = 0;
  StringRef(device.name.data(), device.name.size())
      .drop_front(3)
      .take_while(llvm::isDigit)
      .getAsInteger(10, chip);
  return chip;
}

double cycles(const Plan &p, Multiply multiply, const ProductSize &size, const Device &device) {
  const TileShape &t = *p.tile;
  double blocks =
      double(llvm::divideCeil(size.m, t.m)) * llvm::divideCeil(size.n, t.n) * size.batch * p.split;
  double resident = std::max<int64_t>(1, kResidentWarps / p.warps());
  double shared = std::clamp(blocks / device.multiprocessors, 1.0, resident);
  double turns = std::max(1.0, std::ceil(blocks / (device.multiprocessors * resident)));
  double rate = shared * t.warps() * t.instructions(multiply) * kCyclesPerInstruction;
  double latency = double(t.instructions(multiply)) / p.slices * kWarpCycles + kStepCycles;
  double steps = llvm::divideCeil(llvm::divideCeil(size.k, kTileK), p.split);
  double sums = (p.split > 1 ? kSumCycles : 0) + (p.slices > 1 ? kSliceCycles : 0);
  return turns * (steps * std::max(latency, rate) + kBlockCycles) + sums;
}

}  // namespace

std::optional<Multiply> multiplyOf(Type element, StringRef products, const Device &device) {
  Multiply wanted = element.isF16() || (element.isF32() && products == "f16")     ? Multiply::F16
                    : element.isBF16() || (element.isF32() && products == "bf16") ? Multiply::BF16
                    : products == "tf32"                                          ? Multiply::TF32
                                         : Multiply::TF32x3;
  return findInstruction(wanted, chipOf(device)) ? std::optional(wanted) : std::nullopt;
}

/// The plan that takes the least cycles, and these.
static std::pair<Plan, double> choosePlan(const ProductSize &size, Multiply multiply,
                                          const Device &device) {
  std::optional<Plan> best;
  double least = 0;
  int64_t slicesOfStep = kTileK * bytesOf(multiply) / 32;
  for (const TileShape &t : kTiles)
    for (int64_t slices = 1; slices <= slicesOfStep && slices * t.warps() <= 8; slices *= 2)
      for (int64_t split = 1; split <= 32 && split * 2 * kTileK <= std::max(size.k, 2 * kTileK);
           split *= 2) {
        Plan plan{&t, slices, split};
        double c = cycles(plan, multiply, size, device);
        if (!best || c < least) best = plan, least = c;
      }
  return {*best, least};
}

std::optional<HopperSplitKernel> chooseWarpgroups(const ProductSize &size, Multiply multiply,
                                                  const Device &device) {
  if (multiply != Multiply::TF32x3 || device.name != "sm_90a") return std::nullopt;
  HopperSplitKernel k;
  double turns = std::ceil(double(blockCount(k, size.batch, size.m, size.n)) / device.multiprocessors);
  double steps = llvm::divideCeil(size.k, HopperSplitKernel::kBlockK);
  double time = turns * (steps * kWarpgroupCycles + kBlockCycles);
  if (time >= choosePlan(size, multiply, device).second) return std::nullopt;
  return k;
}

MatmulKernel chooseTile(const ProductSize &size, Multiply multiply, const Device &device) {
  Plan best = choosePlan(size, multiply, device).first;
  MatmulKernel k;
  k.multiply = multiply;
  k.chip = chipOf(device);
  k.blockM = best.tile->m, k.blockN = best.tile->n, k.blockK = kTileK;
  k.warpM = best.tile->warpM, k.warpN = best.tile->warpN;
  k.sliceK = best.slices;
  k.stages = 3;
  k.splitK = best.split;
  k.splitsApart = best.split > 1;
  // Tensor cores cut their sums, which shows once there are many terms.
  constexpr int64_t kManyTerms = 256;
  k.roundSums = multiply == Multiply::TF32x3 && size.k / best.split >= kManyTerms;
  return k;
}

}  // namespace adze::cuda
