// resize.
#include "passes/Lowering/Emitter.h"

#include <cmath>

using namespace mlir;

namespace adze::lowering {

namespace {

/// Float arithmetic on one builder.
struct Floats {
  OpBuilder &b;
  Location loc;
  Value c(double v) const { return scalarConstant(b, loc, b.getF32Type(), v); }
  Value add(Value l, Value r) const { return arith::AddFOp::create(b, loc, l, r); }
  Value sub(Value l, Value r) const { return arith::SubFOp::create(b, loc, l, r); }
  Value mul(Value l, Value r) const { return arith::MulFOp::create(b, loc, l, r); }
  Value div(Value l, Value r) const { return arith::DivFOp::create(b, loc, l, r); }
  Value floor(Value v) const { return math::FloorOp::create(b, loc, v); }
  Value ceil(Value v) const { return math::CeilOp::create(b, loc, v); }
  Value fromIndex(Value i) const {
    Value wide = arith::IndexCastOp::create(b, loc, b.getI64Type(), i);
    return arith::SIToFPOp::create(b, loc, b.getF32Type(), wide);
  }
  Value select(arith::CmpFPredicate p, Value l, Value r, Value yes, Value no) const {
    return arith::SelectOp::create(b, loc, arith::CmpFOp::create(b, loc, p, l, r), yes, no);
  }
};

/// Index and weight of each tap of one axis, as vectors over the result's axis.
struct Taps {
  SmallVector<Value> indices, weights;  // no weights: take the element
  Value outside;                        // i8, where the extrapolation value stands
};

class AxisResizer {
 public:
  AxisResizer(graph::ResizeOp op, Emitter &e, int64_t axis, Fold outExtent)
      : op(op), e(e), axis(axis), outFold(outExtent), in(e.m.value(e.extent(0, axis))),
        out(e.m.value(outExtent)), scale(e.element(2, axis)) {
    Floats f{e.b, e.loc};
    inF = f.fromIndex(in), outF = f.fromIndex(out);
    // A scale that is the ratio of the extents, rounded to f32, means the ratio:
    // else positions that are whole numbers would fall short of them.
    auto ifRatio = [&](Value yes, Value no) {
      return f.select(arith::CmpFPredicate::OEQ, f.div(outF, inF), scale, yes, no);
    };
    resized = ifRatio(outF, f.mul(scale, inF));
    numerator = ifRatio(inF, f.c(1)), denominator = ifRatio(outF, scale);
    if (op.getRoi()) {
      int64_t rank = rankOf(op.getX());
      start = roi(axis), end = roi(rank + axis);
    }
  }

  Taps taps();

 private:
  Value roi(int64_t i) {
    Value v = e.element(3, i);
    return widen(e.b, e.loc, loadScalar(e.b, e.loc, v, e.adzeElement(3)), e.adzeElement(3),
                 e.b.getF32Type());
  }
  Value coordinate(const Floats &f, Value o);
  Value nearest(const Floats &f, Value x);
  SmallVector<Value> weightsOf(const Floats &f, Value fraction);
  Value clampIndex(OpBuilder &b, Location loc, Value position);
  Value vector(Type type, function_ref<Value(const Floats &, Value x)> body);

