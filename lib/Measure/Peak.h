// What this machine can do at most, measured: arithmetic and memory.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace adze::measure {

struct Peak {
  std::string level;             ///< instructions that did the arithmetic: "avx512f", ...
  double flopsPerSecond = 0;     ///< fp32, multiply-adds (two each), all threads
  double bytesPerSecond = 0;     ///< to and from memory beyond the last-level cache, all threads
};

/// Measures for about a quarter of a second with `threads` threads at once (at
/// least 1). `features` (LLVM's names) limits the instructions to what some
/// code uses; those that this CPU lacks are left out.
Peak measurePeak(int threads, const std::vector<std::string> &features);

/// Bytes of the largest cache of CPU 0; 0 when the system does not say.
int64_t lastLevelCacheBytes();

}  // namespace adze::measure
