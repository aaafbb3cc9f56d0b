// Which attention kernel of targets/cuda/tile suits a problem on a device.
#pragma once
#include "targets/cuda/Devices.h"
#include "targets/cuda/tile/Attention.h"

namespace adze::cuda {

/// What is to be reckoned with, where an extent is known at run time only.
struct AttentionSize {
  int64_t batch, queries, keys;
};

/// All that are worth a try, the one that takes the least cycles by a model of the device first.
/// What fits the operands' layout is for whyNot to say.
std::vector<AttentionKernel> rankAttention(const AttentionProblem &problem,
                                           const AttentionSize &size, Multiply multiply,
                                           const Device &device);

/// "tf32x3 attention 16 queries 128 keys warp 16 slices 4"
std::string describe(const AttentionKernel &kernel);

}  // namespace adze::cuda