  graph::ResizeOp op;
  Emitter &e;
  int64_t axis;
  Fold outFold;
  Value in, out, scale, inF, outF, start, end;
  Value resized;                 // the result's extent before it was rounded to an integer
  Value numerator, denominator;  // of input over result extent
};

Value AxisResizer::coordinate(const Floats &f, Value o) {
  StringRef mode = op.getCoordinateMode();
  using P = arith::CmpFPredicate;
  Value half = f.c(0.5), one = f.c(1);
  auto shrunk = [&](Value v) { return f.div(f.mul(v, numerator), denominator); };
  auto halfPixel = [&] { return f.sub(shrunk(f.add(o, half)), half); };
  if (mode == "asymmetric") return shrunk(o);
  if (mode == "tf_half_pixel_for_nn") return shrunk(f.add(o, half));
  auto ifLonger = [&](Value yes, Value no) { return f.select(P::OGT, resized, one, yes, no); };
  if (mode == "align_corners")
    return ifLonger(f.div(f.mul(o, f.sub(inF, one)), f.sub(resized, one)), f.c(0));
  if (mode == "pytorch_half_pixel") return ifLonger(halfPixel(), f.c(0));
  if (mode == "half_pixel_symmetric") {
    Value offset = f.mul(f.mul(inF, half), f.sub(one, f.div(outF, resized)));
    return f.add(offset, halfPixel());
  }
  if (mode == "tf_crop_and_resize" && start) {
    Value span = f.sub(inF, one), first = f.mul(start, span);
    Value step = f.div(f.mul(f.sub(end, start), span), f.sub(resized, one));
    Value middle = f.mul(f.mul(half, f.add(start, end)), span);
    return ifLonger(f.add(first, f.mul(o, step)), middle);
  }
  return halfPixel();
}

Value AxisResizer::nearest(const Floats &f, Value x) {
  StringRef mode = op.getNearestMode();
  if (mode == "floor") return f.floor(x);
  if (mode == "ceil") return f.ceil(x);
  if (mode == "round_prefer_ceil") return f.floor(f.add(x, f.c(0.5)));
  return f.ceil(f.sub(x, f.c(0.5)));
}

/// Weights of the taps around a position `fraction` past the first inner one.
SmallVector<Value> AxisResizer::weightsOf(const Floats &f, Value fraction) {
  if (op.getMode() == "linear") return {f.sub(f.c(1), fraction), fraction};
  // Keys' cubic convolution kernel with parameter a.
  double a = op.getCubicCoeffA().convertToFloat();
  auto inner = [&](Value t) {
    Value p = f.sub(f.mul(f.c(a + 2), t), f.c(a + 3));
    return f.add(f.mul(f.mul(p, t), t), f.c(1));
  };
  auto outer = [&](Value t) {
    Value p = f.add(f.mul(f.sub(f.mul(f.c(a), t), f.c(5 * a)), t), f.c(8 * a));
    return f.sub(f.mul(p, t), f.c(4 * a));
  };
  return {outer(f.add(fraction, f.c(1))), inner(fraction), inner(f.sub(f.c(1), fraction)),
          outer(f.sub(f.c(2), fraction))};
}

Value AxisResizer::clampIndex(OpBuilder &b, Location loc, Value position) {
  Value i = emitCast(b, loc, position, b.getF32Type(), b.getI64Type());
  Value zero = intConstant(b, loc, b.getI64Type(), 0), one = intConstant(b, loc, b.getI64Type(), 1);
  Value n = arith::IndexCastOp::create(b, loc, b.getI64Type(), in);
  Value last = arith::SubIOp::create(b, loc, n, one);
  return arith::MaxSIOp::create(b, loc, arith::MinSIOp::create(b, loc, i, last), zero);
}

Value AxisResizer::vector(Type type, function_ref<Value(const Floats &, Value x)> body) {
  return e.fromIndices(outFold, type, [&](OpBuilder &b, Location loc, ValueRange at) {
    Floats f{b, loc};
    return body(f, coordinate(f, f.fromIndex(at[0])));
  });
}

Taps AxisResizer::taps() {
  Taps t;
  Type i64 = e.b.getI64Type(), f32 = e.b.getF32Type(), i8 = e.b.getI8Type();
  if (op.getCoordinateMode() == "tf_crop_and_resize")
    t.outside = vector(i8, [&](const Floats &f, Value x) -> Value {
      Value low = arith::CmpFOp::create(f.b, f.loc, arith::CmpFPredicate::OLT, x, f.c(0));
      Value high = arith::CmpFOp::create(f.b, f.loc, arith::CmpFPredicate::OGT, x,
                                         f.sub(inF, f.c(1)));
      return arith::ExtUIOp::create(f.b, f.loc, i8, arith::OrIOp::create(f.b, f.loc, low, high));
    });
  if (op.getMode() == "nearest") {
    t.indices.push_back(vector(i64, [&](const Floats &f, Value x) {
      return clampIndex(f.b, f.loc, nearest(f, x));
    }));
    return t;
  }
  int64_t count = op.getMode() == "linear" ? 2 : 4, before = count / 2 - 1;
  for (int64_t k = 0; k < count; ++k) {
    t.indices.push_back(vector(i64, [&](const Floats &f, Value x) {
      return clampIndex(f.b, f.loc, f.add(f.floor(x), f.c(k - before)));
    }));
    t.weights.push_back(vector(f32, [&](const Floats &f, Value x) -> Value {
      Value base = f.floor(x);
      SmallVector<Value> w = weightsOf(f, f.sub(x, base));
      if (!op.getExcludeOutside()) return w[k];
      // Taps outside count for nothing, the others for as much more.
      Value sum = f.c(0), last = f.sub(inF, f.c(1));
      for (auto [j, weight] : llvm::enumerate(w)) {
        Value at = f.add(base, f.c(int64_t(j) - before));
        Value kept = f.select(arith::CmpFPredicate::OLT, at, f.c(0), f.c(0), weight);
        weight = f.select(arith::CmpFPredicate::OGT, at, last, f.c(0), kept);
        sum = f.add(sum, weight);
      }
      return f.div(w[k], sum);
    }));
  }
  return t;
}

/// The factor by which a nearest axis repeats each element exactly; 0 if not.
int64_t repeatFactor(graph::ResizeOp op, Emitter &e, int64_t axis) {
  auto scales = op.getScales().getDefiningOp<graph::ConstantOp>();
  if (op.getMode() != "nearest" || !scales) return 0;
  auto dense = dyn_cast<DenseElementsAttr>(scales.getValue());
  if (!dense) return 0;
  float s = (*(dense.getValues<APFloat>().begin() + axis)).convertToFloat();
  int64_t k = int64_t(s);
  if (float(k) != s || k < 1) return 0;
  if (e.exprs().dim(op.getResult(), axis) != e.exprs().dim(op.getX(), axis) * k) return 0;
  StringRef mode = op.getCoordinateMode(), rounding = op.getNearestMode();
  for (int64_t o = 0; o < k; ++o) {
    double x;
    if (mode == "asymmetric")
      x = double(o) / k;
    else if (mode == "half_pixel" || mode == "half_pixel_symmetric")
      x = (o + 0.5) / k - 0.5;
    else
      return 0;
    double r = rounding == "floor"               ? std::floor(x)
               : rounding == "ceil"              ? std::ceil(x)
               : rounding == "round_prefer_ceil" ? std::floor(x + 0.5)
                                                 : std::ceil(x - 0.5);
    // Rounding depends on the fraction only; -1 is clamped at one edge only.
    if (r != 0) return 0;
  }
  return k;
}

/// adze.resize -> for whole factors a repeating generic and collapse_shape;
/// else axis by axis, reading taps at precomputed indices.
struct LowerResize : Lower<graph::ResizeOp> {
  using Lower::Lower;

