// A model's graph phase evaluated by lib/Reference in place of compiled code.
#pragma once
#include "lib/Artifact/Artifact.h"
#include "lib/Compiler/Compiler.h"

#include <cstddef>
#include <optional>
#include <set>
#include <string>

namespace adze {

/// A dense row-major tensor at the edge of a model, laid out as for the runtime.
struct EdgeTensor {
  artifact::DType dtype;
  std::vector<int64_t> shape;
  std::vector<std::byte> data;
};

struct EvaluatedModel {
  std::vector<std::vector<EdgeTensor>> outputs;  ///< for each set of inputs
  /// With `followErrors`: how far a program that computes the same may be from
  /// each output (lib/Reference/ErrorBound.h); none where that is not known.
  std::vector<std::vector<std::optional<double>>> errors;
  std::string unbounded;                         ///< the first op where it is not
  std::set<std::string> ops;                     ///< names of the adze ops evaluated
};

/// Takes the model of `options` to the graph phase and evaluates that for each
/// set of inputs. Not Ok after reporting to `diags`. `followErrors` keeps every
/// value in memory.
ExitCode evaluateModel(CompileOptions options,
                       const std::vector<std::vector<EdgeTensor>> &inputs, DiagnosticEngine &diags,
                       CompileSummary &summary, EvaluatedModel &result,
                       bool followErrors = false);

}  // namespace adze
