// Reductions, softmax and running sums.
#include "passes/Import/RuntimeAxes.h"

#include "llvm/ADT/STLExtras.h"

#include <limits>

using namespace mlir;

namespace adze::convert {

using Fn = ElementwiseFn;
using graph::ReduceKind;

namespace {
/// The axes of a reduction: known ones, or a mask computed at run time.
struct ReducedAxes {
  Ints known;
  Value mask;
  int64_t maskCount = 0;  ///< axes in the mask; dynamic where not known
  bool none = false;      ///< nothing is to be reduced
};
}  // namespace

static ReducedAxes reducedAxes(NodeBuilder &nb, Value x) {
  bool noop = nb.boolAttr("noop_with_empty_axes");
  if (!nb.hasAttr("axes") && nb.isRuntime(1)) {
    Value axes = nb.indexVector(nb.in(1)), mask = axisMask(nb, axes, nb.rank(x));
    if (!mask) return {};
    if (!noop) {  // no axes at run time: all of them
      Value empty = nb.ew(ElementwiseFn::Equal, {nb.dim(axes, 0), nb.ints({0})});
      if (ShapedType::isDynamic(nb.extent(axes, 0))) mask = nb.ew(ElementwiseFn::Or, {mask, empty});
    }
    return {{}, mask, nb.extent(axes, 0)};
  }
  std::optional<Ints> given = nb.intsAttrOrInput("axes", 1);
  if (given && !given->empty()) return {nb.axes(*given, nb.rank(x)), {}};
  return {iota(nb.rank(x)), {}, 0, noop};
}

/// With all axes kept.
static Value reduceKept(NodeBuilder &nb, Value x, ReduceKind kind, const ReducedAxes &axes) {
  if (axes.none) return x;
  return axes.mask ? reduceMasked(nb, x, kind, axes.mask) : nb.reduce(x, kind, axes.known, true);
}

/// Drops the reduced axes of a result that kept them.
static Value dropReduced(NodeBuilder &nb, Value y, const ReducedAxes &axes) {
  if (!y || axes.none) return y;
  if (!axes.mask) return nb.squeeze(y, axes.known);
  if (ShapedType::isDynamic(axes.maskCount))
    return nb.unsupported("the number of reduced axes is computed at run time");
  Value kept = nb.ew(ElementwiseFn::Not, axes.mask);
  return nb.reshape(y, maskedEntries(nb, nb.shapeOf(y), kept, nb.rank(y) - axes.maskCount));
}

/// Reduces with `before` applied to each element and `after` to each result.
using Map = Value (*)(NodeBuilder &nb, Value v);
static Values reduceWith(NodeBuilder &nb, ReduceKind kind, Map before = nullptr,
                         Map after = nullptr) {
  Value x = nb.in(0);
  if (!x) return {x};
  ReducedAxes axes = reducedAxes(nb, x);
  bool keep = nb.boolAttr("keepdims", true);
  if (before) x = before(nb, x);
  if (!axes.none && !axes.mask) x = nb.reduce(x, kind, axes.known, keep);
  else if (axes.mask) x = reduceKept(nb, x, kind, axes), x = keep ? x : dropReduced(nb, x, axes);
  return {after ? after(nb, x) : x};
}

static Value square(NodeBuilder &nb, Value v) { return nb.mul(v, v); }
static Value absolute(NodeBuilder &nb, Value v) { return nb.ew(Fn::Abs, v); }
static Value root(NodeBuilder &nb, Value v) {
  if (!v || isa<FloatType>(nb.element(v))) return nb.ew(Fn::Sqrt, v);
  return nb.cast(nb.ew(Fn::Sqrt, nb.cast(v, nb.b.getF64Type())), nb.element(v));
}
static Value logarithm(NodeBuilder &nb, Value v) {
  if (!v || isa<FloatType>(nb.element(v))) return nb.ew(Fn::Log, v);
  return nb.cast(nb.ew(Fn::Log, nb.cast(v, nb.b.getF64Type())), nb.element(v));
}

template <ReduceKind kind>
static Values simple(NodeBuilder &nb) { return reduceWith(nb, kind); }
static Values convertL1(NodeBuilder &nb) { return reduceWith(nb, ReduceKind::Sum, absolute); }
static Values convertL2(NodeBuilder &nb) { return reduceWith(nb, ReduceKind::Sum, square, root); }
static Values convertSumSquare(NodeBuilder &nb) { return reduceWith(nb, ReduceKind::Sum, square); }
static Values convertLogSum(NodeBuilder &nb) {
  return reduceWith(nb, ReduceKind::Sum, nullptr, logarithm);
}

/// log(sum(exp(x - m))) + m with m the maximum, or 0 where that is infinite.
static Values convertLogSumExp(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  if (!isa<FloatType>(nb.element(x))) return {nb.unsupported("its elements are integers")};
  ReducedAxes axes = reducedAxes(nb, x);
  Value m = reduceKept(nb, x, ReduceKind::Max, axes);
  if (!m) return {m};
  m = nb.select(nb.ew(Fn::IsInf, m), nb.splat(nb.element(m), 0), m);
  Value sum = reduceKept(nb, nb.ew(Fn::Exp, nb.sub(x, m)), ReduceKind::Sum, axes);
  Value y = nb.add(nb.ew(Fn::Log, sum), m);
  return {nb.boolAttr("keepdims", true) ? y : dropReduced(nb, y, axes)};
}

template <graph::ArgKind kind>
static Values convertArg(NodeBuilder &nb) {
  Value x = nb.in(0);
  return {nb.make<graph::ArgReduceOp>(
      x, {nb.named("kind", graph::ArgKindAttr::get(nb.b.getContext(), kind)),
          nb.named("axis", nb.axis(nb.intAttr("axis"), nb.rank(x))),
          nb.flag("keepdims", nb.boolAttr("keepdims", true)),
          nb.flag("select_last", nb.boolAttr("select_last_index"))})};
}

/// Before version 13 softmax works on x flattened to two dimensions at `axis`.
template <bool log>
static Values convertSoftmax(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  int64_t r = nb.rank(x);
  if (nb.version() >= 13 || r == 0)
    return {nb.softmax(x, nb.axis(nb.intAttr("axis", -1), r), log)};
  int64_t axis = nb.axis(nb.intAttr("axis", 1), r);
  if (axis == r - 1) return {nb.softmax(x, axis, log)};
  Value flat = nb.reshape(x, nb.join({nb.count(x, 0, axis), nb.count(x, axis, r)}));
  return {nb.reshape(nb.softmax(flat, 1, log), nb.shapeOf(x))};
}

/// One at the first maximum along the axis, else zero.
static Values convertHardmax(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  int64_t r = nb.rank(x);
  bool flatten = nb.version() < 13;
  int64_t axis = nb.axis(nb.intAttr("axis", flatten ? 1 : -1), r);
  Value y = x;
  if (flatten) {
    y = nb.reshape(x, nb.join({nb.count(x, 0, axis), nb.count(x, axis, r)}));
    axis = 1;
  }
  if (!y) return {y};
  Value at = nb.make<graph::ArgReduceOp>(
      y, {nb.named("kind", graph::ArgKindAttr::get(nb.b.getContext(), graph::ArgKind::Max)),
          nb.named("axis", axis), nb.flag("keepdims", true)});
  Value places = nb.range(nb.index(0), nb.scalar(nb.dim(y, axis)), nb.index(1));
  Ints behind;
  for (int64_t i = 1; i < nb.rank(y) - axis; ++i) behind.push_back(i);
  Value hit = nb.ew(Fn::Equal, {at, nb.unsqueeze(places, behind)});
  Value out = nb.cast(hit, nb.element(x));
  return {flatten ? nb.reshape(out, nb.shapeOf(x)) : out};
}

template <ReduceKind kind>
static Values convertCumulative(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  auto running = [&](Value v, int64_t axis) {
    return nb.make<graph::CumulativeOp>(
        v, {nb.named("kind", graph::ReduceKindAttr::get(nb.b.getContext(), kind)),
            nb.named("axis", axis), nb.flag("exclusive", nb.boolAttr("exclusive")),
            nb.flag("reverse", nb.boolAttr("reverse"))});
  };
  if (nb.isRuntime(1))
    return {nb.reshape(running(aroundAxis(nb, x, nb.in(1)), 1), nb.shapeOf(x))};
  std::optional<Ints> axis = nb.constantInts(1, "axes");
  if (!axis || axis->size() != 1) return {nb.invalid("axis must be one number")};
  return {running(x, nb.axis(axis->front(), nb.rank(x)))};
}

void populateReduction(OpTable &t) {
  t.push_back({"", "ReduceSum", 1, 0, kNumbers, simple<ReduceKind::Sum>});
  t.push_back({"", "ReduceProd", 1, 0, kNumbers, simple<ReduceKind::Prod>});
  t.push_back({"", "ReduceMax", 1, 0, kAny, simple<ReduceKind::Max>});
  t.push_back({"", "ReduceMin", 1, 0, kAny, simple<ReduceKind::Min>});
  t.push_back({"", "ReduceMean", 1, 0, kNumbers, simple<ReduceKind::Mean>});
  t.push_back({"", "ReduceL1", 1, 0, kNumbers, convertL1});
  t.push_back({"", "ReduceL2", 1, 0, kNumbers, convertL2});
  t.push_back({"", "ReduceSumSquare", 1, 0, kNumbers, convertSumSquare});
  t.push_back({"", "ReduceLogSum", 1, 0, kNumbers, convertLogSum});
  t.push_back({"", "ReduceLogSumExp", 1, 0, kFloats, convertLogSumExp});
  t.push_back({"", "ArgMax", 1, 0, kNumbers, convertArg<graph::ArgKind::Max>});
  t.push_back({"", "ArgMin", 1, 0, kNumbers, convertArg<graph::ArgKind::Min>});
  t.push_back({"", "Softmax", 1, 0, kFloats, convertSoftmax<false>});
  t.push_back({"", "LogSoftmax", 1, 0, kFloats, convertSoftmax<true>});
  t.push_back({"", "Hardmax", 1, 0, kFloats, convertHardmax});
  t.push_back({"", "CumSum", 11, 0, kNumbers, convertCumulative<ReduceKind::Sum>});
  t.push_back({"", "CumProd", 1, 0, kNumbers, convertCumulative<ReduceKind::Prod>});
}

}  // namespace adze::convert
