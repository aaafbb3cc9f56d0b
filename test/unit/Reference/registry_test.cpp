#include "Evaluate.h"

#include "dialects/Graph/Graph.h"

using namespace mlir;
namespace adze::reference {

TEST_CASE("every op of the dialect has an evaluator", "[Reference]") {
  size_t count = 0;
  for (RegisteredOperationName name : context().getRegisteredOperations()) {
    if (name.getDialectNamespace() != "adze") continue;
    INFO(name.getStringRef().str());
    CHECK(hasEvaluator(name.getStringRef()));
    ++count;
  }
  CHECK(count > 40);
  CHECK_FALSE(hasEvaluator("adze.unheard_of"));
}

}  // namespace adze::reference
