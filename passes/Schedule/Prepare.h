// Brings linalg on memrefs to one form before scheduling.
#pragma once

#include "mlir/IR/Operation.h"

namespace adze::schedule {

/// Named linalg ops on memrefs and memref.copy below `root` become
/// linalg.generic; deallocations go to the end of their blocks.
void generalizeKernels(mlir::Operation *root);

}  // namespace adze::schedule
