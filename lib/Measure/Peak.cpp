#include "lib/Measure/Peak.h"

#include "lib/Measure/Arithmetic.h"
#include "lib/Runtime/Cpu.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <fstream>
#include <thread>

namespace adze::measure {

namespace {
constexpr double kTurn = 5e-3;  ///< seconds
constexpr int kTurns = 20;
/// Buffers are no larger: filling them would take longer than all the rest.
constexpr int64_t kMostBytes = int64_t(256) << 20;

/// Time that this thread ran: on a busy machine others have the rest.
double threadSeconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

/// A turn of each thread at once, several times; the best sum of their rates.
/// body(thread) does some work and returns how much.
template <typename Body>
double bestRate(int threads, int turns, Body body) {
  std::vector<double> rates(threads);
  double best = 0;
  for (int turn = 0; turn < turns; ++turn) {
    std::atomic<int> waiting{threads};
    auto run = [&](int t) {
      for (--waiting; waiting > 0;) std::this_thread::yield();
      double begin = threadSeconds(), work = 0, took = 0;
      do work += body(t);
      while ((took = threadSeconds() - begin) < kTurn);
      rates[t] = work / took;
    };
    std::vector<std::thread> others;
    for (int t = 1; t < threads; ++t) others.emplace_back(run, t);
    run(0);
    for (std::thread &other : others) other.join();
    double sum = 0;
    for (double rate : rates) sum += rate;
    best = std::max(best, sum);
  }
  return best;
}

const Level &widest(const std::vector<std::string> &features) {
  auto has = [&](const char *f) {
    return !f || (runtime::cpuHasFeature(f) == 1 &&
                  std::find(features.begin(), features.end(), f) != features.end());
  };
  int i = 0;
  while (i + 1 < kLevelCount && !(has(kLevels[i].name) && has(kLevels[i].also))) ++i;
  return kLevels[i];
}

/// Memory that goes with it; empty when there is none.
class Buffer {
 public:
  explicit Buffer(size_t bytes) : bytes_(bytes) {
    void *p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
                   -1, 0);
    if (p != MAP_FAILED) data_ = static_cast<uint64_t *>(p);
  }
  ~Buffer() {
    if (data_) munmap(data_, bytes_);
  }
  Buffer(const Buffer &) = delete;
  uint64_t *data() const { return data_; }

 private:
  uint64_t *data_ = nullptr;
  size_t bytes_;
};

/// Twice the last-level cache, where that is not far too large.
int64_t bufferBytes() {
  int64_t cache = lastLevelCacheBytes();
  int64_t bytes = std::clamp<int64_t>(2 * cache, int64_t(64) << 20, kMostBytes);
  int64_t machine = int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  return std::min(bytes, machine / 8) / 4096 * 4096;
}

constexpr size_t kBlock = size_t(1) << 20;  ///< words of one piece of work: 8 MB

/// Reads a block: what most kernels that memory bounds do most.
double readBlock(const uint64_t *p) {
  uint64_t sums[16] = {};
  for (size_t i = 0; i < kBlock; i += 16)
    for (size_t j = 0; j < 16; ++j) sums[j] += p[i + j];
  __asm__ volatile("" ::"m"(sums) : "memory");
  return kBlock * sizeof(uint64_t);
}

double measureBandwidth(int threads) {
  Buffer buffer(bufferBytes());
  if (!buffer.data()) return 0;
  size_t blocks = bufferBytes() / sizeof(uint64_t) / kBlock;
  // Each thread walks the whole buffer, from a place of its own.
  std::vector<size_t> at(threads);
  for (int t = 0; t < threads; ++t) at[t] = blocks * t / threads;
  return bestRate(threads, kTurns, [&](int t) {
    at[t] = (at[t] + 1) % blocks;
    return readBlock(buffer.data() + at[t] * kBlock);
  });
}
}  // namespace

int64_t lastLevelCacheBytes() {
  int64_t most = 0;
  for (int i = 0; i < 8; ++i) {
    std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/size");
    int64_t size = 0;
    char unit = 0;
    if (!(file >> size)) continue;
    file >> unit;
    most = std::max(most, size * (unit == 'K' ? 1024 : unit == 'M' ? 1 << 20 : 1));
  }
  return most;
}

Peak measurePeak(int threads, const std::vector<std::string> &features) {
  threads = std::max(1, threads);
  const Level &level = widest(features);
  constexpr int64_t kRounds = 20000;
  Peak peak;
  peak.level = level.name;
  peak.flopsPerSecond = bestRate(threads, kTurns, [&](int) {
    level.run(kRounds);
    return level.flopsPerRound * kRounds;
  });
  peak.bytesPerSecond = measureBandwidth(threads);
  return peak;
}

}  // namespace adze::measure
