// Result extents of every op of the adze dialect, as SSA values.
#include "dialects/Graph/Reify.h"

#include "dialects/Graph/Graph.h"
#include "dialects/Graph/IndexMath.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;

namespace adze::graph {

using Fold = OpFoldResult;

static RankedTensorType tensorType(Value v) { return cast<RankedTensorType>(v.getType()); }
static int64_t rankOf(Value v) { return tensorType(v).getRank(); }

ShapeSource operandSource(Operation *op, OpBuilder &b, DimExprs &exprs) {
  Location loc = op->getLoc();
  ShapeSource source;
  source.extent = [&b, &exprs, op, loc](unsigned operand, unsigned dim) -> Fold {
    Value v = op->getOperand(operand);
    if (std::optional<int64_t> c = exprs.constantDim(v, dim)) return b.getIndexAttr(*c);
    Value index = arith::ConstantIndexOp::create(b, loc, dim);
    return b.createOrFold<tensor::DimOp>(loc, v, index);
  };
  source.element = [&b, &exprs, op, loc](unsigned operand, int64_t i) -> Fold {
    Value v = op->getOperand(operand);
    if (std::optional<int64_t> c = exprs.constantElement(v, i)) return b.getIndexAttr(*c);
    SmallVector<Value> at;
    if (rankOf(v) > 0) at.push_back(arith::ConstantIndexOp::create(b, loc, i));
    Value e = b.createOrFold<tensor::ExtractOp>(loc, v, at);
    return b.createOrFold<arith::IndexCastOp>(loc, b.getIndexType(), e);
  };
  return source;
}

namespace {

/// The extents of one op's results. A result extent is asked for only where
/// its type does not give it.
class Reifier {
 public:
  Reifier(Operation *op, OpBuilder &b, DimExprs &exprs, const ShapeSource &source)
      : op(op), b(b), exprs(exprs), source(source), m(b, op->getLoc()) {}

  FailureOr<Fold> extent(OpResult result, unsigned i);

 private:
  Fold in(unsigned operand, unsigned dim) { return source.extent(operand, dim); }
  Fold elem(unsigned operand, int64_t i) { return source.element(operand, i); }
  Fold broadcast(ArrayRef<unsigned> operands, int64_t rank, int64_t i);
  Fold window(Fold x, Fold kernel, int64_t stride, int64_t pads, int64_t dilation);
  Fold ceilWindow(Fold x, int64_t kernel, int64_t stride, int64_t begin, int64_t end, int64_t dilation);
  Fold reshape(ReshapeOp r, unsigned i);
  Fold slice(SliceOp s, unsigned i);
  Fold conv(ConvOp c, unsigned i);
  Fold convTranspose(ConvTransposeOp c, unsigned i);
  Fold matmul(MatmulOp mm, unsigned i);
  Fold gatherND(GatherNDOp g, unsigned i);
  Fold range(RangeOp r);
  Fold recurrent(RecurrentOp r, bool y, unsigned i);
  Fold reduced(ArrayRef<int64_t> axes, bool keepdims, unsigned i);
  template <typename OpTy>
  Fold pool(OpTy p, DataLayout layout, unsigned i);

