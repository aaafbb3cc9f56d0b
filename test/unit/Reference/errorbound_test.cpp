#include "lib/Reference/ErrorBound.h"

#include "Evaluate.h"

using namespace mlir;

namespace adze::reference {

/// The error of the function's result for these inputs.
static std::optional<double> errorOf(const std::string &body, const Values &x) {
  std::string type = "tensor<" + std::to_string(x.size()) + "xf32>";
  auto module = parse("func.func @main(%x: " + type + ") -> " + type + " {\n" + body +
                      "return %y : " + type + " }");
  auto main = module->lookupSymbol<func::FuncOp>("main");
  Tensors given{tensor(std::to_string(x.size()) + "xf32", x)};
  ErrorBounds bounds;
  bounds.addInput(main.getArgument(0), given[0]);
  Options options;
  options.observe = [&](Value v, const Tensor &t) { bounds.observe(v, t); };
  REQUIRE(succeeded(evaluateFunction(main, given, nullptr, options)));
  return bounds.of(main.getBody().front().getTerminator()->getOperand(0));
}

static const std::string kF = " : (tensor<2xf32>) -> tensor<2xf32>\n";
static const std::string kTanh = "%t = adze.elementwise tanh(%x)" + kF;

TEST_CASE("errors follow the slopes of functions", "[Reference]") {
  auto tanh = errorOf("%y = adze.elementwise tanh(%x)" + kF, {0, 1});
  REQUIRE(tanh);
  CHECK(*tanh > 0);
  CHECK(*tanh < 1e-6);
  CHECK(errorOf("%y = adze.elementwise neg(%x)" + kF, {0, 1}) == 0.0);
  auto grown = errorOf(kTanh + "%y = adze.elementwise exp(%t)" + kF, {0, 1});
  REQUIRE(grown);
  CHECK(*grown > *tanh);
  // A logarithm is as steep as its operand is small, and without end at 0.
  auto log = errorOf(kTanh + "%y = adze.elementwise log(%t)" + kF, {1e-3, 1});
  REQUIRE(log);
  CHECK(*log > 1e3 * *tanh);
  CHECK(!errorOf(kTanh + "%y = adze.elementwise log(%t)" + kF, {0, 1}));
}

TEST_CASE("a jump has a bound where operands are far from it", "[Reference]") {
  CHECK(errorOf(kTanh + "%y = adze.elementwise floor(%t)" + kF, {0.5, 1}) == 0.0);
  CHECK(!errorOf(kTanh + "%y = adze.elementwise floor(%t)" + kF, {0, 1}));
}

TEST_CASE("a condition that may turn costs what its branches are apart", "[Reference]") {
  auto selected = [](const std::string &other, Values x) {
    return errorOf(kTanh + "%z = adze.elementwise sub(%x, %x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>\n"
                   "%c = adze.elementwise less(%t, %z) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xi1>\n"
                   "%o = adze.elementwise " + other + kF +
                   "%y = adze.elementwise select(%c, %o, %t) : (tensor<2xi1>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>\n", x);
  };
  // |tanh|: both branches are 0 at 0. With cos they are 1 apart.
  CHECK(selected("neg(%t)", {0, 1}).value_or(1) < 1e-6);
  CHECK(selected("cos(%x)", {0, 1}).value_or(0) > 0.9);
  CHECK(selected("cos(%x)", {0.5, 1}).value_or(1) < 1e-6);
}

}  // namespace adze::reference
