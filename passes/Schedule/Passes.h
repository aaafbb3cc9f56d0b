// Host-independent scheduling: linalg on memrefs becomes fast vector loops.
#pragma once

#include <memory>

namespace mlir {
class Pass;
}

namespace adze::schedule {
#define GEN_PASS_DECL
#include "passes/Schedule/Passes.h.inc"
}  // namespace adze::schedule

namespace adze {
/// Registers the passes of this room, by name, for adze-opt and the plugin.
void registerAdzeSchedulePasses();
}  // namespace adze
