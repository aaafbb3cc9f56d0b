// The one list of rooms that register dialects, interfaces and passes.
#pragma once

namespace mlir {
class DialectRegistry;
}

namespace adze {
/// adze's own dialects.
void registerAdzeDialects(mlir::DialectRegistry &registry);
/// Every dialect adze reads, builds or lowers to, with the interfaces its
/// passes rely on.
void registerAllDialects(mlir::DialectRegistry &registry);
/// Every pass of adze, for adze-opt and the mlir-opt plugin.
void registerAllPasses();
}  // namespace adze
