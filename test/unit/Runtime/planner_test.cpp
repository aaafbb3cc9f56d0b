#include "lib/Runtime/Planner.h"
#include "lib/Runtime/PlanCache.h"
#include "lib/Runtime/PlanFromPeak.h"
#include "lib/Runtime/PlanRepair.h"

#include "catch2/catch.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

using namespace adze::runtime;

namespace {
std::vector<PlanBuffer> randomBuffers(std::mt19937 &rng, size_t n, int steps, int length,
                                      int64_t maxSize) {
  std::vector<PlanBuffer> buffers;
  for (size_t i = 0; i < n; ++i) {
    int32_t first = static_cast<int32_t>(rng() % steps);
    buffers.push_back({int64_t(rng() % maxSize), first, first + int32_t(rng() % length)});
  }
  return buffers;
}

/// The obvious O(n^2) check.
bool slowCheck(const std::vector<PlanBuffer> &b, const std::vector<int64_t> &o) {
  for (size_t i = 0; i < b.size(); ++i)
    for (size_t j = i + 1; j < b.size(); ++j) {
      bool together = b[i].first <= b[j].last && b[j].first <= b[i].last;
      bool share = o[i] < o[j] + b[j].size && o[j] < o[i] + b[i].size;
      if (together && share && b[i].size && b[j].size) return false;
    }
  return true;
}
}  // namespace

TEST_CASE("plans of random lifetimes never overlap", "[Runtime]") {
  std::mt19937 rng(7);
  for (int round = 0; round < 300; ++round) {
    auto buffers = randomBuffers(rng, rng() % 120, 1 + rng() % 60, 1 + rng() % 30, 10000);
    Plan plan;
    REQUIRE(planOffsets(buffers, plan));
    CHECK(checkPlan(buffers, plan.offsets, plan.slabBytes));
    CHECK(slowCheck(buffers, plan.offsets));
    CHECK(plan.slabBytes >= plan.peakLiveBytes);
    for (int64_t o : plan.offsets) CHECK(o % kPlanAlignment == 0);
  }
}

TEST_CASE("the checker finds overlaps", "[Runtime]") {
  std::mt19937 rng(8);
  int found = 0;
  for (int round = 0; round < 500; ++round) {
    auto buffers = randomBuffers(rng, 2 + rng() % 20, 10, 5, 100);
    std::vector<int64_t> offsets;
    for (size_t i = 0; i < buffers.size(); ++i) offsets.push_back(rng() % 600);
    bool ok = slowCheck(buffers, offsets);
    found += !ok;
    CHECK(checkPlan(buffers, offsets, 1000) == ok);
  }
  CHECK(found > 50);
  PlanBuffer one[] = {{64, 0, 0}};
  int64_t beyond[] = {1};
  CHECK_FALSE(checkPlan(one, beyond, 64));
}

TEST_CASE("a chain needs no more than its peak", "[Runtime]") {
  std::vector<PlanBuffer> chain;
  for (int i = 0; i < 100; ++i) chain.push_back({int64_t(64) * (1 + i * 7 % 13), i, i + 1});
  Plan plan;
  REQUIRE(planOffsets(chain, plan));
  CHECK(plan.slabBytes == plan.peakLiveBytes);
}

TEST_CASE("sizes that cannot be planned are refused", "[Runtime]") {
  Plan plan;
  PlanBuffer negative[] = {{-1, 0, 0}};
  CHECK_FALSE(planOffsets(negative, plan));
  PlanBuffer backwards[] = {{1, 1, 0}};
  CHECK_FALSE(planOffsets(backwards, plan));
  PlanBuffer huge[] = {{INT64_MAX / 2, 0, 1}, {INT64_MAX / 2, 0, 1}, {INT64_MAX / 2, 0, 1}};
  CHECK_FALSE(planOffsets(huge, plan));
  PlanBuffer last[] = {{1, INT32_MAX, INT32_MAX}};
  CHECK(planOffsets(last, plan));
  CHECK(planOffsets({}, plan));
  CHECK(plan.slabBytes == 0);
}

