#include "passes/Lowering/Emitter.h"

#include "dialects/Rt/Rt.h"

using namespace mlir;

namespace adze::lowering {

Folds Emitter::extentsOf(Value v) {
  Folds result;
  RankedTensorType type = tensorType(v);
  for (int64_t i = 0; i < type.getRank(); ++i) {
    if (!type.isDynamicDim(i))
      result.push_back(m.constant(type.getDimSize(i)));
    else
      result.push_back(b.createOrFold<tensor::DimOp>(loc, v, index(i)));
  }
  return result;
}

Folds Emitter::extents(unsigned i) {
  auto it = state.extents.find(original(i));
  if (it != state.extents.end()) return it->second;
  Folds result = extentsOf(operand(i));
  for (auto [d, extent] : llvm::enumerate(result))
    if (std::optional<int64_t> c = exprs().constantDim(original(i), d)) extent = m.constant(*c);
  return result;
}

Fold Emitter::extent(unsigned i, unsigned dim) {
  auto it = state.extents.find(original(i));
  if (it != state.extents.end()) return it->second[dim];
  if (std::optional<int64_t> c = exprs().constantDim(original(i), dim)) return m.constant(*c);
  return b.createOrFold<tensor::DimOp>(loc, operand(i), index(dim));
}

Value Emitter::element(unsigned operandIndex, int64_t i) {
  Value v = operand(operandIndex);
  RankedTensorType type = tensorType(v);
  if (isa<IntegerType>(type.getElementType()))
    if (std::optional<int64_t> c = exprs().constantElement(original(operandIndex), i))
      return intConstant(b, loc, type.getElementType(), *c);
  if (auto list = v.getDefiningOp<tensor::FromElementsOp>()) return list.getElements()[i];
  SmallVector<Value> at(type.getRank());
  for (int64_t d = type.getRank() - 1, rest = i; d >= 0; --d) {
    int64_t n = type.getRank() == 1 ? i + 1 : type.getDimSize(d);
    at[d] = index(rest % n);
    rest /= n;
  }
  return b.createOrFold<tensor::ExtractOp>(loc, v, at);
}

Fold Emitter::elementIndex(unsigned operandIndex, int64_t i) {
  if (std::optional<int64_t> c = exprs().constantElement(original(operandIndex), i))
    return m.constant(*c);
  Value e = element(operandIndex, i);
  if (auto cast = e.getDefiningOp<arith::IndexCastOp>())
    if (cast.getIn().getType().isIndex()) return cast.getIn();
  return b.createOrFold<arith::IndexCastOp>(loc, b.getIndexType(), e);
}

FailureOr<Folds> Emitter::resultExtents(unsigned i) {
  auto it = state.extents.find(op->getResult(i));
  if (it != state.extents.end()) return it->second;
  graph::ShapeSource source;
  source.extent = [this](unsigned o, unsigned dim) { return extent(o, dim); };
  source.element = [this](unsigned o, int64_t e) { return elementIndex(o, e); };
  ReifiedRankedShapedTypeDims dims;
  if (failed(graph::reifyShapes(op, b, exprs(), source, dims))) return failure();
  for (auto [r, extents] : llvm::enumerate(dims)) setResultExtents(r, extents);
  return dims[i];
}

SmallVector<AffineExpr> Emitter::exprsOf(Value original) {
  SmallVector<AffineExpr> result;
  for (int64_t d = 0, r = rankOf(original); d < r; ++d) result.push_back(exprs().dim(original, d));
  return result;
}

Value Emitter::empty(ArrayRef<Fold> extents, Type storage) {
  return tensor::EmptyOp::create(b, loc, extents, storage);
}

Value Emitter::filled(ArrayRef<Fold> extents, Value scalar) {
  Value out = empty(extents, scalar.getType());
  return linalg::FillOp::create(b, loc, ValueRange{scalar}, ValueRange{out}).getResult(0);
}

Value Emitter::zeros(ArrayRef<Fold> extents, Type storage) {
  return filled(extents, scalarConstant(b, loc, storage, 0));
}

ValueRange Emitter::generics(ValueRange ins, ValueRange outs, ArrayRef<AffineMap> maps,
                             ArrayRef<utils::IteratorType> iterators, Bodies body) {
  auto build = [&](OpBuilder &nested, Location l, ValueRange args) {
    linalg::YieldOp::create(nested, l, body(nested, l, args));
  };
  return linalg::GenericOp::create(b, loc, TypeRange(outs), ins, outs, maps, iterators, build)
      .getResults();
}

Value Emitter::generic(ValueRange ins, Value out, ArrayRef<AffineMap> maps,
                       ArrayRef<utils::IteratorType> iterators, Body body) {
  return generics(ins, out, maps, iterators,
                  [&](OpBuilder &nested, Location l, ValueRange args) -> SmallVector<Value> {
                    return {body(nested, l, args)};
                  })[0];
}

Value Emitter::map(ValueRange ins, ArrayRef<AffineMap> inMaps, ArrayRef<Fold> extents,
                   Type storage, Body body) {
  SmallVector<AffineMap> maps(inMaps);
  maps.push_back(identity(extents.size()));
  return generic(ins, empty(extents, storage), maps, parallel(extents.size()), body);
}

Value Emitter::fromIndices(ArrayRef<Fold> extents, Type storage,
                           function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  return map({}, {}, extents, storage, [&](OpBuilder &nested, Location l, ValueRange) {
    SmallVector<Value> at;
    for (size_t d = 0; d < extents.size(); ++d)
      at.push_back(linalg::IndexOp::create(nested, l, d));
    return body(nested, l, at);
  });
}

/// A copy of `v` in which axes that are 1 at run time are repeated to
/// `extents`; an index past an axis reads its last element.
static Value broadcastCopy(Emitter &e, Value v, ArrayRef<Fold> extents) {
  Folds from = e.extentsOf(v);
  SmallVector<Value> last;
  for (Fold f : from) last.push_back(e.m.value(e.m.max(e.m.sub(f, e.m.constant(1)), e.m.constant(0))));
  return e.fromIndices(extents, elementOf(v), [&](OpBuilder &b, Location loc, ValueRange at) {
    SmallVector<Value> clamped;
    for (auto [i, l] : llvm::zip(at, last))
      clamped.push_back(arith::MinUIOp::create(b, loc, i, l));
    return Value(tensor::ExtractOp::create(b, loc, v, clamped));
  });
}

AffineMap Emitter::broadcastMap(unsigned i, Value &v, ArrayRef<Fold> target,
                                ArrayRef<AffineExpr> targetExprs) {
  int64_t rank = target.size(), own = rankOf(v);
  SmallVector<AffineExpr> results;
  Folds from = extents(i), copy;
  Value differs;
  for (int64_t j = 0; j < own; ++j) {
    int64_t d = rank - own + j;
    bool one = isConstantIntValue(from[j], 1), targetOne = isConstantIntValue(target[d], 1);
    AffineExpr expr = exprs().dim(original(i), j);
    bool same = expr == targetExprs[d] || from[j] == target[d];
    results.push_back(one && !targetOne ? b.getAffineConstantExpr(0) : b.getAffineDimExpr(d));
    copy.push_back(one ? from[j] : target[d]);
    if (one || same) continue;
    if (exprs().isCutFrom(expr, targetExprs[d])) {
      checkEqual(from[j], target[d], "shapes do not broadcast");
      continue;
    }
    Value l = m.value(from[j]), r = m.value(target[d]);
    Value ne = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::ne, l, r);
    Value isOne = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, l, index(1));
    Value equal = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, l, r);
    check(b.createOrFold<arith::OrIOp>(loc, isOne, equal), "shapes do not broadcast");
    differs = differs ? b.createOrFold<arith::OrIOp>(loc, differs, ne) : ne;
  }
  if (differs) {
    Type type = empty(copy, elementOf(v)).getType();
    Value source = v;
    v = scf::IfOp::create(
            b, loc, differs,
            [&](OpBuilder &, Location) {
              Value copied = cast(broadcastCopy(*this, source, copy), type);
              scf::YieldOp::create(b, loc, copied);
            },
            [&](OpBuilder &, Location) { scf::YieldOp::create(b, loc, cast(source, type)); })
            .getResult(0);
  }
  return affineMap(rank, results);
}

