// What patterns that put one op in the place of many share.
#pragma once
#include "dialects/Graph/Graph.h"

namespace adze {

/// The locations of `root` and of `parts`, so that every ONNX node among them is
/// named by what takes their place.
mlir::Location fusedLocation(mlir::Operation *root, llvm::ArrayRef<mlir::Operation *> parts);

/// `root` and the elementwise ops and reductions that it depends on, not beyond
/// the values `leaves`.
llvm::SmallVector<mlir::Operation *> opsBetween(mlir::Operation *root,
                                                llvm::ArrayRef<mlir::Value> leaves);

/// Erases ops that nothing uses, and what only they used.
void eraseChains(llvm::SmallVector<mlir::Operation *> &dead);

}  // namespace adze
