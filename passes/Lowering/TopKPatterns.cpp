// topk: by insertion, element by element; or by ranks, where many threads share the work.
#include "passes/Lowering/Indices.h"

using namespace mlir;

namespace adze::lowering {

namespace {

/// Whether l has to come before r, both stored; NaN is the largest number.
Value comesFirst(OpBuilder &b, Location loc, Value l, Value r, Type element, bool largest) {
  if (!isa<FloatType>(l.getType())) {
    auto integer = cast<IntegerType>(element);
    bool isUnsigned = integer.isUnsigned() || integer.getWidth() == 1;
    if (largest) std::swap(l, r);
    auto less = isUnsigned ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt;
    return arith::CmpIOp::create(b, loc, less, l, r);
  }
  // True of a NaN beside a number, then not where it is on the wrong side.
  auto order = largest ? arith::CmpFPredicate::UGT : arith::CmpFPredicate::ULT;
  Value unlike = arith::CmpFOp::create(b, loc, order, l, r), last = largest ? r : l;
  Value isNumber = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, last, last);
  return arith::AndIOp::create(b, loc, unlike, isNumber);
}

/// adze.topk -> for each row, insertion of its elements into the sorted k best.
struct LowerTopK : Lower<graph::TopKOp> {
  using Lower::Lower;

  LogicalResult lower(graph::TopKOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents(0);
    if (failed(extents)) return e.unsupported("its result extents are not known");
    Type element = e.adzeElement(0), storage = storageType(element);
    int64_t axis = op.getAxis(), rank = extents->size();
    Value x = e.operand(0), k = e.m.value((*extents)[axis]), n = e.m.value(e.extent(0, axis));
    Value zero = e.index(0), one = e.index(1);
    auto better = [&](OpBuilder &b, Location loc, Value l, Value r) {
      return comesFirst(b, loc, l, r, element, op.getLargest());
    };
    Folds outer(*extents);
    outer.erase(outer.begin() + axis);
    SmallVector<Value> lows(rank - 1, zero), highs = e.m.values(outer), steps(rank - 1, one);
    auto place = [&](ValueRange row, Value i) {
      SmallVector<Value> at(row);
      at.insert(at.begin() + axis, i);
      return at;
    };
    // Moves the worse ones of the first j up by one and puts v in the gap.
    auto sink = [&](OpBuilder &b, Location loc, ValueRange row, Value v, Value i, Value j,
                    ValueRange lists) -> scf::ValueVector {
      auto loop = scf::WhileOp::create(
          b, loc, TypeRange{j.getType(), lists[0].getType(), lists[1].getType()},
          ValueRange{j, lists[0], lists[1]},
          [&](OpBuilder &nb, Location l, ValueRange s) {
            Value some = arith::CmpIOp::create(nb, l, arith::CmpIPredicate::sgt, s[0], zero);
            Value before = arith::MaxSIOp::create(nb, l, arith::SubIOp::create(nb, l, s[0], one), zero);
            Value worse = better(nb, l, v, extract(nb, l, s[1], place(row, before)));
            scf::ConditionOp::create(nb, l, arith::AndIOp::create(nb, l, some, worse), s);
          },
          [&](OpBuilder &nb, Location l, ValueRange s) {
            Value before = arith::SubIOp::create(nb, l, s[0], one);
            SmallVector<Value> from = place(row, before), to = place(row, s[0]);
            Value values = insert(nb, l, extract(nb, l, s[1], from), s[1], to);
            Value indices = insert(nb, l, extract(nb, l, s[2], from), s[2], to);
            scf::YieldOp::create(nb, l, ValueRange{before, values, indices});
          });
      SmallVector<Value> at = place(row, loop.getResult(0));
      return {insert(b, loc, v, loop.getResult(1), at),
              insert(b, loc, asI64(b, loc, i), loop.getResult(2), at)};
    };
    auto consider = [&](OpBuilder &b, Location loc, ValueRange row, Value i,
                        ValueRange lists) -> scf::ValueVector {
      Value v = extract(b, loc, x, place(row, i));
      // While the list is not full any element enters; then one that beats its last.
      Value open = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, i, k);
      Value last = arith::SubIOp::create(b, loc, k, one);
      Value beats = better(b, loc, v, extract(b, loc, lists[0], place(row, last)));
      Value enters = arith::OrIOp::create(b, loc, open, beats);
      Value j = arith::MinSIOp::create(b, loc, i, last);
      auto branch = scf::IfOp::create(
          b, loc, enters,
          [&](OpBuilder &nb, Location l) {
            scf::YieldOp::create(nb, l, sink(nb, l, row, v, i, j, lists));
          },
          [&](OpBuilder &nb, Location l) { scf::YieldOp::create(nb, l, lists); });
      return {branch.getResult(0), branch.getResult(1)};
    };
    // With k = 0 there is no list to look at.
    Value any = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::sgt, k, zero);
    Value count = arith::SelectOp::create(e.b, e.loc, any, n, zero);
    auto body = [&](OpBuilder &b, Location loc, ValueRange row, ValueRange lists) -> scf::ValueVector {
      auto loop = scf::ForOp::create(b, loc, zero, count, one, lists,
                                     [&](OpBuilder &nb, Location l, Value i, ValueRange s) {
                                       scf::YieldOp::create(nb, l, consider(nb, l, row, i, s));
                                     });
      return {loop.getResult(0), loop.getResult(1)};
    };
    SmallVector<Value> lists{e.empty(*extents, storage), e.empty(*extents, e.b.getI64Type())};
    if (rank == 1) {
      scf::ValueVector r = body(e.b, e.loc, {}, lists);
      return e.replace(ValueRange(r));
    }
    auto nest = scf::buildLoopNest(e.b, e.loc, lows, highs, steps, lists, body);
    return e.replace(ValueRange(nest.results));
  }
};

