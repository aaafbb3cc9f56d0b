// Loops over single elements, as scatters are, shared out to threads.
#pragma once
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace adze::cuda {

/// On the outermost loop of a nest that threads share.
inline constexpr llvm::StringLiteral kThreadsAttr = "adze.threads";

/// Why a nest of loops is not shared out to threads; "" where it can be. A loop is
/// parallel if all that the nest writes of a buffer, and reads of it, has the loop's
/// variable in one and the same dimension. The others, of no known great length,
/// each thread runs by itself; a single thread runs a nest known to be short.
std::string whyNoThreads(mlir::scf::ForOp outermost);

/// The nest -> scf.parallel over the parallel loops, around the others in their
/// order. What an iteration of a parallel loop touches no other does, so that each
/// element sees the same accesses in the same order as before.
void shareOut(mlir::RewriterBase &rewriter, mlir::scf::ForOp outermost);

}  // namespace adze::cuda