  static Value repeat(Emitter &e, Value v, ArrayRef<int64_t> factors) {
    Folds split;
    SmallVector<ReassociationIndices> groups;
    SmallVector<AffineExpr> reads;
    for (auto [extent, k] : llvm::zip(e.extentsOf(v), factors)) {
      ReassociationIndices &group = groups.emplace_back();
      group.push_back(split.size());
      reads.push_back(e.b.getAffineDimExpr(split.size()));
      split.push_back(extent);
      if (k == 1) continue;
      group.push_back(split.size());
      split.push_back(e.m.constant(k));
    }
    Value r = e.map(v, e.affineMap(split.size(), reads), split, elementOf(v),
                    [](OpBuilder &, Location, ValueRange args) { return args[0]; });
    return e.collapse(r, groups);
  }

  static Value alongAxis(graph::ResizeOp op, Emitter &e, Value v, int64_t axis, const Taps &taps,
                         ArrayRef<Fold> extents, Type from, Type to) {
    int64_t rank = extents.size();
    SmallVector<Value> ins(taps.indices);
    llvm::append_range(ins, taps.weights);
    if (taps.outside) ins.push_back(taps.outside);
    SmallVector<AffineMap> maps(ins.size(), e.affineMap(rank, {e.b.getAffineDimExpr(axis)}));
    size_t n = taps.indices.size();
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
      Value sum;
      for (size_t k = 0; k < n; ++k) {
        SmallVector<Value> at;
        for (int64_t d = 0; d < rank; ++d)
          at.push_back(d == axis ? arith::IndexCastOp::create(b, loc, b.getIndexType(), args[k]).getResult()
                                 : linalg::IndexOp::create(b, loc, d).getResult());
        Value x = tensor::ExtractOp::create(b, loc, v, at);
        if (taps.weights.empty()) {
          sum = x;
          break;
        }
        x = widen(b, loc, loadScalar(b, loc, x, from), from, b.getF32Type());
        sum = sum ? multiplyAdd(b, loc, x, args[n + k], sum)
                  : arith::MulFOp::create(b, loc, x, args[n + k]).getResult();
      }
      if (!taps.weights.empty()) sum = emitCast(b, loc, sum, b.getF32Type(), to);
      if (!taps.outside) return sum;
      Value out = loadScalar(b, loc, args.drop_back(1).back(), b.getI1Type());
      Value fill = scalarConstant(b, loc, sum.getType(), op.getExtrapolationValue().convertToFloat());
      return arith::SelectOp::create(b, loc, out, fill, sum);
    };
    return e.map(ins, maps, extents, storageType(to), body);
  }

