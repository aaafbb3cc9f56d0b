#include "passes/Layout/OrderPlan.h"

#include "passes/Layout/MinCut.h"
#include "passes/Layout/Passes.h"
#include "llvm/ADT/MapVector.h"

#include <map>

using namespace mlir;
using namespace adze::graph;

namespace adze {

bool swapsLastTwo(ArrayRef<int64_t> perm) {
  int64_t r = perm.size();
  if (r < 2 || perm[r - 1] != r - 2 || perm[r - 2] != r - 1) return false;
  return isIdentity(perm.drop_back(2));
}

bool OrderPlan::isPaid(const OrderRelayout &relayout, ArrayRef<unsigned> orders) {
  unsigned written = relayout.writer ? orders[*relayout.writer] : relayout.written;
  if (relayout.read && *relayout.read != written) return true;
  return llvm::any_of(relayout.readers, [&](unsigned r) { return orders[r] != written; });
}

static RankedTensorType typeOf(Value v) { return cast<RankedTensorType>(v.getType()); }

namespace {

class PlanBuilder {
 public:
  PlanBuilder(OrderPlan &plan, const LayoutCost &cost) : plan(plan), cost(cost) {
    for (auto [i, choice] : llvm::enumerate(plan.choices)) at[choice.op] = i;
  }

  void run() {
    for (unsigned i = 0; i < plan.choices.size(); ++i) {
      addOp(i);
      addResult(i);
      addOperands(i);
    }
    for (auto &[value, groups] : outside)
      for (auto &[orders, readers] : groups)
        addOutside(value, plan.choices[readers.front()], readers);
  }

 private:
  /// Orders a relayout lies between, and the region of those who read it so.
  using Between = std::tuple<unsigned, Perm, Perm>;

  void addOp(unsigned i) {
    const OrderChoice &choice = plan.choices[i];
    plan.ops.push_back({i, {cyclesOf(choice, 0), cyclesOf(choice, 1)}});
  }

  int64_t cyclesOf(const OrderChoice &choice, unsigned order) const {
    const Perm &perm = choice.perm[order];
    if (auto t = dyn_cast<TransposeOp>(choice.op)) return ofTranspose(t, perm, choice.result(order));
    int64_t cycles = cost.ofOp(choice.op, perm);
    bool reordersWeights = isWindowed(choice.op) && !isa<PoolOp>(choice.op) && !isIdentity(perm) &&
                           !isConstantLike(choice.op->getOperand(1));
    return cycles + (reordersWeights ? cost.ofRelayout(typeOf(choice.op->getOperand(1))) : 0);
  }

  int64_t ofTranspose(TransposeOp t, const Perm &perm, const Perm &result) const {
    // The result would be as the operand is in this order.
    return between(t.getResult(), compose(perm, t.getPerm()), result);
  }

  /// Of a value between two orders.
  int64_t between(Value v, const Perm &a, const Perm &b) const {
    RankedTensorType type = typeOf(v);
    bool same = type.getRank() < int64_t(a.size()) ? movesOnlyOnes(type, isIdentity(a) ? b : a)
                                                   : sameBytes(type, a, b);
    return same ? 0 : cost.ofRelayout(type);
  }

  bool linked(const OrderChoice &writer, OpOperand &use, unsigned user) const {
    const OrderChoice &reader = plan.choices[user];
    if (reader.region != writer.region || !llvm::is_contained(reader.moved(), use.getOperandNumber()))
      return false;
    int64_t rank = reader.perm[0].size();
    RankedTensorType type = typeOf(use.get());
    auto same = [&](unsigned o) {
      if (extendTo(rank, writer.result(o)) == reader.perm[o]) return true;
      return type.getRank() == rank && sameBytes(type, writer.result(o), reader.perm[o]);
    };
    return same(0) && same(1);
  }

  /// Any op that is no choice, or reads an operand as the model has it.
  static bool accepts(OpOperand &use, const Perm &order) {
    Operation *user = use.getOwner();
    return isIdentity(order) || isa<ShapeOfOp>(user) ||
           (isa<MatmulOp>(user) && use.getOperandNumber() < 2 && swapsLastTwo(order));
  }

