#include "lib/Runtime/Memory.h"
#include "lib/Runtime/Tensor.h"

#include "catch2/catch.hpp"

#include <algorithm>
#include <cstring>

using namespace adze;
using namespace adze::runtime;

TEST_CASE("blocks are aligned, kept for the next run, and freed when idle", "[Runtime]") {
  Budget budget;
  BlockPool pool(budget);
  Block *a = pool.allocate(1000);
  REQUIRE(a);
  CHECK(reinterpret_cast<uintptr_t>(a->payload()) % kAlignment == 0);
  std::memset(a->payload(), 1, 1000);
  pool.recycle(a);
  CHECK(pool.allocate(1000) == a);
  CHECK(pool.allocate(0));
  pool.endRun();
  CHECK(pool.heldBytes() > 0);
  pool.endRun();
  CHECK(pool.heldBytes() == 0);
  CHECK(budget.held() == 0);
}

TEST_CASE("a buffer that grows in steps does not leave them all behind", "[Runtime]") {
  Budget budget;
  BlockPool pool(budget);
  constexpr int64_t kStep = int64_t(1) << 20;
  Block *last = pool.allocate(kStep);
  int64_t most = 0;
  for (int64_t steps = 2; steps < 100; ++steps) {  // 4.9 GB in all, 100 MB at once
    Block *next = pool.allocate(steps * kStep);
    REQUIRE(next);
    pool.recycle(last);
    last = next;
    most = std::max(most, pool.heldBytes());
  }
  CHECK(most < 3 * 200 * kStep);
  pool.recycle(last);
  pool.endRun();
  pool.endRun();
  CHECK(pool.heldBytes() == 0);
  CHECK(budget.held() == 0);
}

TEST_CASE("a small need does not take a large block", "[Runtime]") {
  Budget budget;
  BlockPool pool(budget);
  Block *large = pool.allocate(1 << 20);
  pool.recycle(large);
  CHECK(pool.allocate(100) != large);
}

TEST_CASE("limits and absurd sizes give null", "[Runtime]") {
  Budget budget;
  budget.setLimit(10000);
  BlockPool pool(budget);
  CHECK(pool.allocate(5000));
  CHECK_FALSE(pool.allocate(6000));
  CHECK_FALSE(pool.allocate(INT64_MAX));
  Arena arena(budget);
  CHECK(arena.ensure(4096));
  CHECK_FALSE(arena.ensure(10000));
  CHECK_FALSE(arena.ensure(INT64_MAX));
}

TEST_CASE("a shared block outlives its pool", "[Runtime]") {
  Budget budget;
  Block *b;
  {
    BlockPool pool(budget);
    b = pool.detach(pool.allocate(64)->payload());
    REQUIRE(b);
    b->references.fetch_add(1);
    pool.giveBack(b);
  }
  CHECK(budget.held() == 0);
  std::memset(b->payload(), 0, 64);
  releaseBlock(b);
}

TEST_CASE("strided tensors are recognised and copied", "[Runtime]") {
  int64_t shape[] = {2, 3}, rows[] = {3, 1}, columns[] = {1, 2}, reversed[] = {-3, 1};
  CHECK(isRowMajor(shape, rows));
  CHECK_FALSE(isRowMajor(shape, columns));
  int64_t one[] = {1, 3}, any[] = {77, 1}, none[] = {0, 3};
  CHECK(isRowMajor(one, any));
  CHECK(isRowMajor(none, any));
  float from[] = {0, 1, 2, 3, 4, 5}, to[6];
  copyStrided(shape, columns, 4, from, to);
  CHECK(std::vector<float>(to, to + 6) == std::vector<float>{0, 2, 4, 1, 3, 5});
  copyStrided(shape, reversed, 4, from + 3, to);
  CHECK(std::vector<float>(to, to + 6) == std::vector<float>{3, 4, 5, 0, 1, 2});
  auto touched = touchedBytes(shape, reversed, 4);
  REQUIRE(touched);
  CHECK(touched->low == -12);
  CHECK(touched->high == 12);
  int64_t wide[] = {INT64_MAX, 1};
  CHECK_FALSE(touchedBytes(shape, wide, 4));
}
