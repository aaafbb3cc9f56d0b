// How long a launch takes, by what it does.
#pragma once
#include "lib/Tuning/LaunchCounts.h"
#include "targets/cuda/Devices.h"

namespace adze::cuda {

/// Nanoseconds: turns of blocks over the multiprocessors, and in each the largest of what keeps
/// a pipe, the schedulers, shared memory, the tensor cores or the way to memory busy, and the time
/// that one warp waits for itself. It orders kernels that do the same work.
double launchNanoseconds(const tuning::LaunchCounts &counts, const Device &device);

}  // namespace adze::cuda
