// The ONNX node an op came from, kept in its location so that every message
// and every kernel can name it.
#pragma once
#include "mlir/IR/Location.h"

#include <cstdint>
#include <optional>
#include <string>

namespace adze::onnxir {

/// Where a node stands in the model. Strings are the file's bytes: print them
/// through adze::printable.
struct NodeRef {
  std::string graph;
  int64_t index = -1;  ///< position in the graph; -1: unknown
  std::string opType;
  std::string name;    ///< the node's name, or its first output's
};

/// FusedLoc<"OpType">[NameLoc("name", FileLineColLoc("graph", index, 0))].
mlir::Location nodeLocation(mlir::MLIRContext *ctx, llvm::StringRef graph, int64_t index,
                            llvm::StringRef opType, llvm::StringRef name);

/// The node that `loc` names, through fused and call-site locations; the
/// caller of a call site, and the first node of a fusion. Nullopt if none.
std::optional<NodeRef> nodeOf(mlir::Location loc);

/// Calls `node` with the location of each node that `loc` names, as nodeLocation
/// made it: of a call site the caller's, where that is a node. nodeOf reads it.
void forEachNode(mlir::Location loc, llvm::function_ref<void(mlir::FusedLoc)> node);

}  // namespace adze::onnxir
