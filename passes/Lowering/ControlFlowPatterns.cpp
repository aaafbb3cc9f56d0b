// if, loop, fusion and the yields inside them.
#include "passes/Lowering/Emitter.h"

using namespace mlir;

namespace adze::lowering {

namespace {

constexpr StringLiteral kCarried = "adze.carried";
constexpr int64_t kFirstRows = 8;  ///< of a scan output, before it grows

SmallVector<Type> convertedTypes(Emitter &e, TypeRange types) {
  SmallVector<Type> r;
  for (Type t : types) r.push_back(e.getTypes().convertType(t));
  return r;
}

/// adze.if -> scf.if around the same regions.
struct LowerIf : Lower<graph::IfOp> {
  using Lower::Lower;
  LogicalResult lower(graph::IfOp op, Emitter &e) const override {
    Value cond = loadScalar(e.b, e.loc, e.element(0, 0), e.b.getI1Type());
    auto ifOp = scf::IfOp::create(e.b, e.loc, convertedTypes(e, op.getResultTypes()), cond,
                                  /*addThenBlock=*/false, /*addElseBlock=*/false);
    e.b.inlineRegionBefore(op.getThenRegion(), ifOp.getThenRegion(), ifOp.getThenRegion().end());
    e.b.inlineRegionBefore(op.getElseRegion(), ifOp.getElseRegion(), ifOp.getElseRegion().end());
    e.b.replaceOp(op, ifOp.getResults());
    return success();
  }
};

/// adze.loop -> scf.while that carries the iteration, the condition, the
/// carried values and, for each scan output, a buffer whose first rows are those
/// so far. It doubles when it is full.
struct LowerLoop : Lower<graph::LoopOp> {
  using Lower::Lower;

  static Value noRows(Emitter &e, Type type) {
    auto stacked = cast<RankedTensorType>(type);
    Folds extents;
    for (int64_t n : stacked.getShape())
      extents.push_back(e.m.constant(ShapedType::isDynamic(n) || extents.empty() ? 0 : n));
    return e.cast(e.empty(extents, stacked.getElementType()), rowsType(stacked));
  }
  static Type rowsType(RankedTensorType t) {
    SmallVector<int64_t> shape(t.getShape());
    shape[0] = ShapedType::kDynamic;
    return t.clone(shape);
  }

  static Value firstRows(Emitter &e, Value rows, Value count) {
    Folds sizes = e.extentsOf(rows), zeros(sizes.size(), e.m.constant(0)),
          ones(sizes.size(), e.m.constant(1));
    sizes[0] = count;
    return tensor::ExtractSliceOp::create(e.b, e.loc, rows, zeros, sizes, ones);
  }

  LogicalResult lower(graph::LoopOp op, Emitter &e) const override {
    OpBuilder::InsertionGuard guard(e.b);
    int64_t carried = op.getNumCarried();
    SmallVector<Type> results = convertedTypes(e, op.getResultTypes());
    SmallVector<Type> types{e.b.getIndexType(), e.b.getI1Type()};
    SmallVector<Value> inits{e.index(0), loadScalar(e.b, e.loc, e.element(1, 0), e.b.getI1Type())};
    Value limit = e.m.value(e.elementIndex(0, 0));
    for (auto [i, type] : llvm::enumerate(results)) {
      bool scan = int64_t(i) >= carried;
      types.push_back(scan ? rowsType(cast<RankedTensorType>(type)) : type);
      inits.push_back(scan ? noRows(e, type) : e.cast(e.operand(2 + i), type));
    }
    FailureOr<Block *> body = e.b.convertRegionTypes(&op.getBody(), e.getTypes());
    if (failed(body)) return e.unsupported("its body's arguments have no storage types");
    auto loop = scf::WhileOp::create(e.b, e.loc, types, inits);
    loop->setAttr(kCarried, e.b.getI64IntegerAttr(carried));
    SmallVector<Location> locs(types.size(), e.loc);
    Block *before = e.b.createBlock(&loop.getBefore(), {}, types, locs);
    Value more = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::slt, before->getArgument(0), limit);
    more = arith::AndIOp::create(e.b, e.loc, more, before->getArgument(1));
    scf::ConditionOp::create(e.b, e.loc, more, before->getArguments());
    Block *after = e.b.createBlock(&loop.getAfter(), {}, types, locs);
    Value i = arith::IndexCastOp::create(e.b, e.loc, e.b.getI64Type(), after->getArgument(0));
    Value cond = arith::ExtUIOp::create(e.b, e.loc, e.b.getI8Type(), after->getArgument(1));
    SmallVector<Value> args;
    for (Value scalar : {i, cond})
      args.push_back(tensor::FromElementsOp::create(
          e.b, e.loc, RankedTensorType::get({}, scalar.getType()), scalar));
    for (int64_t k = 0; k < carried; ++k)
      args.push_back(e.cast(after->getArgument(2 + k), (*body)->getArgument(2 + k).getType()));
    e.b.inlineBlockBefore(*body, after, after->end(), args);
    e.b.setInsertionPointAfter(loop);
    SmallVector<Value> outs;
    for (auto [k, type] : llvm::enumerate(results)) {
      Value v = loop.getResult(2 + k);
      if (int64_t(k) >= carried) v = firstRows(e, v, loop.getResult(0));
      outs.push_back(e.cast(v, type));
    }
    e.b.replaceOp(op, outs);
    return success();
  }
};

/// adze.yield -> scf.yield; in a loop also appends the scan outputs' rows.
struct LowerYield : Lower<graph::YieldOp> {
  using Lower::Lower;

