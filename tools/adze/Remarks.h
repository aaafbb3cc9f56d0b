// Remarks as text and as JSON (docs/fusion.md and docs/layout.md have the schemas).
#pragma once
#include "lib/Compiler/FusionRemarks.h"
#include "lib/Compiler/LayoutRemarks.h"
#include "tools/adze/Cli.h"

#include <ostream>

namespace adze::cli {

Json remarksJson(const FusionRemarks &remarks);

/// Two tables: kernels, then the nodes that no kernel computes.
void printRemarks(const FusionRemarks &remarks, std::ostream &out);

Json layoutJson(const LayoutRemarks &remarks);

/// Two tables: regions, then what in them takes time.
void printLayout(const LayoutRemarks &remarks, std::ostream &out);

}  // namespace adze::cli
