#include "targets/cuda/TileKinds.h"
#include "targets/cuda/tile/Wgmma.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace adze::cuda {
namespace {

struct TileShape {
  int64_t m, n, warpM, warpN;
};
constexpr TileShape kTiles[] = {{128, 128, 64, 32}, {128, 64, 32, 32}, {64, 64, 32, 32},
                                {64, 64, 16, 32},   {64, 32, 16, 32},  {32, 64, 16, 32},
                                {32, 32, 16, 32},   {32, 32, 16, 16},  {16, 32, 16, 32}};
/// Extents of k.
ArrayRef<int64_t> depthsOf(Multiply multiply) {
  static constexpr int64_t depths[] = {32}, depthsOfF32[] = {8, 16, 32};
  return multiply == Multiply::F32 ? ArrayRef(depthsOfF32) : ArrayRef(depths);
}

// Of an H100 with clocks at 1.7 GHz, measured: a warp alone takes 23 cycles an mma,
// a launch that adds up what blocks summed apart 2.5 us.
constexpr double kStepCycles = 300, kGigahertz = 1.7;
constexpr double kSumCycles = 4200, kBlockCycles = 1500, kSliceCycles = 500;
// A block of warpgroups has a multiprocessor to itself and takes so many for 128 x 128 x 32.
constexpr double kWarpgroupCycles = 2150;
// Of blocks that copy through tensor maps, by the products of 8192 x 8192 x 8192 of
// docs/benchmarks.md: the share of wgmma's rate that is reached; bytes that a multiprocessor copies
// a cycle. What maps and barriers add to a block's start, and how many sums a cycle leaves in the
// end, while nothing else goes on, are guesses.
constexpr double kHalfShare = 0.78, kTf32Share = 0.65, kCopyBytes = 40;
constexpr double kMapCycles = 1000, kSumsOfCycle = 16;
// How much longer a step is thought to take where threads copy a factor.
constexpr double kCopiedSteps = 1.15;
// Of blocks that take shares of tiles: a cycle's bytes of sums that a multiprocessor writes or
// reads, a guess; and how many of them it has, each with memory for two tiles.
constexpr double kPartBytes = 32;
constexpr int64_t kMostStreams = 2;
constexpr int64_t kResidentWarps = 16;  ///< registers of a tile's warps leave room for so many

int64_t warpsOfTile(const MatmulKernel &k) { return k.blockM / k.warpM * (k.blockN / k.warpN); }

int64_t stageBytes(const MatmulKernel &k) {
  return (k.blockM + k.blockN) * k.blockK * bytesOf(k.multiply);
}

/// Cycles from one instruction to the next.
struct Rate {
  double ofWarp, ofMultiprocessor;
};
/// A multiprocessor has four tensor cores, each of which begins an instruction every eight cycles.
/// A warp alone begins an FMA every second cycle; the 64 ordinary cores of sm_70, sm_75 and sm_80
/// take two of them a cycle, the 128 of others four.
Rate rateOf(const MatmulKernel &k) {
  if (k.multiply != Multiply::F32) return {20, 2};
  return {2, k.chip <= 80 ? 0.5 : 0.25};
}

/// Cycles in which the L2 cache gives a multiprocessor a tile of each factor: of a V100 and a T4,
/// 20 bytes each (Jia et al., "Dissecting the NVIDIA Turing T4 GPU via Microbenchmarking", 2019).
/// On an H100, whose numbers are above, copies never were what took longest.
double copyCycles(const MatmulKernel &k) { return k.chip < 80 ? double(stageBytes(k)) / 20 : 0; }

/// Cycles in which shared memory serves the ordinary cores: four for each piece of 16 bytes that a
/// warp's lanes read of one k (CoreProduct), and one for each 32 elements that are written.
double coreReadCycles(const MatmulKernel &k) {
  if (k.multiply != Multiply::F32) return 0;
  int64_t down = k.warpM >= k.warpN ? 8 : 4, across = 32 / down;
  int64_t pieces = k.warpM / (4 * down) + k.warpN / (4 * across);
  return k.blockK * (4.0 * warpsOfTile(k) * pieces + (k.blockM + k.blockN) / 32.0);
}

/// Of writing and adding sums that `parts` blocks keep apart; those beyond the L2 cache go through
/// memory, there and back.
double sumCycles(int64_t parts, const ProductSize &size, const Device &device) {
  if (parts == 1) return 0;
  double bytes = 4.0 * double(size.batch) * double(size.m) * double(size.n) * double(parts);
  double outside = std::max(0.0, bytes - double(int64_t(device.l2Mib) << 20));
  return kSumCycles + 2 * outside * kGigahertz / device.memoryGBs;
}

/// Multiply-adds of a warp for the k of a tile, by whole instructions: three for each product of
/// TF32x3.
double instructions(const MatmulKernel &k) {
  double products = double(k.warpM) * k.warpN * k.blockK;
  if (k.multiply == Multiply::F32) return products / 32;
  const MatrixInstruction &i = *findInstruction(k.multiply, k.chip);
  int atOnce = isOfQuads(i) ? 4 : 1;
  return products / (i.m * i.n * i.k * atOnce) * (k.multiply == Multiply::TF32x3 ? 3 : 1);
}

int64_t residentBlocks(const MatmulKernel &k, const Device &device) {
  int64_t fit = (int64_t(device.sharedKib) << 10) / (stageBytes(k) * k.stages);
  return std::clamp<int64_t>(kResidentWarps / (warpsOfTile(k) * k.sliceK), 1,
                             std::max<int64_t>(fit, 1));
}

/// Of a tile's k, in a multiprocessor with `resident` blocks.
double stepCycles(const MatmulKernel &k, double resident) {
  double products = instructions(k) * double(warpsOfTile(k)) * rateOf(k).ofMultiprocessor;
  double rate = resident * std::max({products, copyCycles(k), coreReadCycles(k)});
  double latency = std::max(products, instructions(k) / double(k.sliceK) * rateOf(k).ofWarp);
  return std::max(latency + kStepCycles, rate);
}

}  // namespace

