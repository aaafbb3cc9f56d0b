// One case an op in each of find and apply.
#include "passes/Layout/TransposeRules.h"

#include "dialects/Graph/DimExprs.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {

static int64_t rankOf(Value v) { return cast<RankedTensorType>(v.getType()).getRank(); }

namespace {
/// Splits a reshape into the smallest groups of equal element counts: one axis
/// to one, several to one, or one to several.
class Grouping {
 public:
  Grouping(DimExprs &exprs, ReshapeOp op) : exprs(exprs), x(op.getX()), y(op.getResult()) {}

  std::optional<ReshapeGroups> run() {
    ReshapeGroups out;
    while (true) {
      skipOnes(x, i);
      if (j == rankOf(y) && i == rankOf(x)) return out;
      if (j < rankOf(y) && exprs.constantDim(y, j) == 1) {
        out.groups.push_back({{}, {j++}});
        continue;
      }
      std::optional<ReshapeGroups::Group> group = next();
      if (!group) return std::nullopt;
      out.groups.push_back(std::move(*group));
    }
  }

 private:
  void skipOnes(Value v, int64_t &at) {
    while (at < rankOf(v) && exprs.constantDim(v, at) == 1) ++at;
  }

  /// The axes of `v` from `at` on that together have `count` elements.
  std::optional<Perm> gather(Value v, int64_t at, AffineExpr count) {
    Perm axes;
    SmallVector<AffineExpr> extents;
    for (; at < rankOf(v); ++at) {
      if (exprs.constantDim(v, at) == 1) continue;
      axes.push_back(at);
      extents.push_back(exprs.dim(v, at));
      if (exprs.product(extents) == count) return axes;
    }
    return std::nullopt;
  }

  std::optional<ReshapeGroups::Group> next() {
    if (i == rankOf(x) || j == rankOf(y)) return std::nullopt;
    if (std::optional<Perm> from = gather(x, i, exprs.product({exprs.dim(y, j)}))) {
      i = from->back() + 1;
      return ReshapeGroups::Group{*from, {j++}};
    }
    std::optional<Perm> to = gather(y, j, exprs.product({exprs.dim(x, i)}));
    if (!to) return std::nullopt;
    // A result extent of 1 inside the group belongs to it.
    Perm all;
    for (; j <= to->back(); ++j) all.push_back(j);
    return ReshapeGroups::Group{{i++}, all};
  }

  DimExprs &exprs;
  Value x, y;
  int64_t i = 0, j = 0;
};
}  // namespace

TransposeRules::TransposeRules(Operation *root) {
  DimExprs exprs(root->getContext());
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    // In program order, so that no extent is looked up through a long chain.
    for (Value r : op->getResults())
      if (auto type = dyn_cast<RankedTensorType>(r.getType()))
        for (int64_t i = 0; i < type.getRank(); ++i) exprs.dim(r, i);
    auto reshape = dyn_cast<ReshapeOp>(op);
    if (!reshape) return;
    if (std::optional<ReshapeGroups> groups = Grouping(exprs, reshape).run())
      reshapes[op] = std::move(*groups);
  });
}

