// What a launch did on the PTX emulator: what a model of a device reckons its time from.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace adze::tuning {

struct LaunchCounts {
  int64_t blocks = 0;
  int64_t threads = 0, sharedBytes = 0;  ///< of a block
  /// Of warps, by the emulator's names of pipes (adze_emulation).
  std::map<std::string, int64_t, std::less<>> instructions;
  int64_t globalSectors = 0;  ///< of 32 bytes
  int64_t sharedWavefronts = 0;
  int64_t tensorFlops = 0;
};

}  // namespace adze::tuning