/// adze.topk -> the rank of every element among its row's, and for each of the k
/// places the element of that rank: n comparisons for each, all independent.
struct LowerTopKByRank : Lower<graph::TopKOp> {
  LowerTopKByRank(const TypeConverter &types, LoweringState &state) : Lower(types, state, /*benefit=*/2) {}

  LogicalResult lower(graph::TopKOp op, Emitter &e) const override {
    if (!e.getState().manyThreads) return e.unsupported("one thread sorts better by insertion");
    FailureOr<Folds> extents = e.resultExtents(0);
    if (failed(extents)) return e.unsupported("its result extents are not known");
    int64_t axis = op.getAxis(), rank = extents->size();
    Value ranks = ranksOf(op, e, axis, rank), places = placesOf(e, ranks, *extents, axis, rank), x = e.operand(0);
    Value values = e.map(places, e.identity(rank), *extents, storageType(e.adzeElement(0)),
                         [&](OpBuilder &b, Location loc, ValueRange a) {
                           SmallVector<Value> at;
                           for (int64_t d = 0; d < rank; ++d) at.push_back(linalg::IndexOp::create(b, loc, d));
                           at[axis] = toIndex(b, loc, a[0]);
                           return extract(b, loc, x, at);
                         });
    return e.replace(ValueRange{values, places});
  }

 private:
  /// Of element i of a row: how many come before it; of equals the first does. i32.
  static Value ranksOf(graph::TopKOp op, Emitter &e, int64_t axis, int64_t rank) {
    Type element = e.adzeElement(0), i32 = e.b.getI32Type();
    auto body = [&](OpBuilder &b, Location loc, ValueRange a) -> Value {
      Value i = linalg::IndexOp::create(b, loc, axis), j = linalg::IndexOp::create(b, loc, rank);
      Value before = comesFirst(b, loc, a[1], a[0], element, op.getLargest());
      Value behind = comesFirst(b, loc, a[0], a[1], element, op.getLargest());
      Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, j, i);
      Value isEqual = arith::SelectOp::create(b, loc, behind, intConstant(b, loc, b.getI1Type(), 0), isFirst);
      Value counts = arith::OrIOp::create(b, loc, before, isEqual);
      return arith::AddIOp::create(b, loc, a[2], arith::ExtUIOp::create(b, loc, i32, counts));
    };
    Folds space = e.extents(0);
    space.push_back(space[axis]);
    Value x = e.operand(0), zero = intConstant(e.b, e.loc, i32, 0);
    AffineMap own = AffineMap::getMultiDimIdentityMap(rank + 1, e.b.getContext()).dropResult(rank);
    return e.reduce({x, x}, {own, across(e, axis, rank)}, space, rank, zero, body);
  }

  /// The element whose rank is p, for each place p. i64.
  static Value placesOf(Emitter &e, Value ranks, ArrayRef<Fold> extents, int64_t axis, int64_t rank) {
    Type i32 = e.b.getI32Type(), i64 = e.b.getI64Type();
    auto body = [&](OpBuilder &b, Location loc, ValueRange a) -> Value {
      Value p = linalg::IndexOp::create(b, loc, axis), i = linalg::IndexOp::create(b, loc, rank);
      Value isIt = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, a[0],
                                         arith::IndexCastOp::create(b, loc, i32, p));
      Value add = arith::SelectOp::create(b, loc, isIt, asI64(b, loc, i), intConstant(b, loc, i64, 0));
      return arith::AddIOp::create(b, loc, a[1], add);
    };
    Folds space(extents);
    space.push_back(e.extent(0, axis));
    return e.reduce(ranks, across(e, axis, rank), space, rank, intConstant(e.b, e.loc, i64, 0), body);
  }

  /// The row of the place, at the last dimension of the space in place of the axis.
  static AffineMap across(Emitter &e, int64_t axis, int64_t rank) {
    SmallVector<AffineExpr> results;
    for (int64_t d = 0; d < rank; ++d) results.push_back(e.b.getAffineDimExpr(d == axis ? rank : d));
    return e.affineMap(rank + 1, results);
  }
};

}  // namespace

void populateTopKPatterns(const TypeConverter &types, LoweringState &state,
                          RewritePatternSet &patterns) {
  addPatterns<LowerTopK, LowerTopKByRank>(types, state, patterns);
}

}  // namespace adze::lowering
