// GridSample: gathers of the pixels around each point, weighted.
#include "passes/Import/NodeBuilder.h"

using namespace mlir;

namespace adze::convert {

using Fn = ElementwiseFn;

namespace {

enum class Padding { Zeros, Border, Reflection };

/// One sampling of x [N, C, spatial...] at points [N, P] along each axis.
class GridSampler {
 public:
  GridSampler(NodeBuilder &nb, Value x, int64_t spatial) : nb(nb), spatial(spatial) {
    type = nb.element(x);
    // [N, C, S] -> [N, S, C]: a point's channels are gathered at once.
    Value flat = nb.reshape(x, nb.join({nb.dims(x, 0, 2), nb.count(x, 2, spatial + 2)}));
    rows = nb.transpose(flat, {0, 2, 1});
    for (int64_t i = 0; i < spatial; ++i) extents.push_back(nb.dim(x, i + 2));
  }

  bool alignCorners = false;
  Padding padding = Padding::Zeros;

  /// From -1..1 to 0..extent-1 (corners aligned) or -0.5..extent-0.5.
  Value position(Value g, int64_t axis) {
    Value n = nb.cast(nb.cast(extents[axis], nb.f32()), type);
    Value half = nb.mulS(nb.addS(g, 1), 0.5);
    return alignCorners ? nb.mul(half, nb.addS(n, -1)) : nb.addS(nb.mul(half, n), -0.5);
  }

  /// A position brought inside where the padding says so; zeros leave it.
  Value inside(Value p, int64_t axis) {
    Value n = nb.cast(nb.cast(extents[axis], nb.f32()), type);
    Value last = nb.addS(n, -1);
    if (padding == Padding::Reflection) p = reflected(p, last, n);
    if (padding == Padding::Zeros) return p;
    return nb.min(nb.max(p, nb.splat(type, 0)), last);
  }

  /// Channels at integer positions (floats), [N, P, C], zero where outside.
  Value pixels(ArrayRef<Value> positions) {
    Value index = nb.ints({0}), valid;
    for (int64_t i = 0; i < spatial; ++i) {
      Value p = inside(positions[i], i), n = nb.cast(nb.cast(extents[i], nb.f32()), type);
      Value last = nb.addS(n, -1), zero = nb.splat(type, 0);
      Value ok = nb.ew(Fn::And, {nb.ew(Fn::GreaterEqual, {p, zero}), nb.ew(Fn::LessEqual, {p, last})});
      valid = valid ? nb.ew(Fn::And, {valid, ok}) : ok;
      Value at = nb.cast(nb.min(nb.max(p, zero), last), nb.i64());
      index = nb.add(nb.mul(index, extents[i]), at);
    }
    Value found = nb.make<graph::GatherNDOp>({rows, nb.unsqueeze(index, {2})},
                                             nb.named("batch_dims", int64_t(1)));
    return nb.select(nb.unsqueeze(valid, {2}), found, nb.splat(type, 0));
  }

  Value nearest(ArrayRef<Value> p) {
    SmallVector<Value> at;
    for (Value v : p) at.push_back(nb.ew(Fn::RoundEven, v));
    return pixels(at);
  }

  /// The product of one-dimensional weights over `taps` pixels an axis.
  Value weighted(ArrayRef<Value> p, int64_t first, int64_t taps, bool cubic) {
    SmallVector<Value> base, part;
    for (Value v : p) {
      base.push_back(nb.ew(Fn::Floor, v));
      part.push_back(nb.sub(v, base.back()));
    }
    Value sum;
    int64_t total = 1;
    for (size_t i = 0; i < p.size(); ++i) total *= taps;
    for (int64_t combination = 0; combination < total; ++combination) {
      SmallVector<Value> at;
      Value weight;
      for (int64_t i = 0, rest = combination; i < spatial; ++i, rest /= taps) {
        int64_t offset = first + rest % taps;
        at.push_back(nb.addS(base[i], double(offset)));
        Value w = cubic ? cubicWeight(part[i], offset)
                        : offset ? part[i] : nb.sub(nb.splat(type, 1), part[i]);
        weight = weight ? nb.mul(weight, w) : w;
      }
      Value term = nb.mul(pixels(at), nb.unsqueeze(weight, {2}));
      sum = sum ? nb.add(sum, term) : term;
    }
    return sum;
  }

