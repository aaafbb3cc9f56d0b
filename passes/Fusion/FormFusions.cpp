// adze-form-fusions: turns a block's plan into adze.fusion ops.
#include "passes/Fusion/FusionPlan.h"
#include "passes/Fusion/Passes.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

#include <queue>

using namespace mlir;
using namespace adze::graph;

namespace adze {
#define GEN_PASS_DEF_FORMFUSIONS
#include "passes/Fusion/Passes.h.inc"

namespace {

// Shape and attribute-like operands of data movement are at most 2r long.
constexpr int64_t kMaxClonedElements = 16;

/// A constant that the kernel should know: one element, or the few integers
/// and floats that say what a data movement does.
bool isKnownInKernel(ConstantOp constant, Operation *user) {
  auto type = cast<RankedTensorType>(constant.getType());
  if (type.getNumElements() == 1) return true;
  bool structural = isa<SliceOp, PadOp, ExpandOp, TileOp, ResizeOp, TopKOp>(user);
  return structural && user->getOperand(0) != constant.getResult() && type.getRank() <= 1 &&
         type.getNumElements() <= kMaxClonedElements;
}

/// Builds the adze.fusion of one group at the builder's place.
class FusionBuilder {
 public:
  FusionBuilder(OpBuilder &b, const FusionGroup &group, bool remarks)
      : b(b), group(group), members(group.ops.begin(), group.ops.end()), remarks(remarks) {}

  FusionOp build() {
    collectInputs();
    collectResults();
    auto fusion = FusionOp::create(b, location(), TypeRange(ValueRange(results)),
                                   inputs.getArrayRef(), b.getStringAttr(describeGroup(group)));
    Block *body = b.createBlock(&fusion.getBody());
    if (remarks) fusion->setAttr(kFusionRemarks, remarksOf());
    for (Value v : inputs) body->addArgument(v.getType(), v.getLoc());
    cloneConstants(body);
    for (Operation *op : group.ops) op->moveBefore(body, body->end());
    replaceOutsideUses(fusion);
    rewireInputs(body);
    b.setInsertionPointToEnd(body);
    YieldOp::create(b, fusion.getLoc(), ValueRange(results));
    b.setInsertionPointAfter(fusion);
    return fusion;
  }

 private:
  Location location() {
    SmallVector<Location> locs;
    for (Operation *op : group.ops) locs.push_back(op->getLoc());
    return b.getFusedLoc(locs);
  }

  Attribute entry(ArrayRef<std::pair<StringRef, Attribute>> values) {
    return b.getDictionaryAttr(llvm::map_to_vector(values, [&](auto value) {
      return b.getNamedAttr(value.first, value.second);
    }));
  }

  /// {anchor, joins = [{op, at, as, bytes_saved, steps_again}], stops = [{op, at, why}]}
  Attribute remarksOf() {
    SmallVector<Attribute> joins, stops;
    for (const FusionJoin &j : group.joins)
      joins.push_back(entry({{"op", b.getStringAttr(shortName(j.op))},
                             {"at", j.op->getLoc()},
                             {"as", b.getStringAttr(j.as)},
                             {"bytes_saved", b.getI64IntegerAttr(j.cost.bytesSaved)},
                             {"steps_again", b.getI64IntegerAttr(j.cost.stepsAgain)}}));
    for (const FusionStop &stop : group.stops)
      stops.push_back(entry({{"op", b.getStringAttr(shortName(stop.user))},
                             {"at", stop.user->getLoc()},
                             {"why", b.getStringAttr(stop.why)}}));
    StringRef anchor = shortName(group.anchor ? group.anchor : group.ops.front());
    return entry({{"anchor", b.getStringAttr(anchor)},
                  {"joins", b.getArrayAttr(joins)},
                  {"stops", b.getArrayAttr(stops)}});
  }

