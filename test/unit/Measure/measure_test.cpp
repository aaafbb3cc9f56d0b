#include "lib/Measure/Arithmetic.h"
#include "lib/Measure/Roofline.h"
#include "lib/Runtime/Cpu.h"

#include "catch2/catch.hpp"

#include <chrono>

using namespace adze;
using namespace adze::measure;

TEST_CASE("the peak is measured with the widest vectors that are allowed", "[Measure]") {
  auto begin = std::chrono::steady_clock::now();
  Peak all = measurePeak(1, runtime::cpuFeatures()), none = measurePeak(1, {});
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  CHECK(none.level == kLevels[kLevelCount - 1].name);
  for (int i = kLevelCount - 2; i >= 0; --i)
    if (runtime::cpuHasFeature(kLevels[i].name) == 1) CHECK(all.level != none.level);
  // No machine that runs this is slower, none a thousand times faster.
  for (const Peak &p : {all, none}) {
    CHECK(p.flopsPerSecond > 1e8);
    CHECK(p.flopsPerSecond < 1e13);
    CHECK(p.bytesPerSecond > 1e8);
    CHECK(p.bytesPerSecond < 1e13);
  }
  // Half a second each on a quiet machine.
  CHECK(took.count() < 10);
}

TEST_CASE("every level counts its operations", "[Measure]") {
  for (int i = 0; i + 1 < kLevelCount; ++i)
    CHECK(kLevels[i].flopsPerRound == 2 * kLevels[i + 1].flopsPerRound);
}

TEST_CASE("what bounds a kernel follows from both peaks", "[Measure]") {
  Peak machine{"", 100e9, 10e9};
  SECTION("arithmetic") {
    Roofline r = rooflineOf({2e-3, 100e6, 1e6}, machine);
    CHECK(r.seconds == Approx(1e-3));
    CHECK(r.share == Approx(0.5));
    CHECK(r.bound == Bound::Compute);
  }
  SECTION("memory") {
    Roofline r = rooflineOf({2e-3, 10e6, 16e6}, machine);
    CHECK(r.seconds == Approx(1.6e-3));
    CHECK(r.share == Approx(0.8));
    CHECK(r.bound == Bound::Memory);
  }
  SECTION("neither") {
    CHECK(rooflineOf({2e-3, 10e6, 1e6}, machine).bound == Bound::Overhead);
    CHECK(rooflineOf({2e-3, -1, -1}, machine).bound == Bound::Overhead);
    CHECK(rooflineOf({0, 0, 0}, machine).share == 0);
  }
}
