// MLIR's diagnostics -> ours, at the library's edge.
#pragma once
#include "lib/Support/Diagnostics.h"

#include "mlir/IR/Diagnostics.h"

namespace adze {

/// While alive, errors and warnings of `ctx` go to `diags`, with the ONNX node
/// their location names. Errors get `code` and `exitCode` (set per phase).
class MlirDiagnostics {
 public:
  MlirDiagnostics(mlir::MLIRContext &ctx, DiagnosticEngine &diags);
  void setClass(ExitCode exitCode, std::string code, std::string help = {});

 private:
  void handle(mlir::Diagnostic &d);

  DiagnosticEngine &diags_;
  ExitCode exitCode_ = ExitCode::Internal;
  std::string code_ = "ADZ0900", help_;
  mlir::ScopedDiagnosticHandler handler_;
};

}  // namespace adze
