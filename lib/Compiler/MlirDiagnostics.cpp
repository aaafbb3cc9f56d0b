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

/// Passes may begin a message with a code of their own, "ADZ0202: "; its
/// hundreds tell the class.
static void takeCode(Diagnostic &d) {
  std::string_view m = d.message;
  constexpr std::string_view kNoLowering = "failed to legalize operation 'adze.";
  if (m.substr(0, kNoLowering.size()) == kNoLowering) {
    d.code = "ADZ0203";
    d.exitCode = ExitCode::Unsupported;
    d.message = "unsupported, because this target has no code for this case of " +
                std::string(m.substr(kNoLowering.size() - 5));
    d.message.erase(d.message.find_last_of('\''));
    d.help = "`adze ops` lists what is supported";
  }
  if (m.size() < 9 || m.substr(0, 3) != "ADZ" || m.substr(7, 2) != ": ") return;
  d.code = d.message.substr(0, 7);
  if (d.code[4] == '2') d.exitCode = ExitCode::Unsupported;
  if (d.code[4] == '3') d.exitCode = ExitCode::InvalidModel;
  d.help.clear();
  d.message = d.message.substr(9);
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
  // A module that was read as text has lines instead of nodes.
  auto place = dyn_cast<FileLineColLoc>(d.getLocation());
  if (place && place.getLine() && out.node.empty())
    out.message += ", at line " + std::to_string(place.getLine());
  takeCode(out);
  for (mlir::Diagnostic &note : d.getNotes()) out.notes.push_back(note.str());
  diags_.report(std::move(out));
}

}  // namespace adze