std::optional<MatmulKernel> TileKind<MatmulKernel>::begin(Multiply multiply, const Device &device) {
  MatmulKernel k;
  k.multiply = multiply;
  k.chip = chipOf(device);
  return canMultiply(multiply, k.chip) ? std::optional(k) : std::nullopt;
}

std::vector<TileField> TileKind<MatmulKernel>::fields(MatmulKernel &k) {
  return {{"", {&k.blockM, &k.blockN, &k.blockK}},
          {"warp", {&k.warpM, &k.warpN}},
          {"stages", {&k.stages}},
          {"slices", {&k.sliceK}, true},
          {"split", {&k.splitK}, true},
          {"stream", {&k.streamBlocks}, true}};
}

void TileKind<MatmulKernel>::complete(MatmulKernel &k, const ProductSize &size) {
  k.splitsApart = k.splitK > 1;
  // Tensor cores cut their sums, which shows once there are many terms.
  constexpr int64_t kManyTerms = 256;
  k.roundSums = k.multiply == Multiply::TF32x3 && size.k / k.splitK >= kManyTerms;
}

std::vector<MatmulKernel> TileKind<MatmulKernel>::candidates(const MatmulKernel &begun,
                                                             const TileTask &task) {
  std::vector<MatmulKernel> list;
  MatmulKernel k = begun;
  k.stages = k.chip >= 80 ? 3 : 2;  // copies through registers have no more
  int64_t mostSplits = task.canSumApart ? std::clamp<int64_t>(task.size.k / 64, 1, 32) : 1;
  for (const TileShape &t : kTiles)
    for (int64_t depth : depthsOf(k.multiply)) {
      k.blockM = t.m, k.blockN = t.n, k.blockK = depth, k.warpM = t.warpM, k.warpN = t.warpN;
      int64_t slicesOfStep = depth * bytesOf(k.multiply) / 32;
      for (k.sliceK = 1; k.sliceK <= slicesOfStep && k.sliceK * warpsOfTile(k) <= 8; k.sliceK *= 2)
        for (k.splitK = 1; k.splitK <= mostSplits; k.splitK *= 2) list.push_back(k);
      k.sliceK = k.splitK = 1;
      k.streamBlocks =
          task.device.multiprocessors * std::min(residentBlocks(k, task.device), kMostStreams);
      list.push_back(k);
      k.streamBlocks = 0;
    }
  return list;
}

/// As cycles(), of blocks that take equal shares of all steps.
static double streamCycles(const MatmulKernel &k, const ProductSize &size, const Device &device) {
  double resident = llvm::divideCeil(k.streamBlocks, device.multiprocessors);
  double tiles = double(ceilDiv(size.m, k.blockM)) * ceilDiv(size.n, k.blockN) * size.batch;
  double share = std::ceil(tiles * ceilDiv(size.k, k.blockK) / k.streamBlocks);
  // A block writes the sums of two parts and reads those of a tile; and begins a tile more than
  // its share has.
  double parts = 4.0 * resident * k.blockM * k.blockN * 4 / kPartBytes;
  double begun = std::ceil(tiles / k.streamBlocks) + 1;
  return share * stepCycles(k, resident) + begun * kBlockCycles + parts + kSumCycles;
}

