#include "passes/Layout/OrderRewriter.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {

static RankedTensorType typeOf(Value v) { return cast<RankedTensorType>(v.getType()); }

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

/// Composes with a transpose before it, drops an identity, and reuses an equal
/// one. True when `op` is dead.
static bool simplify(TransposeOp op) {
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

/// shape_of(transpose(x)) -> gather(shape_of(x), perm)
static void readShapeBefore(ShapeOfOp op) {
  auto t = op.getX().getDefiningOp<TransposeOp>();
  if (!t) return;
  OpBuilder b(op);
  auto type = RankedTensorType::get({int64_t(t.getPerm().size())}, b.getI64Type());
  Value perm = ConstantOp::create(b, op.getLoc(), DenseIntElementsAttr::get(type, t.getPerm()));
  Value shape = ShapeOfOp::create(b, op.getLoc(), type, t.getX());
  Value picked = GatherOp::create(b, op.getLoc(), type, shape, perm, 0);
  op.getResult().replaceAllUsesWith(picked);
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

static Value transpose(OpBuilder &b, Location loc, Value v, ArrayRef<int64_t> perm) {
  if (TransposeOp t = existing(v, perm)) {
    moveAfterDefinition(t);
    return t.getResult();
  }
  auto t = TransposeOp::create(b, loc, transposed(typeOf(v), perm), v, perm);
  if (!simplify(t)) return t.getResult();
  Value source = t.getX();
  t.erase();
  return source;
}

/// What is to be stored so that v = transpose(stored, perm).
Value OrderRewriter::stored(Operation *user, Value v, ArrayRef<int64_t> perm) {
  RankedTensorType type = typeOf(v);
  int64_t rank = perm.size();
  auto before = v.getDefiningOp<TransposeOp>();
  if (before && extendTo(rank, before.getPerm()) == perm) return before.getX();
  if (broadcasts(user) && type.hasStaticShape() && type.getNumElements() == 1) return v;
  OpBuilder b(user);
  if (movesOnlyOnes(type, perm)) {
    Perm axes = inverseAxes(type, perm);
    // Broadcasting needs no leading extents of 1 of an operand that has fewer
    // dimensions: another has all.
    if (broadcasts(user) && type.getRank() < rank)
      while (!axes.empty() && axes.front() < 0) axes.erase(axes.begin());
    return reshaped(b, user->getLoc(), v, axes);
  }
  if (type.getRank() < rank) {
    Perm axes(rank - type.getRank(), -1);
    for (int64_t i = 0; i < type.getRank(); ++i) axes.push_back(i);
    v = reshaped(b, user->getLoc(), v, axes);
  }
  return transpose(b, user->getLoc(), v, invert(perm));
}

/// Users read the result through a transpose that gives it as it was.
static void readThrough(Operation *op, Type type, ArrayRef<int64_t> perm) {
  if (isIdentity(perm)) return;
  OpBuilder b(op->getContext());
  b.setInsertionPointAfter(op);
  auto back = TransposeOp::create(b, op->getLoc(), type, op->getResult(0), perm);
  op->getResult(0).replaceAllUsesExcept(back.getResult(), back);
}

/// Weights to [K..., inputs, outputs]: conv's are [O, C/g, K...],
/// conv_transpose's [C, O/g, K...].
static Perm kernelFirst(int64_t rank, bool outputsFirst) {
  Perm perm;
  for (int64_t i = 2; i < rank; ++i) perm.push_back(i);
  perm.push_back(outputsFirst ? 1 : 0);
  perm.push_back(outputsFirst ? 0 : 1);
  return perm;
}

void OrderRewriter::giveChannelsLast(Operation *op, ArrayRef<int64_t> perm) {
  OpBuilder b(op);
  auto setLayout = [](auto o) { o.setLayout(graph::DataLayout::NHWC); };
  if (auto pool = dyn_cast<PoolOp>(op)) return setLayout(pool);
  Value w = op->getOperand(1);
  op->setOperand(1, transpose(b, op->getLoc(), w, kernelFirst(perm.size(), isa<ConvOp>(op))));
  if (auto conv = dyn_cast<ConvOp>(op)) setLayout(conv);
  else setLayout(cast<ConvTransposeOp>(op));
}

void OrderRewriter::give(const OrderChoice &choice, ArrayRef<int64_t> perm, const Crossing &crossing) {
  Operation *op = choice.op;
  if (isIdentity(perm) || isa<TransposeOp>(op)) return;
  for (unsigned i : crossing.moved) op->setOperand(i, stored(op, op->getOperand(i), perm));
  RankedTensorType old = typeOf(op->getResult(0));
  if (isWindowed(op)) {
    giveChannelsLast(op, perm);
    op->getResult(0).setType(transposed(old, invert(crossing.resultPerm)));
  } else {
    rules.apply(op, perm, crossing);
  }
  readThrough(op, old, crossing.resultPerm);
}

/// Transposes and shape_ofs whose result nothing uses, users before producers.
static void eraseDead(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isa<TransposeOp, ShapeOfOp>(op) && op.use_empty()) op.erase();
}

/// matmul(transpose(a), b) -> matmul(a, b) {transpose_a}. A constant's
/// transpose folds instead, into the order that kernels like.
static void foldIntoMatmul(MatmulOp op) {
  for (unsigned i : {0, 1}) {
    auto t = op->getOperand(i).getDefiningOp<TransposeOp>();
    if (!t || !swapsLastTwo(t.getPerm()) || matchPattern(t.getX(), m_Constant())) continue;
    op->setOperand(i, t.getX());
    if (i == 0) op.setTransposeA(!op.getTransposeA());
    else op.setTransposeB(!op.getTransposeB());
  }
}

/// A transpose that only moves extents of 1 -> reshape.
static bool toReshape(TransposeOp op) {
  RankedTensorType type = typeOf(op.getX());
  if (!movesOnlyOnes(type, invert(op.getPerm()))) return false;
  Perm axes;
  for (int64_t p : op.getPerm()) axes.push_back(type.getDimSize(p) == 1 ? -1 : p);
  OpBuilder b(op);
  Value shape = extentsForReshape(b, op.getLoc(), op.getX(), op.getType().getShape(), axes);
  auto reshape = ReshapeOp::create(b, op.getLoc(), op.getType(), op.getX(), shape);
  op.getResult().replaceAllUsesWith(reshape.getResult());
  return true;
}

static void finish(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (auto matmul = dyn_cast<MatmulOp>(op)) foldIntoMatmul(matmul);
    auto t = dyn_cast<TransposeOp>(op);
    if (t && toReshape(t)) t.erase();
  }
}

void OrderRewriter::apply(const OrderPlan &plan, Block &block) {
  DenseMap<Operation *, size_t> at;
  for (auto [i, choice] : llvm::enumerate(plan.choices)) at[choice.op] = i;
  for (Operation *op = block.empty() ? nullptr : &block.front(); op;) {
    bool dead = false;
    if (auto it = at.find(op); it != at.end()) {
      const OrderChoice &choice = plan.choices[it->second];
      unsigned order = plan.order[it->second];
      give(choice, choice.perm[order], choice.crossing[order]);
    }
    // A transpose behind the op comes next, and sees what became of its operand.
    if (auto t = dyn_cast<TransposeOp>(op)) dead = simplify(t);
    else if (auto shape = dyn_cast<ShapeOfOp>(op)) readShapeBefore(shape);
    Operation *after = op->getNextNode();
    if (dead) op->erase();
    op = after;
  }
  eraseDead(block);
  finish(block);
  eraseDead(block);
}

}  // namespace adze
