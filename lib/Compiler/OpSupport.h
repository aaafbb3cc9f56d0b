// What a target takes, op by op: the converters' registry and its placement.
#pragma once
#include "lib/Compiler/Compiler.h"
#include "targets/Target.h"

namespace adze {

/// One row for each registered op, with the element types that `target` places
/// on itself; none for an op it takes with no type.
std::vector<OpSupportRow> supportedOps(const Target &target);

}  // namespace adze
