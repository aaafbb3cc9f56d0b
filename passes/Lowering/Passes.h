// Passes from the adze dialect to linalg on tensors.
#pragma once
#include "mlir/Pass/Pass.h"

namespace adze {

#define GEN_PASS_DECL
#include "passes/Lowering/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/Lowering/Passes.h.inc"

}  // namespace adze
