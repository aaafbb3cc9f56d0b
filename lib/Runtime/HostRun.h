// One call of adze_entry.
#pragma once
#include "lib/Runtime/Device.h"
#include "lib/Runtime/HostAbi.h"

namespace adze::runtime {

/// Calls `entry` with descriptors of the inputs, and hands its outputs on.
/// Whatever the code fails with comes back as `error`.
bool runHostEntry(adze_entry_fn entry, const uint8_t *weights, Execution &execution,
                  Diagnostic &error);

}  // namespace adze::runtime