  void addResult(unsigned i) {
    const OrderChoice &writer = plan.choices[i];
    Value v = writer.op->getResult(0);
    OrderRelayout relayout{0, v, i, 0, {}};
    llvm::SmallDenseSet<unsigned> seen;
    for (OpOperand &use : v.getUses()) {
      auto it = at.find(use.getOwner());
      if (it != at.end() && linked(writer, use, it->second)) {
        if (seen.insert(it->second).second) relayout.readers.push_back(it->second);
        continue;
      }
      bool first = accepts(use, writer.result(0)), second = accepts(use, writer.result(1));
      if (first != second) relayout.read = first ? 0 : 1;
    }
    // Users are listed last first.
    llvm::sort(relayout.readers);
    relayout.cycles = between(v, writer.result(0), writer.result(1));
    if (relayout.cycles && (relayout.read || !relayout.readers.empty()))
      plan.relayouts.push_back(std::move(relayout));
  }

  /// Operands that come as the model has them.
  void addOperands(unsigned i) {
    const OrderChoice &reader = plan.choices[i];
    if (reader.modelOrder() < 0) return;
    for (unsigned operand : reader.moved()) {
      OpOperand &use = reader.op->getOpOperand(operand);
      auto it = at.find(use.get().getDefiningOp());
      bool inside = it != at.end() && linked(plan.choices[it->second], use, i);
      if (inside || isConstantLike(use.get())) continue;
      auto &groups = outside[use.get()];
      SmallVector<unsigned> &readers = groups[{reader.region, reader.perm[0], reader.perm[1]}];
      if (readers.empty() || readers.back() != i) readers.push_back(i);
    }
  }

  void addOutside(Value v, const OrderChoice &reader, ArrayRef<unsigned> readers) {
    OrderRelayout relayout{between(v, reader.perm[0], reader.perm[1]), v, std::nullopt,
                           unsigned(reader.modelOrder()), {}};
    relayout.readers.assign(readers.begin(), readers.end());
    if (relayout.cycles) plan.relayouts.push_back(std::move(relayout));
  }

  OrderPlan &plan;
  const LayoutCost &cost;
  DenseMap<Operation *, unsigned> at;
  llvm::MapVector<Value, std::map<Between, SmallVector<unsigned>>> outside;
};

/// The plan's costs as a cut: a variable a choice, and helpers that say whether
/// any, or all, of several readers have order 1.
class PlanSolver {
 public:
  explicit PlanSolver(const OrderPlan &plan) : plan(plan) {}

  std::vector<unsigned> run() {
    for (size_t i = 0; i < plan.choices.size(); ++i) cut.add();
    for (const OrderOpCost &op : plan.ops) cut.pay(op.choice, op.cycles[0], op.cycles[1]);
    for (const OrderRelayout &relayout : plan.relayouts) add(relayout);
    for (auto [i, choice] : llvm::enumerate(plan.choices)) pin(i, choice);
    std::vector<bool> labels = cut.solve();
    return {labels.begin(), labels.begin() + plan.choices.size()};
  }

 private:
  static constexpr int64_t kNever = int64_t(1) << 40;  // more than any tensor's relayout

  void add(const OrderRelayout &r) {
    if (!r.writer) {
      int64_t reads = all(r.readers, /*label=*/r.written);
      return cut.pay(reads, r.written ? r.cycles : 0, r.written ? 0 : r.cycles);
    }
    if (r.read) cut.pay(*r.writer, *r.read == 1 ? r.cycles : 0, *r.read == 0 ? r.cycles : 0);
    if (r.readers.empty()) return;
    if (r.read != 1u) cut.payUnlike(all(r.readers, 0), *r.writer, r.cycles);
    if (r.read != 0u) cut.payUnlike(*r.writer, all(r.readers, 1), r.cycles);
  }

  /// A variable that has `label` only if all readers have it.
  int64_t all(ArrayRef<unsigned> readers, unsigned label) {
    if (readers.size() == 1) return readers.front();
    int64_t helper = cut.add();
    for (unsigned r : readers) {
      if (label == 1) cut.payUnlike(helper, r, kNever);
      else cut.payUnlike(r, helper, kNever);
    }
    return helper;
  }

  void pin(unsigned i, const OrderChoice &choice) {
    auto text = choice.op->getAttrOfType<StringAttr>(kOrderAttr);
    if (!text || choice.modelOrder() < 0) return;
    bool one = (choice.modelOrder() == 1) == (text == "keep");
    cut.pay(i, one ? kNever : 0, one ? 0 : kNever);
  }

  const OrderPlan &plan;
  MinCut cut;
};

}  // namespace

OrderPlan planOrders(Block &block, const TransposeRules &rules, const LayoutCost &cost) {
  OrderPlan plan;
  plan.choices = findOrderChoices(block, rules);
  PlanBuilder(plan, cost).run();
  plan.order = PlanSolver(plan).run();
  return plan;
}

}  // namespace adze