//===-- Changes of shape --------------------------------------------------===//

static int64_t staticExtent(Fold f) {
  return getConstantIntValue(f).value_or(ShapedType::kDynamic);
}

static RankedTensorType typeOf(ArrayRef<Fold> extents, Type element) {
  SmallVector<int64_t> shape = llvm::map_to_vector(extents, staticExtent);
  return RankedTensorType::get(shape, element);
}

Value Emitter::cast(Value v, Type type) {
  return v.getType() == type ? v : tensor::CastOp::create(b, loc, type, v).getResult();
}

Value Emitter::collapse(Value v, ArrayRef<ReassociationIndices> groups) {
  return tensor::CollapseShapeOp::create(b, loc, v, groups);
}

Value Emitter::expand(Value v, ArrayRef<ReassociationIndices> groups, ArrayRef<Fold> extents) {
  RankedTensorType to = typeOf(extents, elementOf(v));
  // A collapsed extent is static exactly if all it expands to are.
  SmallVector<int64_t> shape;
  for (const ReassociationIndices &group : groups) {
    int64_t product = 1;
    for (int64_t d : group) {
      bool dynamic = ShapedType::isDynamic(product) || to.isDynamicDim(d);
      product = dynamic ? ShapedType::kDynamic : product * to.getDimSize(d);
    }
    shape.push_back(product);
  }
  v = cast(v, RankedTensorType::get(shape, elementOf(v)));
  return tensor::ExpandShapeOp::create(b, loc, to, v, groups, SmallVector<Fold>(extents));
}

