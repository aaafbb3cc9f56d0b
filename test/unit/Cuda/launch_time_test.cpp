// What the model of a GPU says of the emulator's counts.
#include "targets/cuda/LaunchTime.h"

#include <catch2/catch.hpp>

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

}  // namespace

TEST_CASE("each resource can be what a launch waits for", "[Cuda]") {
  double base = nanoseconds(counts());
  CHECK(base > 0);
  CHECK(timeWith([](auto &c) { c.instructions["special"] = 108 * 40000; }) > base);
  CHECK(timeWith([](auto &c) { c.sharedWavefronts = 108 * 200000; }) > base);
  CHECK(timeWith([](auto &c) { c.globalSectors = 108 * 200000; }) > base);
  CHECK(timeWith([](auto &c) { c.tensorFlops = 108 * int64_t(400000000); }) > base);
  // What is hidden behind another costs nothing.
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
