#include "Evaluate.h"

#include "dialects/Graph/Graph.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;

namespace adze::reference {

MLIRContext &context() {
  static MLIRContext *ctx = [] {
    auto *made = new MLIRContext(MLIRContext::Threading::DISABLED);
    made->loadDialect<graph::AdzeDialect, func::FuncDialect>();
    return made;
  }();
  return *ctx;
}

OwningOpRef<ModuleOp> parse(const std::string &text) {
  auto module = parseSourceString<ModuleOp>(text, &context());
  INFO(text);
  REQUIRE(module);
  return module;
}

Tensor tensor(const std::string &type, const std::vector<double> &values) {
  auto parsed = cast<RankedTensorType>(parseType("tensor<" + type + ">", &context()));
  auto t = Tensor::zeros(parsed);
  REQUIRE(t);
  REQUIRE(size_t(t->size()) == values.size());
  if (isFloat(t->element()))
    storeDoubles(*t, values);
  else
    storeInts(*t, std::vector<int64_t>(values.begin(), values.end()));
  return *t;
}

static std::string typeText(Type type) {
  std::string text;
  llvm::raw_string_ostream os(text);
  type.print(os);
  return text;
}

/// A function around `op` whose inputs have dynamic extents everywhere, so that
/// nothing is known before it runs.
static std::string functionText(const std::string &op, ArrayRef<Tensor> inputs,
                                const std::string &result) {
  std::string arguments, types;
  for (auto [i, t] : llvm::enumerate(inputs)) {
    // Lists keep their length: it is the rank of a result.
    SmallVector<int64_t> shape(t.rank(), ShapedType::kDynamic);
    if (t.rank() == 1 || !isFloat(t.element())) shape.assign(t.shape().begin(), t.shape().end());
    std::string type = typeText(RankedTensorType::get(shape, t.element()));
    arguments += (i ? ", %" : "%") + std::to_string(i) + ": " + type;
    types += (i ? ", " : "") + type;
  }
  return "func.func @main(" + arguments + ") -> tensor<" + result + "> {\n  %r = " + op + " : (" +
         types + ") -> tensor<" + result + ">\n  return %r : tensor<" + result + ">\n}\n";
}

FailureOr<Tensors> evaluateText(const std::string &op, const std::vector<Tensor> &inputs,
                                const std::string &result, std::string *message) {
  return runModule(*parse(functionText(op, inputs, result)), inputs, message);
}

std::vector<double> valuesOf(const std::string &op, const std::vector<Tensor> &inputs,
                             const std::string &result) {
  std::string message;
  FailureOr<Tensors> results = evaluateText(op, inputs, result, &message);
  INFO(op << ": " << message);
  REQUIRE(succeeded(results));
  return toDoubles(results->front());
}

std::string messageOf(const std::string &op, const std::vector<Tensor> &inputs,
                      const std::string &result) {
  std::string message;
  REQUIRE(failed(evaluateText(op, inputs, result, &message)));
  return message;
}

}  // namespace adze::reference
