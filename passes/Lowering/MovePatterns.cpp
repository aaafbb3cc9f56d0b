// transpose, relayout, concat, slice, pad.
#include "passes/Lowering/Emitter.h"

using namespace mlir;

namespace adze::lowering {

namespace {

Value copyBody(OpBuilder &, Location, ValueRange args) { return args[0]; }

/// adze.transpose -> a generic that writes in order.
struct LowerTranspose : Lower<graph::TransposeOp> {
  using Lower::Lower;
  LogicalResult lower(graph::TransposeOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extents are not known");
    ArrayRef<int64_t> perm = op.getPerm();
    if (llvm::is_sorted(perm)) return e.replace(e.operand(0));
    SmallVector<AffineExpr> reads(perm.size());
    for (auto [i, p] : llvm::enumerate(perm)) reads[p] = e.b.getAffineDimExpr(i);
    return e.replace(e.map(e.operand(0), e.affineMap(perm.size(), reads), *extents,
                           elementOf(e.operand(0)), copyBody));
  }
};

/// adze.relayout to panels -> pad the columns, split them, transpose; and back.
struct LowerRelayout : Lower<graph::RelayoutOp> {
  using Lower::Lower;

  static Value transpose(Emitter &e, Value v, ArrayRef<int64_t> perm) {
    Folds from = e.extentsOf(v), to;
    SmallVector<AffineExpr> reads(perm.size());
    for (auto [i, p] : llvm::enumerate(perm)) {
      reads[p] = e.b.getAffineDimExpr(i);
      to.push_back(from[p]);
    }
    return e.map(v, e.affineMap(perm.size(), reads), to, elementOf(v), copyBody);
  }

  /// The groups of [d..., n] as [d..., panels, tile].
  static SmallVector<ReassociationIndices> splitLast(int64_t rank) {
    SmallVector<ReassociationIndices> groups;
    for (int64_t d = 0; d < rank; ++d) groups.push_back({d});
    groups.back().push_back(rank);
    return groups;
  }

  static Value toPanels(Emitter &e, Value v, graph::PanelsAttr panels, ArrayRef<int64_t> shape) {
    int64_t rank = shape.size(), tile = panels.getTile(), count = llvm::divideCeil(shape.back(), tile);
    Folds low(rank, e.m.constant(0)), high = low;
    high.back() = e.m.constant(count * tile - shape.back());
    v = e.pad(v, low, high, scalarConstant(e.b, e.loc, elementOf(v), 0));
    Folds extents = e.extentsOf(v);
    extents.back() = e.m.constant(count);
    extents.push_back(e.m.constant(tile));
    SmallVector<int64_t> perm{rank - 1};
    for (int64_t d = 0; d <= rank; ++d)
      if (d != rank - 1) perm.push_back(d);
    return transpose(e, e.expand(v, splitLast(rank), extents), perm);
  }

  static Value toRows(Emitter &e, Value v, ArrayRef<int64_t> shape) {
    int64_t rank = shape.size();
    SmallVector<int64_t> perm;
    for (int64_t d = 1; d < rank; ++d) perm.push_back(d);
    perm.push_back(0);
    perm.push_back(rank);
    v = e.collapse(transpose(e, v, perm), splitLast(rank));
    Folds low(rank, e.m.constant(0)), high = low;
    high.back() = e.m.constant(shape.back() - tensorType(v).getShape().back());
    return e.pad(v, low, high, scalarConstant(e.b, e.loc, elementOf(v), 0));
  }

