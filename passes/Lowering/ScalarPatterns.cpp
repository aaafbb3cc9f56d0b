// Shape arithmetic: integer tensors of a few elements become scalars.
#include "passes/Lowering/Emitter.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace adze::lowering {

namespace {

constexpr int64_t kMaxElements = 16;       // of a result
constexpr int64_t kMaxSourceElements = 64; // of an operand

bool isShort(Value v, int64_t limit) {
  auto type = dyn_cast<RankedTensorType>(v.getType());
  return type && type.getRank() <= 1 && type.hasStaticShape() && type.getNumElements() <= limit;
}

/// A few floats computed from integers, as the scales of a resize are.
bool isShortFloat(Value v, int depth = 8) {
  if (!isShort(v, 8) || depth == 0) return false;
  Operation *op = v.getDefiningOp();
  if (!op || !isa<FloatType>(elementOf(v))) return false;
  if (auto cast = dyn_cast<graph::CastOp>(op))
    return isa<IntegerType>(elementOf(cast.getX())) || isShortFloat(cast.getX(), depth - 1);
  if (!isa<graph::ElementwiseOp, graph::ConcatOp, graph::GatherOp, graph::SliceOp,
           graph::ReshapeOp>(op))
    return false;
  bool any = false;
  for (Value operand : op->getOperands()) {
    if (!isShort(operand, 8)) return false;
    if (isa<FloatType>(elementOf(operand)) && !operand.getDefiningOp<graph::ConstantOp>()) {
      if (!isShortFloat(operand, depth - 1)) return false;
      any = true;
    }
  }
  return any;
}

/// The scalars of an op's one result, or nullopt if the op has no such form.
class Scalars {
 public:
  explicit Scalars(Emitter &e) : e(e), b(e.b), loc(e.loc) {}
  std::optional<SmallVector<Value>> emit(Operation *op);

 private:
  using List = std::optional<SmallVector<Value>>;
  int64_t count(unsigned operand) { return tensorType(e.original(operand)).getNumElements(); }
  SmallVector<Value> all(unsigned operand) {
    SmallVector<Value> r;
    for (int64_t i = 0; i < count(operand); ++i) r.push_back(e.element(operand, i));
    return r;
  }
  List shapeOf();
  List elementwise(graph::ElementwiseOp op);
  List gather(graph::GatherOp op);
  List slice(graph::SliceOp op);
  List reduce(graph::ReduceOp op);

  Emitter &e;
  OpBuilder &b;
  Location loc;
};

Scalars::List Scalars::shapeOf() {
  SmallVector<Value> r;
  for (Fold f : e.extents(0)) {
    std::optional<int64_t> c = getConstantIntValue(f);
    r.push_back(c ? intConstant(b, loc, b.getI64Type(), *c)
                  : b.createOrFold<arith::IndexCastOp>(loc, b.getI64Type(), cast<Value>(f)));
  }
  return r;
}

Scalars::List Scalars::elementwise(graph::ElementwiseOp op) {
  Type element = elementOf(op.getResult());
  SmallVector<Type> elements;
  for (Value v : op.getArgs()) elements.push_back(elementOf(v));
  SmallVector<Value> r;
  for (int64_t i = 0, n = tensorType(op.getResult()).getNumElements(); i < n; ++i) {
    SmallVector<Value> args;
    for (unsigned o = 0; o < elements.size(); ++o)
      args.push_back(loadScalar(b, loc, e.element(o, count(o) == 1 ? 0 : i), elements[o]));
    r.push_back(storeScalar(b, loc, emitFunction(b, loc, op.getFn(), args, elements), element));
  }
  return r;
}

Scalars::List Scalars::gather(graph::GatherOp op) {
  int64_t n = count(0);
  SmallVector<Value> r;
  for (int64_t i = 0; i < count(1); ++i) {
    Fold at = e.elementIndex(1, i);
    if (std::optional<int64_t> c = getConstantIntValue(at)) {
      int64_t index = *c < 0 ? *c + n : *c;
      if (index < 0 || index >= n) return std::nullopt;
      r.push_back(e.element(0, index));
      continue;
    }
    Fold index = e.m.selectNegative(at, e.m.add(at, e.m.constant(n)), at);
    Value v = e.m.value(index);
    e.check(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, v, e.index(n)),
            "gather: an index is out of range");
    Value safe = e.m.value(e.m.clamp(index, e.m.constant(0), e.m.constant(n - 1)));
    r.push_back(tensor::ExtractOp::create(b, loc, e.operand(0), safe));
  }
  return r;
}

