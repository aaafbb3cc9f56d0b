// nonzero, unique, nms: loops over scalars, in order.
#include "passes/Lowering/Indices.h"

using namespace mlir;

namespace adze::lowering {

namespace {

bool isUnsignedElement(Type t) {
  auto i = dyn_cast<IntegerType>(t);
  return i && (i.isUnsigned() || i.getWidth() == 1);
}

/// l < r for stored scalars of an element type.
Value lessThan(OpBuilder &b, Location loc, Value l, Value r, Type element) {
  if (isa<FloatType>(l.getType()))
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, l, r);
  auto p = isUnsignedElement(element) ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt;
  return arith::CmpIOp::create(b, loc, p, l, r);
}

/// adze.nonzero -> a count, and a loop that writes the indices.
struct LowerNonZero : Lower<graph::NonZeroOp> {
  using Lower::Lower;
  LogicalResult lower(graph::NonZeroOp op, Emitter &e) const override {
    Folds extents = e.extents(0);
    int64_t rank = extents.size();
    if (rank == 0) return e.unsupported("it is of a scalar");
    Value x = e.operand(0);
    auto isSet = [](OpBuilder &b, Location loc, Value v) -> Value {
      Value zero = scalarConstant(b, loc, v.getType(), 0);
      if (isa<FloatType>(v.getType()))
        return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE, v, zero);
      return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, v, zero);
    };
    Type i64 = e.b.getI64Type();
    SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
    Value total = e.reduce(x, e.identity(rank), extents, axes, intConstant(e.b, e.loc, i64, 0),
                           [&](OpBuilder &b, Location loc, ValueRange a) -> Value {
                             Value one = arith::ExtUIOp::create(b, loc, i64, isSet(b, loc, a[0]));
                             return arith::AddIOp::create(b, loc, a[1], one);
                           });
    Value count = toIndex(e.b, e.loc, extract(e.b, e.loc, total, {}));
    Folds result{e.m.constant(rank), count};
    e.setResultExtents(0, result);
    SmallVector<Value> lows(rank, e.index(0)), highs = e.m.values(extents), steps(rank, e.index(1));
    Value one = e.index(1);
    auto body = [&](OpBuilder &b, Location loc, ValueRange at, ValueRange s) -> scf::ValueVector {
      auto branch = scf::IfOp::create(
          b, loc, isSet(b, loc, extract(b, loc, x, at)),
          [&](OpBuilder &nb, Location l) {
            Value out = s[1];
            for (int64_t d = 0; d < rank; ++d) {
              Value axis = arith::ConstantIndexOp::create(nb, l, d);
              out = insert(nb, l, asI64(nb, l, at[d]), out, {axis, s[0]});
            }
            Value next = arith::AddIOp::create(nb, l, s[0], one);
            scf::YieldOp::create(nb, l, ValueRange{next, out});
          },
          [&](OpBuilder &nb, Location l) { scf::YieldOp::create(nb, l, s); });
      return {branch.getResult(0), branch.getResult(1)};
    };
    auto nest = scf::buildLoopNest(e.b, e.loc, lows, highs, steps,
                                   ValueRange{e.index(0), e.empty(result, i64)}, body);
    return e.replace(nest.results[1]);
  }
};

/// adze.unique over the flattened x -> a sorted (or first-seen) list grown by
/// linear search.
struct LowerUnique : Lower<graph::UniqueOp> {
  using Lower::Lower;

