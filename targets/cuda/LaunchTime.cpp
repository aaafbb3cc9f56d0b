#include "targets/cuda/LaunchTime.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace adze::cuda {
namespace {

constexpr double kGHz = 1.7;         // about what the table's GPUs run at
constexpr double kSchedulers = 4;    // of a multiprocessor: an instruction a cycle each
constexpr double kSharedCycles = 1;  // of a wavefront: 128 bytes
constexpr double kMostBlocks = 16;   // of a multiprocessor
// Found to fit an H100's times of 15 small products best (launch_time_test.cpp), and the 2.5 us
// that a launch took which added up what blocks had summed apart.
constexpr double kSectorCycles = 1;            // of what a multiprocessor reads or writes
constexpr double kCyclesPerInstruction = 1.5;  // of one warp, that nothing hides
constexpr double kBlockCycles = 1500;          // addresses, first loads, last stores
constexpr double kLaunchCycles = 2500;

/// How long an instruction of a warp keeps a scheduler's part of its pipe busy: 32 lanes, by the
/// programming guide's table of arithmetic throughput. Pipes that are not here never hold up.
struct Pipe {
  std::string_view name;
  double cycles;
};
constexpr Pipe kPipes[] = {{"alu", 2},      {"half", 1},     {"int-mul", 2}, {"double", 4},
                           {"int-div", 40}, {"special", 8},  {"convert", 2}, {"memory", 4}};

/// Of one multiprocessor.
double fmaCycles(const Device &device) {
  double lanes = device.f32Tflops * 1e3 / (2 * kGHz * device.multiprocessors);
  return 32 * kSchedulers / lanes;
}

/// Cycles that warp instructions keep a multiprocessor from taking others.
double busyCycles(const tuning::LaunchCounts &c, const Device &device) {
  double all = 0, most = 0;
  for (const auto &[name, count] : c.instructions) {
    double cycles = name == "fma" ? fmaCycles(device) : 0;
    for (const Pipe &pipe : kPipes)
      if (pipe.name == name) cycles = pipe.cycles;
    all += double(count);
    most = std::max(most, double(count) * cycles);
  }
  return std::max(all, most) / kSchedulers;
}

/// How many of its blocks a multiprocessor has at once.
double blocksAtOnce(const tuning::LaunchCounts &c, const Device &device, double warps) {
  double fit = std::min(kMostBlocks, std::floor(device.warpsPerMultiprocessor / warps));
  if (c.sharedBytes > 0)
    fit = std::min(fit, std::floor(device.sharedKib * 1024.0 / double(c.sharedBytes)));
  return std::max(fit, 1.0);
}

}  // namespace

double launchNanoseconds(const tuning::LaunchCounts &c, const Device &device) {
  if (c.blocks < 1 || c.threads < 1) return 0;
  double warps = std::ceil(double(c.threads) / 32), blocks = double(c.blocks);
  double turns = std::ceil(blocks / (blocksAtOnce(c, device, warps) * device.multiprocessors));
  double resident = std::ceil(blocks / (turns * device.multiprocessors));
  double all = 0;
  for (const auto &[name, count] : c.instructions) all += double(count);
  // All types at the rate of TF32: kernels that do the same work multiply alike.
  double tflops = device.tf32Tflops > 0 ? device.tf32Tflops : device.f16Tflops;
  double flopsPerCycle = tflops * 1e3 / kGHz / device.multiprocessors;
  double busy = std::max({busyCycles(c, device), double(c.sharedWavefronts) * kSharedCycles,
                          double(c.globalSectors) * kSectorCycles,
                          double(c.tensorFlops) / flopsPerCycle});
  double latency = all / (blocks * warps) * kCyclesPerInstruction;
  double cycles = turns * (busy * resident / blocks + latency + kBlockCycles);
  return (cycles + kLaunchCycles) / kGHz;
}

}  // namespace adze::cuda
