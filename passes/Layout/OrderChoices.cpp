#include "passes/Layout/OrderChoices.h"

#include "passes/Layout/LayoutCost.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {

using Pair = std::array<Perm, 2>;

bool isConstantLike(Value v) {
  constexpr unsigned kSteps = 8;
  for (unsigned step = 0; step < kSteps; ++step) {
    Operation *def = v.getDefiningOp();
    if (!def || isa<ConstantOp>(def)) return def != nullptr;
    if (!isa<TransposeOp, ReshapeOp, CastOp>(def)) return false;
    v = def->getOperand(0);
  }
  return false;
}

bool isWindowed(Operation *op) {
  auto inNchw = [](auto o) {
    return o.getLayout() == graph::DataLayout::NCHW && o.getX().getType().getRank() >= 3;
  };
  if (auto conv = dyn_cast<ConvOp>(op)) return inNchw(conv);
  if (auto conv = dyn_cast<ConvTransposeOp>(op)) return inNchw(conv);
  if (auto pool = dyn_cast<PoolOp>(op)) return inNchw(pool);
  return false;
}

Perm inverseAxes(RankedTensorType type, ArrayRef<int64_t> perm) {
  int64_t missing = int64_t(perm.size()) - type.getRank();
  Perm axes;
  for (int64_t i : invert(perm)) {
    int64_t axis = i - missing;
    axes.push_back(axis < 0 || type.getDimSize(axis) == 1 ? -1 : axis);
  }
  return axes;
}

