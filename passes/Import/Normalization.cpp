// Normalisations.
#include "passes/Import/Constants.h"
#include "passes/Import/NodeBuilder.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace adze::convert {

using Fn = ElementwiseFn;
using graph::ReduceKind;

/// A per-channel vector shaped to stand against x [N, C, ...].
static Value perChannel(NodeBuilder &nb, Value v, Value x) {
  if (!v || !x) return {};
  Ints behind;
  for (int64_t i = 1; i < nb.rank(x) - 1; ++i) behind.push_back(i);
  return nb.unsqueeze(v, behind);
}

/// Inference: one scale and one shift a channel, both constants where the
/// statistics are.
static Values convertBatchNormalization(NodeBuilder &nb) {
  Value x = nb.in(0), scale = nb.in(1), bias = nb.in(2), mean = nb.in(3), var = nb.in(4);
  if (!x || !scale || !bias || !mean || !var) return {Value()};
  if (nb.rank(x) < 2) return {nb.invalid("its input must have rank 2 or more")};
  double epsilon = nb.floatAttr("epsilon", 1e-5);
  Type statistics = nb.element(mean);
  if (nb.boolAttr("training_mode")) {
    Ints axes = otherAxes({1}, nb.rank(x));
    double momentum = nb.floatAttr("momentum", 0.9);
    Value m = nb.reduce(x, ReduceKind::Mean, axes, true);
    Value d = nb.sub(x, m), v = nb.reduce(nb.mul(d, d), ReduceKind::Mean, axes, true);
    Value normal = nb.div(d, nb.ew(Fn::Sqrt, nb.addS(v, epsilon)));
    Value y = nb.add(nb.mul(normal, perChannel(nb, scale, x)), perChannel(nb, bias, x));
    auto running = [&](Value old, Value batch) {
      batch = nb.cast(nb.squeeze(batch, axes), statistics);
      return nb.add(nb.mulS(old, momentum), nb.mulS(batch, 1 - momentum));
    };
    return {y, running(mean, m), running(var, v)};
  }
  // The statistics' type may be wider than x's; fold in it.
  scale = nb.cast(scale, statistics), bias = nb.cast(bias, statistics);
  Value factor = nb.div(scale, nb.ew(Fn::Sqrt, nb.addS(var, epsilon)));
  Value shift = nb.sub(bias, nb.mul(mean, factor));
  Type type = nb.element(x);
  Value y = nb.mul(x, perChannel(nb, nb.cast(factor, type), x));
  return {nb.add(y, perChannel(nb, nb.cast(shift, type), x))};
}

/// Axes from `first` to the end.
static Ints tailAxes(int64_t first, int64_t rank) {
  Ints axes;
  for (int64_t i = first; i < rank; ++i) axes.push_back(i);
  return axes;
}

/// Mean and 1 / standard deviation, the optional results 1 and 2.
static void appendStatistics(NodeBuilder &nb, Value x, ArrayRef<int64_t> axes, double epsilon,
                             Values &out) {
  if (!nb.wants(1) && !nb.wants(2)) return;
  Value wide = nb.cast(x, nb.f32());
  Value mean = nb.reduce(wide, ReduceKind::Mean, axes, true), d = nb.sub(wide, mean);
  Value var = nb.reduce(nb.mul(d, d), ReduceKind::Mean, axes, true);
  out.push_back(mean);
  out.push_back(nb.div(nb.splat(nb.f32(), 1), nb.ew(Fn::Sqrt, nb.addS(var, epsilon))));
}

static Values convertLayerNormalization(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  double epsilon = nb.floatAttr("epsilon", 1e-5);
  Ints axes = tailAxes(nb.axis(nb.intAttr("axis", -1), nb.rank(x)), nb.rank(x));
  Values out{nb.normalize(x, nb.in(1), nb.optional(2), axes, epsilon, true)};
  appendStatistics(nb, x, axes, epsilon, out);
  return out;
}

static Values convertRMSNormalization(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  Ints axes = tailAxes(nb.axis(nb.intAttr("axis", -1), nb.rank(x)), nb.rank(x));
  return {nb.normalize(x, nb.in(1), Value(), axes, nb.floatAttr("epsilon", 1e-5), false)};
}

static Values convertInstanceNormalization(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  return {nb.normalize(x, perChannel(nb, nb.in(1), x), perChannel(nb, nb.in(2), x),
                       tailAxes(2, nb.rank(x)), nb.floatAttr("epsilon", 1e-5), true)};
}

/// [N, C, ...] as [N, G, C/G * ...], normalised over the last axis. Before
/// version 21 scale and bias are one a group, later one a channel.
static Values convertGroupNormalization(NodeBuilder &nb) {
  Value x = nb.in(0), scale = nb.in(1), bias = nb.in(2);
  int64_t groups = nb.intAttr("num_groups");
  if (!x || !scale || !bias) return {Value()};
  if (groups < 1 || nb.rank(x) < 2) return {nb.invalid("num_groups must be positive")};
  Value flat = nb.reshape(x, nb.join({nb.dim(x, 0), nb.ints({groups, -1})}));
  bool perGroup = nb.version() < 21;
  Value s = perGroup ? nb.unsqueeze(scale, {1}) : Value();
  Value c = perGroup ? nb.unsqueeze(bias, {1}) : Value();
  Value y = nb.normalize(flat, s, c, {2}, nb.floatAttr("epsilon", 1e-5), true);
  y = nb.reshape(y, nb.shapeOf(x));
  if (perGroup) return {y};
  return {nb.add(nb.mul(y, perChannel(nb, scale, x)), perChannel(nb, bias, x))};
}

