// Which ONNX nodes are still computed, pass by pass: how a node went that no
// kernel has.
#pragma once
#include "lib/Compiler/FusionRemarks.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "llvm/ADT/MapVector.h"

#include <memory>

namespace adze {

/// Follows the nodes of one module through its passes, by the locations of ops
/// that a result depends on.
class NodeHistory {
 public:
  /// Takes the nodes that a module names.
  void begin(mlir::ModuleOp module);
  /// Sees each pass on modules of the manager that it is given to. This must
  /// outlive it.
  std::unique_ptr<mlir::PassInstrumentation> watch();
  /// What became of the nodes. For a module of the fuse phase whose fusions have
  /// their remarks.
  FusionRemarks remarks(mlir::ModuleOp module);

 private:
  struct Watch;
  /// Nodes that nothing computes any more went in this pass.
  void after(llvm::StringRef pass, mlir::ModuleOp module);

  llvm::MapVector<mlir::Attribute, std::string> gone;  ///< node -> why; "" while there
};

}  // namespace adze