Scalars::List Scalars::slice(graph::SliceOp op) {
  auto bounds = graph::sliceBounds(b, loc, e.m.constant(count(0)), e.elementIndex(1, 0),
                                   e.elementIndex(2, 0), e.elementIndex(3, 0));
  std::optional<int64_t> first = getConstantIntValue(bounds.first);
  std::optional<int64_t> step = getConstantIntValue(bounds.step);
  if (!first || !step) return std::nullopt;
  SmallVector<Value> r;
  for (int64_t i = 0, n = tensorType(op.getResult()).getNumElements(); i < n; ++i) {
    int64_t at = *first + i * *step;
    if (at < 0 || at >= count(0)) return std::nullopt;
    r.push_back(e.element(0, at));
  }
  return r;
}

Scalars::List Scalars::reduce(graph::ReduceOp op) {
  using graph::ElementwiseFn;
  if (op.getAxes().empty()) return all(0);
  ElementwiseFn fn;
  switch (op.getKind()) {
    case graph::ReduceKind::Sum: fn = ElementwiseFn::Add; break;
    case graph::ReduceKind::Prod: fn = ElementwiseFn::Mul; break;
    case graph::ReduceKind::Max: fn = ElementwiseFn::Max; break;
    case graph::ReduceKind::Min: fn = ElementwiseFn::Min; break;
    default: return std::nullopt;
  }
  Type element = e.adzeElement(0);
  if (element.isInteger(1) || count(0) == 0) return std::nullopt;
  Value r = e.element(0, 0);
  for (int64_t i = 1; i < count(0); ++i)
    r = emitFunction(b, loc, fn, {r, e.element(0, i)}, {element, element});
  return SmallVector<Value>{r};
}

Scalars::List Scalars::emit(Operation *op) {
  return TypeSwitch<Operation *, List>(op)
      .Case([&](graph::ShapeOfOp) { return shapeOf(); })
      .Case([&](graph::ElementwiseOp o) { return elementwise(o); })
      .Case([&](graph::CastOp o) -> List {
        SmallVector<Value> r;
        for (Value v : all(0)) {
          r.push_back(emitCast(b, loc, v, e.adzeElement(0), o.getTo()));
          if (!r.back()) return std::nullopt;
        }
        return r;
      })
      .Case([&](graph::GatherOp o) { return gather(o); })
      .Case([&](graph::ConcatOp o) -> List {
        SmallVector<Value> r;
        for (unsigned i = 0; i < o.getXs().size(); ++i) llvm::append_range(r, all(i));
        return r;
      })
      .Case([&](graph::SliceOp o) { return slice(o); })
      .Case<graph::ReshapeOp, graph::ExpandOp>([&](Operation *o) -> List {
        int64_t n = tensorType(o->getResult(0)).getNumElements();
        if (count(0) == n) return all(0);
        if (count(0) != 1) return std::nullopt;
        return SmallVector<Value>(n, e.element(0, 0));
      })
      .Case([&](graph::ReduceOp o) { return reduce(o); })
      .Default([](Operation *) -> List { return std::nullopt; });
}

/// An op on a few integers -> scalar ops and tensor.from_elements.
struct LowerToScalars : ConversionPattern {
  LowerToScalars(const TypeConverter &types, LoweringState &state)
      : ConversionPattern(types, MatchAnyOpTypeTag(), /*benefit=*/10, state.exprs.getContext()),
        state(state) {}

  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &b) const override {
    if (op->getNumResults() != 1 || !isa<graph::AdzeDialect>(op->getDialect()))
      return failure();
    Value result = op->getResult(0);
    if (!isShort(result, kMaxElements)) return failure();
    if (!isa<IntegerType>(elementOf(result)) && !isShortFloat(result)) return failure();
    if (!isa<graph::ShapeOfOp>(op))
      for (Value v : op->getOperands())
        if (!isShort(v, kMaxSourceElements)) return failure();
    Emitter e(b, op, operands, *getTypeConverter(), state);
    std::optional<SmallVector<Value>> scalars = Scalars(e).emit(op);
    if (!scalars) return failure();
    auto type = RankedTensorType::get(tensorType(result).getShape(), storageType(elementOf(result)));
    if (scalars->empty()) return e.replace(e.empty(e.m.constant(0), type.getElementType()));
    return e.replace(tensor::FromElementsOp::create(b, e.loc, type, *scalars));
  }

  LoweringState &state;
};

}  // namespace

void populateScalarPatterns(const TypeConverter &types, LoweringState &state,
                            RewritePatternSet &patterns) {
  patterns.add(std::make_unique<LowerToScalars>(types, state));
}

}  // namespace adze::lowering