namespace {
struct Group {
  int64_t fromEnd, intoEnd;
};
}  // namespace

/// The smallest next group of extents with equal products; everything that is
/// left where none is found.
static Group nextGroup(graph::DimExprs &exprs, ArrayRef<AffineExpr> from,
                       ArrayRef<AffineExpr> into, int64_t i, int64_t j) {
  int64_t n = from.size(), k = into.size();
  for (int64_t total = 2; total <= (n - i) + (k - j); ++total)
    for (int64_t l = 1; l < total && l <= n - i; ++l) {
      int64_t r = total - l;
      if (r > k - j) continue;
      if (exprs.product(from.slice(i, l)) == exprs.product(into.slice(j, r))) return {i + l, j + r};
    }
  return {n, k};
}

static ReassociationIndices range(int64_t begin, int64_t end) {
  return llvm::to_vector<2>(llvm::seq<int64_t>(begin, end));
}

Value Emitter::reshape(Value v, ArrayRef<AffineExpr> from, ArrayRef<Fold> to,
                       ArrayRef<AffineExpr> into) {
  int64_t n = from.size(), k = to.size();
  if (n == 0 && k == 0) return v;
  Type element = elementOf(v);
  if (n == 0 || k == 0) {
    if (n) v = cast(v, RankedTensorType::get(SmallVector<int64_t>(n, 1), element));
    if (n) return collapse(v, {});
    return expand(v, {}, Folds(k, m.constant(1)));
  }
  SmallVector<ReassociationIndices> collapsed, expanded;
  for (int64_t i = 0, j = 0; i < n || j < k;) {
    if (i == n || j == k) {  // unit extents at the end join the last group
      llvm::append_range(collapsed.back(), llvm::seq<int64_t>(i, n));
      llvm::append_range(expanded.back(), llvm::seq<int64_t>(j, k));
      break;
    }
    Group g = nextGroup(exprs(), from, into, i, j);
    collapsed.push_back(range(i, g.fromEnd));
    expanded.push_back(range(j, g.intoEnd));
    i = g.fromEnd, j = g.intoEnd;
  }
  if (int64_t(collapsed.size()) != n) v = collapse(v, collapsed);
  if (int64_t(expanded.size()) != k) return expand(v, expanded, to);
  RankedTensorType type = typeOf(to, element);
  return cast(v, type);
}

Value Emitter::insertUnitDims(Value v, ArrayRef<int64_t> axes) {
  if (axes.empty()) return v;
  Folds own = extentsOf(v), to;
  int64_t rank = own.size() + axes.size();
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices leading;
  size_t next = 0;
  for (int64_t d = 0; d < rank; ++d) {
    bool unit = llvm::is_contained(axes, d);
    to.push_back(unit ? Fold(m.constant(1)) : own[next]);
    if (!unit) {
      ++next;
      groups.push_back(leading);
      leading.clear();
    }
    if (groups.empty())
      leading.push_back(d);
    else
      groups.back().push_back(d);
  }
  return expand(v, groups, to);
}

//===-- Padding, reductions -------------------------------------------------===//

