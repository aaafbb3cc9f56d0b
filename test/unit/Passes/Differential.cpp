#include "Differential.h"

#include "catch2/catch.hpp"
#include "dialects/Graph/Graph.h"
#include "passes/Fusion/Passes.h"
#include "passes/Graph/Passes.h"
#include "passes/Layout/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

#include <cmath>

using namespace mlir;

namespace adze {

MLIRContext &graphContext() {
  static MLIRContext *ctx = [] {
    registerAdzeFusionPasses();
    registerAdzeGraphPasses();
    registerAdzeLayoutPasses();
    auto *made = new MLIRContext(MLIRContext::Threading::DISABLED);
    made->loadDialect<graph::AdzeDialect, func::FuncDialect>();
    return made;
  }();
  return *ctx;
}

const std::vector<std::string> &graphPipelines() {
  static const std::vector<std::string> pipelines{
      "adze-fold-constants",
      "adze-simplify",
      "adze-recognize-normalize",
      "adze-fold-conv-affine",
      "adze-assign-layout",
      "adze-assign-layout,adze-assign-layout",
      "adze-assign-layout,adze-fold-constants,adze-pack-weights",
      "adze-form-fusions",
      "adze-form-fusions{max-ops=3}",
      "adze-fold-constants,adze-simplify,adze-recognize-normalize,adze-fold-conv-affine,"
      "adze-fold-constants,adze-assign-layout,adze-fold-constants,"
      "adze-simplify,adze-pack-weights,adze-form-fusions"};
  return pipelines;
}

reference::Tensor argumentFor(RankedTensorType type, std::mt19937 &random) {
  constexpr int64_t kExtent = 4;
  SmallVector<int64_t> shape(type.getShape());
  for (int64_t &extent : shape)
    if (ShapedType::isDynamic(extent)) extent = kExtent;
  auto t = reference::Tensor::zeros(RankedTensorType::get(shape, type.getElementType()));
  REQUIRE(t);
  if (reference::isFloat(t->element())) {
    std::vector<double> values(t->size());
    std::uniform_real_distribution<double> uniform(-2, 2);
    for (double &v : values) v = uniform(random);
    reference::storeDoubles(*t, values);
  } else {
    bool isBool = t->element().isInteger(1);
    reference::storeInts(*t, std::vector<int64_t>(t->size(), isBool ? 1 : kExtent));
  }
  return *t;
}

static reference::Tensors evaluate(ModuleOp module, StringRef name,
                                   ArrayRef<reference::Tensor> inputs) {
  auto function = module.lookupSymbol<func::FuncOp>(name);
  REQUIRE(function);
  std::string message;
  auto results = reference::evaluateFunction(function, inputs, &message);
  INFO(message);
  REQUIRE(succeeded(results));
  return *results;
}

static void compare(const reference::Tensor &want, const reference::Tensor &got) {
  REQUIRE(want.shape() == got.shape());
  REQUIRE(want.element() == got.element());
  if (!reference::isFloat(want.element())) {
    CHECK(reference::toInts(want) == reference::toInts(got));
    return;
  }
  // The evaluator rounds each op's result to f32; folding and renaming change
  // how often, some dozens of times at most.
  constexpr double kTolerance = 128 * 0x1p-24;
  std::vector<double> a = reference::toDoubles(want), b = reference::toDoubles(got);
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    INFO("element " << i << ": " << a[i] << " became " << b[i]);
    CHECK(std::abs(a[i] - b[i]) <= kTolerance * (1 + std::abs(a[i])));
  }
}

static std::string textOf(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module.print(os);
  return text;
}

/// Pins some ops to one of their orders of dimensions, so that assignments are
/// tried that cost too much to be chosen.
static void pinOrders(ModuleOp module, std::mt19937 &random) {
  module.walk([&](Operation *op) {
    StringRef pins[] = {"keep", "change", "change", ""};
    StringRef pin = pins[random() % 4];
    if (isa<graph::AdzeDialect>(op->getDialect()) && !pin.empty())
      op->setAttr(kOrderAttr, StringAttr::get(op->getContext(), pin));
  });
}

static OwningOpRef<ModuleOp> afterPasses(ModuleOp module, StringRef pipeline) {
  OwningOpRef<ModuleOp> copy(module.clone());
  PassManager pm(module.getContext());
  REQUIRE(succeeded(parsePassPipeline(pipeline, pm)));
  REQUIRE(succeeded(pm.run(*copy)));
  return copy;
}

static void compareAll(ModuleOp after, StringRef name, ArrayRef<reference::Tensor> inputs,
                       const reference::Tensors &want) {
  INFO(textOf(after));
  reference::Tensors got = evaluate(after, name, inputs);
  REQUIRE(want.size() == got.size());
  for (size_t i = 0; i < want.size(); ++i) compare(want[i], got[i]);
}

void checkPipelines(ModuleOp module, StringRef name, ArrayRef<reference::Tensor> inputs) {
  INFO(textOf(module));
  reference::Tensors want = evaluate(module, name, inputs);
  for (const std::string &pipeline : graphPipelines()) {
    INFO(pipeline);
    compareAll(*afterPasses(module, pipeline), name, inputs, want);
  }
  std::mt19937 random(7);
  for (int draw = 0; draw < 3; ++draw) {
    OwningOpRef<ModuleOp> pinned(module.clone());
    pinOrders(*pinned, random);
    INFO("pinned orders");
    compareAll(*afterPasses(*pinned, "adze-assign-layout"), name, inputs, want);
  }
}

}  // namespace adze
