// What the model of a GPU says of the emulator's counts.
#include "targets/cuda/LaunchTime.h"

#include <catch2/catch.hpp>

#include <cmath>

using namespace adze;
using namespace adze::cuda;

namespace {

/// A launch of one block for each multiprocessor of an A100.
tuning::LaunchCounts counts() {
  tuning::LaunchCounts c;
  c.blocks = 108, c.threads = 128, c.sharedBytes = 32 << 10;
  c.instructions = {{"alu", 108 * 40000}, {"fma", 108 * 40000}};
  return c;
}

double nanoseconds(const tuning::LaunchCounts &c, const char *device = "sm_80") {
  return launchNanoseconds(c, *findDevice(device));
}

/// Of counts() with one number set.
template <typename Change>
double timeWith(Change change) {
  tuning::LaunchCounts c = counts();
  change(c);
  return nanoseconds(c);
}

/// A product of f32 as three of tf32 on an H100: docs/benchmarks.md, "Small products".
struct Measured {
  double microseconds;
  int64_t blocks, threads, sharedBytes, alu, fma, memory, others, sectors, wavefronts, flops;
};
// By the problem's rows x columns x k, with tiles of 32, the same in 4 slices, tiles of 64 by wgmma.
constexpr Measured kMeasured[] = {
    // 3136 x 64 x 576
    {10.0, 196, 128, 32768, 1377488, 564480, 174832, 602896,
     928256, 677376, 693633024},
    {9.2, 196, 512, 49152, 1791440, 696192, 191296, 848288,
     928256, 715008, 693633024},
    {11.2, 49, 256, 98368, 526260, 225792, 74284, 223991,
     476672, 338688, 693633024},
    // 784 x 128 x 1152
    {15.9, 100, 128, 32768, 1389600, 576000, 175568, 603592,
     934144, 691200, 707788800},
    {10.7, 100, 512, 49152, 1739968, 700752, 183968, 807992,
     934144, 710400, 707788800},
    {19.6, 26, 256, 98368, 551320, 239616, 76760, 230924,
     491776, 359424, 736100352},
    // 49 x 512 x 2304
    {23.1, 32, 128, 32768, 840864, 368640, 111424, 365248,
     592960, 442368, 452984832},
    {18.0, 32, 512, 49152, 998304, 445248, 114112, 460992,
     592960, 448512, 452984832},
    {35.3, 8, 256, 98368, 308128, 133632, 46592, 130962,
     298048, 221184, 452984832},
    // 40 x 60 x 2880
    {29.5, 4, 128, 32768, 131084, 57600, 17368, 56952,
     92620, 69120, 70778880},
    {23.7, 4, 512, 49152, 154912, 69504, 17704, 71728,
     92620, 69888, 70778880},
    {44.2, 1, 256, 98368, 48092, 18720, 7252, 20387,
     46460, 34560, 70778880},
    // 6400 x 32 x 144
    {7.1, 200, 128, 32768, 443200, 160000, 53600, 183200,
     281600, 192000, 196608000},
    {6.9, 200, 512, 49152, 716000, 249600, 80000, 341600,
     332800, 268800, 235929600},
    {6.4, 100, 256, 98368, 315000, 128000, 44400, 141532,
     281600, 192000, 393216000},
};

double reckoned(const Measured &m) {
  tuning::LaunchCounts c;
  c.blocks = m.blocks, c.threads = m.threads, c.sharedBytes = m.sharedBytes;
  c.instructions = {{"alu", m.alu}, {"fma", m.fma}, {"memory", m.memory}, {"control", m.others}};
  c.globalSectors = m.sectors, c.sharedWavefronts = m.wavefronts, c.tensorFlops = m.flops;
  constexpr double kBetween = 1.5;  // microseconds from one launch to the next without a graph
  return nanoseconds(c, "sm_90a") * 1e-3 + kBetween;
}

}  // namespace

TEST_CASE("what an H100 took is near what the model says, and in its order", "[Cuda]") {
  double squares = 0;
  int pairs = 0, right = 0;
  for (const Measured &m : kMeasured) {
    CHECK(reckoned(m) == Approx(m.microseconds).epsilon(0.25));
    squares += std::pow(std::log(reckoned(m) / m.microseconds), 2);
  }
  CHECK(std::sqrt(squares / std::size(kMeasured)) < 0.1);
  // Of one problem, those that differ by more than 3 %.
  for (size_t i = 0; i < std::size(kMeasured); ++i)
    for (size_t j = i + 1; j < i / 3 * 3 + 3; ++j) {
      double a = kMeasured[i].microseconds, b = kMeasured[j].microseconds;
      if (std::abs(a / b - 1) < 0.03) continue;
      ++pairs;
      right += (a < b) == (reckoned(kMeasured[i]) < reckoned(kMeasured[j]));
    }
  CHECK(pairs == 14);
  CHECK(right >= 13);
}

TEST_CASE("each resource can be what a launch waits for", "[Cuda]") {
  double base = nanoseconds(counts());
  CHECK(base > 0);
  CHECK(timeWith([](auto &c) { c.instructions["special"] = 108 * 40000; }) > base);
  CHECK(timeWith([](auto &c) { c.sharedWavefronts = 108 * 200000; }) > base);
  CHECK(timeWith([](auto &c) { c.globalSectors = 108 * 200000; }) > base);
  CHECK(timeWith([](auto &c) { c.tensorFlops = 108 * int64_t(400000000); }) > base);
  // What is hidden behind another resource costs nothing.
  CHECK(timeWith([](auto &c) { c.sharedWavefronts = 108 * 10; }) == base);
  CHECK(timeWith([](auto &c) { c.instructions["move"] = 0; }) == base);
  CHECK(nanoseconds({}) == 0);
}

TEST_CASE("a pipe that takes a warp slower is busy for longer", "[Cuda]") {
  auto only = [](const char *pipe, const char *device = "sm_80") {
    tuning::LaunchCounts c = counts();
    c.threads = 1024;  // so that no warp's own latency shows
    c.instructions = {{pipe, 108 * 4000000}};
    return nanoseconds(c, device);
  };
  CHECK(only("special") > only("alu"));
  CHECK(only("alu") > only("half"));
  CHECK(only("int-div") > only("special"));
  // By the device table: 64 lanes of a multiprocessor, and 128.
  CHECK(only("fma") >= only("alu"));
  CHECK(only("fma", "sm_86") < only("alu", "sm_86"));
}

TEST_CASE("blocks that do not fit at once take turns", "[Cuda]") {
  auto many = [](int64_t blocks, int64_t threads, int64_t sharedBytes) {
    tuning::LaunchCounts c;
    c.blocks = blocks, c.threads = threads, c.sharedBytes = sharedBytes;
    c.instructions = {{"alu", blocks * 4000}};
    return nanoseconds(c);
  };
  CHECK(many(109, 1024, 100 << 10) > many(108, 1024, 100 << 10));
  CHECK(many(216, 256, 100 << 10) > many(216, 256, 50 << 10));
  CHECK(many(324, 1024, 0) > many(324, 512, 0));
  CHECK(many(216, 256, 200 << 10) == many(216, 256, 100 << 10));
}