  void collectInputs() {
    for (Operation *op : group.ops)
      for (Value v : op->getOperands()) {
        Operation *def = v.getDefiningOp();
        if (def && members.contains(def)) continue;
        auto constant = dyn_cast_or_null<ConstantOp>(def);
        if (constant && isKnownInKernel(constant, op)) constants.insert(constant);
        else inputs.insert(v);
      }
    // One constant may be a structural operand here and data there.
    for (ConstantOp c : constants) inputs.remove(c.getResult());
  }

  void collectResults() {
    for (Operation *op : group.ops)
      for (Value r : op->getResults())
        if (llvm::any_of(r.getUsers(), [&](Operation *u) { return !members.contains(u); }))
          results.push_back(r);
    // A dead group keeps its last value, so that the op count stays true.
    if (results.empty()) llvm::append_range(results, group.ops.back()->getResults());
  }

  void cloneConstants(Block *body) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(body);
    for (ConstantOp c : constants) clones[c.getResult()] = b.clone(*c)->getResult(0);
  }

  void replaceOutsideUses(FusionOp fusion) {
    for (auto [inner, outer] : llvm::zip(results, fusion.getOuts()))
      inner.replaceUsesWithIf(
          outer, [&](OpOperand &use) { return !members.contains(use.getOwner()); });
  }

  void rewireInputs(Block *body) {
    for (auto [arg, v] : llvm::zip(body->getArguments(), inputs)) clones[v] = arg;
    for (Operation *op : group.ops)
      for (OpOperand &operand : op->getOpOperands())
        if (Value v = clones.lookup(operand.get())) operand.set(v);
  }

  OpBuilder &b;
  const FusionGroup &group;
  llvm::SmallPtrSet<Operation *, 16> members;
  llvm::SetVector<Value> inputs;
  llvm::SetVector<ConstantOp> constants;
  SmallVector<Value> results;
  DenseMap<Value, Value> clones;
  bool remarks;
};

/// The units of a block (groups and lone ops) in an order that defines before
/// it uses, nearest to the old order: of the ready units the one whose last op
/// came first.
class UnitOrder {
 public:
  UnitOrder(Block &block, ArrayRef<FusionGroup> groups) : groups(groups) {
    for (auto [i, group] : llvm::enumerate(groups))
      for (Operation *op : group.ops) unitOf[op] = i;
    for (Operation &op : block.without_terminator())
      if (unitOf.try_emplace(&op, units()).second) alone.push_back(&op);
    connect(block);
  }

  size_t units() const { return groups.size() + alone.size(); }
  Operation *loneOp(size_t unit) const {
    return unit < groups.size() ? nullptr : alone[unit - groups.size()];
  }

  std::vector<unsigned> sorted() {
    using Ready = std::pair<unsigned, unsigned>;  // position, unit
    std::priority_queue<Ready, std::vector<Ready>, std::greater<>> ready;
    for (size_t u = 0; u < units(); ++u)
      if (waiting[u] == 0) ready.push({position[u], unsigned(u)});
    std::vector<unsigned> order;
    while (!ready.empty()) {
      unsigned u = ready.top().second;
      ready.pop();
      order.push_back(u);
      for (unsigned next : successors[u])
        if (--waiting[next] == 0) ready.push({position[next], next});
    }
    return order;
  }

 private:
  void connect(Block &block) {
    successors.resize(units());
    waiting.resize(units());
    position.resize(units());
    unsigned at = 0;
    Operation *effect = nullptr;
    for (Operation &op : block.without_terminator()) {
      unsigned unit = unitOf[&op];
      position[unit] = at++;
      auto edge = [&](Operation *from) {
        auto it = from ? unitOf.find(from) : unitOf.end();
        if (it == unitOf.end() || it->second == unit) return;
        successors[it->second].push_back(unit);
        ++waiting[unit];
      };
      forEachUsedValue(&op, [&](Value v) { edge(v.getDefiningOp()); });
      if (isMemoryEffectFree(&op)) continue;
      edge(effect);  // ops with effects keep their order
      effect = &op;
    }
  }

