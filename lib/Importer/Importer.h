// Reads an ONNX model into the onnx dialect. The model is hostile input: every
// failure is a Diagnostic, nothing asserts, and work and memory are bounded.
#pragma once
#include "lib/Support/Diagnostics.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace adze {

/// Extents that a dimension may take, both ends included.
struct DimRange {
  int64_t low = 0;
  int64_t high = INT64_MAX;
};

struct ImportOptions {
  /// Nodes in all graphs, function bodies expanded.
  int64_t maxNodes = 1000000;
  /// Graphs inside graphs, and functions calling functions.
  int maxDepth = 100;
  /// Bytes that one sparse tensor may take when it is made dense.
  int64_t maxDenseBytes = int64_t(1) << 30;
  /// Input name -> one range a dimension; low == high fixes it. A symbolic
  /// dimension that is fixed is fixed wherever the inputs use its name.
  std::map<std::string, std::vector<DimRange>> shapes;
  /// Bring the model to the newest opset known (28).
  bool convertVersion = true;
  /// True where the compiler reads the operator itself. An operator for which
  /// it is false is replaced by its ONNX function body if it has one. Domain
  /// "" is ONNX's own; `version` is the operator's since-version. Unset: no
  /// operator is replaced.
  std::function<bool(llvm::StringRef domain, llvm::StringRef op, int64_t version)> hasConverter;
};

/// Imports the model in the file at `path`: protobuf, or ONNX's text format
/// where the name ends in ".onnxtxt". Large tensors point into the mapped
/// file, which the context keeps alive. External data is read from the
/// model's folder only. Returns null after reporting at least one error;
/// otherwise a module that verifies, and maybe notes.
mlir::OwningOpRef<mlir::ModuleOp> importModel(const std::string &path, mlir::MLIRContext &context,
                                              const ImportOptions &options,
                                              DiagnosticEngine &diagnostics);

/// The same for bytes in memory, which `owner` keeps alive (null: they are
/// copied). There is no folder, so external data is an error.
mlir::OwningOpRef<mlir::ModuleOp> importModelFromBytes(std::span<const std::byte> bytes,
                                                       std::shared_ptr<const void> owner,
                                                       mlir::MLIRContext &context,
                                                       const ImportOptions &options,
                                                       DiagnosticEngine &diagnostics);

}  // namespace adze
