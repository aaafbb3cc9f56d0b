#include "lib/Runtime/Planner.h"
#include "lib/Runtime/PlanCache.h"

#include "catch2/catch.hpp"

#include <chrono>
#include <random>

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

TEST_CASE("many buffers are planned in about a second", "[Runtime]") {
  std::mt19937 rng(9);
  auto buffers = randomBuffers(rng, 100000, 100000, 20, 1 << 20);
  Plan plan;
  auto begin = std::chrono::steady_clock::now();
  REQUIRE(planOffsets(buffers, plan));
  CHECK(checkPlan(buffers, plan.offsets, plan.slabBytes));
  // Generous: the machine may be busy, the build may be instrumented.
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
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
