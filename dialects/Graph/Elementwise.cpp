// The table of scalar functions and the inference of adze.elementwise, cast
// and bitcast.
#include "dialects/Graph/Infer.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace adze::graph {

using Fn = ElementwiseFn;

// fn, arity, floats, ints, bools, bool result, steps (of the formulas of
// adze-expand-math; a division takes as long as eight sums)
static constexpr ElementwiseInfo kTable[] = {
    {Fn::Abs, 1, true, true, false, false, 1},
    {Fn::Neg, 1, true, true, false, false, 1},
    {Fn::Ceil, 1, true, false, false, false, 1},
    {Fn::Floor, 1, true, false, false, false, 1},
    {Fn::RoundEven, 1, true, false, false, false, 1},
    {Fn::Sqrt, 1, true, false, false, false, 8},
    {Fn::Rsqrt, 1, true, false, false, false, 8},
    {Fn::Exp, 1, true, false, false, false, 12},
    {Fn::Log, 1, true, false, false, false, 14},
    {Fn::Sin, 1, true, false, false, false, 20},
    {Fn::Cos, 1, true, false, false, false, 20},
    {Fn::Tan, 1, true, false, false, false, 30},
    {Fn::Asin, 1, true, false, false, false, 25},
    {Fn::Acos, 1, true, false, false, false, 25},
    {Fn::Atan, 1, true, false, false, false, 20},
    {Fn::Sinh, 1, true, false, false, false, 25},
    {Fn::Cosh, 1, true, false, false, false, 25},
    {Fn::Tanh, 1, true, false, false, false, 20},
    {Fn::Asinh, 1, true, false, false, false, 30},
    {Fn::Acosh, 1, true, false, false, false, 30},
    {Fn::Atanh, 1, true, false, false, false, 30},
    {Fn::Erf, 1, true, false, false, false, 25},
    {Fn::Sigmoid, 1, true, false, false, false, 20},
    {Fn::Sign, 1, true, true, false, false, 1},
    {Fn::Not, 1, false, false, true, true, 1},
    {Fn::BitwiseNot, 1, false, true, false, false, 1},
    {Fn::IsNaN, 1, true, false, false, true, 1},
    {Fn::IsInf, 1, true, false, false, true, 1},
    {Fn::Add, 2, true, true, false, false, 1},
    {Fn::Sub, 2, true, true, false, false, 1},
    {Fn::Mul, 2, true, true, false, false, 1},
    {Fn::Div, 2, true, true, false, false, 8},
    {Fn::Pow, 2, true, true, false, false, 40},
    {Fn::Mod, 2, true, true, false, false, 12},
    {Fn::FMod, 2, true, true, false, false, 12},
    {Fn::Min, 2, true, true, false, false, 1},
    {Fn::Max, 2, true, true, false, false, 1},
    {Fn::And, 2, false, false, true, true, 1},
    {Fn::Or, 2, false, false, true, true, 1},
    {Fn::Xor, 2, false, false, true, true, 1},
    {Fn::BitwiseAnd, 2, false, true, false, false, 1},
    {Fn::BitwiseOr, 2, false, true, false, false, 1},
    {Fn::BitwiseXor, 2, false, true, false, false, 1},
    {Fn::ShiftLeft, 2, false, true, false, false, 1},
    {Fn::ShiftRight, 2, false, true, false, false, 1},
    {Fn::Equal, 2, true, true, true, true, 1},
    {Fn::Less, 2, true, true, false, true, 1},
    {Fn::LessEqual, 2, true, true, false, true, 1},
    {Fn::Greater, 2, true, true, false, true, 1},
    {Fn::GreaterEqual, 2, true, true, false, true, 1},
    {Fn::Select, 3, true, true, true, false, 1},
};

const ElementwiseInfo &elementwiseInfo(ElementwiseFn fn) {
  const ElementwiseInfo *row =
      llvm::find_if(kTable, [&](const ElementwiseInfo &r) { return r.fn == fn; });
  return row == std::end(kTable) ? kTable[0] : *row;
}

static bool accepts(const ElementwiseInfo &info, Type type) {
  if (isa<FloatType>(type)) return info.floats;
  if (type.isInteger(1)) return info.bools;
  return isa<IntegerType>(type) && info.ints;
}

/// The extent two broadcast extents give; failure when they cannot.
static FailureOr<int64_t> broadcastExtent(int64_t a, int64_t b) {
  if (a == b || b == 1) return a;
  if (a == 1) return b;
  if (ShapedType::isDynamic(a)) return b;
  if (ShapedType::isDynamic(b)) return a;
  return failure();
}

static FailureOr<SmallVector<int64_t>> broadcastShapes(ValueRange operands) {
  SmallVector<int64_t> shape;
  for (Value v : operands) {
    ArrayRef<int64_t> s = cast<RankedTensorType>(v.getType()).getShape();
    if (s.size() > shape.size()) shape.insert(shape.begin(), s.size() - shape.size(), 1);
    int64_t *out = shape.end() - s.size();
    for (size_t i = 0; i < s.size(); ++i) {
      FailureOr<int64_t> e = broadcastExtent(out[i], s[i]);
      if (failed(e)) return failure();
      out[i] = *e;
    }
  }
  return shape;
}

static LogicalResult checkOperandTypes(const ElementwiseInfo &info, ValueRange args,
                                       const Infer &out) {
  StringRef name = stringifyElementwiseFn(info.fn);
  if (args.size() != info.arity)
    return out.error(name, " takes ", info.arity, " operands, got ", args.size());
  bool select = info.fn == Fn::Select;
  Type first = getElementTypeOrSelf(args[select ? 1 : 0]);
  if (select && !getElementTypeOrSelf(args[0]).isInteger(1))
    return out.error("the condition of select must be bool");
  for (Value v : args.drop_front(select ? 1 : 0)) {
    Type type = getElementTypeOrSelf(v);
    if (!accepts(info, type))
      return out.error(name, " does not take elements of type ", type);
    if (type != first && info.fn != Fn::Pow)
      return out.error(name, " needs one element type, got ", first, " and ", type);
  }
  return success();
}

ADZE_INFER(ElementwiseOp) {
  const ElementwiseInfo &info = elementwiseInfo(op.getFn());
  ValueRange args = op.getArgs();
  if (failed(checkOperandTypes(info, args, out))) return failure();
  FailureOr<SmallVector<int64_t>> shape = broadcastShapes(args);
  if (failed(shape)) {
    std::string text;
    llvm::raw_string_ostream os(text);
    llvm::interleaveComma(args.getTypes(), os);
    return out.error("shapes do not broadcast: ", text);
  }
  // pow keeps the base's type, select the branches', the others their only one.
  Type element = elementOf(args[info.fn == Fn::Select ? 1 : 0]);
  return out.add(*shape, info.boolResult ? IntegerType::get(out.ctx, 1) : element);
}

static bool isNumber(Type t) { return isa<FloatType, IntegerType>(t); }

ADZE_INFER(CastOp) {
  Type from = elementOf(op.getX());
  if (!isNumber(from) || !isNumber(op.getTo()))
    return out.error("cannot cast ", from, " to ", op.getTo());
  return out.add(shapeOf(op.getX()), op.getTo());
}

ADZE_INFER(BitcastOp) {
  Type from = elementOf(op.getX()), to = op.getTo();
  if (!isNumber(from) || !isNumber(to) || from.getIntOrFloatBitWidth() != to.getIntOrFloatBitWidth())
    return out.error("cannot reinterpret ", from, " as ", to);
  return out.add(shapeOf(op.getX()), to);
}

}  // namespace adze::graph