Value Emitter::pad(Value v, ArrayRef<Fold> low, ArrayRef<Fold> high, Value scalar) {
  Folds offsets, sizes, result, from = extentsOf(v), lows(low), highs(high);
  bool crops = false, pads = false, nothingLeft = false;
  auto cropOf = [&](Fold f) {
    std::optional<int64_t> c = getConstantIntValue(f);
    return c && *c < 0 ? -*c : 0;
  };
  for (size_t i = 0; i < lows.size(); ++i) {
    int64_t before = cropOf(low[i]), after = cropOf(high[i]);
    crops |= before || after;
    if (before) lows[i] = m.constant(0);
    if (after) highs[i] = m.constant(0);
    Fold offset = m.min(m.constant(before), from[i]), left = m.sub(from[i], offset);
    Fold cut = m.min(m.constant(after), left);
    // What is cropped beyond the other end comes off the padding there.
    if (before) highs[i] = m.sub(highs[i], m.sub(m.constant(before), offset));
    if (after) lows[i] = m.sub(lows[i], m.sub(m.constant(after), cut));
    sizes.push_back(m.sub(left, cut));
    offsets.push_back(offset);
    result.push_back(m.add(sizes.back(), m.add(lows[i], highs[i])));
    nothingLeft |= isConstantIntValue(sizes.back(), 0);
    pads |= !isConstantIntValue(lows[i], 0) || !isConstantIntValue(highs[i], 0);
  }
  // MLIR has no slice of nothing at the very end.
  if (nothingLeft) return filled(result, scalar);
  if (crops) {
    Folds strides(lows.size(), m.constant(1));
    v = tensor::ExtractSliceOp::create(b, loc, v, offsets, sizes, strides);
  }
  if (!pads) return v;
  return tensor::PadOp::create(b, loc, Type(), v, lows, highs, scalar);
}

AffineMap Emitter::droppedMap(int64_t rank, ArrayRef<int64_t> axes) {
  SmallVector<AffineExpr> kept;
  for (int64_t d = 0; d < rank; ++d)
    if (!llvm::is_contained(axes, d)) kept.push_back(b.getAffineDimExpr(d));
  return affineMap(rank, kept);
}

Value Emitter::reduce(ValueRange ins, ArrayRef<AffineMap> maps, ArrayRef<Fold> extents,
                      ArrayRef<int64_t> axes, Value init, Body combine) {
  int64_t rank = extents.size();
  SmallVector<utils::IteratorType> iterators = parallel(rank);
  for (int64_t a : axes) iterators[a] = utils::IteratorType::reduction;
  Folds kept;
  for (int64_t d = 0; d < rank; ++d)
    if (!llvm::is_contained(axes, d)) kept.push_back(extents[d]);
  SmallVector<AffineMap> all(maps);
  all.push_back(droppedMap(rank, axes));
  return generic(ins, filled(kept, init), all, iterators, combine);
}

//===-- Run-time checks, replacement ----------------------------------------===//

void Emitter::check(Value condition, StringRef message) {
  if (matchPattern(condition, m_One())) return;
  rt::CheckOp::create(b, loc, condition, message);
}

void Emitter::checkEqual(Fold l, Fold r, StringRef message) {
  if (l == r) return;
  std::optional<int64_t> a = getConstantIntValue(l), c = getConstantIntValue(r);
  if (a && c && *a == *c) return;
  check(b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, m.value(l), m.value(r)),
        message);
}

std::optional<TypedAttr> Emitter::splat(unsigned i) {
  auto constant = original(i).getDefiningOp<graph::ConstantOp>();
  if (!constant) return std::nullopt;
  auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
  if (!dense || dense.empty()) return std::nullopt;
  if (!dense.isSplat() && dense.getNumElements() != 1) return std::nullopt;
  Type compute = computeType(adzeElement(i));
  if (isa<FloatType>(compute)) {
    if (!isa<FloatType>(adzeElement(i))) return std::nullopt;
    APFloat v = *dense.getValues<APFloat>().begin();
    bool lost = false;
    v.convert(llvm::cast<FloatType>(compute).getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
    return TypedAttr(FloatAttr::get(compute, v));
  }
  auto own = dyn_cast<IntegerType>(adzeElement(i));
  if (!own) return std::nullopt;
  APInt v = *dense.getValues<APInt>().begin();
  unsigned width = compute.getIntOrFloatBitWidth();
  return TypedAttr(IntegerAttr::get(compute, own.isUnsigned() ? v.zextOrTrunc(width)
                                                              : v.sextOrTrunc(width)));
}

LogicalResult Emitter::replace(ValueRange values) {
  SmallVector<Value> results;
  for (auto [v, result] : llvm::zip(values, op->getResults())) {
    auto type = types.convertType<RankedTensorType>(result.getType());
    if (!type) return unsupported("its result type has no storage type");
    results.push_back(cast(v, type));
  }
  b.replaceOp(op, results);
  return success();
}

}  // namespace adze::lowering