 private:
  NodeBuilder &nb;
  int64_t spatial;
  Type type;
  Value rows;
  SmallVector<Value> extents;

  /// Mirrored at the borders until inside.
  Value reflected(Value p, Value last, Value n) {
    Value low = nb.splat(type, alignCorners ? 0 : -0.5);
    Value span = alignCorners ? last : n;
    Value twice = nb.mulS(span, 2);
    // A single pixel has no span: everything is that pixel.
    Value period = nb.max(twice, nb.splat(type, 1e-6));
    Value away = nb.ew(Fn::FMod, {nb.ew(Fn::Abs, nb.sub(p, low)), period});
    return nb.add(nb.min(away, nb.sub(period, away)), low);
  }

  /// Cubic convolution (a = -0.75) of the tap at `offset` in -1..2.
  Value cubicWeight(Value t, int64_t offset) {
    const double a = -0.75;
    Value d = nb.ew(Fn::Abs, nb.addS(t, -double(offset)));
    Value d2 = nb.mul(d, d), d3 = nb.mul(d2, d);
    if (offset == 0 || offset == 1)
      return nb.addS(nb.add(nb.mulS(d3, a + 2), nb.mulS(d2, -(a + 3))), 1);
    return nb.addS(nb.add(nb.add(nb.mulS(d3, a), nb.mulS(d2, -5 * a)), nb.mulS(d, 8 * a)), -4 * a);
  }
};

}  // namespace

static Values convertGridSample(NodeBuilder &nb) {
  Value x = nb.in(0), grid = nb.in(1);
  if (!x || !grid) return {Value()};
  int64_t spatial = nb.rank(x) - 2;
  if (spatial < 1 || nb.rank(grid) != nb.rank(x) ||
      (nb.extent(grid, spatial + 1) != spatial && !ShapedType::isDynamic(nb.extent(grid, spatial + 1))))
    return {nb.invalid("its grid does not fit its input")};
  StringRef mode = nb.strAttr("mode", "linear"), padding = nb.strAttr("padding_mode", "zeros");
  bool cubic = mode == "cubic" || mode == "bicubic";
  if (spatial > 3 || (cubic && spatial != 2))
    return {nb.unsupported("it samples " + Twine(spatial) + " axes in mode " + mode)};
  GridSampler sampler(nb, x, spatial);
  sampler.alignCorners = nb.boolAttr("align_corners");
  sampler.padding = padding == "zeros"    ? Padding::Zeros
                    : padding == "border" ? Padding::Border
                                          : Padding::Reflection;
  // [N, out..., s] -> [N, P, s]; the last coordinate is the first axis.
  Value points = nb.reshape(nb.cast(grid, nb.element(x)),
                            nb.join({nb.dim(grid, 0), nb.count(grid, 1, spatial + 1), nb.ints({spatial})}));
  SmallVector<Value> positions;
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t at = spatial - 1 - i;
    Value p = sampler.position(nb.squeeze(nb.slice(points, 2, at, at + 1), {2}), i);
    positions.push_back(mode == "nearest" || cubic ? p : sampler.inside(p, i));
  }
  Value y = mode == "nearest" ? sampler.nearest(positions)
                              : sampler.weighted(positions, cubic ? -1 : 0, cubic ? 4 : 2, cubic);
  if (!y) return {y};
  return {nb.reshape(nb.transpose(y, {0, 2, 1}),
                     nb.join({nb.dims(x, 0, 2), nb.dims(grid, 1, spatial + 1)}))};
}

void populateSampling(OpTable &t) {
  t.push_back({"", "GridSample", 16, 0, kFloats, convertGridSample});
}

}  // namespace adze::convert