  LogicalResult lower(graph::ResizeOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extents are not known");
    if (op.getAntialias() && op.getMode() != "nearest")
      return e.unsupported("antialiased resizing has no lowering");
    int64_t rank = extents->size();
    Type element = e.adzeElement(0), f32 = e.b.getF32Type();
    bool isNearest = op.getMode() == "nearest";
    if (!isNearest && element.isF64()) return e.unsupported("f64 interpolation has no lowering");
    SmallVector<int64_t> factors(rank, 1), axes;
    for (int64_t d = 0; d < rank; ++d) {
      bool crops = op.getCoordinateMode() == "tf_crop_and_resize";
      if (!crops && e.exprs().dim(op.getX(), d) == e.exprs().dim(op.getResult(), d)) continue;
      int64_t k = repeatFactor(op, e, d);
      if (k)
        factors[d] = k;
      else
        axes.push_back(d);
    }
    Value v = e.operand(0);
    Folds now = e.extents(0);
    if (llvm::any_of(factors, [](int64_t k) { return k != 1; })) v = repeat(e, v, factors);
    for (int64_t d = 0; d < rank; ++d)
      if (factors[d] != 1) now[d] = (*extents)[d];
    Type current = element;
    for (int64_t axis : axes) {
      now[axis] = (*extents)[axis];
      Type to = isNearest || axis == axes.back() ? element : f32;
      Taps taps = AxisResizer(op, e, axis, now[axis]).taps();
      v = alongAxis(op, e, v, axis, taps, now, current, to);
      current = to;
    }
    return e.replace(v);
  }
};

}  // namespace

void populateResizePatterns(const TypeConverter &types, LoweringState &state,
                            RewritePatternSet &patterns) {
  addPatterns<LowerResize>(types, state, patterns);
}

}  // namespace adze::lowering
