// adze-simplify. Ops are not erased before the end: the symbolic extents are
// remembered by value.
#include "passes/Graph/ConstantQueries.h"
#include "passes/Graph/Passes.h"

#include "dialects/Graph/DimExprs.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace adze::graph;

namespace adze {
#define GEN_PASS_DEF_SIMPLIFYGRAPH
#include "passes/Graph/Passes.h.inc"

namespace {

int64_t rankOf(Value v) { return cast<RankedTensorType>(v.getType()).getRank(); }

/// Every element of a constant integer tensor is `wanted`.
bool allAre(Value v, int64_t wanted) {
  std::optional<SmallVector<int64_t>> ints = constantInts(v);
  return ints && llvm::all_of(*ints, [&](int64_t i) { return i == wanted; });
}

class Simplifier {
 public:
  explicit Simplifier(MLIRContext *ctx) : exprs(ctx) {}

  /// What the only result of `op` may be replaced with; null: nothing.
  Value replacement(Operation *op);
  /// Rewrites operands in place; true if something changed.
  bool rewrite(Operation *op);
  /// Looks at extents in program order, which keeps look-ups short.
  void see(Operation *op);

 private:
  bool sameShape(Value a, Value b);
  Value arithmetic(ElementwiseOp op);
  Value slice(SliceOp op);
  Value reduce(ReduceOp op);
  bool mergeReshapes(ReshapeOp op);
  bool mergeSlices(SliceOp op);
  bool dropExpands(ElementwiseOp op);
  bool multiplyInstead(ElementwiseOp op);

