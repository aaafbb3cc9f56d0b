#include "passes/Import/Coverage.h"
#include "passes/Import/Passes.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_ONNXCHECKCOVERAGE
#include "passes/Import/Passes.h.inc"

namespace {
struct CheckCoverage : impl::OnnxCheckCoverageBase<CheckCoverage> {
  using OnnxCheckCoverageBase::OnnxCheckCoverageBase;

  void runOnOperation() override {
    std::vector<CoverageRow> rows = findUnsupported(getOperation(), unsupportedByRegistry);
    numRows = rows.size();
    if (format == "text") llvm::outs() << coverageText(rows);
    if (format == "json") llvm::outs() << coverageJson(rows);
    if (rows.empty()) return;
    Diagnostic d = coverageDiagnostic(rows, target);
    InFlightDiagnostic error = emitError(getOperation().getLoc()) << d.code << ": " << d.message;
    for (const std::string &note : d.notes) error.attachNote() << note;
    signalPassFailure();
  }
};
}  // namespace
}  // namespace adze
