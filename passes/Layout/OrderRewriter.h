// Gives the ops of a block the orders of a plan.
#pragma once
#include "passes/Layout/OrderPlan.h"

namespace adze {

/// Rewrites ops one by one, downwards: an op reads its operands through
/// transposes, and its users its result; transposes that meet become one, and
/// those that undo each other go. Only transposes of the plan are left.
class OrderRewriter {
 public:
  explicit OrderRewriter(const TransposeRules &rules) : rules(rules) {}

  void apply(const OrderPlan &plan, mlir::Block &block);

 private:
  void give(const OrderChoice &choice, llvm::ArrayRef<int64_t> perm, const Crossing &crossing);
  void giveChannelsLast(mlir::Operation *op, llvm::ArrayRef<int64_t> perm);
  mlir::Value stored(mlir::Operation *user, mlir::Value v, llvm::ArrayRef<int64_t> perm);

  const TransposeRules &rules;
};

}  // namespace adze