  LogicalResult lower(graph::RelayoutOp op, Emitter &e) const override {
    ArrayRef<int64_t> shape = tensorType(op.getX()).getShape();
    Value v = e.operand(0);
    if (graph::layoutOf(op.getX().getType())) v = toRows(e, v, shape);
    if (graph::PanelsAttr panels = op.getLayoutAttr()) v = toPanels(e, v, panels, shape);
    return e.replace(v);
  }
};

/// adze.concat -> operands inserted into one tensor.
struct LowerConcat : Lower<graph::ConcatOp> {
  using Lower::Lower;
  LogicalResult lower(graph::ConcatOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extents are not known");
    if (op.getXs().size() == 1) return e.replace(e.operand(0));
    int64_t axis = op.getAxis(), rank = extents->size();
    Folds offsets(rank, e.m.constant(0)), strides(rank, e.m.constant(1));
    Value out = e.empty(*extents, elementOf(e.operand(0)));
    for (unsigned i = 0; i < op.getXs().size(); ++i) {
      Folds sizes = e.extents(i);
      for (int64_t d = 0; d < rank; ++d) {
        if (d == axis) continue;
        if (e.exprs().dim(op.getXs()[i], d) != e.exprs().dim(op.getResult(), d))
          e.checkEqual(sizes[d], (*extents)[d], "concat: extents beside the axis differ");
        sizes[d] = (*extents)[d];
      }
      // An empty part at the end would begin out of bounds.
      if (isConstantIntValue(sizes[axis], 0)) continue;
      Value source = e.cast(e.operand(i), e.empty(sizes, elementOf(out)).getType());
      out = tensor::InsertSliceOp::create(e.b, e.loc, source, out, offsets, sizes, strides);
      offsets[axis] = e.m.add(offsets[axis], sizes[axis]);
    }
    return e.replace(out);
  }
};

/// adze.slice -> tensor.extract_slice; steps that are or may be negative read
/// by computed index.
struct LowerSlice : Lower<graph::SliceOp> {
  using Lower::Lower;
  LogicalResult lower(graph::SliceOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extents are not known");
    Folds first, step;
    bool forward = true;
    for (int64_t i = 0, rank = extents->size(); i < rank; ++i) {
      auto bounds = graph::sliceBounds(e.b, e.loc, e.extent(0, i), e.elementIndex(1, i),
                                       e.elementIndex(2, i), e.elementIndex(3, i));
      first.push_back(bounds.first);
      step.push_back(bounds.step);
      std::optional<int64_t> known = getConstantIntValue(bounds.step);
      forward &= known && *known > 0;
    }
    if (e.exprsOf(op.getX()) == e.exprsOf(op.getResult()) && forward)
      return e.replace(e.operand(0));
    Value x = e.operand(0);
    // An empty slice may begin at the end, which no slice op allows.
    if (llvm::any_of(*extents, [](Fold f) { return isConstantIntValue(f, 0); }))
      return e.replace(e.empty(*extents, elementOf(x)));
    if (forward)
      return e.replace(tensor::ExtractSliceOp::create(e.b, e.loc, x, first, *extents, step));
    SmallVector<Value> begins = e.m.values(first), steps = e.m.values(step);
    auto body = [&](OpBuilder &b, Location loc, ValueRange at) -> Value {
      SmallVector<Value> from;
      for (auto [i, index] : llvm::enumerate(at)) {
        Value offset = arith::MulIOp::create(b, loc, index, steps[i]);
        from.push_back(arith::AddIOp::create(b, loc, begins[i], offset));
      }
      return tensor::ExtractOp::create(b, loc, x, from);
    };
    return e.replace(e.fromIndices(*extents, elementOf(x), body));
  }
};

/// adze.pad -> tensor.pad for constants; along one axis x and strips beside it;
/// else a generic that reads by computed index.
struct LowerPad : Lower<graph::PadOp> {
  using Lower::Lower;

  static bool isPlain(graph::PadOp op, Emitter &e, int64_t rank) {
    if (op.getMode() != graph::PadMode::Constant) return false;
    for (int64_t i = 0; i < 2 * rank; ++i) {
      AffineExpr p = e.exprs().element(op.getPads(), i);
      if (!isa<AffineConstantExpr>(p) && !e.exprs().nonNegative(p)) return false;
    }
    return true;
  }

  /// The index in x of padded index `i` (already shifted by the padding before).
  static Value source(OpBuilder &b, Location loc, graph::PadMode mode, Value i, Value extent) {
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    Value last = arith::SubIOp::create(b, loc, extent, one);
    auto remainder = [&](Value v, Value n) -> Value {  // in [0, n)
      n = arith::MaxSIOp::create(b, loc, n, one);
      Value r = arith::RemSIOp::create(b, loc, v, n);
      Value neg = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, r, zero);
      return arith::SelectOp::create(b, loc, neg, arith::AddIOp::create(b, loc, r, n), r);
    };
    if (mode == graph::PadMode::Wrap) return remainder(i, extent);
    if (mode == graph::PadMode::Reflect) {
      Value period = arith::AddIOp::create(b, loc, last, last);
      Value r = remainder(i, period);
      Value back = arith::SubIOp::create(b, loc, period, r);
      return arith::MinSIOp::create(b, loc, r, arith::MaxSIOp::create(b, loc, back, zero));
    }
    Value low = arith::MaxSIOp::create(b, loc, i, zero);
    return arith::MaxSIOp::create(b, loc, arith::MinSIOp::create(b, loc, low, last), zero);
  }