  DimExprs exprs;
};

void Simplifier::see(Operation *op) {
  for (Value r : op->getResults())
    if (isa<RankedTensorType>(r.getType()))
      for (int64_t i = 0; i < rankOf(r); ++i) exprs.dim(r, i);
}

bool Simplifier::sameShape(Value a, Value b) {
  if (rankOf(a) != rankOf(b)) return false;
  for (int64_t i = 0; i < rankOf(a); ++i)
    if (!exprs.same(a, i, b, i)) return false;
  return true;
}

/// x + 0, 0 + x, x - 0, x * 1, 1 * x, x / 1, pow(x, 1) -> x
Value Simplifier::arithmetic(ElementwiseOp op) {
  auto neutral = [&](unsigned x, double value) -> Value {
    Value kept = op.getArgs()[x], other = op.getArgs()[1 - x];
    return splatValue(other) == value && broadcastsInto(other, kept) ? kept : Value();
  };
  switch (op.getFn()) {
    case ElementwiseFn::Add: {
      Value v = neutral(0, 0);
      return v ? v : neutral(1, 0);
    }
    case ElementwiseFn::Mul: {
      Value v = neutral(0, 1);
      return v ? v : neutral(1, 1);
    }
    case ElementwiseFn::Sub: return neutral(0, 0);
    case ElementwiseFn::Div:
    case ElementwiseFn::Pow: return neutral(0, 1);
    default: return {};
  }
}

Value Simplifier::slice(SliceOp op) {
  std::optional<SmallVector<int64_t>> ends = constantInts(op.getEnds());
  if (!ends || !allAre(op.getStarts(), 0) || !allAre(op.getSteps(), 1)) return {};
  ArrayRef<int64_t> shape = op.getX().getType().getShape();
  for (auto [end, extent] : llvm::zip(*ends, shape)) {
    bool reaches = ShapedType::isDynamic(extent) ? end == std::numeric_limits<int64_t>::max()
                                                 : end >= extent;
    if (!reaches) return {};
  }
  return op.getX();
}

/// No axes, or extents of 1 that are kept: every kind gives x.
Value Simplifier::reduce(ReduceOp op) {
  ArrayRef<int64_t> shape = op.getX().getType().getShape();
  bool ones = llvm::all_of(op.getAxes(), [&](int64_t a) { return shape[a] == 1; });
  return ones && (op.getKeepdims() || op.getAxes().empty()) ? Value(op.getX()) : Value();
}

Value Simplifier::replacement(Operation *op) {
  auto sameAs = [&](Value x) { return sameShape(x, op->getResult(0)) ? x : Value(); };
  Value v = TypeSwitch<Operation *, Value>(op)
                .Case<ReshapeOp, ExpandOp>([&](Operation *o) { return sameAs(o->getOperand(0)); })
                .Case([&](ConcatOp o) {
                  return o.getXs().size() == 1 ? Value(o.getXs()[0]) : Value();
                })
                .Case([&](SliceOp o) { return slice(o); })
                .Case([&](PadOp o) { return allAre(o.getPads(), 0) ? Value(o.getX()) : Value(); })
                .Case([&](TileOp o) { return allAre(o.getRepeats(), 1) ? Value(o.getX()) : Value(); })
                .Case<CastOp, BitcastOp>([&](auto o) {
                  return getElementTypeOrSelf(o.getX()) == o.getTo() ? Value(o.getX()) : Value();
                })
                .Case([&](ReduceOp o) { return reduce(o); })
                .Case([&](ElementwiseOp o) { return arithmetic(o); })
                .Default([](Operation *) { return Value(); });
  if (!v || !atLeastAsStatic(v.getType(), op->getResult(0).getType())) return {};
  return v;
}

/// reshape(reshape(x)) -> reshape(x)
bool Simplifier::mergeReshapes(ReshapeOp op) {
  auto inner = op.getX().getDefiningOp<ReshapeOp>();
  if (!inner) return false;
  op.getXMutable().assign(inner.getX());
  return true;
}

/// slice(slice(x)) of different axes -> slice(x)
bool Simplifier::mergeSlices(SliceOp op) {
  auto inner = op.getX().getDefiningOp<SliceOp>();
  if (!inner) return false;
  SmallVector<SmallVector<int64_t>> merged;  // starts, ends, steps
  for (SliceOp slice : {op, inner})
    for (Value v : {slice.getStarts(), slice.getEnds(), slice.getSteps()}) {
      std::optional<SmallVector<int64_t>> ints = constantInts(v);
      if (!ints) return false;
      merged.push_back(*ints);
    }
  for (int64_t axis = 0; axis < rankOf(op.getX()); ++axis) {
    auto whole = [&](unsigned slice) {
      return merged[slice][axis] == 0 && merged[slice + 1][axis] == INT64_MAX && merged[slice + 2][axis] == 1;
    };
    if (whole(3)) continue;
    if (!whole(0)) return false;
    for (unsigned i : {0, 1, 2}) merged[i][axis] = merged[i + 3][axis];
  }
  OpBuilder b(op);
  op.getXMutable().assign(inner.getX());
  for (unsigned i : {0, 1, 2})
    op->setOperand(i + 1, ConstantOp::create(b, op.getLoc(), b.getI64TensorAttr(merged[i])));
  op->setLoc(b.getFusedLoc({op.getLoc(), inner.getLoc()}));
  return true;
}

/// f(expand(x), y) -> f(x, y) where every extent of the result is one of x's
/// or y's.
bool Simplifier::dropExpands(ElementwiseOp op) {
  bool changed = false;
  for (OpOperand &use : op->getOpOperands()) {
    auto expand = use.get().getDefiningOp<ExpandOp>();
    if (!expand) continue;
    int64_t rank = rankOf(op.getResult());
    auto gives = [&](Value v, int64_t i) {
      int64_t axis = i - (rank - rankOf(v));
      return axis >= 0 && exprs.same(v, axis, op.getResult(), i);
    };
    auto covered = [&](int64_t i) {
      if (exprs.constantDim(op.getResult(), i) == 1 || gives(expand.getX(), i)) return true;
      return llvm::any_of(op->getOpOperands(), [&](OpOperand &other) {
        return &other != &use && gives(other.get(), i);
      });
    };
    if (!llvm::all_of(llvm::seq<int64_t>(0, rank), covered)) continue;
    use.set(expand.getX());
    changed = true;
  }
  return changed;
}

/// x / 2^k -> x * 2^-k, which is the same number.
bool Simplifier::multiplyInstead(ElementwiseOp op) {
  if (op.getFn() != ElementwiseFn::Div || !isa<FloatType>(getElementTypeOrSelf(op.getType())))
    return false;
  std::optional<double> divisor = splatValue(op.getArgs()[1]);
  int exponent = 0;
  if (!divisor || *divisor == 0 || std::abs(std::frexp(*divisor, &exponent)) != 0.5) return false;
  // Both 2^k and 2^-k must be normal in every float format, half included.
  constexpr int kMostExponent = 13;
  if (std::abs(exponent) > kMostExponent) return false;
  auto type = cast<RankedTensorType>(op.getArgs()[1].getType());
  OpBuilder b(op);
  auto value = b.getFloatAttr(type.getElementType(), 1 / *divisor);
  auto constant = ConstantOp::create(b, op.getArgs()[1].getLoc(),
                                     cast<ElementsAttr>(DenseElementsAttr::get(type, value)));
  op->setOperand(1, constant);
  op.setFn(ElementwiseFn::Mul);
  return true;
}

bool Simplifier::rewrite(Operation *op) {
  if (auto reshape = dyn_cast<ReshapeOp>(op)) return mergeReshapes(reshape);
  if (auto slice = dyn_cast<SliceOp>(op)) return mergeSlices(slice);
  auto e = dyn_cast<ElementwiseOp>(op);
  if (!e) return false;
  bool dropped = dropExpands(e);
  return multiplyInstead(e) || dropped;
}

/// A type that the users see may only change where ops take any.
bool usersTake(Value old, Type type) {
  if (old.getType() == type) return true;
  return llvm::all_of(old.getUsers(), [](Operation *user) {
    return isa<AdzeDialect>(user->getDialect()) && user->getNumRegions() == 0 &&
           !user->hasTrait<OpTrait::IsTerminator>();
  });
}

struct SimplifyGraphPass : public impl::SimplifyGraphBase<SimplifyGraphPass> {
  void runOnOperation() override {
    Simplifier simplifier(&getContext());
    SmallVector<Operation *> dead;
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!isa<AdzeDialect>(op->getDialect()) || isa<FusionOp>(op)) return;
      simplifier.see(op);
      numRemoved += simplifier.rewrite(op);
      if (op->getNumResults() != 1) return;
      Value v = simplifier.replacement(op);
      if (!v || !usersTake(op->getResult(0), v.getType())) return;
      op->getResult(0).replaceAllUsesWith(v);
      dead.push_back(op);
      ++numRemoved;
    });
    for (Operation *op : llvm::reverse(dead)) op->erase();
  }
};

}  // namespace
}  // namespace adze
