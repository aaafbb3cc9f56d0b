// The coverage check: right after import it lists every operator that adze
// does not take, so that a user sees all of them at once.
#pragma once
#include "dialects/Onnx/Location.h"
#include "dialects/Onnx/Onnx.h"
#include "lib/Support/Diagnostics.h"

#include "mlir/IR/BuiltinOps.h"

#include <functional>
#include <string>
#include <vector>

namespace adze {

/// Nodes that are not supported for one and the same reason.
struct CoverageRow {
  std::string domain;  ///< "ai.onnx" for ONNX's own
  std::string op;
  int64_t sinceVersion = 0;
  std::string dtype;     ///< element type of the first tensor; "?" if unknown
  bool dynamic = false;  ///< a dimension, a rank or a type is not known
  std::string reason;    ///< "no converter"
  int64_t count = 0;
  std::vector<onnxir::NodeRef> first;  ///< the first three
};

/// Why a node is not supported; empty if it is.
using SupportCheck = std::function<std::string(onnxir::NodeOp)>;
/// By the registry of converters.
std::string unsupportedByRegistry(onnxir::NodeOp op);

/// All nodes that `check` refuses, bodies included, most frequent rows first.
std::vector<CoverageRow> findUnsupported(mlir::ModuleOp module, const SupportCheck &check);

/// A table with one row a line.
std::string coverageText(const std::vector<CoverageRow> &rows);
/// {"unsupported": [...]} in one line.
std::string coverageJson(const std::vector<CoverageRow> &rows);
/// One error, ADZ0201, exit code 3, with every row in its notes.
Diagnostic coverageDiagnostic(const std::vector<CoverageRow> &rows, llvm::StringRef target);

/// True if the registry takes every node and `placement`, the target's answer,
/// has no objection; otherwise reports one error.
bool checkCoverage(mlir::ModuleOp module, llvm::StringRef target, const SupportCheck &placement,
                   DiagnosticEngine &diags);

}  // namespace adze