std::optional<int64_t> TransposeRules::permRank(Operation *op) const {
  if (isa<ElementwiseOp, ExpandOp>(op)) return rankOf(op->getResult(0));
  if (isa<ReshapeOp>(op) && !reshapes.contains(op)) return std::nullopt;
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

/// The groups of a reshape of the reordered x, in that order. nullopt when the
/// axes of a group would no longer be neighbours.
std::optional<ReshapeGroups> TransposeRules::reordered(ReshapeOp op, ArrayRef<int64_t> perm) const {
  ReshapeGroups out = reshapes.find(op)->second;
  // Groups without axes of x (new extents of 1) come first.
  SmallVector<int64_t> used;
  for (ReshapeGroups::Group &group : out.groups) {
    for (int64_t &axis : group.from) axis = perm[axis];
    if (!llvm::is_sorted(group.from)) return std::nullopt;
    llvm::append_range(used, group.from);
  }
  llvm::sort(used);
  for (const ReshapeGroups::Group &group : out.groups) {
    const int64_t *at = llvm::find(used, group.from.empty() ? -1 : group.from.front());
    for (int64_t axis : group.from)
      if (*at++ != axis) return std::nullopt;
  }
  llvm::sort(out.groups, [](const ReshapeGroups::Group &a, const ReshapeGroups::Group &b) {
    auto key = [](const ReshapeGroups::Group &g) {
      return std::pair(g.from.empty() ? -1 : g.from.front(), g.to.front());
    };
    return key(a) < key(b);
  });
  return out;
}

std::optional<Perm> TransposeRules::reshapeResultPerm(ReshapeOp op, ArrayRef<int64_t> perm) const {
  std::optional<ReshapeGroups> groups = reordered(op, perm);
  if (!groups) return std::nullopt;
  Perm out(rankOf(op.getResult()));
  int64_t next = 0, inferred = 0;
  for (const ReshapeGroups::Group &group : groups->groups)
    for (int64_t axis : group.to) {
      bool dynamic = op.getType().isDynamicDim(axis);
      inferred += dynamic && (group.from.size() != 1 || group.to.size() != 1);
      out[axis] = next++;
    }
  // One dynamic extent can be left to reshape.
  return inferred <= 1 ? std::optional(out) : std::nullopt;
}

Perm TransposeRules::permBefore(ReshapeOp op, ArrayRef<int64_t> resultPerm) const {
  SmallVector<std::pair<int64_t, const ReshapeGroups::Group *>> placed;
  for (const ReshapeGroups::Group &group : reshapes.find(op)->second.groups)
    placed.push_back({resultPerm[group.to.front()], &group});
  llvm::sort(placed);
  Perm perm(rankOf(op.getX()), -1);
  int64_t next = 0;
  for (auto &[place, group] : placed)
    for (int64_t axis : group->from) perm[axis] = next++;
  for (int64_t &p : perm)
    if (p < 0) p = next++;  // an extent of 1
  return perm;
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
        if (!reshapes.contains(o)) return R();
        std::optional<Perm> result = reshapeResultPerm(o, perm);
        return result ? unary(*result) : R();
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

Value extentsForReshape(OpBuilder &b, Location loc, Value x, ArrayRef<int64_t> shape,
                        ArrayRef<int64_t> axes) {
  Perm values;
  for (int64_t extent : shape) values.push_back(ShapedType::isDynamic(extent) ? -1 : extent);
  // -1 cannot be solved for beside an extent of 0.
  auto open = llvm::count(values, -1);
  if (open == 0 || (open == 1 && !llvm::is_contained(values, 0)))
    return intConstant(b, loc, values);
  // The extents of x and, after them, the known numbers to pick from.
  int64_t rank = rankOf(x), count = values.size();
  Value extents = ShapeOfOp::create(b, loc, RankedTensorType::get({rank}, b.getI64Type()), x);
  Value all = ConcatOp::create(b, loc, RankedTensorType::get({rank + count}, b.getI64Type()),
                               ValueRange{extents, intConstant(b, loc, values)}, 0);
  Perm picks;
  for (int64_t i = 0; i < count; ++i)
    picks.push_back(values[i] == -1 && axes[i] >= 0 ? axes[i] : rank + i);
  auto result = RankedTensorType::get({count}, b.getI64Type());
  return GatherOp::create(b, loc, result, all, intConstant(b, loc, picks), 0);
}

void TransposeRules::applyReshape(ReshapeOp op, ArrayRef<int64_t> perm, const Crossing &crossing) const {
  ReshapeGroups groups = *reordered(op, perm);
  Perm axes(rankOf(op.getResult()), -1);
  for (ReshapeGroups::Group &group : groups.groups) {
    for (int64_t &axis : group.to) axis = crossing.resultPerm[axis];
    if (group.from.size() == 1 && group.to.size() == 1) axes[group.to[0]] = group.from[0];
  }
  OpBuilder b(op);
  auto type = transposed(op.getType(), invert(crossing.resultPerm));
  Value shape = extentsForReshape(b, op.getLoc(), op.getX(), type.getShape(), axes);
  op.getShapeMutable().assign(shape);
}

void TransposeRules::apply(Operation *op, ArrayRef<int64_t> perm, const Crossing &crossing) const {
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
