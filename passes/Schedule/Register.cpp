#include "passes/Schedule/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Pass/Pass.h"

namespace adze::schedule {
#define GEN_PASS_REGISTRATION
#include "passes/Schedule/Passes.h.inc"
}  // namespace adze::schedule

void adze::registerAdzeSchedulePasses() { schedule::registerSchedulePasses(); }
