// gather, gather_elements, gather_nd, one_hot, trilu, reverse_sequence.
#include "passes/Lowering/Indices.h"

using namespace mlir;

namespace adze::lowering {

Value toIndex(OpBuilder &b, Location loc, Value stored) {
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), stored);
}

Value wrapIndex(OpBuilder &b, Location loc, Value index, Value extent) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, index, zero);
  Value wrapped = arith::AddIOp::create(b, loc, index, extent);
  Value r = arith::SelectOp::create(b, loc, negative, wrapped, index);
  Value last = arith::SubIOp::create(b, loc, extent, one);
  r = arith::MinSIOp::create(b, loc, r, last);
  return arith::MaxSIOp::create(b, loc, r, zero);
}

/// True when every index is a constant that is in range.
static bool provenInRange(Emitter &e, unsigned operand, Fold extent) {
  std::optional<int64_t> n = getConstantIntValue(extent);
  std::optional<SmallVector<int64_t>> all = graph::constantInts(e.original(operand));
  return n && all && llvm::all_of(*all, [&](int64_t i) { return i >= -*n && i < *n; });
}

void checkIndices(Emitter &e, unsigned operand, Fold extent, StringRef message) {
  if (provenInRange(e, operand, extent)) return;
  Value n = e.m.value(extent), low = e.m.value(e.m.sub(e.m.constant(0), extent));
  Value yes = intConstant(e.b, e.loc, e.b.getI8Type(), 1);
  Folds extents = e.extents(operand);
  auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
    Value i = toIndex(b, loc, args[0]);
    Value least = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, i, low);
    Value most = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, i, n);
    Value ok = arith::ExtUIOp::create(b, loc, b.getI8Type(), arith::AndIOp::create(b, loc, least, most));
    return arith::AndIOp::create(b, loc, ok, args[1]);
  };
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, extents.size()));
  Value all = e.reduce(e.operand(operand), e.identity(extents.size()), extents, axes, yes, body);
  Value bit = tensor::ExtractOp::create(e.b, e.loc, all, ValueRange());
  e.check(loadScalar(e.b, e.loc, bit, e.b.getI1Type()), message);
}

namespace {

constexpr StringLiteral kOutOfRange = "an index is out of range";

/// adze.gather -> a generic over the result that reads x at the index.
struct LowerGather : Lower<graph::GatherOp> {
  using Lower::Lower;
  LogicalResult lower(graph::GatherOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extents are not known");
    int64_t axis = op.getAxis(), q = rankOf(op.getIndices()), rank = extents->size();
    Fold extent = e.extent(0, axis);
    checkIndices(e, 1, extent, kOutOfRange);
    Value x = e.operand(0), n = e.m.value(extent);
    SmallVector<AffineExpr> reads;
    for (int64_t d = 0; d < q; ++d) reads.push_back(e.b.getAffineDimExpr(axis + d));
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
      SmallVector<Value> at;
      for (int64_t d = 0; d < rank - q + 1; ++d) {
        if (d == axis)
          at.push_back(wrapIndex(b, loc, toIndex(b, loc, args[0]), n));
        else
          at.push_back(linalg::IndexOp::create(b, loc, d < axis ? d : d + q - 1));
      }
      return tensor::ExtractOp::create(b, loc, x, at);
    };
    return e.replace(e.map(e.operand(1), e.affineMap(rank, reads), *extents, elementOf(x), body));
  }
};

/// adze.gather_elements -> a generic over the indices.
struct LowerGatherElements : Lower<graph::GatherElementsOp> {
  using Lower::Lower;
  LogicalResult lower(graph::GatherElementsOp op, Emitter &e) const override {
    Folds extents = e.extents(1);
    e.setResultExtents(0, extents);
    int64_t axis = op.getAxis(), rank = extents.size();
    Fold extent = e.extent(0, axis);
    checkIndices(e, 1, extent, kOutOfRange);
    Value x = e.operand(0), n = e.m.value(extent);
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
      SmallVector<Value> at;
      for (int64_t d = 0; d < rank; ++d)
        at.push_back(d == axis ? wrapIndex(b, loc, toIndex(b, loc, args[0]), n)
                               : linalg::IndexOp::create(b, loc, d).getResult());
      return tensor::ExtractOp::create(b, loc, x, at);
    };
    return e.replace(e.map(e.operand(1), e.identity(rank), extents, elementOf(x), body));
  }
};

/// adze.gather_nd -> a generic that reads one index of each leading axis.
struct LowerGatherND : Lower<graph::GatherNDOp> {
  using Lower::Lower;
  LogicalResult lower(graph::GatherNDOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extents are not known");
    int64_t batch = op.getBatchDims(), q = rankOf(op.getIndices());
    std::optional<int64_t> depth = getConstantIntValue(e.extent(1, q - 1));
    if (!depth) return e.unsupported("the length of its index tuples is dynamic");
    Value x = e.operand(0), indices = e.operand(1);
    Folds from = e.extents(0);
    SmallVector<Value> sizes = e.m.values(from);
    checkTuples(e, 1, ArrayRef<Fold>(from).slice(batch, *depth), kOutOfRange);
    auto body = [&](OpBuilder &b, Location loc, ValueRange at) -> Value {
      SmallVector<Value> tuple(at.take_front(q - 1)), reads(at.take_front(batch));
      tuple.push_back({});
      for (int64_t k = 0; k < *depth; ++k) {
        tuple.back() = arith::ConstantIndexOp::create(b, loc, k);
        Value i = toIndex(b, loc, tensor::ExtractOp::create(b, loc, indices, tuple));
        reads.push_back(wrapIndex(b, loc, i, sizes[batch + k]));
      }
      llvm::append_range(reads, at.drop_front(q - 1));
      return tensor::ExtractOp::create(b, loc, x, reads);
    };
    return e.replace(e.fromIndices(*extents, elementOf(x), body));
  }
};