  /// The first place of the list with a value not less than v (sorted) or equal
  /// to it, or the end.
  static Value find(OpBuilder &b, Location loc, Value list, Value count, Value v, Type element,
                    bool sorted, Value zero, Value one) {
    auto loop = scf::WhileOp::create(
        b, loc, TypeRange{b.getIndexType()}, ValueRange{zero},
        [&](OpBuilder &nb, Location l, ValueRange s) {
          Value inside = arith::CmpIOp::create(nb, l, arith::CmpIPredicate::slt, s[0], count);
          Value last = arith::MaxSIOp::create(nb, l, arith::SubIOp::create(nb, l, count, one), zero);
          Value at = arith::MinSIOp::create(nb, l, s[0], last);
          Value have = extract(nb, l, list, at);
          Value differs = sorted ? lessThan(nb, l, have, v, element) : notEqual(nb, l, have, v);
          scf::ConditionOp::create(nb, l, arith::AndIOp::create(nb, l, inside, differs), s);
        },
        [&](OpBuilder &nb, Location l, ValueRange s) {
          scf::YieldOp::create(nb, l, ValueRange(arith::AddIOp::create(nb, l, s[0], one).getResult()));
        });
    return loop.getResult(0);
  }
  static Value notEqual(OpBuilder &b, Location loc, Value l, Value r) {
    if (isa<FloatType>(l.getType()))
      return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE, l, r);
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, l, r);
  }

  LogicalResult lower(graph::UniqueOp op, Emitter &e) const override {
    int64_t rank = rankOf(op.getX());
    if (op.getAxis() && rank != 1) return e.unsupported("unique along an axis has no lowering");
    Type element = e.adzeElement(0), storage = storageType(element), i64 = e.b.getI64Type();
    Fold total = e.m.constant(1);
    for (Fold f : e.extents(0)) total = e.m.mul(total, f);
    Value x = e.operand(0), n = e.m.value(total), zero = e.index(0), one = e.index(1);
    if (rank != 1) {
      AffineExpr product = e.exprs().product(e.exprsOf(op.getX()));
      x = e.reshape(x, e.exprsOf(op.getX()), total, product);
    }
    bool sorted = op.getSorted();
    Value unit = intConstant(e.b, e.loc, i64, 1);
    // State: count, values, first indices, counts.
    auto grow = [&](OpBuilder &b, Location l, Value at, Value v, Value i, ValueRange s) {
      auto shift = scf::ForOp::create(
          b, l, at, s[0], one, s.drop_front(), [&](OpBuilder &nb, Location nl, Value j, ValueRange t) {
            // From the end down: count - 1, ..., at.
            Value up = arith::SubIOp::create(nb, nl, arith::AddIOp::create(nb, nl, s[0], at), j);
            Value down = arith::SubIOp::create(nb, nl, up, one);
            SmallVector<Value> moved;
            for (Value list : t) moved.push_back(insert(nb, nl, extract(nb, nl, list, down), list, up));
            scf::YieldOp::create(nb, nl, moved);
          });
      Value values = insert(b, l, v, shift.getResult(0), at);
      Value firsts = insert(b, l, asI64(b, l, i), shift.getResult(1), at);
      Value counts = insert(b, l, unit, shift.getResult(2), at);
      scf::YieldOp::create(b, l, ValueRange{arith::AddIOp::create(b, l, s[0], one), values, firsts, counts});
    };
    auto visit = [&](OpBuilder &b, Location loc, Value i, ValueRange s) {
      Value v = extract(b, loc, x, i);
      Value at = find(b, loc, s[1], s[0], v, element, sorted, zero, one);
      Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, at, s[0]);
      Value last = arith::MaxSIOp::create(b, loc, arith::SubIOp::create(b, loc, s[0], one), zero);
      Value place = arith::MinSIOp::create(b, loc, at, last);
      Value other = notEqual(b, loc, extract(b, loc, s[1], place), v);
      Value same = arith::SelectOp::create(b, loc, other, intConstant(b, loc, b.getI1Type(), 0), inside);
      auto branch = scf::IfOp::create(
          b, loc, same,
          [&](OpBuilder &nb, Location l) {
            Value more = arith::AddIOp::create(nb, l, extract(nb, l, s[3], at), unit);
            Value counts = insert(nb, l, more, s[3], at);
            scf::YieldOp::create(nb, l, ValueRange{s[0], s[1], s[2], counts});
          },
          [&](OpBuilder &nb, Location l) { grow(nb, l, at, v, i, s); });
      scf::YieldOp::create(b, loc, branch.getResults());
    };
    SmallVector<Value> inits{zero, e.empty(total, storage), e.empty(total, i64), e.empty(total, i64)};
    auto loop = scf::ForOp::create(e.b, e.loc, zero, n, one, inits, visit);
    Value count = loop.getResult(0);
    auto locate = [&](OpBuilder &b, Location loc, Value i, ValueRange s) {
      Value at = find(b, loc, loop.getResult(1), count, extract(b, loc, x, i), element, sorted, zero, one);
      scf::YieldOp::create(b, loc, insert(b, loc, asI64(b, loc, at), s[0], i));
    };
    auto inverse = scf::ForOp::create(e.b, e.loc, zero, n, one, ValueRange{e.empty(total, i64)}, locate);
    auto used = [&](Value list) -> Value {
      return tensor::ExtractSliceOp::create(e.b, e.loc, list, Folds{e.m.constant(0)}, Folds{count},
                                            Folds{e.m.constant(1)});
    };
    for (unsigned r : {0u, 1u, 3u}) e.setResultExtents(r, Folds{count});
    e.setResultExtents(2, Folds{total});
    return e.replace(ValueRange{used(loop.getResult(1)), used(loop.getResult(2)), inverse.getResult(0),
                                used(loop.getResult(3))});
  }
};

