#include "lib/Compiler/MlirDiagnostics.h"

#include "dialects/Onnx/Location.h"

using namespace mlir;

namespace adze {

MlirDiagnostics::MlirDiagnostics(MLIRContext &ctx, DiagnosticEngine &diags)
    : diags_(diags), handler_(&ctx, [this](mlir::Diagnostic &d) { handle(d); }) {
  // A message names the node; a dump of IR would bury it.
  ctx.printOpOnDiagnostic(false);
}

void MlirDiagnostics::setClass(ExitCode exitCode, std::string code, std::string help) {
  exitCode_ = exitCode;
  code_ = std::move(code);
  help_ = std::move(help);
}

void MlirDiagnostics::handle(mlir::Diagnostic &d) {
  if (d.getSeverity() == DiagnosticSeverity::Remark ||
      d.getSeverity() == DiagnosticSeverity::Note)
    return;
  Diagnostic out;
  out.severity =
      d.getSeverity() == DiagnosticSeverity::Error ? Severity::Error : Severity::Warning;
  out.exitCode = exitCode_;
  out.code = code_;
  out.message = d.str();
  out.help = help_;
  if (auto node = onnxir::nodeOf(d.getLocation())) {
    out.graph = node->graph;
    out.node = node->name;
    out.nodeIndex = node->index;
    out.opType = node->opType;
  }
  for (mlir::Diagnostic &note : d.getNotes()) out.notes.push_back(note.str());
  diags_.report(std::move(out));
}

}  // namespace adze
