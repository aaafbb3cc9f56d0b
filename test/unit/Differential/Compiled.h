// A module of adze ops through the whole compiler and the runtime.
#pragma once
#include "lib/Reference/Evaluate.h"

namespace adze::differential {

struct CompiledOptions {
  std::string cpu = "native";
  int optLevel = 3;
  int threads = 1;
  bool verify = false;  ///< the IR after each pass
};

/// The results of the module's function on `inputs`; failure and `message` when
/// it does not compile or run. `unsupported` tells that the target has no code
/// for it. Works in `folder`.
mlir::FailureOr<reference::Tensors> runCompiled(mlir::ModuleOp module,
                                                llvm::ArrayRef<reference::Tensor> inputs,
                                                const CompiledOptions &options,
                                                const std::string &folder, std::string &message,
                                                bool &unsupported);

}  // namespace adze::differential
