#include "passes/Layout/TransposeMover.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {

static RankedTensorType typeOf(Value v) { return cast<RankedTensorType>(v.getType()); }

int64_t nominalElements(Type type) {
  constexpr int64_t kNominalExtent = 64, kMost = int64_t(1) << 48;
  int64_t count = 1;
  for (int64_t extent : cast<RankedTensorType>(type).getShape())
    if (llvm::MulOverflow(count, ShapedType::isDynamic(extent) ? kNominalExtent : extent, count))
      return kMost;
  return std::min(count, kMost);
}

/// A constant, or one that folding will make.
static bool isConstantLike(Value v) {
  constexpr unsigned kSteps = 8;
  for (unsigned step = 0; step < kSteps; ++step) {
    Operation *def = v.getDefiningOp();
    if (!def || isa<ConstantOp>(def)) return def != nullptr;
    if (!isa<TransposeOp, ReshapeOp, CastOp>(def)) return false;
    v = def->getOperand(0);
  }
  return false;
}

/// The axes of `v`, which stands right-aligned in a tensor of perm's rank, in
/// the order the inverse of perm gives; -1 is an extent of 1.
static Perm inverseAxes(RankedTensorType type, ArrayRef<int64_t> perm) {
  int64_t missing = int64_t(perm.size()) - type.getRank();
  Perm axes;
  for (int64_t i : invert(perm)) {
    int64_t axis = i - missing;
    axes.push_back(axis < 0 || type.getDimSize(axis) == 1 ? -1 : axis);
  }
  return axes;
}

