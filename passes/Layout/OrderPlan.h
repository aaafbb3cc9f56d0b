// Which of its two orders each op of a block gets: the assignment of least cost.
#pragma once
#include "passes/Layout/LayoutCost.h"
#include "passes/Layout/OrderChoices.h"

namespace adze {

/// An op of a region, in cycles.
struct OrderOpCost {
  unsigned choice;
  std::array<int64_t, 2> cycles;  ///< in order 0 and 1
};

/// A transpose of a value, paid where a reader wants it in another order than it
/// is written in.
struct OrderRelayout {
  int64_t cycles;
  mlir::Value value;
  std::optional<unsigned> writer;  ///< a choice; or one whose order is known:
  unsigned written = 0;
  llvm::SmallVector<unsigned, 2> readers;  ///< choices
  std::optional<unsigned> read = std::nullopt;  ///< an order that others want
};

struct OrderPlan {
  std::vector<OrderChoice> choices;
  std::vector<OrderOpCost> ops;
  std::vector<OrderRelayout> relayouts;
  std::vector<unsigned> order;  ///< 0 or 1, of each choice

  /// The relayout is paid when the choices have these orders.
  static bool isPaid(const OrderRelayout &relayout, llvm::ArrayRef<unsigned> orders);
  unsigned regionOf(const OrderRelayout &relayout) const {
    return choices[relayout.writer ? *relayout.writer : relayout.readers.front()].region;
  }
};

/// Minimal over the block: a tensor whose readers want another order than its
/// producer is transposed once for all of them. Regions meet in the model's order.
/// Where two assignments cost the same, more ops get order 1.
OrderPlan planOrders(mlir::Block &block, const TransposeRules &rules, const LayoutCost &cost);

/// A transpose of the last two axes alone.
bool swapsLastTwo(llvm::ArrayRef<int64_t> perm);

}  // namespace adze