bool movesOnlyOnes(RankedTensorType type, ArrayRef<int64_t> perm) {
  int64_t last = -1;
  for (int64_t axis : inverseAxes(type, perm)) {
    if (axis < 0) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

bool sameBytes(RankedTensorType type, ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  // Stored in order a it is a tensor that another perm takes to order b.
  return movesOnlyOnes(transposed(type, invert(a)), compose(b, invert(a)));
}

static RankedTensorType typeOf(Value v) { return cast<RankedTensorType>(v.getType()); }
static int64_t rankOf(Value v) { return typeOf(v).getRank(); }

static Perm identity(int64_t rank) {
  Perm out(rank);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

static bool oneIsIdentity(const Pair &pair) { return isIdentity(pair[0]) || isIdentity(pair[1]); }

namespace {

class RegionGrower {
 public:
  RegionGrower(Block &block, const TransposeRules &rules) : block(block), rules(rules) {}

  std::vector<OrderChoice> run() {
    windows = true;
    for (Operation &op : block)
      if (isWindowed(&op)) growFrom(windowed(&op, seedOf(&op)));
    windows = false;
    for (Operation &op : block)
      if (auto t = dyn_cast<TransposeOp>(op))
        growFrom(transposeBelow(t, {invert(t.getPerm()), identity(t.getPerm().size())}));
    return inProgramOrder();
  }

 private:
  static Pair seedOf(Operation *op) {
    int64_t rank = rankOf(op->getOperand(0));
    return {identity(rank), invert(channelsLast(rank))};
  }

  void growFrom(std::optional<OrderChoice> seed) {
    if (!seed || at.contains(seed->op)) return;
    size_t next = choices.size();
    add(std::move(*seed));
    for (; next < choices.size(); ++next) growAround(next);
    ++regions;
  }

  void add(OrderChoice choice) {
    choice.region = regions;
    at[choice.op] = choices.size();
    choices.push_back(std::move(choice));
  }

  /// `choices` may grow: no reference into it lives on.
  void growAround(size_t i) {
    Operation *op = choices[i].op;
    Pair result{choices[i].result(0), choices[i].result(1)}, perm = choices[i].perm;
    if (result[0] != result[1])
      for (OpOperand &use : op->getResult(0).getUses()) growDown(use, result);
    if (perm[0] == perm[1]) return;
    SmallVector<unsigned> moved(choices[i].moved());
    for (unsigned operand : moved) growUp(op->getOperand(operand), perm);
  }

  bool isOpen(Operation *op) { return op && op->getBlock() == &block && !at.contains(op); }

  void growDown(OpOperand &use, const Pair &result) {
    Operation *user = use.getOwner();
    if (!isOpen(user)) return;
    int64_t rank = rules.permRank(user).value_or(-1);
    std::optional<OrderChoice> choice;
    if (auto t = dyn_cast<TransposeOp>(user)) choice = transposeBelow(t, result);
    else if (isWindowed(user)) choice = windowed(user, result);
    else if (rank >= int64_t(result[0].size()))
      choice = crossed(user, {extendTo(rank, result[0]), extendTo(rank, result[1])});
    if (choice && llvm::is_contained(choice->moved(), use.getOperandNumber()))
      add(std::move(*choice));
  }

  void growUp(Value v, const Pair &orders) {
    Operation *def = v.getDefiningOp();
    int64_t rank = rankOf(v);
    if (!isOpen(def) || rank != int64_t(orders[0].size()) || isConstantLike(v)) return;
    std::optional<OrderChoice> choice;
    if (auto t = dyn_cast<TransposeOp>(def)) choice = transposeAbove(t, orders);
    else if (isWindowed(def)) choice = windowed(def, orders);
    else if (rules.permRank(def)) choice = crossed(def, permsBefore(def, orders));
    if (choice && giveResult(*choice, orders)) add(std::move(*choice));
  }

  /// What the operands of `def` come in for its result to come in `orders`.
  Pair permsBefore(Operation *def, const Pair &orders) const {
    auto reshape = dyn_cast<ReshapeOp>(def);
    if (!reshape) return orders;
    Pair perms;
    for (unsigned o : {0, 1})
      perms[o] = isIdentity(orders[o]) ? identity(rankOf(reshape.getX()))
                                       : rules.permBefore(reshape, orders[o]);
    return perms;
  }

  /// Where the op's result has the bytes of `orders`, it comes in these: extents of
  /// 1 can stand anywhere.
  static bool giveResult(OrderChoice &choice, const Pair &orders) {
    RankedTensorType type = typeOf(choice.op->getResult(0));
    for (unsigned o : {0, 1}) {
      Perm &result = choice.crossing[o].resultPerm;
      bool free = isa<ReshapeOp>(choice.op) && result.size() == orders[o].size();
      if (result != orders[o] && !(free && sameBytes(type, result, orders[o]))) return false;
      result = orders[o];
    }
    return true;
  }

  /// In NCHW or NHWC, whichever has the same bytes; extents of 1 can stand anywhere.
  static std::optional<OrderChoice> windowed(Operation *op, const Pair &orders) {
    RankedTensorType type = typeOf(op->getOperand(0));
    if (orders[0].size() != size_t(type.getRank())) return std::nullopt;
    Pair own = seedOf(op), perm;
    for (unsigned o : {0, 1}) {
      const Perm *same = llvm::find_if(own, [&](const Perm &p) { return p == orders[o]; });
      if (same == own.end())
        same = llvm::find_if(own, [&](const Perm &p) { return sameBytes(type, p, orders[o]); });
      if (same == own.end()) return std::nullopt;
      perm[o] = *same;
    }
    return OrderChoice{op, perm, {Crossing{{0}, perm[0]}, Crossing{{0}, perm[1]}}};
  }

  /// A transpose of the model does nothing where its result is stored as its
  /// operand is. That is offered where one order of the other side is the model's;
  /// else, beside windows, both sides have the same orders, and it has work to do
  /// in either.
  std::optional<OrderChoice> transposeBelow(TransposeOp t, const Pair &perm) const {
    Pair result{compose(perm[0], t.getPerm()), compose(perm[1], t.getPerm())};
    if (!oneIsIdentity(result) && !windows) return std::nullopt;
    return transpose(t, perm, oneIsIdentity(result) ? result : perm);
  }

  std::optional<OrderChoice> transposeAbove(TransposeOp t, const Pair &result) const {
    Perm back = invert(t.getPerm());
    Pair perm{compose(result[0], back), compose(result[1], back)};
    if (!oneIsIdentity(perm) && !windows) return std::nullopt;
    return transpose(t, oneIsIdentity(perm) ? perm : result, result);
  }

  static std::optional<OrderChoice> transpose(TransposeOp t, const Pair &perm, const Pair &result) {
    if (isConstantLike(t.getX())) return std::nullopt;
    return OrderChoice{t, perm, {Crossing{{0}, result[0]}, Crossing{{0}, result[1]}}};
  }

  std::optional<OrderChoice> crossed(Operation *op, const Pair &perm) const {
    OrderChoice choice{op, perm, {}};
    for (unsigned order : {0, 1}) {
      if (int64_t(perm[order].size()) != rules.permRank(op)) return std::nullopt;
      std::optional<Crossing> crossing = rules.find(op, perm[order]);
      if (!crossing) return std::nullopt;
      // As it is: reshapes would number extents of 1 anew.
      if (isIdentity(perm[order])) crossing->resultPerm = identity(rankOf(op->getResult(0)));
      choice.crossing[order] = std::move(*crossing);
    }
    return choice;
  }

  std::vector<OrderChoice> inProgramOrder() {
    std::vector<OrderChoice> sorted;
    for (Operation &op : block)
      if (auto it = at.find(&op); it != at.end()) sorted.push_back(std::move(choices[it->second]));
    return sorted;
  }

  Block &block;
  const TransposeRules &rules;
  std::vector<OrderChoice> choices;
  DenseMap<Operation *, size_t> at;
  unsigned regions = 0;
  bool windows = false;  ///< the region is grown from a convolution or pooling
};

}  // namespace

std::vector<OrderChoice> findOrderChoices(Block &block, const TransposeRules &rules) {
  return RegionGrower(block, rules).run();
}

}  // namespace adze