double TileKind<MatmulKernel>::cycles(const MatmulKernel &k, const ProductSize &size,
                                      const Device &device) {
  if (k.streamBlocks) return streamCycles(k, size, device);
  double blocks = blockCount(k, size.batch, size.m, size.n);
  double resident = residentBlocks(k, device);
  double shared = std::clamp(blocks / device.multiprocessors, 1.0, resident);
  double turns = std::max(1.0, std::ceil(blocks / (device.multiprocessors * resident)));
  double steps = llvm::divideCeil(llvm::divideCeil(size.k, k.blockK), k.splitK);
  double sums = sumCycles(k.splitK, size, device) + (k.sliceK > 1 ? kSliceCycles : 0);
  return turns * (steps * stepCycles(k, shared) + kBlockCycles) + sums;
}

std::optional<HopperSplitKernel> TileKind<HopperSplitKernel>::begin(Multiply multiply,
                                                                    const Device &device) {
  if (multiply != Multiply::TF32x3 || !device.wgmma) return std::nullopt;
  return HopperSplitKernel();
}

std::vector<TileField> TileKind<HopperSplitKernel>::fields(HopperSplitKernel &k) {
  return {{"", {&k.blockM, &k.blockN}},
          {"warpgroups", {}},
          {"stages", {&k.stages}},
          {"split", {&k.splitK}, true}};
}

std::vector<HopperSplitKernel> TileKind<HopperSplitKernel>::candidates(
    const HopperSplitKernel &begun, const TileTask &) {
  return {begun};
}

double TileKind<HopperSplitKernel>::cycles(const HopperSplitKernel &k, const ProductSize &size,
                                           const Device &device) {
  double turns =
      std::ceil(double(blockCount(k, size.batch, size.m, size.n)) / device.multiprocessors);
  double steps = llvm::divideCeil(size.k, HopperSplitKernel::kBlockK * k.splitK);
  return turns * (steps * kWarpgroupCycles + kBlockCycles) + sumCycles(k.splitK, size, device);
}

std::optional<HopperKernel> TileKind<HopperKernel>::begin(Multiply multiply, const Device &device) {
  if (!device.wgmma || !findWarpgroupInstruction(multiply)) return std::nullopt;
  HopperKernel k;
  k.multiply = multiply;
  k.blocks = device.multiprocessors;
  return k;
}

std::vector<TileField> TileKind<HopperKernel>::fields(HopperKernel &k) {
  return {{"", {&k.blockM, &k.blockN}}, {"maps", {&k.maps}}, {"stages", {&k.stages}}};
}

std::vector<HopperKernel> TileKind<HopperKernel>::candidates(const HopperKernel &begun,
                                                             const TileTask &task) {
  constexpr int64_t kMostStages = 6;
  std::vector<HopperKernel> list;
  HopperKernel k = begun;
  for (k.maps = 2; k.maps >= 1; --k.maps)
    for (k.blockM = 64; k.blockM <= 192; k.blockM += 64)
      for (k.blockN = 64; k.blockN <= (k.blockM == 192 ? 192 : 256); k.blockN += 64) {
        int64_t stageBytes = (k.blockM + k.blockN) * 128;
        // A KiB is left for barriers.
        k.stages = std::min((int64_t(task.device.sharedKib - 1) << 10) / stageBytes, kMostStages);
        list.push_back(k);
      }
  return list;
}

double TileKind<HopperKernel>::cycles(const HopperKernel &k, const ProductSize &size,
                                      const Device &device) {
  bool isHalf = bytesOf(k.multiply) == 2;
  double products = double(k.blockM) * k.blockN * k.blockK() / (isHalf ? 2048 : 1024);
  double copies = double(k.blockM + k.blockN) * 128 / kCopyBytes;
  double step = std::max(products / (isHalf ? kHalfShare : kTf32Share), copies);
  if (k.maps == 1) step *= kCopiedSteps;
  double turns =
      std::ceil(double(tileCount(k, size.batch, size.m, size.n)) / device.multiprocessors);
  double steps = llvm::divideCeil(size.k, k.blockK());
  return kBlockCycles + kMapCycles +
         turns * (steps * step + double(k.blockM) * k.blockN / kSumsOfCycle);
}

}  // namespace adze::cuda