/// adze.nms -> for each batch and class: take the best box left, drop those
/// that overlap it, and so on.
struct LowerNms : Lower<graph::NmsOp> {
  using Lower::Lower;

  struct Box {
    Value y1, x1, y2, x2;
  };

  static Box readBox(OpBuilder &b, Location loc, Value boxes, Value batch, Value i, bool center) {
    SmallVector<Value> v;
    for (int64_t k = 0; k < 4; ++k) {
      Value column = arith::ConstantIndexOp::create(b, loc, k);
      v.push_back(extract(b, loc, boxes, {batch, i, column}));
    }
    auto add = [&](Value l, Value r) -> Value { return arith::AddFOp::create(b, loc, l, r); };
    auto sub = [&](Value l, Value r) -> Value { return arith::SubFOp::create(b, loc, l, r); };
    auto half = [&](Value x) -> Value {
      return arith::MulFOp::create(b, loc, x, scalarConstant(b, loc, x.getType(), 0.5));
    };
    auto low = [&](Value l, Value r) -> Value { return arith::MinimumFOp::create(b, loc, l, r); };
    auto high = [&](Value l, Value r) -> Value { return arith::MaximumFOp::create(b, loc, l, r); };
    if (center)  // x, y, width, height
      return {sub(v[1], half(v[3])), sub(v[0], half(v[2])), add(v[1], half(v[3])), add(v[0], half(v[2]))};
    return {low(v[0], v[2]), low(v[1], v[3]), high(v[0], v[2]), high(v[1], v[3])};
  }

