// Passes that simplify the graph before layout and fusion.
#pragma once
#include "dialects/Graph/Graph.h"

#include "mlir/Pass/Pass.h"

namespace adze {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/Graph/Passes.h.inc"
}  // namespace adze