  Operation *op;
  OpBuilder &b;
  DimExprs &exprs;
  const ShapeSource &source;
  IndexMath m;
};

Fold Reifier::broadcast(ArrayRef<unsigned> operands, int64_t rank, int64_t i) {
  Fold result = m.constant(1);
  AffineExpr known;
  for (unsigned o : operands) {
    Value v = op->getOperand(o);
    int64_t j = i - (rank - rankOf(v));
    if (j < 0) continue;
    AffineExpr e = exprs.dim(v, j);
    if (e == known) continue;
    Fold d = in(o, j);
    if (isConstantIntValue(d, 1)) continue;
    if (getConstantIntValue(d)) return d;
    result = m.selectEqual(result, m.constant(1), d, result);
    known = known ? AffineExpr() : e;
  }
  return result;
}

Fold Reifier::window(Fold x, Fold kernel, int64_t stride, int64_t pads, int64_t dilation) {
  Fold reach = m.mul(m.sub(kernel, m.constant(1)), m.constant(dilation));
  std::optional<int64_t> fixed = getConstantIntValue(reach);
  if (fixed && stride == 1 && *fixed == pads) return x;  // "same" padding
  Fold span = fixed ? m.add(x, m.constant(pads - 1 - *fixed))
                    : m.sub(m.add(x, m.constant(pads - 1)), reach);
  return m.max(m.add(m.floorDiv(span, m.constant(stride)), m.constant(1)), m.constant(0));
}

// In ceil mode a window may hang over the end, but must start inside the input
// or the padding before it (ONNX MaxPool).
Fold Reifier::ceilWindow(Fold x, int64_t kernel, int64_t stride, int64_t begin, int64_t end,
                         int64_t dilation) {
  int64_t reach = (kernel - 1) * dilation + 1;
  Fold span = m.add(x, m.constant(begin + end - reach));
  Fold count = m.add(m.ceilDiv(span, m.constant(stride)), m.constant(1));
  Fold last = m.mul(m.sub(count, m.constant(1)), m.constant(stride));
  Fold limit = m.add(x, m.constant(begin));
  Fold excess = m.sub(m.sub(limit, m.constant(1)), last);  // negative: starts past the input
  return m.max(m.selectNegative(excess, m.sub(count, m.constant(1)), count), m.constant(0));
}

static int64_t spatialAxis(DataLayout layout, int64_t rank, int64_t i) {
  if (i == 0) return -1;
  if (layout == DataLayout::NHWC) return i == rank - 1 ? -1 : i - 1;
  return i == 1 ? -1 : i - 2;
}

Fold Reifier::conv(ConvOp c, unsigned i) {
  int64_t rank = rankOf(c.getX()), s = rank - 2;
  bool nhwc = c.getLayout() == DataLayout::NHWC;
  if (i == 0) return in(0, 0);
  int64_t axis = spatialAxis(c.getLayout(), rank, i);
  if (axis < 0) return in(1, nhwc ? rank - 1 : 0);
  return window(in(0, i), in(1, axis + (nhwc ? 0 : 2)), c.getStrides()[axis],
                c.getPads()[axis] + c.getPads()[s + axis], c.getDilations()[axis]);
}

Fold Reifier::convTranspose(ConvTransposeOp c, unsigned i) {
  int64_t rank = rankOf(c.getX()), s = rank - 2;
  bool nhwc = c.getLayout() == DataLayout::NHWC;
  if (i == 0) return in(0, 0);
  int64_t axis = spatialAxis(c.getLayout(), rank, i);
  if (axis < 0) return m.mul(in(1, nhwc ? rank - 1 : 1), m.constant(c.getGroups()));
  Fold steps = m.mul(m.sub(in(0, i), m.constant(1)), m.constant(c.getStrides()[axis]));
  Fold reach = m.mul(m.sub(in(1, axis + (nhwc ? 0 : 2)), m.constant(1)),
                     m.constant(c.getDilations()[axis]));
  int64_t rest = c.getOutputPadding()[axis] + 1 - c.getPads()[axis] - c.getPads()[s + axis];
  return m.max(m.add(m.add(steps, reach), m.constant(rest)), m.constant(0));
}

template <typename OpTy>
Fold Reifier::pool(OpTy p, DataLayout layout, unsigned i) {
  int64_t axis = spatialAxis(layout, rankOf(p.getX()), i);
  if (axis < 0) return in(0, i);
  int64_t s = p.getKernel().size(), begin = p.getPads()[axis], end = p.getPads()[s + axis];
  int64_t k = p.getKernel()[axis], stride = p.getStrides()[axis], d = p.getDilations()[axis];
  if (p.getCeilMode()) return ceilWindow(in(0, i), k, stride, begin, end, d);
  return window(in(0, i), m.constant(k), stride, begin + end, d);
}

Fold Reifier::reshape(ReshapeOp r, unsigned i) {
  Fold e = elem(1, i);
  std::optional<int64_t> known = getConstantIntValue(e);
  if ((known && *known >= 0) || exprs.nonNegative(exprs.element(r.getShape(), i))) return e;
  // The rest of the elements: those of x over the other extents, where an
  // extent that is in both leaves both.
  SmallVector<std::pair<AffineExpr, Fold>> numerator;
  for (int64_t d = 0, n = rankOf(r.getX()); d < n; ++d)
    numerator.push_back({exprs.dim(r.getX(), d), in(0, d)});
  Fold denominator = m.constant(1);
  for (int64_t d = 0, n = rankOf(r.getResult()); d < n; ++d) {
    if (d == int64_t(i)) continue;
    AffineExpr f = exprs.element(r.getShape(), d);
    auto *it = llvm::find_if(numerator, [&](auto &p) { return p.first == f; });
    if (it != numerator.end())
      numerator.erase(it);
    else
      denominator = m.mul(denominator, elem(1, d));
  }
  Fold total = m.constant(1);
  for (auto &[expr, fold] : numerator) total = m.mul(total, fold);
  Fold inferred = m.floorDiv(total, denominator);
  return known ? inferred : m.selectNegative(e, inferred, e);
}

Fold Reifier::slice(SliceOp s, unsigned i) {
  if (exprs.dim(s.getResult(), i) == exprs.dim(s.getX(), i)) return in(0, i);
  SliceBounds bounds = sliceBounds(b, op->getLoc(), in(0, i), elem(1, i), elem(2, i), elem(3, i));
  return bounds.count;
}

Fold Reifier::matmul(MatmulOp mm, unsigned i) {
  int64_t rank = rankOf(mm.getResult());
  if (int64_t(i) == rank - 1) return in(1, rankOf(mm.getB()) - (mm.getTransposeB() ? 2 : 1));
  if (int64_t(i) == rank - 2) return in(0, rankOf(mm.getA()) - (mm.getTransposeA() ? 1 : 2));
  return broadcast({0, 1}, rank, i);
}

Fold Reifier::gatherND(GatherNDOp g, unsigned i) {
  int64_t q = rankOf(g.getIndices()), depth = tensorType(g.getIndices()).getDimSize(q - 1);
  if (int64_t(i) < q - 1) return in(1, i);
  return in(0, g.getBatchDims() + depth + (i - (q - 1)));
}

Fold Reifier::range(RangeOp r) {
  Type type = tensorType(r.getStart()).getElementType();
  Location loc = r.getLoc();
  if (isa<IntegerType>(type)) {
    // ceil((limit - start) / delta); a negative step counts the other way.
    Fold delta = elem(2, 0), diff = m.sub(elem(1, 0), elem(0, 0));
    Fold up = m.ceilDiv(diff, m.max(delta, m.constant(1)));
    Fold minus = m.max(m.sub(m.constant(0), delta), m.constant(1));
    Fold down = m.ceilDiv(m.sub(m.constant(0), diff), minus);
    return m.max(m.selectNegative(delta, down, up), m.constant(0));
  }
  auto scalar = [&](unsigned o) -> Value {
    Value v = tensor::ExtractOp::create(b, loc, r->getOperand(o), ValueRange());
    if (tensorType(r->getOperand(o)).getElementTypeBitWidth() >= 64) return v;
    return arith::ExtFOp::create(b, loc, b.getF64Type(), v);
  };
  Value diff = arith::SubFOp::create(b, loc, scalar(1), scalar(0));
  Value quotient = arith::DivFOp::create(b, loc, diff, scalar(2));
  // ceil(q): truncate, and one more where that lost something above zero.
  Value trunc = arith::FPToSIOp::create(b, loc, b.getI64Type(), quotient);
  Value back = arith::SIToFPOp::create(b, loc, b.getF64Type(), trunc);
  Value below = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, back, quotient);
  Value carry = arith::ExtUIOp::create(b, loc, b.getI64Type(), below);
  Value count = arith::AddIOp::create(b, loc, trunc, carry);
  Value index = arith::IndexCastOp::create(b, loc, b.getIndexType(), count);
  return m.max(index, m.constant(0));
}

Fold Reifier::recurrent(RecurrentOp, bool y, unsigned i) {
  unsigned axis = y ? i : i + 1;  // of [T, D, B, H]
  if (axis == 0) return in(0, 0);
  if (axis == 1) return in(1, 0);
  if (axis == 2) return in(0, 1);
  return in(2, 2);
}

Fold Reifier::reduced(ArrayRef<int64_t> axes, bool keepdims, unsigned i) {
  int64_t rank = rankOf(op->getOperand(0));
  if (keepdims) return llvm::is_contained(axes, int64_t(i)) ? m.constant(1) : in(0, i);
  int64_t seen = -1;
  for (int64_t axis = 0; axis < rank; ++axis) {
    if (!llvm::is_contained(axes, axis)) ++seen;
    if (seen == int64_t(i)) return in(0, axis);
  }
  return m.constant(1);
}

FailureOr<Fold> Reifier::extent(OpResult result, unsigned i) {
  RankedTensorType type = tensorType(result);
  if (!type.isDynamicDim(i)) return m.constant(type.getDimSize(i));
  if (std::optional<int64_t> c = exprs.constantDim(result, i)) return m.constant(*c);
  int64_t rank = type.getRank();
  using R = FailureOr<Fold>;
  return TypeSwitch<Operation *, R>(op)
      .Case<CastOp, BitcastOp, CumulativeOp, SoftmaxOp, NormalizeOp, ScatterElementsOp, ScatterNDOp,
            ReverseSequenceOp, TriluOp, QuantizeOp, DequantizeOp>([&](Operation *) -> R { return in(0, i); })
      .Case([&](ElementwiseOp e) -> R {
        return broadcast(llvm::to_vector(llvm::seq<unsigned>(0, e.getArgs().size())), rank, i);
      })
      .Case([&](RangeOp r) -> R { return range(r); })
      .Case([&](ReshapeOp r) -> R { return reshape(r, i); })
      .Case([&](ExpandOp) -> R { return elem(1, i); })
      .Case([&](TransposeOp t) -> R { return in(0, t.getPerm()[i]); })
      .Case([&](ConcatOp c) -> R {
        if (int64_t(i) != int64_t(c.getAxis())) return in(0, i);
        Fold sum = m.constant(0);
        for (unsigned o = 0; o < c.getXs().size(); ++o) sum = m.add(sum, in(o, i));
        return sum;
      })
      .Case([&](SliceOp s) -> R { return slice(s, i); })
      .Case([&](PadOp) -> R {
        return m.max(m.add(m.add(in(0, i), elem(1, i)), elem(1, rank + i)), m.constant(0));
      })
      .Case([&](TileOp) -> R { return m.mul(in(0, i), elem(1, i)); })
      .Case([&](GatherOp g) -> R {
        int64_t axis = g.getAxis(), q = rankOf(g.getIndices());
        if (int64_t(i) < axis) return in(0, i);
        return int64_t(i) < axis + q ? in(1, i - axis) : in(0, i - q + 1);
      })
      .Case([&](GatherElementsOp) -> R { return in(1, i); })
      .Case([&](GatherNDOp g) -> R { return gatherND(g, i); })
      .Case([&](OneHotOp o) -> R {
        int64_t axis = o.getAxis();
        if (int64_t(i) == axis) return m.max(elem(1, 0), m.constant(0));
        return in(0, int64_t(i) < axis ? i : i - 1);
      })
      .Case([&](ResizeOp) -> R { return elem(1, i); })
      .Case([&](ReduceOp r) -> R { return reduced(r.getAxes(), r.getKeepdims(), i); })
      .Case([&](ArgReduceOp r) -> R { return reduced({int64_t(r.getAxis())}, r.getKeepdims(), i); })
      .Case([&](TopKOp t) -> R {
        if (int64_t(i) != int64_t(t.getAxis())) return in(0, i);
        return m.clamp(elem(1, 0), m.constant(0), in(0, i));
      })
      .Case([&](MatmulOp mm) -> R { return matmul(mm, i); })
      .Case([&](ConvOp c) -> R { return conv(c, i); })
      .Case([&](ConvTransposeOp c) -> R { return convTranspose(c, i); })
      .Case([&](PoolOp p) -> R { return pool(p, p.getLayout(), i); })
      .Case([&](MaxPoolIndicesOp p) -> R { return pool(p, DataLayout::NCHW, i); })
      .Case([&](RecurrentOp r) -> R { return recurrent(r, result == r.getY(), i); })
      .Default([](Operation *) -> R { return failure(); });
}

}  // namespace

