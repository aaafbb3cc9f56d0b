#include "dialects/Graph/DimExprs.h"

#include "dialects/Graph/Graph.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;

namespace adze::graph {

static RankedTensorType tensorType(Value v) { return cast<RankedTensorType>(v.getType()); }

AffineExpr DimExprs::constant(int64_t v) { return getAffineConstantExpr(v, ctx); }

AffineExpr DimExprs::symbol(bool isExtent) {
  extentSymbol.push_back(isExtent);
  return getAffineSymbolExpr(extentSymbol.size() - 1, ctx);
}

AffineExpr DimExprs::dim(Value v, unsigned i) {
  auto it = dims.find({v, i});
  if (it != dims.end()) return it->second;
  AffineExpr e = computeDim(v, i);
  if (!e) e = symbol(/*isExtent=*/true);
  extents.insert(e);
  return dims[{v, i}] = e;
}

AffineExpr DimExprs::element(Value v, int64_t i) {
  auto it = elements.find({v, i});
  if (it != elements.end()) return it->second;
  AffineExpr e = computeElement(v, i);
  if (!e) e = symbol(/*isExtent=*/false);
  return elements[{v, i}] = e;
}

static std::optional<int64_t> constantOf(AffineExpr e) {
  if (auto c = dyn_cast<AffineConstantExpr>(e)) return c.getValue();
  return std::nullopt;
}

std::optional<int64_t> DimExprs::constantElement(Value v, int64_t i) {
  return constantOf(element(v, i));
}

std::optional<int64_t> DimExprs::constantDim(Value v, unsigned i) { return constantOf(dim(v, i)); }

bool DimExprs::nonNegative(AffineExpr e) const {
  if (auto c = dyn_cast<AffineConstantExpr>(e)) return c.getValue() >= 0;
  if (extents.contains(e)) return true;
  if (auto s = dyn_cast<AffineSymbolExpr>(e)) return extentSymbol[s.getPosition()];
  auto bin = dyn_cast<AffineBinaryOpExpr>(e);
  return bin && nonNegative(bin.getLHS()) && nonNegative(bin.getRHS());
}

static void flattenProduct(AffineExpr e, SmallVectorImpl<AffineExpr> &factors) {
  auto bin = dyn_cast<AffineBinaryOpExpr>(e);
  if (!bin || bin.getKind() != AffineExprKind::Mul) return factors.push_back(e);
  flattenProduct(bin.getLHS(), factors);
  flattenProduct(bin.getRHS(), factors);
}

/// An order of expressions that does not depend on addresses.
static bool before(AffineExpr a, AffineExpr b) {
  if (a.getKind() != b.getKind()) return a.getKind() > b.getKind();
  if (auto s = dyn_cast<AffineSymbolExpr>(a))
    return s.getPosition() < cast<AffineSymbolExpr>(b).getPosition();
  auto x = dyn_cast<AffineBinaryOpExpr>(a);
  if (!x) return false;
  auto y = cast<AffineBinaryOpExpr>(b);
  if (x.getLHS() != y.getLHS()) return before(x.getLHS(), y.getLHS());
  return before(x.getRHS(), y.getRHS());
}

AffineExpr DimExprs::product(ArrayRef<AffineExpr> factors) {
  SmallVector<AffineExpr> flat;
  for (AffineExpr f : factors) flattenProduct(f, flat);
  int64_t scale = 1;
  SmallVector<AffineExpr> rest;
  for (AffineExpr f : flat) {
    if (std::optional<int64_t> c = constantOf(f))
      scale = int64_t(uint64_t(scale) * uint64_t(*c));
    else
      rest.push_back(f);
  }
  llvm::sort(rest, before);
  AffineExpr result = constant(1);
  for (AffineExpr f : rest) result = result * f;
  return result * scale;
}

/// The extent of two that are broadcast, neither of them a constant.
AffineExpr DimExprs::broadcast(AffineExpr a, AffineExpr b) {
  if (a == b || isCutFrom(b, a)) return a;
  return isCutFrom(a, b) ? b : AffineExpr();
}

AffineExpr DimExprs::elementwiseDim(Operation *op, unsigned i) {
  int64_t rank = tensorType(op->getResult(0)).getRank();
  AffineExpr result = constant(1);
  bool unknown = false;
  for (Value v : op->getOperands()) {
    int64_t j = int64_t(i) - (rank - tensorType(v).getRank());
    if (j < 0) continue;
    AffineExpr e = dim(v, j);
    if (e == constant(1) || e == result) continue;
    // An extent other than 1 that is known wins over one that may be 1.
    if (constantOf(e)) return e;
    AffineExpr both = result == constant(1) ? e : broadcast(result, e);
    unknown |= !both;
    result = both ? both : e;
  }
  return unknown ? AffineExpr() : result;
}

namespace {
struct Window {
  int64_t kernel, stride, begin, end, dilation;
};
}  // namespace

/// Spatial axis of dimension `i` of a windowed op; -1 for batch and channels.
static int64_t spatialAxis(DataLayout layout, int64_t rank, int64_t i) {
  if (i == 0) return -1;
  if (layout == DataLayout::NHWC) return i == rank - 1 ? -1 : i - 1;
  return i == 1 ? -1 : i - 2;
}

static AffineExpr windowExpr(AffineExpr in, const Window &w) {
  AffineExpr span = in + (w.begin + w.end - (w.kernel - 1) * w.dilation - 1);
  return span.floorDiv(w.stride) + 1;
}

template <typename OpTy>
static Window windowOf(OpTy op, int64_t axis, int64_t kernel) {
  int64_t s = op.getStrides().size();
  return {kernel, op.getStrides()[axis], op.getPads()[axis], op.getPads()[s + axis],
          op.getDilations()[axis]};
}

AffineExpr DimExprs::windowDim(Operation *op, unsigned i) {
  int64_t rank = tensorType(op->getResult(0)).getRank();
  Value x = op->getOperand(0);
  if (auto conv = dyn_cast<ConvOp>(op)) {
    bool nhwc = conv.getLayout() == DataLayout::NHWC;
    int64_t axis = spatialAxis(conv.getLayout(), rank, i);
    if (axis < 0) return i == 0 ? dim(x, 0) : dim(conv.getW(), nhwc ? rank - 1 : 0);
    std::optional<int64_t> kernel = constantDim(conv.getW(), axis + (nhwc ? 0 : 2));
    return kernel ? windowExpr(dim(x, i), windowOf(conv, axis, *kernel)) : AffineExpr();
  }
  if (auto conv = dyn_cast<ConvTransposeOp>(op)) {
    bool nhwc = conv.getLayout() == DataLayout::NHWC;
    int64_t axis = spatialAxis(conv.getLayout(), rank, i);
    if (i == 0) return dim(x, 0);
    if (axis < 0) return dim(conv.getW(), nhwc ? rank - 1 : 1) * conv.getGroups();
    std::optional<int64_t> kernel = constantDim(conv.getW(), axis + (nhwc ? 0 : 2));
    if (!kernel) return {};
    Window w = windowOf(conv, axis, *kernel);
    return (dim(x, i) - 1) * w.stride + (conv.getOutputPadding()[axis] +
           (w.kernel - 1) * w.dilation + 1 - w.begin - w.end);
  }
  if (auto pool = dyn_cast<PoolOp>(op)) {
    int64_t axis = spatialAxis(pool.getLayout(), rank, i);
    if (axis < 0) return dim(x, i);
    if (pool.getCeilMode()) return {};
    return windowExpr(dim(x, i), windowOf(pool, axis, pool.getKernel()[axis]));
  }
  auto pool = cast<MaxPoolIndicesOp>(op);
  int64_t axis = spatialAxis(DataLayout::NCHW, rank, i);
  if (axis < 0) return dim(x, i);
  if (pool.getCeilMode()) return {};
  return windowExpr(dim(x, i), windowOf(pool, axis, pool.getKernel()[axis]));
}

AffineExpr DimExprs::sliceDim(Operation *op, unsigned i) {
  auto slice = cast<SliceOp>(op);
  if (constantElement(slice.getStarts(), i) != 0 || constantElement(slice.getSteps(), i) != 1) return {};
  AffineExpr end = element(slice.getEnds(), i), extent = dim(slice.getX(), i);
  if (end == constant(std::numeric_limits<int64_t>::max())) return extent;
  if (!nonNegative(end) || constantOf(end) || constantOf(extent).value_or(0) < 2) return {};
  AffineExpr cut = symbol(/*isExtent=*/true);
  cutFrom[cut] = end;
  return cut;
}

AffineExpr DimExprs::reshapeDim(Operation *op, unsigned i) {
  auto reshape = cast<ReshapeOp>(op);
  AffineExpr e = element(reshape.getShape(), i);
  if (nonNegative(e)) return e;
  if (e != constant(-1)) return {};
  SmallVector<AffineExpr> numerator, denominator;
  int64_t scale = 1, divisor = 1;
  auto collect = [](AffineExpr f, SmallVectorImpl<AffineExpr> &out, int64_t &factor) {
    SmallVector<AffineExpr> flat;
    flattenProduct(f, flat);
    for (AffineExpr g : flat) {
      if (std::optional<int64_t> c = constantOf(g))
        factor = int64_t(uint64_t(factor) * uint64_t(*c));
      else
        out.push_back(g);
    }
  };
  for (int64_t d = 0, r = tensorType(reshape.getX()).getRank(); d < r; ++d)
    collect(dim(reshape.getX(), d), numerator, scale);
  for (int64_t d = 0, r = tensorType(reshape.getResult()).getRank(); d < r; ++d) {
    if (d == int64_t(i)) continue;
    AffineExpr f = element(reshape.getShape(), d);
    if (!nonNegative(f)) return {};
    collect(f, denominator, divisor);
  }
  for (AffineExpr f : denominator) {
    auto *it = llvm::find(numerator, f);
    if (it == numerator.end()) return {};
    numerator.erase(it);
  }
  if (divisor <= 0 || scale <= 0) return {};
  numerator.push_back(constant(scale));
  return product(numerator).floorDiv(divisor);
}

/// The axis of x behind result axis `i` of a reduction; -1 for a reduced one.
static int64_t reducedAxis(ArrayRef<int64_t> axes, bool keepdims, int64_t rank, int64_t i) {
  if (keepdims) return llvm::is_contained(axes, i) ? -1 : i;
  for (int64_t axis = 0, seen = -1; axis < rank; ++axis) {
    if (!llvm::is_contained(axes, axis)) ++seen;
    if (seen == i) return axis;
  }
  return -1;
}

AffineMap DimExprs::exported(ArrayRef<AffineExpr> exprs, Exported &symbols) {
  SmallVector<AffineExpr> results;
  for (AffineExpr e : exprs) {
    e.walk([&](AffineExpr part) {
      auto s = dyn_cast<AffineSymbolExpr>(part);
      if (!s || symbols.contains(s)) return;
      unsigned parity = extentSymbol[s.getPosition()] ? 0 : 1, next = symbols.size();
      symbols[s] = getAffineSymbolExpr(2 * next + parity, ctx);
    });
    results.push_back(e.replace(symbols));
  }
  return AffineMap::get(0, 2 * symbols.size(), results, ctx);
}

SmallVector<SmallVector<NamedAttribute>> DimExprs::describe(ValueRange values) {
  Exported symbols;
  return llvm::map_to_vector(values, [&](Value v) { return describe(v, symbols); });
}

SmallVector<NamedAttribute> DimExprs::describe(Value v, Exported &symbols) {
  auto type = dyn_cast<RankedTensorType>(v.getType());
  SmallVector<NamedAttribute> attrs;
  if (!type) return attrs;
  auto add = [&](StringRef name, ArrayRef<AffineExpr> exprs) {
    attrs.emplace_back(StringAttr::get(ctx, name), AffineMapAttr::get(exported(exprs, symbols)));
  };
  SmallVector<AffineExpr> exprs;
  if (!type.hasStaticShape()) {
    for (int64_t i = 0; i < type.getRank(); ++i) exprs.push_back(dim(v, i));
    add(kDimsAttr, exprs);
    // An extent that is cut from nothing stands for itself.
    auto from = llvm::map_to_vector(exprs, [&](AffineExpr e) {
      AffineExpr whole = cutFrom.lookup(e);
      return whole ? whole : e;
    });
    if (from != exprs) add(kCutFromAttr, from);
  } else if (type.getRank() <= 1 && isa<IntegerType>(type.getElementType()) &&
             type.getNumElements() <= 16) {
    for (int64_t i = 0; i < type.getNumElements(); ++i) exprs.push_back(element(v, i));
    if (!exprs.empty()) add(kElementsAttr, exprs);
  }
  return attrs;
}

AffineExpr DimExprs::described(BlockArgument arg, StringRef attr, int64_t i) {
  auto function = dyn_cast_or_null<FunctionOpInterface>(arg.getOwner()->getParentOp());
  if (!function || !arg.getOwner()->isEntryBlock()) return {};
  auto map = function.getArgAttrOfType<AffineMapAttr>(arg.getArgNumber(), attr);
  if (!map || i >= int64_t(map.getValue().getNumResults())) return {};
  AffineExpr e = map.getValue().getResult(i);
  DenseMap<AffineExpr, AffineExpr> own;
  e.walk([&](AffineExpr part) {
    auto s = dyn_cast<AffineSymbolExpr>(part);
    if (!s) return;
    AffineExpr &mine = imported[{function.getOperation(), s.getPosition()}];
    if (!mine) mine = symbol(/*isExtent=*/s.getPosition() % 2 == 0);
    own[s] = mine;
  });
  return e.replace(own);
}

AffineExpr DimExprs::computeDim(Value v, unsigned i) {
  auto type = dyn_cast<RankedTensorType>(v.getType());
  if (!type || i >= type.getRank()) return {};
  if (!type.isDynamicDim(i)) return constant(type.getDimSize(i));
  if (auto arg = dyn_cast<BlockArgument>(v)) {
    auto fusion = dyn_cast_or_null<FusionOp>(arg.getOwner()->getParentOp());
    if (fusion) return dim(fusion.getInputs()[arg.getArgNumber()], i);
    AffineExpr e = described(arg, kDimsAttr, i), from = described(arg, kCutFromAttr, i);
    if (e && from && from != e) cutFrom[e] = from;
    return e;
  }
  int64_t rank = type.getRank();
  using R = AffineExpr;
  return TypeSwitch<Operation *, AffineExpr>(v.getDefiningOp())
      .Case<CastOp, BitcastOp, CumulativeOp, SoftmaxOp, NormalizeOp, ScatterElementsOp, ScatterNDOp,
            ReverseSequenceOp, TriluOp, QuantizeOp, DequantizeOp, tensor::CastOp>(
          [&](Operation *op) -> R { return dim(op->getOperand(0), i); })
      .Case([&](ElementwiseOp op) -> R { return elementwiseDim(op, i); })
      .Case<ConvOp, ConvTransposeOp, PoolOp, MaxPoolIndicesOp>(
          [&](Operation *op) -> R { return windowDim(op, i); })
      .Case([&](ReshapeOp op) -> R { return reshapeDim(op, i); })
      .Case([&](ExpandOp op) -> R {
        AffineExpr e = element(op.getShape(), i);
        return nonNegative(e) ? e : R();
      })
      .Case([&](ResizeOp op) -> R {
        // A whole scale known at compile time gives the extent.
        if (auto scales = op.getScales().getDefiningOp<ConstantOp>())
          if (auto dense = dyn_cast<DenseElementsAttr>(scales.getValue())) {
            float s = (*(dense.getValues<APFloat>().begin() + i)).convertToFloat();
            if (s >= 1 && s < 1024 && s == int(s)) return dim(op.getX(), i) * int(s);
          }
        AffineExpr e = element(op.getSizes(), i);
        return nonNegative(e) ? e : R();
      })
      .Case([&](GatherElementsOp op) -> R { return dim(op.getIndices(), i); })
      .Case([&](TransposeOp op) -> R { return dim(op.getX(), op.getPerm()[i]); })
      .Case([&](ConcatOp op) -> R {
        if (int64_t(i) != int64_t(op.getAxis())) {
          for (Value x : op.getXs())
            if (constantDim(x, i)) return dim(x, i);
          return dim(op.getXs()[0], i);
        }
        AffineExpr sum = constant(0);
        for (Value x : op.getXs()) sum = sum + dim(x, i);
        return sum;
      })
      .Case([&](GatherOp op) -> R {
        int64_t axis = op.getAxis(), q = tensorType(op.getIndices()).getRank();
        if (int64_t(i) < axis) return dim(op.getX(), i);
        if (int64_t(i) < axis + q) return dim(op.getIndices(), i - axis);
        return dim(op.getX(), i - q + 1);
      })
      .Case([&](TileOp op) -> R {
        AffineExpr e = element(op.getRepeats(), i);
        return nonNegative(e) ? product({dim(op.getX(), i), e}) : R();
      })
      .Case([&](PadOp op) -> R {
        AffineExpr l = element(op.getPads(), i), r = element(op.getPads(), rank + i);
        return constantOf(l) && constantOf(r) ? dim(op.getX(), i) + l + r : R();
      })
      .Case([&](SliceOp op) -> R { return sliceDim(op, i); })
      .Case([&](ReduceOp op) -> R {
        int64_t axis = reducedAxis(op.getAxes(), op.getKeepdims(), tensorType(op.getX()).getRank(), i);
        return axis < 0 ? constant(1) : dim(op.getX(), axis);
      })
      .Case([&](ArgReduceOp op) -> R {
        int64_t axis = reducedAxis({int64_t(op.getAxis())}, op.getKeepdims(),
                                   tensorType(op.getX()).getRank(), i);
        return axis < 0 ? constant(1) : dim(op.getX(), axis);
      })
      .Case([&](TopKOp op) -> R {
        return int64_t(i) == int64_t(op.getAxis()) ? R() : dim(op.getX(), i);
      })
      .Case([&](OneHotOp op) -> R {
        int64_t axis = op.getAxis();
        if (int64_t(i) == axis) return R();
        return dim(op.getIndices(), int64_t(i) < axis ? i : i - 1);
      })
      .Case([&](MatmulOp op) -> R {
        if (int64_t(i) == rank - 1)
          return dim(op.getB(), tensorType(op.getB()).getRank() - (op.getTransposeB() ? 2 : 1));
        if (int64_t(i) == rank - 2)
          return dim(op.getA(), tensorType(op.getA()).getRank() - (op.getTransposeA() ? 1 : 2));
        return elementwiseDim(op, i);
      })
      .Case([&](RecurrentOp op) -> R {
        bool y = v == op.getY();
        int64_t axis = y ? int64_t(i) : int64_t(i) + 1;
        if (axis == 0) return dim(op.getX(), 0);
        if (axis == 1) return dim(op.getW(), 0);
        if (axis == 2) return dim(op.getX(), 1);
        return dim(op.getR(), 2);
      })
      .Case([&](FusionOp op) -> R {
        auto yield = cast<YieldOp>(op.getBody().front().getTerminator());
        return dim(yield.getValues()[cast<OpResult>(v).getResultNumber()], i);
      })
      .Default([](Operation *) { return R(); });
}

AffineExpr DimExprs::elementwiseElement(Operation *op, int64_t i) {
  auto e = cast<ElementwiseOp>(op);
  SmallVector<AffineExpr> args;
  for (Value v : e.getArgs()) {
    RankedTensorType t = tensorType(v);
    if (!t.hasStaticShape() || !isa<IntegerType>(t.getElementType())) return {};
    if (t.getNumElements() != 1 && t.getNumElements() != tensorType(op->getResult(0)).getNumElements())
      return {};
    args.push_back(element(v, t.getNumElements() == 1 ? 0 : i));
  }
  switch (e.getFn()) {
    case ElementwiseFn::Add: return args[0] + args[1];
    case ElementwiseFn::Sub: return args[0] - args[1];
    case ElementwiseFn::Mul: return product(args);
    case ElementwiseFn::Div: {
      std::optional<int64_t> c = constantOf(args[1]);
      if (c && *c > 0 && nonNegative(args[0])) return args[0].floorDiv(*c);
      return {};
    }
    case ElementwiseFn::Select: return args[1] == args[2] ? args[1] : AffineExpr();
    case ElementwiseFn::Max:
    case ElementwiseFn::Min: return args[0] == args[1] ? args[0] : AffineExpr();
    default: return {};
  }
}

AffineExpr DimExprs::computeElement(Value v, int64_t i) {
  auto type = dyn_cast<RankedTensorType>(v.getType());
  if (!type || !isa<IntegerType>(type.getElementType())) return {};
  if (auto arg = dyn_cast<BlockArgument>(v)) {
    auto fusion = dyn_cast_or_null<FusionOp>(arg.getOwner()->getParentOp());
    if (fusion) return element(fusion.getInputs()[arg.getArgNumber()], i);
    return described(arg, kElementsAttr, i);
  }
  if (type.hasStaticShape() && type.getNumElements() > 64) return {};
  using R = AffineExpr;
  return TypeSwitch<Operation *, AffineExpr>(v.getDefiningOp())
      .Case([&](ConstantOp op) -> R {
        std::optional<SmallVector<int64_t>> ints = constantInts(op.getResult());
        return ints && i < int64_t(ints->size()) ? constant((*ints)[i]) : R();
      })
      .Case([&](ShapeOfOp op) -> R { return dim(op.getX(), i); })
      .Case<ReshapeOp, ExpandOp>([&](Operation *op) -> R {
        RankedTensorType from = tensorType(op->getOperand(0));
        if (!from.hasStaticShape()) return R();
        if (from.getNumElements() == 1) return element(op->getOperand(0), 0);
        return isa<ReshapeOp>(op) ? element(op->getOperand(0), i) : R();
      })
      .Case([&](CastOp op) -> R {
        auto from = dyn_cast<IntegerType>(tensorType(op.getX()).getElementType());
        auto to = dyn_cast<IntegerType>(op.getTo());
        if (!from || !to || from.getWidth() < 32 || to.getWidth() < 32) return R();
        return element(op.getX(), i);
      })
      .Case([&](ConcatOp op) -> R {
        for (Value x : op.getXs()) {
          RankedTensorType t = tensorType(x);
          if (t.getRank() != 1 || !t.hasStaticShape()) return R();
          if (i < t.getNumElements()) return element(x, i);
          i -= t.getNumElements();
        }
        return R();
      })
      .Case([&](GatherOp op) -> R {
        RankedTensorType x = tensorType(op.getX());
        if (x.getRank() != 1 || !x.hasStaticShape()) return R();
        std::optional<int64_t> at = constantElement(op.getIndices(), i);
        if (!at) return R();
        int64_t index = *at < 0 ? *at + x.getNumElements() : *at;
        return index >= 0 && index < x.getNumElements() ? element(op.getX(), index) : R();
      })
      .Case([&](SliceOp op) -> R {
        RankedTensorType x = tensorType(op.getX());
        if (x.getRank() != 1 || !x.hasStaticShape()) return R();
        std::optional<int64_t> start = constantElement(op.getStarts(), 0);
        std::optional<int64_t> step = constantElement(op.getSteps(), 0);
        if (!start || !step) return R();
        int64_t n = x.getNumElements(), first = *start < 0 ? *start + n : *start;
        first = std::clamp<int64_t>(first, 0, *step < 0 ? n - 1 : n);
        int64_t at = first + i * *step;
        return at >= 0 && at < n ? element(op.getX(), at) : R();
      })
      .Case([&](ReduceOp op) -> R {
        RankedTensorType x = tensorType(op.getX());
        if (x.getRank() != 1 || !x.hasStaticShape() || op.getAxes().empty()) return R();
        SmallVector<AffineExpr> all;
        for (int64_t e = 0; e < x.getNumElements(); ++e) all.push_back(element(op.getX(), e));
        if (op.getKind() == ReduceKind::Prod) return product(all);
        if (op.getKind() != ReduceKind::Sum) return R();
        AffineExpr sum = constant(0);
        for (AffineExpr e : all) sum = sum + e;
        return sum;
      })
      .Case([&](ElementwiseOp op) -> R { return elementwiseElement(op, i); })
      .Case([&](FusionOp op) -> R {
        auto yield = cast<YieldOp>(op.getBody().front().getTerminator());
        return element(yield.getValues()[cast<OpResult>(v).getResultNumber()], i);
      })
      .Default([](Operation *) { return R(); });
}

}  // namespace adze::graph