  ArrayRef<FusionGroup> groups;
  std::vector<Operation *> alone;
  DenseMap<Operation *, unsigned> unitOf;
  std::vector<SmallVector<unsigned, 2>> successors;
  std::vector<unsigned> waiting, position;
};

struct FormFusionsPass : public impl::FormFusionsBase<FormFusionsPass> {
  using FormFusionsBase::FormFusionsBase;

  void runOnOperation() override {
    if (failed(checkOverrides())) return signalPassFailure();
    if (maxOps > 1) duplicateViews();
    DimExprs exprs(&getContext());
    auto machine = schedule::MachineModel::of(getOperation());
    std::vector<std::pair<Block *, std::vector<FusionGroup>>> plans;
    // All plans come before any change, which the expressions would not see.
    getOperation()->walk<WalkOrder::PreOrder>([&](Block *block) {
      if (!isa<func::FuncOp, IfOp, LoopOp>(block->getParentOp())) return;
      if (block->empty() || !block->back().hasTrait<OpTrait::IsTerminator>()) return;
      plans.push_back({block, planFusions(*block, exprs, machine, maxOps)});
    });
    // Inner blocks first: their uses of outer values are then final.
    for (auto &[block, groups] : llvm::reverse(plans))
      if (failed(fuseBlock(*block, groups))) return signalPassFailure();
  }

  /// A slice is a view, which costs nothing to take again: each elementwise user
  /// that reads it whole gets its own, so that no kernel writes it out.
  void duplicateViews() {
    SmallVector<SliceOp> slices;
    getOperation()->walk([&](SliceOp op) {
      if (roleOf(op) == FusionRole::Move && op.getResult().hasNUsesOrMore(2)) slices.push_back(op);
    });
    DimExprs exprs(&getContext());
    for (SliceOp slice : slices) {
      if (!llvm::all_of(slice->getUses(), [&](OpOperand &use) { return readsWhole(use, exprs); })) continue;
      for (OpOperand &use : llvm::make_early_inc_range(llvm::drop_begin(slice->getUses()))) {
        OpBuilder b(slice);
        Operation *copy = b.clone(*slice);
        copy->setAttr(kDuplicatedAttr, b.getUnitAttr());
        use.set(copy->getResult(0));
        ++numDuplicated;
      }
    }
  }

  static bool readsWhole(OpOperand &use, DimExprs &exprs) {
    Operation *user = use.getOwner();
    return roleOf(user) == FusionRole::Elementwise && user->getBlock() == use.get().getParentBlock() &&
           !user->hasAttr(kFuseAttr) && sameShape(exprs, user->getResult(0), use.get());
  }

  LogicalResult checkOverrides() {
    auto walked = getOperation()->walk([](Operation *op) -> WalkResult {
      Attribute attr = op->getAttr(kFuseAttr);
      auto text = dyn_cast_or_null<StringAttr>(attr);
      if (!attr || (text && (text == "alone" || text == "join"))) return WalkResult::advance();
      return op->emitError() << kFuseAttr << " must be \"alone\" or \"join\"";
    });
    return failure(walked.wasInterrupted());
  }

  LogicalResult fuseBlock(Block &block, ArrayRef<FusionGroup> groups) {
    UnitOrder units(block, groups);
    std::vector<unsigned> order = units.sorted();
    if (order.size() != units.units())
      return block.getParentOp()->emitError("fusion plan has a cycle");
    emit(block, groups, units, order);
    return success();
  }

  void emit(Block &block, ArrayRef<FusionGroup> groups, const UnitOrder &units,
            ArrayRef<unsigned> order) {
    OpBuilder b(&getContext());
    SmallVector<ConstantOp> constants(block.getOps<ConstantOp>());
    for (unsigned unit : order) {
      if (Operation *op = units.loneOp(unit)) {
        op->moveBefore(&block.back());
        continue;
      }
      b.setInsertionPoint(&block.back());
      FusionBuilder(b, groups[unit], remarks).build();
      ++numFusions;
      if (groups[unit].ops.size() > 1) numFused += groups[unit].ops.size();
    }
    for (ConstantOp c : constants)
      if (c.use_empty()) c.erase();
  }
};

}  // namespace
}  // namespace adze
