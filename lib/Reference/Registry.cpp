// The table of evaluators: one row for each op of the dialect, made from the
// dialect's own list. An op without an evaluator does not link.
#include "lib/Reference/Registry.h"

#include "lib/Reference/Call.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace adze::reference {

template <typename OpTy>
static LogicalResult call(Call &c) {
  return evaluateOp<OpTy>(cast<OpTy>(c.op), c);
}

template <typename... Ops>
static llvm::StringMap<Evaluator> makeTable() {
  llvm::StringMap<Evaluator> table;
  (table.try_emplace(Ops::getOperationName(), &call<Ops>), ...);
  return table;
}

Evaluator findEvaluator(StringRef opName) {
  using namespace adze::graph;
  static const llvm::StringMap<Evaluator> table = makeTable<
#define GET_OP_LIST
#include "dialects/Graph/GraphOps.cpp.inc"
      >();
  return table.lookup(opName);
}

bool hasEvaluator(StringRef opName) { return findEvaluator(opName) != nullptr; }

}  // namespace adze::reference
