// DFT as a product with the matrix of roots of unity.
#include "passes/Import/NodeBuilder.h"

#include <cmath>

using namespace mlir;

namespace adze::convert {

using Fn = ElementwiseFn;

/// cos and sin of 2 pi i k / n as n x n tensors of `type`; n is tensor<1xi64>.
static std::pair<Value, Value> roots(NodeBuilder &nb, Value n, Type type) {
  Value places = nb.range(nb.index(0), nb.scalar(n), nb.index(1));
  // Modulo n first: the angle is then exact to rounding for any size.
  Value product = nb.ew(Fn::Mod, {nb.mul(nb.unsqueeze(places, {0}), nb.unsqueeze(places, {1})), n});
  Type wide = nb.b.getF64Type();
  Value turns = nb.div(nb.cast(product, wide), nb.cast(n, wide));
  Value angle = nb.mulS(turns, 2 * M_PI);
  return {nb.cast(nb.ew(Fn::Cos, angle), type), nb.cast(nb.ew(Fn::Sin, angle), type)};
}

/// x [..., n, ..., 1 or 2] along one axis.
static Values convertDFT(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  int64_t r = nb.rank(x), axis = nb.intAttr("axis", 1);
  bool inverse = nb.boolAttr("inverse"), onesided = nb.boolAttr("onesided");
  if (nb.version() >= 20) {
    axis = -2;
    if (nb.has(2)) {
      std::optional<Ints> given = nb.constantInts(2, "axes");
      if (!given || given->size() != 1) return {Value()};
      axis = given->front();
    }
  }
  axis = nb.axis(axis, r);
  int64_t parts = nb.extent(x, r - 1);
  if (nb.failed() || axis == r - 1 || (parts != 1 && parts != 2))
    return {nb.invalid("its input must end in an axis of 1 or 2 elements, which is not transformed")};
  if (inverse && onesided) return {nb.unsupported("it is inverse and onesided")};
  Type type = nb.element(x);
  // The axis to the end, real and imaginary parts apart.
  auto part = [&](int64_t i) {
    Value v = nb.squeeze(nb.slice(x, r - 1, i, i + 1), {r - 1});
    Ints perm = otherAxes({axis}, r - 1);
    perm.push_back(axis);
    v = nb.transpose(v, perm);
    if (!nb.has(1)) return v;
    // dft_length pads with zeros or cuts.
    Value length = nb.indexVector(nb.in(1)), grow = nb.sub(length, nb.dim(v, r - 2));
    SmallVector<Value> pads(2 * (r - 1), nb.ints({0}));
    pads.back() = grow;
    return nb.make<graph::PadOp>({v, nb.join(pads), nb.splat(type, 0)});
  };
  Value re = part(0), im = parts == 2 ? part(1) : Value();
  if (!re) return {re};
  Value n = nb.dim(re, r - 2);
  auto [cosine, sine] = roots(nb, n, type);
  if (r - 1 < 2) re = nb.unsqueeze(re, {0}), im = im ? nb.unsqueeze(im, {0}) : im;
  // exp(-i a) = cos a - i sin a forward; the sign of sin turns for the inverse.
  double sign = inverse ? -1 : 1;
  Value outRe = nb.matmul(re, cosine), outIm = nb.mulS(nb.matmul(re, sine), -sign);
  if (im) {
    outRe = nb.add(outRe, nb.mulS(nb.matmul(im, sine), sign));
    outIm = nb.add(outIm, nb.matmul(im, cosine));
  }
  Value y = nb.concat({nb.unsqueeze(outRe, {nb.rank(outRe)}), nb.unsqueeze(outIm, {nb.rank(outRe)})},
                      nb.rank(outRe));
  if (!y) return {y};
  if (inverse) y = nb.div(y, nb.cast(n, type));
  if (r - 1 < 2) y = nb.squeeze(y, {0});
  if (onesided) {
    Value half = nb.add(nb.div(n, nb.ints({2})), nb.ints({1}));
    SmallVector<Value> ends(r, nb.ints({INT64_MAX}));
    ends[r - 2] = half;
    y = nb.slice(y, nb.ints(Ints(r, 0)), nb.join(ends), nb.ints(Ints(r, 1)));
  }
  // The transformed axis back to its place.
  Ints perm = iota(r);
  std::rotate(perm.begin() + axis, perm.begin() + r - 2, perm.begin() + r - 1);
  return {nb.transpose(y, perm)};
}

void populateSignal(OpTable &t) {
  t.push_back({"", "DFT", 17, 0, kFloats, convertDFT});
}

}  // namespace adze::convert
