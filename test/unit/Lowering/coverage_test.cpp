// Every op of the graph dialect has a lowering.
#include "passes/Lowering/Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/MLIRContext.h"

#include <catch2/catch.hpp>

#include <set>
#include <string>

using namespace mlir;

TEST_CASE("every adze op has a lowering pattern", "[Lowering]") {
  MLIRContext context;
  context.loadDialect<adze::graph::AdzeDialect>();
  adze::lowering::LoweringState state(&context);
  TypeConverter types;
  adze::lowering::populateStorageTypeConversions(types);
  RewritePatternSet patterns(&context);
  adze::lowering::populateAdzeToLinalgPatterns(types, state, patterns);
  std::set<std::string> lowered;
  for (const auto &pattern : patterns.getNativePatterns())
    if (std::optional<OperationName> root = pattern->getRootKind())
      lowered.insert(root->getStringRef().str());
  size_t ops = 0;
  for (RegisteredOperationName op : context.getRegisteredOperations()) {
    if (op.getDialectNamespace() != "adze") continue;
    ++ops;
    INFO(op.getStringRef().str());
    CHECK(lowered.count(op.getStringRef().str()) == 1);
  }
  CHECK(ops > 40);
}
