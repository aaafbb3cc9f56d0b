#include "lib/Compiler/Evaluate.h"

#include "lib/Compiler/Signature.h"
#include "lib/Reference/ErrorBound.h"
#include "lib/Reference/Evaluate.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace adze {

/// The tensor as one of type `declared`; nullopt when it does not fit.
static std::optional<reference::Tensor> toReference(const EdgeTensor &t, Type declared) {
  auto type = dyn_cast<RankedTensorType>(declared);
  if (!type || dtypeOf(type.getElementType()) != t.dtype ||
      failed(verifyCompatibleShape(type.getShape(), t.shape)))
    return std::nullopt;
  auto full = RankedTensorType::get(t.shape, type.getElementType());
  return reference::Tensor::view(
      full, ArrayRef(reinterpret_cast<const char *>(t.data.data()), t.data.size()), nullptr);
}

static EdgeTensor fromReference(const reference::Tensor &t) {
  auto bytes = reinterpret_cast<const std::byte *>(t.bytes());
  return {dtypeOf(t.element()), t.shape().vec(), {bytes, bytes + t.byteSize()}};
}

namespace {
class ModelEvaluation {
 public:
  ModelEvaluation(ModuleOp module, bool followErrors, DiagnosticEngine &diags,
                  EvaluatedModel &result)
      : module(module), followErrors(followErrors), diags(diags), result(result) {}

  void run(const std::vector<std::vector<EdgeTensor>> &sets) {
    if (std::string error = recordSignature(module); !error.empty())
      return diags.error(ExitCode::Unsupported, "ADZ0410", error);
    entry = cast<func::FuncOp>(entryFunction(module));
    for (const auto &inputs : sets)
      if (!runSet(inputs)) return;
  }

 private:
  bool runSet(const std::vector<EdgeTensor> &inputs) {
    reference::Tensors given;
    for (auto [t, type] : llvm::zip(inputs, entry.getArgumentTypes())) {
      auto tensor = toReference(t, type);
      if (!tensor) break;
      given.push_back(std::move(*tensor));
    }
    if (given.size() != entry.getNumArguments()) {
      diags.error(ExitCode::InvalidModel, "ADZ0412", "the inputs do not fit the model's signature");
      return false;
    }
    reference::ErrorBounds bounds;
    for (auto [v, t] : llvm::zip(entry.getArguments(), given)) bounds.addInput(v, t);
    reference::Options options;
    options.observe = [&](Value v, const reference::Tensor &t) {
      result.ops.insert(v.getDefiningOp()->getName().getStringRef().str());
      if (followErrors) bounds.observe(v, t);
    };
    std::string message;
    FailureOr<reference::Tensors> outputs =
        reference::evaluateFunction(entry, given, &message, options);
    if (failed(outputs)) {
      diags.error(ExitCode::InvalidModel, "ADZ0413", "the reference cannot evaluate it: " + message);
      return false;
    }
    std::vector<EdgeTensor> &copies = result.outputs.emplace_back();
    for (const reference::Tensor &t : *outputs) copies.push_back(fromReference(t));
    auto &errors = result.errors.emplace_back();
    for (Value v : entry.getBody().front().getTerminator()->getOperands())
      errors.push_back(bounds.of(v));
    if (Operation *op = bounds.unbounded())
      llvm::raw_string_ostream(result.unbounded) << *op;
    return true;
  }

  ModuleOp module;
  bool followErrors;
  DiagnosticEngine &diags;
  EvaluatedModel &result;
  func::FuncOp entry;
};
}  // namespace

ExitCode evaluateModel(CompileOptions options,
                       const std::vector<std::vector<EdgeTensor>> &inputs, DiagnosticEngine &diags,
                       CompileSummary &summary, EvaluatedModel &result, bool followErrors) {
  options.to = Phase::Graph;
  options.takeModule = [&](ModuleOp module) {
    ModelEvaluation(module, followErrors, diags, result).run(inputs);
  };
  return compile(options, diags, summary);
}

}  // namespace adze