  /// Whether two boxes' intersection over union is above the threshold.
  static Value overlaps(OpBuilder &b, Location loc, const Box &l, const Box &r, Value threshold) {
    Type type = l.y1.getType();
    Value zero = scalarConstant(b, loc, type, 0);
    auto sub = [&](Value p, Value q) -> Value { return arith::SubFOp::create(b, loc, p, q); };
    auto mul = [&](Value p, Value q) -> Value { return arith::MulFOp::create(b, loc, p, q); };
    auto length = [&](Value p1, Value p2, Value q1, Value q2) -> Value {
      Value begin = arith::MaximumFOp::create(b, loc, p1, q1);
      Value end = arith::MinimumFOp::create(b, loc, p2, q2);
      return arith::MaximumFOp::create(b, loc, sub(end, begin), zero);
    };
    auto area = [&](const Box &x) { return mul(sub(x.y2, x.y1), sub(x.x2, x.x1)); };
    Value both = mul(length(l.y1, l.y2, r.y1, r.y2), length(l.x1, l.x2, r.x1, r.x2));
    Value either = sub(arith::AddFOp::create(b, loc, area(l), area(r)), both);
    Value ratio = arith::DivFOp::create(b, loc, both, either);
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, ratio, threshold);
  }

  LogicalResult lower(graph::NmsOp op, Emitter &e) const override {
    Type real = e.adzeElement(0), i64 = e.b.getI64Type(), i8 = e.b.getI8Type();
    if (!real.isF32()) return e.unsupported("boxes are not f32");
    Fold batches = e.extent(1, 0), classes = e.extent(1, 1), boxCount = e.extent(1, 2);
    Fold limit = e.m.clamp(e.elementIndex(2, 0), e.m.constant(0), boxCount);
    Value boxes = e.operand(0), scores = e.operand(1), n = e.m.value(boxCount);
    Value iou = e.element(3, 0), minimum = e.element(4, 0);
    Value zero = e.index(0), one = e.index(1), two = e.index(2), most = e.m.value(limit);
    Fold capacity = e.m.mul(e.m.mul(batches, classes), limit);
    bool center = op.getCenterPointBox();
    Value yes = intConstant(e.b, e.loc, i8, 1), no = intConstant(e.b, e.loc, i8, 0);

    // The best box still alive: its index, or n, and its score.
    auto pick = [&](OpBuilder &b, Location loc, Value batch, Value cls, Value alive) {
      return scf::ForOp::create(b, loc, zero, n, one, ValueRange{n, minimum},
                                [&](OpBuilder &nb, Location l, Value i, ValueRange s) {
        Value score = extract(nb, l, scores, {batch, cls, i});
        Value live = arith::CmpIOp::create(nb, l, arith::CmpIPredicate::ne, extract(nb, l, alive, i), no);
        Value more = arith::CmpFOp::create(nb, l, arith::CmpFPredicate::OGT, score, s[1]);
        Value take = arith::AndIOp::create(nb, l, live, more);
        Value at = arith::SelectOp::create(nb, l, take, i, s[0]);
        Value best = arith::SelectOp::create(nb, l, take, score, s[1]);
        scf::YieldOp::create(nb, l, ValueRange{at, best});
      }).getResult(0);
    };
    auto drop = [&](OpBuilder &b, Location loc, Value batch, Value chosen, Value alive) -> Value {
      Box box = readBox(b, loc, boxes, batch, chosen, center);
      return scf::ForOp::create(b, loc, zero, n, one, ValueRange{alive},
                                [&](OpBuilder &nb, Location l, Value i, ValueRange s) {
        Value hit = overlaps(nb, l, box, readBox(nb, l, boxes, batch, i, center), iou);
        Value self = arith::CmpIOp::create(nb, l, arith::CmpIPredicate::eq, i, chosen);
        Value gone = arith::OrIOp::create(nb, l, hit, self);
        Value kept = arith::SelectOp::create(nb, l, gone, no, extract(nb, l, s[0], i));
        scf::YieldOp::create(nb, l, insert(nb, l, kept, s[0], i));
      }).getResult(0);
    };
    // State: rows written, rows, boxes alive, boxes taken here, last pick.
    auto perClass = [&](OpBuilder &b, Location loc, ValueRange at, ValueRange s) -> scf::ValueVector {
      Value alive = e.filled(boxCount, yes);
      Value first = pick(b, loc, at[0], at[1], alive);
      SmallVector<Value> inits{s[0], s[1], alive, zero, first};
      auto loop = scf::WhileOp::create(
          b, loc, TypeRange(ValueRange(inits)), inits,
          [&](OpBuilder &nb, Location l, ValueRange t) {
            Value found = arith::CmpIOp::create(nb, l, arith::CmpIPredicate::slt, t[4], n);
            Value room = arith::CmpIOp::create(nb, l, arith::CmpIPredicate::slt, t[3], most);
            scf::ConditionOp::create(nb, l, arith::AndIOp::create(nb, l, found, room), t);
          },
          [&](OpBuilder &nb, Location l, ValueRange t) {
            Value rows = insert(nb, l, asI64(nb, l, at[0]), t[1], {t[0], zero});
            rows = insert(nb, l, asI64(nb, l, at[1]), rows, {t[0], one});
            rows = insert(nb, l, asI64(nb, l, t[4]), rows, {t[0], two});
            Value left = drop(nb, l, at[0], t[4], t[2]);
            Value next = pick(nb, l, at[0], at[1], left);
            scf::YieldOp::create(nb, l, ValueRange{arith::AddIOp::create(nb, l, t[0], one), rows, left,
                                                   arith::AddIOp::create(nb, l, t[3], one), next});
          });
      return {loop.getResult(0), loop.getResult(1)};
    };
    Value rows = e.empty({capacity, e.m.constant(3)}, i64);
    auto nest = scf::buildLoopNest(e.b, e.loc, {zero, zero}, e.m.values({batches, classes}),
                                   {one, one}, ValueRange{zero, rows}, perClass);
    Fold count = nest.results[0];
    Folds sizes{count, e.m.constant(3)};
    e.setResultExtents(0, sizes);
    Value r = tensor::ExtractSliceOp::create(e.b, e.loc, nest.results[1],
                                             Folds{e.m.constant(0), e.m.constant(0)}, sizes,
                                             Folds{e.m.constant(1), e.m.constant(1)});
    return e.replace(r);
  }
};

}  // namespace

void populateSortPatterns(const TypeConverter &types, LoweringState &state,
                          RewritePatternSet &patterns) {
  addPatterns<LowerNonZero, LowerUnique, LowerNms>(types, state, patterns);
}

}  // namespace adze::lowering