namespace {
/// Lifetimes as in a long network: most values die at the next layer or two,
/// some pass by a block, a few skip far ahead; sizes over three decades.
std::vector<PlanBuffer> network(std::mt19937 &rng, int32_t n) {
  std::vector<PlanBuffer> buffers;
  for (int32_t i = 0; i < n; ++i) {
    int32_t length = 1 + rng() % 3;
    if (rng() % 8 == 0) length += rng() % 12;
    if (rng() % 64 == 0) length += rng() % 400;
    buffers.push_back({int64_t(1 + rng() % 16) << (6 + rng() % 10), i, i + length});
  }
  return buffers;
}

/// As in training: what the way forward makes is read on the way back.
std::vector<PlanBuffer> nested(std::mt19937 &rng, int32_t n) {
  std::vector<PlanBuffer> buffers;
  for (int32_t i = 0; i < n / 2; ++i) {
    buffers.push_back({int64_t(1 + rng() % 1000000), i, 2 * n - i});
    buffers.push_back({int64_t(1 + rng() % 1000000), i, i + 1});
  }
  return buffers;
}

/// Begins and lengths without any structure, `live` alive at a time.
std::vector<PlanBuffer> scattered(std::mt19937 &rng, int32_t n, double live) {
  std::vector<PlanBuffer> buffers;
  for (int32_t i = 0; i < n; ++i) {
    double u = (double(rng()) + 1) / 4294967296.0;
    auto first = static_cast<int32_t>(rng() % n);
    buffers.push_back({int64_t(1 + rng() % 1000000), first, first - int32_t(live * std::log(u))});
  }
  return buffers;
}

/// Seconds of this thread, so that a busy machine does not count.
double cpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

struct Graph {
  std::string name;
  std::vector<PlanBuffer> buffers;
};

std::vector<Graph> largeGraphs() {
  std::mt19937 rng(9);
  constexpr int32_t kCount = 100000;
  std::vector<Graph> graphs;
  graphs.push_back({"network", network(rng, kCount)});
  graphs.push_back({"nested", nested(rng, kCount)});
  for (int live : {5, 20, 50, 100, 200, 500, 2000, 20000})
    for (int round = 0; round < 3; ++round)
      graphs.push_back({"scattered, " + std::to_string(live) + " alive, " + std::to_string(round),
                        scattered(rng, kCount, live)});
  return graphs;
}

}  // namespace

TEST_CASE("a hundred thousand buffers are planned within 1.05 of the peak", "[Runtime]") {
  for (const Graph &graph : largeGraphs()) {
    Plan plan;
    REQUIRE(planOffsets(graph.buffers, plan));
    CHECK(checkPlan(graph.buffers, plan.offsets, plan.slabBytes));
    double ratio = double(plan.slabBytes) / double(plan.peakLiveBytes);
    INFO(graph.name << ": " << ratio);
    CHECK(ratio <= 1.05);
  }
}

// No test: docs/benchmarks.md has what it prints.
TEST_CASE("times of the planner", "[.times]") {
  for (const Graph &graph : largeGraphs()) {
    Plan plan;
    double begin = cpuSeconds();
    REQUIRE(planOffsets(graph.buffers, plan));
    double seconds = cpuSeconds() - begin;
    std::printf("%-28s %.3f of the peak, %.2f s\n", graph.name.c_str(),
                double(plan.slabBytes) / double(plan.peakLiveBytes), seconds);
  }
}

TEST_CASE("plans from the peak are sound, and repairs keep them so", "[Runtime]") {
  std::mt19937 rng(14);
  int lowered = 0;
  for (int round = 0; round < 300; ++round) {
    auto buffers = randomBuffers(rng, rng() % 120, 1 + rng() % 60, 1 + rng() % 30, 10000);
    std::vector<int64_t> sizes, offsets(buffers.size()), stacked;
    int64_t sum = 0;
    for (const PlanBuffer &b : buffers) {
      sizes.push_back(b.size);
      stacked.push_back(sum);
      sum += b.size;
    }
    int64_t slab = planFromPeak(buffers, 0, offsets);
    CHECK(checkPlan(buffers, offsets, slab));
        Lifetimes lives(buffers);
    int64_t repaired = repairPlan(sizes, lives, 0, 1e5, offsets);
    CHECK(checkPlan(buffers, offsets, repaired));
    CHECK(repaired <= slab);
    lowered += repaired < slab;
    repaired = repairPlan(sizes, lives, 0, 1e5, stacked);
    CHECK(checkPlan(buffers, stacked, repaired));
  }
  CHECK(lowered > 20);
}