  /// The only axis that is padded, by known amounts; -1 for none, more, or crops.
  static int64_t onlyAxis(ArrayRef<Fold> low, ArrayRef<Fold> high) {
    int64_t axis = -1;
    for (size_t d = 0; d < low.size(); ++d) {
      std::optional<int64_t> before = getConstantIntValue(low[d]), after = getConstantIntValue(high[d]);
      if (!before || !after || *before < 0 || *after < 0) return -1;
      if (*before == 0 && *after == 0) continue;
      if (axis >= 0) return -1;
      axis = d;
    }
    return axis;
  }

  /// x as a block, and what stands beside it index by index.
  static Value alongAxis(graph::PadOp op, Emitter &e, Value x, int64_t axis, const Folds &extents,
                         const Folds &low, const Folds &high) {
    Folds offsets(extents.size(), e.m.constant(0)), strides(extents.size(), e.m.constant(1));
    Folds from = e.extents(0);
    Value out = e.empty(extents, elementOf(x)), extent = e.m.value(from[axis]);
    auto insert = [&](Value part, Fold offset, const Folds &sizes) {
      offsets[axis] = offset;
      part = e.cast(part, e.empty(sizes, elementOf(out)).getType());
      out = tensor::InsertSliceOp::create(e.b, e.loc, part, out, offsets, sizes, strides);
    };
    insert(x, low[axis], from);
    // The first index of each strip, counted from x's first.
    Fold starts[] = {e.m.sub(e.m.constant(0), low[axis]), from[axis]}, widths[] = {low[axis], high[axis]};
    for (unsigned side : {0, 1}) {
      if (isConstantIntValue(widths[side], 0)) continue;
      Folds sizes = from;
      sizes[axis] = widths[side];
      Value start = e.m.value(starts[side]);
      auto body = [&](OpBuilder &b, Location loc, ValueRange at) -> Value {
        SmallVector<Value> reads(at);
        Value shifted = arith::AddIOp::create(b, loc, at[axis], start);
        reads[axis] = source(b, loc, op.getMode(), shifted, extent);
        return tensor::ExtractOp::create(b, loc, x, reads);
      };
      insert(e.fromIndices(sizes, elementOf(x), body), e.m.add(low[axis], starts[side]), sizes);
    }
    return out;
  }

  LogicalResult lower(graph::PadOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extents are not known");
    int64_t rank = extents->size();
    Value x = e.operand(0), value = e.element(2, 0);
    Folds low, high, from = e.extents(0);
    for (int64_t i = 0; i < rank; ++i) {
      low.push_back(e.elementIndex(1, i));
      high.push_back(e.elementIndex(1, rank + i));
    }
    if (isPlain(op, e, rank)) return e.replace(e.pad(x, low, high, value));
    int64_t axis = onlyAxis(low, high);
    if (axis >= 0 && op.getMode() != graph::PadMode::Constant)
      return e.replace(alongAxis(op, e, x, axis, *extents, low, high));
    bool constant = op.getMode() == graph::PadMode::Constant;
    SmallVector<Value> begins = e.m.values(low), sizes = e.m.values(from);
    auto body = [&](OpBuilder &b, Location loc, ValueRange at) -> Value {
      SmallVector<Value> reads;
      Value inside;
      for (auto [i, index] : llvm::enumerate(at)) {
        Value shifted = arith::SubIOp::create(b, loc, index, begins[i]);
        reads.push_back(source(b, loc, op.getMode(), shifted, sizes[i]));
        Value in = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, shifted, sizes[i]);
        inside = inside ? Value(arith::AndIOp::create(b, loc, inside, in)) : in;
      }
      Value v = tensor::ExtractOp::create(b, loc, x, reads);
      return constant && inside ? Value(arith::SelectOp::create(b, loc, inside, v, value)) : v;
    };
    return e.replace(e.fromIndices(*extents, elementOf(x), body));
  }
};

}  // namespace

void populateMovePatterns(const TypeConverter &types, LoweringState &state,
                          RewritePatternSet &patterns) {
  addPatterns<LowerTranspose, LowerRelayout, LowerConcat, LowerSlice, LowerPad>(types, state, patterns);
}

}  // namespace adze::lowering
