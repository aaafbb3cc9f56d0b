#include "Compiled.h"

#include "adze/adze_rt.hpp"
#include "lib/Compiler/Compiler.h"
#include "lib/Compiler/Signature.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <fstream>

using namespace mlir;

namespace adze::differential {

using reference::Tensor;
using reference::Tensors;

static void setInput(adze_request *request, size_t index, const Tensor &t) {
  adze_tensor in = ADZE_INIT(adze_tensor);
  in.dtype = int32_t(dtypeOf(t.element()));
  in.rank = int32_t(t.rank());
  in.shape = t.shape().data();
  in.data = const_cast<char *>(t.bytes());
  rt::check(adze_request_set_input(request, index, &in));
}

static Tensor outputOf(adze_request *request, size_t index, Type declared) {
  adze_tensor out = ADZE_INIT(adze_tensor);
  rt::check(adze_request_output(request, index, &out));
  auto type = RankedTensorType::get({out.shape, size_t(out.rank)},
                                    cast<RankedTensorType>(declared).getElementType());
  auto t = Tensor::zeros(type);
  if (!t || t->byteSize() != int64_t(out.bytes)) throw std::runtime_error("a result's size is wrong");
  std::memcpy(t->mutableBytes(), out.data, out.bytes);
  return *t;
}

static Tensors runArtifact(const std::string &path, ArrayRef<Tensor> inputs, TypeRange results,
                           int threads) {
  rt::Model model(path, threads);
  rt::Request request(model);
  for (auto [i, t] : llvm::enumerate(inputs)) setInput(request.get(), i, t);
  request.run();
  Tensors outputs;
  for (auto [i, type] : llvm::enumerate(results)) outputs.push_back(outputOf(request.get(), i, type));
  return outputs;
}

FailureOr<Tensors> runCompiled(ModuleOp module, ArrayRef<Tensor> inputs,
                               const CompiledOptions &options, const std::string &folder,
                               std::string &message, bool &unsupported) {
  CompileOptions compileOptions;
  compileOptions.model = folder + "/program.mlir";
  compileOptions.output = folder + "/program.adze";
  compileOptions.from = Phase::Graph;
  compileOptions.cpu = options.cpu;
  compileOptions.optLevel = options.optLevel;
  compileOptions.verifyPhases = options.verify;
  std::string text;
  llvm::raw_string_ostream os(text);
  module.print(os, OpPrintingFlags());  // with resources, which << leaves out
  std::ofstream(compileOptions.model) << text;
  auto types = llvm::to_vector(cast<func::FuncOp>(entryFunction(module)).getResultTypes());
  DiagnosticEngine diags;
  CompileSummary summary;
  ExitCode code = compile(compileOptions, diags, summary);
  unsupported = code == ExitCode::Unsupported;
  if (code != ExitCode::Ok) {
    message = diags.all().empty() ? "no message" : diags.all().front().message;
    for (const Diagnostic &d : diags.all())
      for (const std::string &note : d.notes) message += "; " + note;
    return failure();
  }
  try {
    return runArtifact(compileOptions.output, inputs, types, options.threads);
  } catch (const std::exception &e) {
    message = e.what();
    return failure();
  }
}

}  // namespace adze::differential
