// One call of adze_entry.
#pragma once
#include "lib/Runtime/Device.h"
#include "lib/Runtime/HostAbi.h"

namespace adze::runtime {

/// Where the code's weights are, and the device that it drives, if any.
struct Surroundings {
  const void *weights = nullptr;
  DeviceQueue *device = nullptr;  ///< between its begin and end
  const artifact::Variant *variant = nullptr;
};

/// Calls `entry` with descriptors of the inputs, and hands its outputs on; those of a
/// device become Execution::pending. Whatever the code fails with comes back as `error`.
bool runEntry(adze_entry_fn entry, const Surroundings &around, Execution &execution,
              Diagnostic &error);

}  // namespace adze::runtime
