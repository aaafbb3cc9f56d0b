#include "passes/Import/RuntimeAxes.h"

using namespace mlir;

namespace adze::convert {

using Fn = ElementwiseFn;
using graph::ReduceKind;

static Value normalized(NodeBuilder &nb, Value axes, int64_t rank) {
  axes = nb.indexVector(axes);
  if (!axes) return axes;
  Value negative = nb.ew(Fn::Less, {axes, nb.ints({0})});
  return nb.select(negative, nb.add(axes, nb.ints({rank})), axes);
}

Value axisMask(NodeBuilder &nb, Value axes, int64_t rank) {
  axes = normalized(nb, axes, rank);
  if (!axes) return axes;
  Value hits = nb.ew(Fn::Equal, {nb.unsqueeze(axes, {1}), nb.ints(iota(rank))});
  return nb.reduce(hits, ReduceKind::Max, {0}, false);  // or
}

Value maskedEntries(NodeBuilder &nb, Value v, Value mask, int64_t count) {
  Value places = nb.make<graph::NonZeroOp>(mask);
  return nb.gather(v, nb.reshape(places, ArrayRef<int64_t>{count}), 0);
}

/// Each axis of n elements becomes the pair (n, 1) where it is reduced, else
/// (1, n); the first of each pair is then reduced.
Value reduceMasked(NodeBuilder &nb, Value x, ReduceKind kind, Value mask) {
  if (!x || !mask) return {};
  int64_t r = nb.rank(x);
  Value shape = nb.shapeOf(x), one = nb.ints({1});
  Value reduced = nb.select(mask, shape, one), kept = nb.select(mask, one, shape);
  Value pairs = nb.concat({nb.unsqueeze(reduced, {1}), nb.unsqueeze(kept, {1})}, 1);
  Ints axes;
  for (int64_t i = 0; i < r; ++i) axes.push_back(2 * i);
  Value wide = nb.reshape(x, nb.reshape(pairs, ArrayRef<int64_t>{2 * r}));
  return nb.reduce(wide, kind, axes, false);
}

Value aroundAxis(NodeBuilder &nb, Value x, Value axis) {
  if (!x) return x;
  int64_t r = nb.rank(x);
  axis = normalized(nb, axis, r);
  Value places = nb.ints(iota(r)), shape = nb.shapeOf(x), one = nb.ints({1});
  SmallVector<Value> pieces;
  for (Fn where : {Fn::Less, Fn::Equal, Fn::Greater})
    pieces.push_back(nb.reduce(nb.select(nb.ew(where, {places, axis}), shape, one),
                               ReduceKind::Prod, {0}));
  return nb.reshape(x, nb.join(pieces));
}

Value unsqueezeMasked(NodeBuilder &nb, Value x, Value mask) {
  if (!x || !mask) return {};
  // The k-th place that is not new takes the k-th extent of x.
  Value old = nb.cast(nb.ew(Fn::Not, mask), nb.i64());
  Value places = nb.make<graph::CumulativeOp>(
      old, {nb.named("kind", graph::ReduceKindAttr::get(nb.b.getContext(), ReduceKind::Sum)),
            nb.named("axis", int64_t(0)), nb.flag("exclusive", true)});
  // A new place may point past the end; the one appended there is not used.
  Value extents = nb.gather(nb.join({nb.shapeOf(x), nb.ints({1})}), places, 0);
  return nb.reshape(x, nb.select(mask, nb.ints({1}), extents));
}

}  // namespace adze::convert
