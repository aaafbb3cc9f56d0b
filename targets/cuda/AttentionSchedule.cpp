#include "targets/cuda/AttentionSchedule.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>

namespace adze::cuda {
namespace {

// As TileKinds.cpp has them: a warp alone takes so many cycles an instruction, a multiprocessor's
// four tensor cores begin an mma.m16n8k8 every eight.
constexpr double kWarpCycles = 20, kStepCycles = 300, kCyclesPerInstruction = 2;
constexpr double kBlockCycles = 1500, kSliceCycles = 500, kSchedulers = 4;
constexpr double kScoreCycles = 6;  ///< of a warp, for a key's 16 scores on their way to weights
constexpr int64_t kResidentWarps = 16;  ///< registers leave room for so many
constexpr int64_t kWarpNumbers = 192;   ///< a lane's registers for scores and sums, of 16 queries

/// Of a warp, for its part of a tile of keys: m16n8k8 of TF32, m16n8k16 of the half precisions.
double instructions(const AttentionKernel &k, const AttentionProblem &p) {
  bool isWide = bytesOf(k.multiply) == 4;
  double products = k.multiply == Multiply::TF32x3 ? 3 : 1;
  return double(k.warpN()) / 8 * double(p.depth + p.valueDepth) / (isWide ? 8 : 16) * products;
}

double cycles(const AttentionKernel &k, const AttentionProblem &p, const AttentionSize &size,
              const Device &device) {
  int64_t warps = k.warps * k.slices, shared = std::max<int64_t>(1, sharedBytes(k, p));
  int64_t fit = std::min(kResidentWarps / warps, (int64_t(device.sharedKib) << 10) / shared);
  double resident = std::max<int64_t>(1, fit);
  double own = instructions(k, p), steps = llvm::divideCeil(size.keys, k.blockN);
  double rest = double(k.warpN()) * kScoreCycles + kStepCycles;
  double latency = own * kWarpCycles + rest;
  auto turn = [&](double blocks) {
    double rate = blocks * double(warps) * (own * kCyclesPerInstruction + rest / kSchedulers);
    return steps * std::max(latency, rate) + kBlockCycles + kSliceCycles * double(k.slices - 1);
  };
  double blocks = double(size.batch) * llvm::divideCeil(size.queries, k.blockM());
  double perTurn = device.multiprocessors * resident, full = std::floor(blocks / perTurn);
  double last = std::ceil((blocks - full * perTurn) / device.multiprocessors);
  return full * turn(resident) + (last > 0 ? turn(last) : 0);
}

}  // namespace

std::vector<AttentionKernel> rankAttention(const AttentionProblem &p, const AttentionSize &size,
                                           Multiply multiply, const Device &device) {
  std::vector<std::pair<double, AttentionKernel>> list;
  AttentionKernel k;
  k.multiply = multiply, k.chip = chipOf(device);
  int64_t numbers = bytesOf(multiply) == 4 ? 4 : 1, depth = std::max(p.depth, p.valueDepth);
  for (int64_t warpKeys : {64, 32, 16}) {
    if (warpKeys > 16 && warpKeys * numbers + depth > kWarpNumbers) continue;
    for (k.slices = 1; k.slices <= 4; k.slices *= 2)
      for (k.warps = 1; k.warps * k.slices <= 8; k.warps *= 2) {
        k.blockN = warpKeys * k.slices;
        list.push_back({cycles(k, p, size, device), k});
      }
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const auto &a, const auto &b) { return a.first < b.first; });
  std::vector<AttentionKernel> kernels;
  for (const auto &[cycles, kernel] : list) kernels.push_back(kernel);
  return kernels;
}

std::string describe(const AttentionKernel &k) {
  std::string text = nameOf(k.multiply).str() + " attention " + std::to_string(k.blockM()) +
                     " queries " + std::to_string(k.blockN) + " keys warp " +
                     std::to_string(k.warpM);
  return k.slices > 1 ? text + " slices " + std::to_string(k.slices) : text;
}

}  // namespace adze::cuda