static Values convertMeanVarianceNormalization(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  Ints axes = nb.axes(nb.intsAttr("axes").value_or(Ints{0, 2, 3}), nb.rank(x));
  // The function body divides by the standard deviation plus 1e-9.
  Value mean = nb.reduce(x, ReduceKind::Mean, axes), d = nb.sub(x, mean);
  Value deviation = nb.ew(Fn::Sqrt, nb.reduce(nb.mul(d, d), ReduceKind::Mean, axes));
  return {nb.div(d, nb.addS(deviation, 1e-9))};
}

/// x / norm, and 0 where the norm is 0.
static Values convertLpNormalization(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  int64_t p = nb.intAttr("p", 2), axis = nb.axis(nb.intAttr("axis", -1), nb.rank(x));
  if (p != 1 && p != 2) return {nb.invalid("p must be 1 or 2")};
  Value each = p == 1 ? nb.ew(Fn::Abs, x) : nb.mul(x, x);
  Value norm = nb.reduce(each, ReduceKind::Sum, {axis});
  if (p == 2) norm = nb.ew(Fn::Sqrt, norm);
  Value zero = nb.splat(nb.element(x), 0);
  return {nb.select(nb.ew(Fn::Equal, {norm, zero}), zero, nb.div(x, norm))};
}

/// x / (bias + alpha / size * sum of squares over `size` channels)^beta
static Values convertLRN(NodeBuilder &nb) {
  Value x = nb.in(0);
  int64_t size = nb.intAttr("size", 1);
  if (!x || size < 1 || size > (1 << 20)) return {nb.invalid("size must be positive")};
  int64_t r = nb.rank(x), before = (size - 1) / 2, after = size - 1 - before;
  Type type = nb.element(x);
  // Channels become a spatial axis: [N, 1, C, rest], summed by an average pool
  // over the channel window times its size.
  Value square = nb.mul(x, x);
  Value rows = nb.reshape(square, nb.join({nb.dim(x, 0), nb.ints({1}), nb.dim(x, 1),
                                           r > 2 ? nb.count(x, 2, r) : nb.ints({1})}));
  Value mean = nb.make<graph::PoolOp>(
      rows, {nb.named("kind", graph::PoolKindAttr::get(nb.b.getContext(), graph::PoolKind::Average)),
             nb.list("kernel", {size, 1}), nb.list("strides", {1, 1}),
             nb.list("pads", {before, 0, after, 0}), nb.list("dilations", {1, 1}),
             nb.flag("count_include_pad", true)});
  // alpha / size * sum = alpha * mean
  Value base = nb.addS(nb.mulS(mean, nb.floatAttr("alpha", 1e-4)), nb.floatAttr("bias", 1));
  Value power = nb.ew(Fn::Pow, {base, nb.splat(type, nb.floatAttr("beta", 0.75))});
  return {nb.div(x, nb.reshape(power, nb.shapeOf(x)))};
}

/// Inference: the identity, and a mask of true.
static Values convertDropout(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (nb.has(2) && nb.version() >= 12) {
    std::optional<double> training = constantScalar(nb.in(2));
    std::optional<double> ratio = nb.has(1) ? constantScalar(nb.in(1)) : 0.5;
    if (!(training && *training == 0) && !(ratio && *ratio == 0))
      return {nb.unsupported("training_mode is not false")};
  }
  Values out{x};
  if (nb.wants(1) && x) {
    Type type = nb.version() < 10 ? nb.element(x) : nb.i1();
    out.push_back(nb.expand(nb.splat(type, 1), nb.shapeOf(x)));
  }
  return out;
}

//===-- com.microsoft ------------------------------------------------------===//

/// Layer or RMS normalisation of x + skip (+ bias).
template <bool center>
static Values convertSkipNormalization(NodeBuilder &nb) {
  Value sum = nb.add(nb.in(0), nb.in(1));
  if (!sum) return {sum};
  Value beta = center ? nb.optional(3) : Value();
  Value bias = nb.optional(center ? 4 : 3);
  if (bias) sum = nb.add(sum, bias);
  int64_t last = nb.rank(sum) - 1;
  if (last < 0) return {nb.invalid("its input has rank 0")};
  if (nb.wants(1) || nb.wants(2)) return {nb.unsupported("it returns its statistics")};
  return {nb.normalize(sum, nb.in(2), beta, {last}, nb.floatAttr("epsilon", 1e-12), center),
          Value(), Value(), sum};
}

void populateNormalization(OpTable &t) {
  t.push_back({"", "BatchNormalization", 7, 0, kFloats, convertBatchNormalization});
  t.push_back({"", "LayerNormalization", 1, 0, kFloats, convertLayerNormalization});
  t.push_back({"", "SimplifiedLayerNormalization", 1, 0, kFloats, convertRMSNormalization});
  t.push_back({"", "RMSNormalization", 23, 0, kFloats, convertRMSNormalization});
  t.push_back({"", "InstanceNormalization", 6, 0, kFloats, convertInstanceNormalization});
  t.push_back({"", "GroupNormalization", 18, 0, kFloats, convertGroupNormalization});
  t.push_back({"", "MeanVarianceNormalization", 9, 0, kFloats, convertMeanVarianceNormalization});
  t.push_back({"", "LpNormalization", 1, 0, kFloats, convertLpNormalization});
  t.push_back({"", "LRN", 1, 0, kFloats, convertLRN});
  t.push_back({"", "Dropout", 7, 0, kFloats, convertDropout});
  t.push_back({"com.microsoft", "SkipLayerNormalization", 1, 0, kFloats, convertSkipNormalization<true>});
  t.push_back({"com.microsoft", "SkipSimplifiedLayerNormalization", 1, 0, kFloats,
               convertSkipNormalization<false>});
}

}  // namespace adze::convert
