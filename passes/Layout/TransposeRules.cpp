// One case an op in each of find and apply.
#include "passes/Layout/TransposeRules.h"

#include "dialects/Graph/DimExprs.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {

static int64_t rankOf(Value v) { return cast<RankedTensorType>(v.getType()).getRank(); }

TransposeRules::TransposeRules(Operation *root) {
  DimExprs exprs(root->getContext());
  root->walk<WalkOrder::PreOrder>([&](ReshapeOp op) {
    Value x = op.getX(), y = op.getResult();
    Perm in, map;
    for (int64_t i = 0; i < rankOf(x); ++i)
      if (exprs.constantDim(x, i) != 1) in.push_back(i);
    size_t at = 0;
    for (int64_t i = 0; i < rankOf(y); ++i) {
      bool one = exprs.constantDim(y, i) == 1;
      if (!one && (at >= in.size() || !exprs.same(x, in[at], y, i))) return;
      map.push_back(one ? -1 : in[at++]);
    }
    if (at == in.size()) squeezes[op] = map;
  });
}

std::optional<int64_t> TransposeRules::permRank(Operation *op) const {
  if (isa<ElementwiseOp, ExpandOp>(op)) return rankOf(op->getResult(0));
  if (isa<ReshapeOp>(op) && !squeezes.contains(op)) return std::nullopt;
  if (isa<CastOp, BitcastOp, QuantizeOp, DequantizeOp, SoftmaxOp, CumulativeOp, NormalizeOp,
          ReduceOp, ArgReduceOp, ConcatOp, PadOp, SliceOp, TileOp, ResizeOp, GatherOp, ReshapeOp>(op))
    return rankOf(op->getOperand(0));
  return std::nullopt;
}

static SmallVector<unsigned> allOperands(Operation *op) {
  SmallVector<unsigned> out(op->getNumOperands());
  std::iota(out.begin(), out.end(), 0);
  return out;
}

/// Working along the innermost axis is what memory likes: a transpose may not
/// take that away.
static bool keepsInnermost(ArrayRef<int64_t> axes, ArrayRef<int64_t> perm) {
  int64_t last = int64_t(perm.size()) - 1;
  bool before = llvm::is_contained(axes, last);
  bool after = llvm::any_of(axes, [&](int64_t a) { return perm[a] == last; });
  return after || !before;
}

/// The order of the axes that remain when `dropped` go.
static Perm dropAxes(ArrayRef<int64_t> perm, ArrayRef<int64_t> dropped) {
  SmallVector<bool> gone(perm.size());
  for (int64_t a : dropped) gone[perm[a]] = true;
  Perm renumbered(perm.size()), out;
  for (size_t j = 0, n = 0; j < perm.size(); ++j)
    if (!gone[j]) renumbered[j] = n++;
  for (int64_t p : perm)
    if (!gone[p]) out.push_back(renumbered[p]);
  return out;
}

/// The `count` axes of gather's indices stand where axis `axis` was.
static Perm gatherPerm(ArrayRef<int64_t> perm, int64_t axis, int64_t count) {
  Perm start(perm.size()), out;
  for (int64_t j = 0, n = 0; j < int64_t(perm.size()); ++j) {
    start[j] = n;
    n += j == perm[axis] ? count : 1;
  }
  for (int64_t i = 0; i < int64_t(perm.size()); ++i) {
    if (i != axis) out.push_back(start[perm[i]]);
    else
      for (int64_t k = 0; k < count; ++k) out.push_back(start[perm[i]] + k);
  }
  return out;
}

/// Axes of the reordered x in the new result of a squeezing reshape: new
/// extents of 1 come first.
Perm TransposeRules::reshapeResultPerm(ReshapeOp op, ArrayRef<int64_t> perm) const {
  const Perm &map = squeezes.find(op)->second;
  Perm from(perm.size(), -1), place(perm.size()), out;
  for (auto [i, axis] : llvm::enumerate(map))
    if (axis >= 0) from[perm[axis]] = i;
  int64_t next = llvm::count(map, -1), one = 0;
  for (size_t j = 0; j < perm.size(); ++j)
    if (from[j] >= 0) place[j] = next++;
  for (int64_t axis : map) out.push_back(axis >= 0 ? place[perm[axis]] : one++);
  return out;
}

std::optional<Crossing> TransposeRules::find(Operation *op, ArrayRef<int64_t> perm) const {
  using R = std::optional<Crossing>;
  Perm same(perm);
  auto unary = [&](Perm result) { return R(Crossing{{0}, std::move(result)}); };
  return TypeSwitch<Operation *, R>(op)
      .Case<ElementwiseOp, ConcatOp>([&](auto) { return R(Crossing{allOperands(op), same}); })
      .Case<CastOp, BitcastOp, PadOp, SliceOp, TileOp, ResizeOp, ExpandOp>(
          [&](auto) { return unary(same); })
      .Case<QuantizeOp, DequantizeOp>(
          [&](auto q) { return q.getBlockSize() == 0 ? unary(same) : R(); })
      .Case<SoftmaxOp, CumulativeOp>([&](auto o) {
        return keepsInnermost({int64_t(o.getAxis())}, perm) ? unary(same) : R();
      })
      .Case([&](NormalizeOp o) {
        return keepsInnermost(o.getAxes(), perm) ? R(Crossing{allOperands(op), same}) : R();
      })
      .Case([&](ReduceOp o) { return unary(o.getKeepdims() ? same : dropAxes(perm, o.getAxes())); })
      .Case([&](ArgReduceOp o) {
        return unary(o.getKeepdims() ? same : dropAxes(perm, {int64_t(o.getAxis())}));
      })
      .Case([&](GatherOp o) { return unary(gatherPerm(perm, o.getAxis(), rankOf(o.getIndices()))); })
      .Case([&](ReshapeOp o) {
        return squeezes.contains(o) ? unary(reshapeResultPerm(o, perm)) : R();
      })
      .Default([](Operation *) { return R(); });
}