/// Only extents of 1 move, so that a reshape does it.
static bool movesOnlyOnes(RankedTensorType type, ArrayRef<int64_t> perm) {
  int64_t last = -1;
  for (int64_t axis : inverseAxes(type, perm)) {
    if (axis < 0) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

/// The operand's transpose when `perm` undoes it exactly.
static TransposeOp strippable(Value v, ArrayRef<int64_t> perm) {
  auto t = v.getDefiningOp<TransposeOp>();
  if (!t) return {};
  return extendTo(perm.size(), t.getPerm()) == perm ? t : TransposeOp();
}

/// transpose(v, perm), if there is one beside v's definition.
static TransposeOp existing(Value v, ArrayRef<int64_t> perm) {
  constexpr unsigned kLooked = 16;
  unsigned looked = 0;
  for (Operation *user : v.getUsers()) {
    if (++looked > kLooked) break;
    auto t = dyn_cast<TransposeOp>(user);
    if (t && t.getPerm() == perm && t->getBlock() == v.getParentBlock()) return t;
  }
  return {};
}

/// Uses that tolerate another degree of staticness in a type.
static bool usersTakeAnyShape(Value v) {
  return llvm::all_of(v.getUsers(), [](Operation *user) {
    return isa<AdzeDialect>(user->getDialect()) && user->getNumRegions() == 0 &&
           !user->hasTrait<OpTrait::IsTerminator>();
  });
}

static void moveAfterDefinition(TransposeOp t) {
  if (Operation *def = t.getX().getDefiningOp()) t->moveAfter(def);
  else t->moveBefore(t->getBlock(), t->getBlock()->begin());
}

bool TransposeMover::simplify(TransposeOp op) {
  if (auto before = op.getX().getDefiningOp<TransposeOp>()) {
    op.setPerm(compose(before.getPerm(), op.getPerm()));
    op.getXMutable().assign(before.getX());
  }
  if (isIdentity(op.getPerm())) {
    if (op.getX().getType() != op.getType() && !usersTakeAnyShape(op.getResult())) return false;
    op.getResult().replaceAllUsesWith(op.getX());
    return true;
  }
  TransposeOp other = existing(op.getX(), op.getPerm());
  if (!other || other == op || other->getBlock() != op->getBlock() ||
      other.getType() != op.getType())
    return false;
  moveAfterDefinition(other);
  op.getResult().replaceAllUsesWith(other.getResult());
  return true;
}

//===-- Crossing ----------------------------------------------------------===//

int64_t TransposeMover::inverseCost(Value v, ArrayRef<int64_t> perm) const {
  if (strippable(v, perm) || isConstantLike(v) || movesOnlyOnes(typeOf(v), perm)) return 0;
  bool full = typeOf(v).getRank() == int64_t(perm.size());
  if (full && existing(v, invert(perm))) return 0;
  return nominalElements(v.getType());
}

/// Whether the op broadcasts operands of fewer dimensions.
static bool broadcasts(Operation *op) { return isa<ElementwiseOp, ExpandOp, NormalizeOp>(op); }

/// reshape of `v` to its extents at `axes` (-1: an extent of 1).
static Value reshaped(OpBuilder &b, Location loc, Value v, ArrayRef<int64_t> axes) {
  RankedTensorType type = typeOf(v);
  Perm shape;
  for (int64_t a : axes) shape.push_back(a < 0 ? 1 : type.getDimSize(a));
  if (shape == type.getShape()) return v;
  return ReshapeOp::create(b, loc, RankedTensorType::get(shape, type.getElementType()), v,
                           extentsForReshape(b, loc, v, shape, axes));
}

Value TransposeMover::inverse(Operation *user, Value v, ArrayRef<int64_t> perm,
                              SmallVectorImpl<TransposeOp> *made) {
  RankedTensorType type = typeOf(v);
  int64_t rank = perm.size();
  if (TransposeOp t = strippable(v, perm)) return t.getX();
  if (broadcasts(user) && type.hasStaticShape() && type.getNumElements() == 1) return v;
  OpBuilder b(user);
  if (movesOnlyOnes(type, perm)) {
    Perm axes = inverseAxes(type, perm);
    // Broadcasting needs no leading extents of 1.
    if (broadcasts(user))
      while (!axes.empty() && axes.front() < 0) axes.erase(axes.begin());
    return reshaped(b, user->getLoc(), v, axes);
  }
  if (type.getRank() < rank) {
    Perm axes(rank - type.getRank(), -1);
    for (int64_t i = 0; i < type.getRank(); ++i) axes.push_back(i);
    v = reshaped(b, user->getLoc(), v, axes);
  }
  Perm back = invert(perm);
  if (TransposeOp t = existing(v, back)) {
    moveAfterDefinition(t);
    return t.getResult();
  }
  auto t = TransposeOp::create(b, user->getLoc(), transposed(typeOf(v), back), v, back);
  if (made) made->push_back(t);
  return t.getResult();
}

void TransposeMover::cross(Operation *op, ArrayRef<int64_t> perm, const Crossing &crossing,
                           SmallVectorImpl<TransposeOp> *made) {
  for (unsigned i : crossing.moved) {
    Value moved = inverse(op, op->getOperand(i), perm, made);
    op->setOperand(i, moved);
  }
  Type old = op->getResult(0).getType();
  rules.apply(op, perm, crossing);
  if (isIdentity(crossing.resultPerm) || made) return;
  OpBuilder b(op->getContext());
  b.setInsertionPointAfter(op);
  auto t = TransposeOp::create(b, op->getLoc(), old, op->getResult(0), crossing.resultPerm);
  op->getResult(0).replaceAllUsesExcept(t.getResult(), t);
}

//===-- Sinking -----------------------------------------------------------===//

/// The perm of the largest transposed operand.
std::optional<Perm> TransposeMover::drivingPerm(Operation *op, ArrayRef<unsigned> operands,
                                                int64_t rank) const {
  std::optional<Perm> best;
  int64_t most = -1;
  for (unsigned i : operands) {
    auto t = op->getOperand(i).getDefiningOp<TransposeOp>();
    if (!t || t->getBlock() != op->getBlock() || isConstantLike(t)) continue;
    int64_t size = nominalElements(t.getType());
    if (size > most) best = extendTo(rank, t.getPerm()), most = size;
  }
  return best;
}

/// All uses of `v` undo `perm`.
static bool usersUndo(Value v, ArrayRef<int64_t> perm) {
  return !v.use_empty() && llvm::all_of(v.getUsers(), [&](Operation *user) {
    auto t = dyn_cast<TransposeOp>(user);
    return t && isIdentity(compose(perm, t.getPerm()));
  });
}

/// shape_of(transpose(x)) -> gather(shape_of(x), perm)
static bool sinkThroughShape(ShapeOfOp op) {
  auto t = op.getX().getDefiningOp<TransposeOp>();
  if (!t) return false;
  OpBuilder b(op);
  auto type = RankedTensorType::get({int64_t(t.getPerm().size())}, b.getI64Type());
  Value perm = ConstantOp::create(b, op.getLoc(), DenseIntElementsAttr::get(type, t.getPerm()));
  Value shape = ShapeOfOp::create(b, op.getLoc(), type, t.getX());
  Value picked = GatherOp::create(b, op.getLoc(), type, shape, perm, 0);
  op.getResult().replaceAllUsesWith(picked);
  return true;
}

bool TransposeMover::sink(Operation *op, bool optimistic) {
  if (auto shape = dyn_cast<ShapeOfOp>(op)) return sinkThroughShape(shape);
  std::optional<int64_t> rank = rules.permRank(op);
  if (!rank) return false;
  SmallVector<unsigned> operands(op->getNumOperands());
  std::iota(operands.begin(), operands.end(), 0);
  std::optional<Perm> perm = drivingPerm(op, operands, *rank);
  std::optional<Crossing> crossing = perm ? rules.find(op, *perm) : std::nullopt;
  if (!crossing) return false;
  llvm::SmallPtrSet<Operation *, 4> seen;
  int64_t before = 0, after = 0;
  for (unsigned i : crossing->moved) {
    Value v = op->getOperand(i);
    TransposeOp t = strippable(v, *perm);
    if (t && seen.insert(t).second) before += nominalElements(v.getType());
    if (!t) after += inverseCost(v, *perm);
  }
  if (seen.empty()) return false;
  Value result = op->getResult(0);
  bool free = isIdentity(crossing->resultPerm) || usersUndo(result, crossing->resultPerm);
  bool passes = optimistic && after == 0;
  if (!free) after += nominalElements(result.getType());
  if (!passes && after > before) return false;
  if (!optimistic && after == before) return false;
  cross(op, *perm, *crossing, nullptr);
  return true;
}

//===-- Hoisting ----------------------------------------------------------===//

/// What transpose(v, perm) costs when `user`'s chain is the only one to ask.
int64_t TransposeMover::hoistCost(Value v, ArrayRef<int64_t> perm, Operation *user,
                                  unsigned &budget) const {
  int64_t size = nominalElements(v.getType());
  if (isConstantLike(v) || movesOnlyOnes(typeOf(v), invert(perm))) return 0;
  if (auto t = v.getDefiningOp<TransposeOp>()) {
    if (!isIdentity(compose(t.getPerm(), perm))) return v.hasOneUse() ? 0 : size;
    return v.hasOneUse() ? -size : 0;
  }
  TransposeOp other = existing(v, perm);
  if (other && other != user) return 0;
  if (!v.hasOneUse() || budget == 0) return size;
  --budget;
  return std::min(size, crossingCost(v, perm, budget).value_or(size));
}

/// What it costs to make v's op give transpose(v, perm) itself.
std::optional<int64_t> TransposeMover::crossingCost(Value v, ArrayRef<int64_t> perm,
                                                    unsigned &budget) const {
  Operation *op = v.getDefiningOp();
  std::optional<int64_t> rank = op ? rules.permRank(op) : std::nullopt;
  if (!rank || *rank != int64_t(perm.size())) return std::nullopt;
  Perm back = invert(perm);
  std::optional<Crossing> crossing = rules.find(op, back);
  if (!crossing || crossing->resultPerm != back) return std::nullopt;
  int64_t cost = 0;
  for (unsigned i : crossing->moved) {
    Value x = op->getOperand(i);
    bool full = typeOf(x).getRank() == *rank;
    cost += full ? hoistCost(x, perm, op, budget) : inverseCost(x, back);
  }
  return cost;
}

bool TransposeMover::hoist(TransposeOp op, SmallVectorImpl<TransposeOp> &made) {
  Value v = op.getX();
  Operation *def = v.getDefiningOp();
  if (!def || def->getBlock() != op->getBlock() || !v.hasOneUse()) return false;
  if (isConstantLike(v) || movesOnlyOnes(typeOf(v), invert(op.getPerm()))) return false;
  constexpr unsigned kVisited = 64;
  unsigned budget = kVisited;
  std::optional<int64_t> cost = crossingCost(v, op.getPerm(), budget);
  if (!cost || *cost >= nominalElements(v.getType())) return false;
  Perm back = invert(op.getPerm());
  cross(def, back, *rules.find(def, back), &made);
  v.setType(op.getType());
  op.getResult().replaceAllUsesWith(v);
  op.erase();
  return true;
}

}  // namespace adze