TEST_CASE("where greedy orders miss the peak, the search finds it", "[Runtime]") {
  // Random cuts of a full rectangle: the peak can be reached, but only by
  // finding the cuts again.
  std::mt19937 rng(12);
  int searched = 0;
  for (int round = 0; round < 40; ++round) {
    std::vector<PlanBuffer> buffers = {{64 * 256, 0, 63}};
    while (buffers.size() < 40) {
      size_t at = rng() % buffers.size();
      PlanBuffer &b = buffers[at];
      int64_t rows = b.size / 64;
      if (rng() % 2 && rows > 1) {
        int64_t below = 64 * int64_t(1 + rng() % (rows - 1));
        buffers.push_back({b.size - below, b.first, b.last});
        buffers[at].size = below;
      } else if (b.last > b.first) {
        int32_t cut = b.first + int32_t(rng() % (b.last - b.first));
        buffers.push_back({b.size, cut + 1, b.last});
        buffers[at].last = cut;
      }
    }
    Plan greedy, plan, again;
    REQUIRE(planOffsets(buffers, greedy, {.steps = 0}));
    REQUIRE(planOffsets(buffers, plan, {.steps = 20'000'000}));
    REQUIRE(planOffsets(buffers, again, {.steps = 20'000'000}));
    CHECK(plan.peakLiveBytes == 64 * 256);
    CHECK(plan.slabBytes == plan.peakLiveBytes);
    CHECK(checkPlan(buffers, plan.offsets, plan.slabBytes));
    CHECK(plan.offsets == again.offsets);
    searched += greedy.slabBytes > plan.slabBytes;
  }
  CHECK(searched > 5);
}

TEST_CASE("alignment and capacity are what the options say", "[Runtime]") {
  PlanBuffer buffers[] = {{10, 0, 1}, {3, 0, 1}, {7, 1, 2}};
  Plan plan;
  REQUIRE(planOffsets(buffers, plan, {.alignment = 1}));
  CHECK(plan.slabBytes == 20);
  REQUIRE(planOffsets(buffers, plan, {.alignment = 16}));
  CHECK(plan.slabBytes == 48);
  for (int64_t o : plan.offsets) CHECK(o % 16 == 0);
}

// Google's instances, which are not part of this repository: the challenging
// ones of github.com/google/minimalloc, each of which fits 1 MiB.
TEST_CASE("the instances of MiniMalloc fit a mebibyte", "[Runtime]") {
  const char *given = std::getenv("ADZE_MINIMALLOC");
  std::filesystem::path folder = given ? given : ADZE_SOURCE_DIR "/../shared/data/minimalloc";
  std::error_code missing;
  if (!std::filesystem::is_directory(folder, missing)) {
    WARN("skipped: no instances; ADZE_MINIMALLOC names the folder with the .csv files");
    return;
  }
  int count = 0;
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".csv") continue;
    CAPTURE(entry.path().string());
    std::ifstream file(entry.path());
    std::string header;
    std::getline(file, header);
    std::vector<PlanBuffer> buffers;
    char comma;
    for (int64_t id, lower, upper, size;
         file >> id >> comma >> lower >> comma >> upper >> comma >> size;)
      buffers.push_back({size, int32_t(lower), int32_t(upper) - 1});
    REQUIRE(buffers.size() > 100);
    Plan plan;
    REQUIRE(planOffsets(buffers, plan, {.alignment = 1, .capacity = 1 << 20, .steps = 2 * kCompilePlanSteps}));
    CHECK(checkPlan(buffers, plan.offsets, plan.slabBytes));
    CHECK(plan.slabBytes <= 1 << 20);
    ++count;
  }
  CHECK(count > 0);
}

TEST_CASE("the plan cache answers as the planner does", "[Runtime]") {
  std::mt19937 rng(10);
  PlanCache cache;
  for (int round = 0; round < 400; ++round) {
    int64_t size = 100 * (1 + rng() % 100);
    std::vector<int64_t> sizes = {size, 2 * size, 64};
    std::vector<int32_t> first = {0, 1, int32_t(rng() % 2)}, last = {1, 2, 3};
    std::vector<int64_t> offsets(3);
    int64_t slab = cache.plan(sizes, first, last, offsets);
    std::vector<PlanBuffer> buffers;
    for (int i = 0; i < 3; ++i) buffers.push_back({sizes[i], first[i], last[i]});
    CHECK(checkPlan(buffers, offsets, slab));
  }
  std::vector<int64_t> bad = {-1}, offsets(1);
  std::vector<int32_t> zero = {0};
  CHECK(cache.plan(bad, zero, zero, offsets) == -1);
}