/// adze.one_hot -> a generic that compares the index along the new axis.
struct LowerOneHot : Lower<graph::OneHotOp> {
  using Lower::Lower;
  LogicalResult lower(graph::OneHotOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extents are not known");
    int64_t axis = op.getAxis(), rank = extents->size();
    Value off = e.element(2, 0), on = e.element(2, 1), depth = e.m.value((*extents)[axis]);
    Type indexElement = e.adzeElement(0);
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
      Value raw = emitCast(b, loc, args[0], indexElement, b.getI64Type());
      Value i = toIndex(b, loc, raw);
      Value zero = arith::ConstantIndexOp::create(b, loc, 0);
      Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, i, zero);
      i = arith::SelectOp::create(b, loc, negative, arith::AddIOp::create(b, loc, i, depth), i);
      Value at = linalg::IndexOp::create(b, loc, axis);
      Value hit = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, i, at);
      return arith::SelectOp::create(b, loc, hit, on, off);
    };
    return e.replace(e.map(e.operand(0), e.droppedMap(rank, axis), *extents, off.getType(), body));
  }
};

/// adze.trilu -> an elementwise generic that keeps one side of the diagonal.
struct LowerTrilu : Lower<graph::TriluOp> {
  using Lower::Lower;
  LogicalResult lower(graph::TriluOp op, Emitter &e) const override {
    Folds extents = e.extents(0);
    e.setResultExtents(0, extents);
    int64_t rank = extents.size();
    Value k = e.m.value(e.elementIndex(1, 0)), x = e.operand(0);
    bool upper = op.getUpper();
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
      Value row = linalg::IndexOp::create(b, loc, rank - 2);
      Value column = linalg::IndexOp::create(b, loc, rank - 1);
      Value diagonal = arith::AddIOp::create(b, loc, row, k);
      auto keep = upper ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sle;
      Value kept = arith::CmpIOp::create(b, loc, keep, column, diagonal);
      Value zero = scalarConstant(b, loc, args[0].getType(), 0);
      return arith::SelectOp::create(b, loc, kept, args[0], zero);
    };
    return e.replace(e.map(x, e.identity(rank), extents, elementOf(x), body));
  }
};

/// adze.reverse_sequence -> a generic that reads from the other end of the
/// first lens[b] steps.
struct LowerReverseSequence : Lower<graph::ReverseSequenceOp> {
  using Lower::Lower;
  LogicalResult lower(graph::ReverseSequenceOp op, Emitter &e) const override {
    Folds extents = e.extents(0);
    e.setResultExtents(0, extents);
    int64_t rank = extents.size(), time = op.getTimeAxis(), batch = op.getBatchAxis();
    Value x = e.operand(0), steps = e.m.value(extents[time]);
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
      Value length = arith::MinSIOp::create(b, loc, toIndex(b, loc, args[0]), steps);
      SmallVector<Value> at;
      for (int64_t d = 0; d < rank; ++d) at.push_back(linalg::IndexOp::create(b, loc, d));
      Value one = arith::ConstantIndexOp::create(b, loc, 1);
      Value mirrored = arith::SubIOp::create(
          b, loc, arith::SubIOp::create(b, loc, length, one), at[time]);
      Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, at[time], length);
      at[time] = arith::SelectOp::create(b, loc, inside, mirrored, at[time]);
      return tensor::ExtractOp::create(b, loc, x, at);
    };
    AffineMap read = e.affineMap(rank, {e.b.getAffineDimExpr(batch)});
    return e.replace(e.map(e.operand(1), read, extents, elementOf(x), body));
  }
};

}  // namespace

void checkTuples(Emitter &e, unsigned operand, ArrayRef<Fold> limits, StringRef message) {
  Folds extents = e.extents(operand);
  int64_t rank = extents.size();
  SmallVector<Value> sizes = e.m.values(limits);
  Value yes = intConstant(e.b, e.loc, e.b.getI8Type(), 1);
  auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
    Value component = linalg::IndexOp::create(b, loc, rank - 1);
    Value n = sizes.empty() ? arith::ConstantIndexOp::create(b, loc, 1).getResult() : sizes[0];
    for (size_t k = 1; k < sizes.size(); ++k) {
      Value is = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, component,
                                       arith::ConstantIndexOp::create(b, loc, k));
      n = arith::SelectOp::create(b, loc, is, sizes[k], n);
    }
    Value i = toIndex(b, loc, args[0]);
    Value wrapped = arith::AddIOp::create(b, loc, i, n);
    Value least = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, wrapped,
                                        arith::ConstantIndexOp::create(b, loc, 0));
    Value most = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, i, n);
    Value ok = arith::ExtUIOp::create(b, loc, b.getI8Type(), arith::AndIOp::create(b, loc, least, most));
    return arith::AndIOp::create(b, loc, ok, args[1]);
  };
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  Value all = e.reduce(e.operand(operand), e.identity(rank), extents, axes, yes, body);
  Value bit = tensor::ExtractOp::create(e.b, e.loc, all, ValueRange());
  e.check(loadScalar(e.b, e.loc, bit, e.b.getI1Type()), message);
}

void populateGatherPatterns(const TypeConverter &types, LoweringState &state,
                            RewritePatternSet &patterns) {
  addPatterns<LowerGather, LowerGatherElements, LowerGatherND, LowerOneHot, LowerTrilu,
              LowerReverseSequence>(types, state, patterns);
}

}  // namespace adze::lowering