  /// `rows`, of which `count` are in use, with `element` after them.
  static Value append(Emitter &e, Value rows, Value count, Value element) {
    auto type = tensorType(rows);
    Folds sizes{e.m.constant(1)}, room = e.extentsOf(rows);
    llvm::append_range(sizes, e.extentsOf(element));
    for (auto [had, now] : llvm::zip(ArrayRef<Fold>(room).drop_front(), ArrayRef<Fold>(sizes).drop_front()))
      e.checkEqual(e.m.selectEqual(count, e.m.constant(0), now, had), now,
                   "loop: a scan output changes its extents");
    Value full = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, count, e.m.value(room[0]));
    Folds zero(sizes.size(), e.m.constant(0)), ones(sizes.size(), e.m.constant(1)), at(zero);
    at[0] = count;
    auto larger = [&](OpBuilder &, Location) {
      Folds had(sizes), all(sizes);
      had[0] = count;
      all[0] = e.m.max(e.m.mul(count, e.m.constant(2)), e.m.constant(kFirstRows));
      Value source = e.cast(rows, e.empty(had, type.getElementType()).getType());
      Value grown = tensor::InsertSliceOp::create(e.b, e.loc, source,
                                                  e.empty(all, type.getElementType()), zero, had, ones);
      scf::YieldOp::create(e.b, e.loc, e.cast(grown, type));
    };
    auto same = [&](OpBuilder &, Location) { scf::YieldOp::create(e.b, e.loc, rows); };
    Value enough = scf::IfOp::create(e.b, e.loc, full, larger, same).getResult(0);
    return e.cast(tensor::InsertSliceOp::create(e.b, e.loc, element, enough, at, sizes, ones), type);
  }

  LogicalResult lower(graph::YieldOp op, Emitter &e) const override {
    Operation *parent = op->getParentOp();
    SmallVector<Value> values;
    if (auto loop = dyn_cast<scf::WhileOp>(parent)) {
      auto carried = loop->getAttrOfType<IntegerAttr>(kCarried);
      if (!carried) return e.unsupported("its loop is not one of ours");
      Block *block = op->getBlock();
      values.push_back(arith::AddIOp::create(e.b, e.loc, block->getArgument(0), e.index(1)));
      values.push_back(loadScalar(e.b, e.loc, e.element(0, 0), e.b.getI1Type()));
      for (unsigned i = 1; i < op->getNumOperands(); ++i) {
        Value state = block->getArgument(1 + i);
        bool scan = int64_t(i) > carried.getInt();
        values.push_back(scan ? append(e, state, block->getArgument(0), e.operand(i))
                              : e.cast(e.operand(i), state.getType()));
      }
    } else if (auto ifOp = dyn_cast<scf::IfOp>(parent)) {
      for (auto [i, type] : llvm::enumerate(ifOp.getResultTypes()))
        values.push_back(e.cast(e.operand(i), type));
    } else {
      return e.unsupported("its parent is not lowered");
    }
    e.b.replaceOpWithNewOp<scf::YieldOp>(op, values);
    return success();
  }
};

/// adze.fusion -> its body in place.
struct LowerFusion : Lower<graph::FusionOp> {
  using Lower::Lower;
  LogicalResult lower(graph::FusionOp op, Emitter &e) const override {
    FailureOr<Block *> body = e.b.convertRegionTypes(&op.getBody(), e.getTypes());
    if (failed(body)) return e.unsupported("its body's arguments have no storage types");
    auto yield = cast<graph::YieldOp>((*body)->getTerminator());
    SmallVector<Value> inputs;
    for (unsigned i = 0; i < op->getNumOperands(); ++i) inputs.push_back(e.operand(i));
    e.b.inlineBlockBefore(*body, op, inputs);
    SmallVector<Value> values(yield.getValues());
    e.b.eraseOp(yield);
    e.b.replaceOp(op, values);
    return success();
  }
};

}  // namespace

void populateControlFlowPatterns(const TypeConverter &types, LoweringState &state,
                                 RewritePatternSet &patterns) {
  addPatterns<LowerIf, LowerLoop, LowerYield, LowerFusion>(types, state, patterns);
}

}  // namespace adze::lowering