SliceBounds sliceBounds(OpBuilder &b, Location loc, Fold extent, Fold start, Fold end, Fold step) {
  IndexMath m(b, loc);
  Fold zero = m.constant(0), one = m.constant(1);
  auto fromEnd = [&](Fold v) { return m.selectNegative(v, m.add(v, extent), v); };
  // Forwards both lie in [0, extent]; backwards start in [0, extent - 1] and
  // end in [-1, extent - 1].
  Fold s = fromEnd(start), e = fromEnd(end), last = m.sub(extent, one);
  Fold first = m.selectNegative(step, m.clamp(s, zero, last), m.clamp(s, zero, extent));
  Fold stop = m.selectNegative(step, m.clamp(e, m.constant(-1), last), m.clamp(e, zero, extent));
  std::optional<int64_t> known = getConstantIntValue(step);
  if (known && *known > 0) {  // ends left alone need no clamping
    if (isConstantIntValue(start, 0)) first = zero;
    if (isConstantIntValue(end, std::numeric_limits<int64_t>::max())) stop = extent;
  }
  Fold up = zero, down = zero;
  if (!known || *known > 0) up = m.ceilDiv(m.sub(stop, first), m.max(step, one));
  if (!known || *known < 0)
    down = m.ceilDiv(m.sub(first, stop), m.max(m.sub(zero, step), one));
  Fold count = m.max(m.selectNegative(step, down, up), zero);
  return {first, count, step};
}

LogicalResult reifyShapes(Operation *op, OpBuilder &b, DimExprs &exprs, const ShapeSource &source,
                          ReifiedRankedShapedTypeDims &dims) {
  Reifier reifier(op, b, exprs, source);
  dims.clear();
  for (OpResult result : op->getResults()) {
    SmallVector<Fold> &extents = dims.emplace_back();
    for (int64_t i = 0, rank = rankOf(result); i < rank; ++i) {
      FailureOr<Fold> e = reifier.extent(result, i);
      if (failed(e)) return failure();
      extents.push_back(*e);
    }
  }
  return success();
}

LogicalResult reifyShapes(Operation *op, OpBuilder &b, ReifiedRankedShapedTypeDims &dims) {
  DimExprs exprs(op->getContext());
  return reifyShapes(op, b, exprs, operandSource(op, b, exprs), dims);
}

}  // namespace adze::graph
