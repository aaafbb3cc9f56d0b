// adze-assign-layout
#include "passes/Layout/OrderRewriter.h"
#include "passes/Layout/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {
#define GEN_PASS_DEF_ASSIGNLAYOUT
#include "passes/Layout/Passes.h.inc"

namespace {

/// A plan as data: docs/layout.md has the keys.
class PlanRemarks {
 public:
  PlanRemarks(const OrderPlan &plan, MLIRContext *ctx) : plan(plan), b(ctx) {
    for (const OrderChoice &choice : plan.choices) {
      kept.push_back(choice.modelOrder() == 1);
      regions = std::max(regions, choice.region + 1);
    }
    for (unsigned order : kept) changed.push_back(1 - order);
    ops.resize(regions), transposes.resize(regions), sums.resize(regions);
  }

  SmallVector<Attribute> run() {
    for (const OrderOpCost &op : plan.ops) addOp(op);
    for (const OrderRelayout &relayout : plan.relayouts) addRelayout(relayout);
    SmallVector<Attribute> out;
    for (unsigned r = 0; r < regions; ++r)
      out.push_back(b.getDictionaryAttr({named("ops", b.getArrayAttr(ops[r])),
                                         named("transposes", b.getArrayAttr(transposes[r])),
                                         named("cycles", number(sums[r][0])),
                                         named("keep", number(sums[r][1])),
                                         named("change", number(sums[r][2]))}));
    return out;
  }

 private:
  NamedAttribute named(StringRef key, Attribute value) { return b.getNamedAttr(key, value); }
  Attribute number(int64_t value) { return b.getI64IntegerAttr(value); }

  void addOp(const OrderOpCost &op) {
    const OrderChoice &choice = plan.choices[op.choice];
    int64_t keep = op.cycles[kept[op.choice]], change = op.cycles[changed[op.choice]];
    bool isChanged = plan.order[op.choice] != kept[op.choice];
    add(choice.region, op.cycles[plan.order[op.choice]], keep, change);
    ops[choice.region].push_back(b.getDictionaryAttr(
        {named("op", b.getStringAttr(choice.op->getName().stripDialect())),
         named("at", choice.op->getLoc()), named("keep", number(keep)), named("change", number(change)),
         named("order", b.getStringAttr(isChanged ? "change" : "keep"))}));
  }

  void addRelayout(const OrderRelayout &relayout) {
    auto cycles = [&](ArrayRef<unsigned> orders) {
      return OrderPlan::isPaid(relayout, orders) ? relayout.cycles : 0;
    };
    unsigned region = plan.regionOf(relayout);
    add(region, cycles(plan.order), cycles(kept), cycles(changed));
    if (OrderPlan::isPaid(relayout, plan.order))
      transposes[region].push_back(b.getDictionaryAttr(
          {named("of", relayout.value.getLoc()), named("cycles", number(relayout.cycles))}));
  }

  void add(unsigned region, int64_t chosen, int64_t keep, int64_t change) {
    int64_t more[] = {chosen, keep, change};
    for (unsigned i = 0; i < 3; ++i) sums[region][i] += more[i];
  }

  const OrderPlan &plan;
  Builder b;
  std::vector<unsigned> kept, changed;  ///< every choice in the model's order, and in the other
  unsigned regions = 0;
  std::vector<SmallVector<Attribute>> ops, transposes;
  std::vector<std::array<int64_t, 3>> sums;
};

struct AssignLayoutPass : public impl::AssignLayoutBase<AssignLayoutPass> {
  using AssignLayoutBase::AssignLayoutBase;

  void runOnOperation() override {
    if (failed(checkPins())) return signalPassFailure();
    getOperation()->walk([](Operation *op) { op->removeAttr(kLayoutRemarks); });
    LayoutCost cost(schedule::MachineModel::of(getOperation()));
    TransposeRules rules(getOperation());
    OrderRewriter rewriter(rules);
    SmallVector<Block *> blocks;
    getOperation()->walk([&](Block *block) {
      if (isa<func::FuncOp, IfOp, LoopOp>(block->getParentOp())) blocks.push_back(block);
    });
    for (Block *block : blocks) {
      OrderPlan plan = planOrders(*block, rules, cost);
      if (remarks) addRemarks(plan, block->getParentOp());
      rewriter.apply(plan, *block);
      count(plan, *block);
    }
  }

  void addRemarks(const OrderPlan &plan, Operation *parent) {
    SmallVector<Attribute> regions;
    if (auto before = parent->getAttrOfType<ArrayAttr>(kLayoutRemarks))
      llvm::append_range(regions, before);
    llvm::append_range(regions, PlanRemarks(plan, &getContext()).run());
    if (!regions.empty()) parent->setAttr(kLayoutRemarks, ArrayAttr::get(&getContext(), regions));
  }

  LogicalResult checkPins() {
    auto walked = getOperation()->walk([](Operation *op) -> WalkResult {
      Attribute attr = op->getAttr(kOrderAttr);
      auto text = dyn_cast_or_null<StringAttr>(attr);
      if (!attr || (text && (text == "keep" || text == "change"))) return WalkResult::advance();
      return op->emitError() << kOrderAttr << " must be \"keep\" or \"change\"";
    });
    return failure(walked.wasInterrupted());
  }

  void count(const OrderPlan &plan, Block &block) {
    for (auto [choice, order] : llvm::zip(plan.choices, plan.order))
      numChanged += !isIdentity(choice.perm[order]) && !isa<TransposeOp>(choice.op);
    for (TransposeOp t : block.getOps<TransposeOp>()) numLeft += !isConstantLike(t.getX());
  }
};

}  // namespace
}  // namespace adze
