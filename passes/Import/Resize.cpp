// Resize and Upsample.
#include "passes/Import/Constants.h"
#include "passes/Import/NodeBuilder.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mlir;

namespace adze::convert {

using Fn = ElementwiseFn;

namespace {
/// The extents and factors of all axes, and where they come from.
struct Sizes {
  Value sizes, scales;
};
}  // namespace

/// floor(extent * factor) of one axis, in f32 as other runtimes compute it.
static Value scaledExtent(NodeBuilder &nb, Value x, int64_t axis, std::optional<double> factor,
                          Value scales, int64_t at) {
  int64_t in = nb.extent(x, axis);
  Value extent = nb.dim(x, axis);
  if (factor && *factor == 1) return extent;
  if (factor && !ShapedType::isDynamic(in))
    return nb.ints({int64_t(std::floor(float(in) * float(*factor)))});
  if (factor && *factor == std::floor(*factor) && *factor > 0 && *factor < 1e6)
    return nb.mul(extent, nb.ints({int64_t(*factor)}));
  Value s = factor ? nb.floats({float(*factor)}) : nb.slice(scales, 0, at, at + 1);
  return nb.cast(nb.ew(Fn::Floor, nb.mul(nb.cast(extent, nb.f32()), s)), nb.i64());
}

static Sizes fromScales(NodeBuilder &nb, Value x, Value scales, ArrayRef<int64_t> axes) {
  auto known = constantFloats(scales, 64);
  if (known && !llvm::all_of(*known, [](double s) { return s > 0 && std::isfinite(s); }))
    return nb.invalid("a scale is not positive and finite"), Sizes();
  SmallVector<Value> sizes, factors;
  for (int64_t i = 0; i < nb.rank(x); ++i) {
    int64_t at = llvm::find(axes, i) - axes.begin();
    bool scaled = at < int64_t(axes.size());
    std::optional<double> f = known && scaled ? std::optional((*known)[at]) : std::nullopt;
    if (!scaled) f = 1;
    sizes.push_back(scaledExtent(nb, x, i, f, scales, at));
    factors.push_back(f ? nb.floats({float(*f)}) : nb.slice(scales, 0, at, at + 1));
  }
  if (known) {
    SmallVector<float> all(nb.rank(x), 1);
    for (auto [at, a] : llvm::enumerate(axes)) all[a] = float((*known)[at]);
    return {nb.join(sizes), nb.floats(all)};
  }
  return {nb.join(sizes), nb.join(factors)};
}

/// extent out / extent in of one axis as tensor<1xf32>.
static Value factorOf(NodeBuilder &nb, Value x, int64_t axis, Value size) {
  auto known = graph::constantInts(size);
  int64_t in = nb.extent(x, axis);
  if (known && !ShapedType::isDynamic(in) && in != 0)
    return nb.floats({float((*known)[0]) / float(in)});
  return nb.div(nb.cast(size, nb.f32()), nb.cast(nb.dim(x, axis), nb.f32()));
}

static Sizes fromSizes(NodeBuilder &nb, Value x, Value given, ArrayRef<int64_t> axes) {
  SmallVector<Value> sizes, factors;
  for (int64_t i = 0; i < nb.rank(x); ++i) {
    int64_t at = llvm::find(axes, i) - axes.begin();
    if (at == int64_t(axes.size())) {
      sizes.push_back(nb.dim(x, i));
      factors.push_back(nb.floats({1}));
      continue;
    }
    sizes.push_back(nb.slice(given, 0, at, at + 1));
    factors.push_back(factorOf(nb, x, i, sizes.back()));
  }
  StringRef policy = nb.strAttr("keep_aspect_ratio_policy", "stretch");
  if (policy == "stretch") return {nb.join(sizes), nb.join(factors)};
  // One factor for all resized axes: the smallest or the largest.
  Value factor;
  for (int64_t a : axes)
    factor = !factor ? factors[a]
             : policy == "not_larger" ? nb.min(factor, factors[a]) : nb.max(factor, factors[a]);
  for (int64_t a : axes) {
    Value exact = nb.mul(nb.cast(nb.dim(x, a), nb.f32()), factor);
    sizes[a] = nb.cast(nb.ew(Fn::Floor, nb.addS(exact, 0.5)), nb.i64());
    factors[a] = factor;
  }
  return {nb.join(sizes), nb.join(factors)};
}

/// roi of all axes: [starts..., ends...], whole where no axis is named.
static Value fullRoi(NodeBuilder &nb, Value x, Value roi, ArrayRef<int64_t> axes) {
  int64_t r = nb.rank(x), n = axes.size();
  if (!roi || Ints(axes) == iota(r)) return roi;
  SmallVector<Value> pieces;
  for (int64_t half = 0; half < 2; ++half)
    for (int64_t i = 0; i < r; ++i) {
      int64_t at = llvm::find(axes, i) - axes.begin();
      pieces.push_back(at == n ? nb.splat(nb.element(roi), double(half), {1})
                               : nb.slice(roi, 0, half * n + at, half * n + at + 1));
    }
  return nb.join(pieces);
}

static bool isEmpty(NodeBuilder &nb, Value v) { return v && nb.type(v).getNumElements() == 0; }

static Value given(NodeBuilder &nb, unsigned i) {
  Value v = nb.optional(i);
  if (!v || !nb.type(v).hasStaticShape()) return v;
  return isEmpty(nb, v) ? Value() : v;
}

static Values buildResize(NodeBuilder &nb, Value x, const Sizes &s, Value roi, StringRef mode,
                          StringRef coordinates, StringRef nearest) {
  if (!s.sizes || !s.scales) return {Value()};
  if (mode == "bilinear" || mode == "trilinear") mode = "linear";
  SmallVector<Value> operands{x, s.sizes, s.scales};
  if (roi) operands.push_back(roi);
  return {nb.make<graph::ResizeOp>(
      operands,
      {nb.str("mode", mode), nb.str("coordinate_mode", coordinates), nb.str("nearest_mode", nearest),
       nb.f32Attr("cubic_coeff_a", nb.floatAttr("cubic_coeff_a", -0.75)),
       nb.flag("exclude_outside", nb.boolAttr("exclude_outside")),
       nb.f32Attr("extrapolation_value", nb.floatAttr("extrapolation_value", 0)),
       nb.flag("antialias", nb.boolAttr("antialias"))})};
}

static Values convertResize(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  if (nb.version() < 11)
    return buildResize(nb, x, fromScales(nb, x, nb.in(1), iota(nb.rank(x))), Value(),
                       nb.strAttr("mode", "nearest"), "asymmetric", "floor");
  Ints axes = iota(nb.rank(x));
  if (auto given = nb.intsAttr("axes")) {
    axes = *given;
    for (int64_t &a : axes) a = nb.axis(a, nb.rank(x));
  }
  Value scales = given(nb, 2), sizes = given(nb, 3);
  if (!scales && !sizes) return {nb.invalid("it has neither scales nor sizes")};
  Value list = sizes ? sizes : scales;
  if (nb.failed() || nb.rank(list) != 1 || (nb.extent(list, 0) != int64_t(axes.size()) &&
                                            !ShapedType::isDynamic(nb.extent(list, 0))))
    return {nb.invalid("scales or sizes have not one entry an axis")};
  list = nb.listOf(list, axes.size());
  Sizes s = sizes ? fromSizes(nb, x, nb.indexVector(list), axes) : fromScales(nb, x, list, axes);
  StringRef coordinates = nb.strAttr("coordinate_transformation_mode", "half_pixel");
  Value roi;
  if (coordinates == "tf_crop_and_resize") {
    roi = fullRoi(nb, x, nb.listOf(given(nb, 1), 2 * axes.size()), axes);
    if (!roi) return {nb.invalid("tf_crop_and_resize needs roi")};
  }
  return buildResize(nb, x, s, roi, nb.strAttr("mode", "nearest"), coordinates,
                     nb.strAttr("nearest_mode", "round_prefer_floor"));
}

static Values convertUpsample(NodeBuilder &nb) {
  Value x = nb.in(0), scales;
  if (!x) return {x};
  if (nb.version() >= 9) scales = nb.in(1);
  else scales = nb.floats(nb.floatsAttr("scales").value_or(SmallVector<float>()));
  if (!scales || nb.extent(scales, 0) != nb.rank(x))
    return {nb.invalid("scales have not one entry an axis")};
  return buildResize(nb, x, fromScales(nb, x, scales, iota(nb.rank(x))), Value(),
                     nb.strAttr("mode", "nearest"), "asymmetric", "floor");
}

void populateResize(OpTable &t) {
  t.push_back({"", "Resize", 10, 0, kNumbers, convertResize});
  t.push_back({"", "Upsample", 7, 0, kNumbers, convertUpsample});
}

}  // namespace adze::convert
