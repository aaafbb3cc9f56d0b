#include "lib/Runtime/ThreadPool.h"

#include "catch2/catch.hpp"

using namespace adze::runtime;

namespace {
struct Counts {
  explicit Counts(size_t n) : seen(n) {}
  std::vector<std::atomic<int>> seen;
  static void touch(void *p, size_t i) { ++static_cast<Counts *>(p)->seen[i]; }
  bool all(int times) const {
    for (const auto &s : seen)
      if (s != times) return false;
    return true;
  }
};
}  // namespace

TEST_CASE("every iteration runs once, whatever the threads", "[Runtime]") {
  for (int threads : {1, 2, 3, 16}) {
    ThreadPool pool(threads);
    CHECK(pool.threads() == threads);
    for (size_t count : {0, 1, 2, 7, 1000}) {
      Counts counts(count);
      pool.run(Counts::touch, &counts, count);
      CHECK(counts.all(1));
    }
  }
  CHECK(ThreadPool(0).threads() == availableCpus());
}

TEST_CASE("thousands of short loops from several callers", "[Runtime]") {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        Counts counts(1 + i % 9);
        pool.run(Counts::touch, &counts, counts.seen.size());
        wrong += !counts.all(1);
      }
    });
  for (std::thread &t : callers) t.join();
  CHECK(wrong == 0);
}

TEST_CASE("pools begin and end at any time", "[Runtime]") {
  for (int i = 0; i < 200; ++i) {
    ThreadPool pool(4);
    Counts counts(8);
    if (i % 3) pool.run(Counts::touch, &counts, 8);
    if (i % 3) CHECK(counts.all(1));
  }
}
