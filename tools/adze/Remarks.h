// Fusion remarks as text and as JSON (docs/fusion.md has the schema).
#pragma once
#include "lib/Compiler/FusionRemarks.h"
#include "tools/adze/Cli.h"

#include <ostream>

namespace adze::cli {

Json remarksJson(const FusionRemarks &remarks);

/// Two tables: kernels, then the nodes that no kernel computes.
void printRemarks(const FusionRemarks &remarks, std::ostream &out);

}  // namespace adze::cli