//===-- Applying ----------------------------------------------------------===//

static Perm renumber(ArrayRef<int64_t> axes, ArrayRef<int64_t> perm) {
  Perm out;
  for (int64_t a : axes) out.push_back(perm[a]);
  llvm::sort(out);
  return out;
}

static Value intConstant(OpBuilder &b, Location loc, ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({int64_t(values.size())}, b.getI64Type());
  return ConstantOp::create(b, loc, DenseIntElementsAttr::get(type, values));
}

/// `v`, which holds `groups` runs of one element an axis, in the new order.
static Value reorderVector(OpBuilder &b, Location loc, Value v, ArrayRef<int64_t> perm,
                           int64_t groups = 1) {
  Perm from, inverse = invert(perm);
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t i : inverse) from.push_back(g * int64_t(perm.size()) + i);
  DenseElementsAttr dense;
  if (!matchPattern(v, m_Constant(&dense)))
    return GatherOp::create(b, loc, v.getType(), v, intConstant(b, loc, from), 0);
  auto old = llvm::to_vector(dense.getValues<Attribute>());
  SmallVector<Attribute> values;
  for (int64_t i : from) values.push_back(old[i]);
  return ConstantOp::create(b, loc, DenseElementsAttr::get(dense.getType(), values));
}

Value extentsForReshape(OpBuilder &b, Location loc, Value x, ArrayRef<int64_t> axes) {
  auto type = cast<RankedTensorType>(x.getType());
  Perm values;
  for (int64_t a : axes) {
    bool dynamic = a >= 0 && type.isDynamicDim(a);
    values.push_back(a < 0 ? 1 : dynamic ? -1 : type.getDimSize(a));
  }
  // -1 cannot be solved for beside an extent of 0.
  auto open = llvm::count(values, -1);
  if (open == 0 || (open == 1 && !llvm::is_contained(values, 0)))
    return intConstant(b, loc, values);
  // The extents of x and, after them, a 1 to pick from.
  int64_t rank = type.getRank();
  Value shape = ShapeOfOp::create(b, loc, RankedTensorType::get({rank}, b.getI64Type()), x);
  Value all = ConcatOp::create(b, loc, RankedTensorType::get({rank + 1}, b.getI64Type()),
                               ValueRange{shape, intConstant(b, loc, {1})}, 0);
  Perm picks;
  for (int64_t a : axes) picks.push_back(a < 0 ? rank : a);
  auto result = RankedTensorType::get({int64_t(axes.size())}, b.getI64Type());
  return GatherOp::create(b, loc, result, all, intConstant(b, loc, picks), 0);
}

void TransposeRules::applyReshape(ReshapeOp op, ArrayRef<int64_t> perm, const Crossing &crossing) {
  const Perm &map = squeezes.find(op)->second;
  Perm axes(map.size());
  for (auto [i, axis] : llvm::enumerate(map))
    axes[crossing.resultPerm[i]] = axis < 0 ? -1 : perm[axis];
  OpBuilder b(op);
  op.getShapeMutable().assign(extentsForReshape(b, op.getLoc(), op.getX(), axes));
  squeezes[op] = axes;
}

void TransposeRules::apply(Operation *op, ArrayRef<int64_t> perm, const Crossing &crossing) {
  OpBuilder b(op);
  auto reorder = [&](unsigned operand, int64_t groups = 1) {
    op->setOperand(operand, reorderVector(b, op->getLoc(), op->getOperand(operand), perm, groups));
  };
  auto moveAxis = [&](auto o) { o.setAxis(perm[o.getAxis()]); };
  auto moveAxes = [&](auto o) { o.setAxes(renumber(o.getAxes(), perm)); };
  TypeSwitch<Operation *>(op)
      .Case<SoftmaxOp, CumulativeOp, ArgReduceOp, ConcatOp, GatherOp>(moveAxis)
      .Case<QuantizeOp, DequantizeOp>([&](auto q) {
        if (rankOf(q.getScale()) == 1) moveAxis(q);
      })
      .Case<ReduceOp, NormalizeOp>(moveAxes)
      .Case([&](PadOp) { reorder(1, 2); })
      .Case<ExpandOp, TileOp>([&](auto) { reorder(1); })
      .Case([&](SliceOp) {
        for (unsigned i : {1, 2, 3}) reorder(i);
      })
      .Case([&](ResizeOp o) {
        for (unsigned i : {1, 2}) reorder(i);
        if (o.getRoi()) reorder(3, 2);
      })
      .Case([&](ReshapeOp o) { applyReshape(o, perm, crossing); })
      .Default([](Operation *) {});
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  op->getResult(0).setType(transposed(type, invert(crossing.resultPerm)));
}

}  // namespace adze
