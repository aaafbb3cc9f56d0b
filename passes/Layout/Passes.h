// Passes that choose the order of dimensions and move transposes.
#pragma once
#include "dialects/Graph/Graph.h"

#include "mlir/Pass/Pass.h"

namespace adze {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/Layout/Passes.h.inc"
}  // namespace adze
