#include "adze/adze.h"

#include "lib/Artifact/Artifact.h"
#include "lib/Compiler/Compiler.h"

#include <new>

namespace {

using namespace adze;

/// Copies what the caller's version of the struct has.
bool readOptions(const adze_compile_options *in, CompileOptions &out, DiagnosticEngine &diags) {
  if (!in) return true;
  if (in->struct_size < sizeof(adze_compile_options)) {
    diags.error(ExitCode::Usage, "ADZ0800", "adze_compile_options.struct_size is too small");
    return false;
  }
  if (in->target) out.target = in->target;
  if (in->cpu) out.cpu = in->cpu;
  if (in->opt_level >= 0) out.optLevel = in->opt_level;
  for (size_t i = 0; i < in->num_shapes; ++i) {
    auto shape = parseShape(in->shapes[i] ? in->shapes[i] : "");
    if (!shape) {
      diags.error(ExitCode::Usage, "ADZ0801", "shape " + std::to_string(i) + " is malformed",
                  "write name=1x3x224x224, or ranges as 1..8");
      return false;
    }
    out.shapes.push_back(std::move(*shape));
  }
  return true;
}

void deliver(const adze_compile_options *options, const DiagnosticEngine &diags) {
  if (!options || !options->on_diagnostic) return;
  for (const Diagnostic &d : diags.all()) {
    adze_diagnostic out{};
    out.severity = static_cast<int32_t>(d.severity);
    out.exit_code = d.severity == Severity::Error ? static_cast<int32_t>(d.exitCode) : 0;
    out.code = d.code.c_str();
    out.message = d.message.c_str();
    out.file = d.file.c_str();
    out.node = d.node.c_str();
    out.op_type = d.opType.c_str();
    out.help = d.help.c_str();
    options->on_diagnostic(options->user, &out);
  }
}

}  // namespace

int32_t adze_compile(const char *model, const char *output, const adze_compile_options *options) {
  if (!model || !output) return static_cast<int32_t>(ExitCode::Usage);
  try {
    DiagnosticEngine diags;
    CompileOptions o;
    o.model = model;
    o.output = output;
    ExitCode code = ExitCode::Usage;
    CompileSummary summary;
    if (readOptions(options, o, diags)) code = compile(o, diags, summary);
    deliver(options, diags);
    return static_cast<int32_t>(code);
  } catch (const std::bad_alloc &) {
    return static_cast<int32_t>(ExitCode::ResourceLimit);
  } catch (...) {
    return static_cast<int32_t>(ExitCode::Internal);
  }
}

const char *adze_compiler_version(void) { return adze::artifact::compilerVersion(); }
