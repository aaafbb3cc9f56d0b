// The table of scalar functions and the inference of adze.elementwise, cast
// and bitcast.
#include "dialects/Graph/Graph.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace adze::graph {

using Fn = ElementwiseFn;

// fn, arity, floats, ints, bools, bool result
static constexpr ElementwiseInfo kTable[] = {
    {Fn::Abs, 1, true, true, false, false},
    {Fn::Neg, 1, true, true, false, false},
    {Fn::Ceil, 1, true, false, false, false},
    {Fn::Floor, 1, true, false, false, false},
    {Fn::RoundEven, 1, true, false, false, false},
    {Fn::Sqrt, 1, true, false, false, false},
    {Fn::Rsqrt, 1, true, false, false, false},
    {Fn::Exp, 1, true, false, false, false},
    {Fn::Log, 1, true, false, false, false},
    {Fn::Sin, 1, true, false, false, false},
    {Fn::Cos, 1, true, false, false, false},
    {Fn::Tan, 1, true, false, false, false},
    {Fn::Asin, 1, true, false, false, false},
    {Fn::Acos, 1, true, false, false, false},
    {Fn::Atan, 1, true, false, false, false},
    {Fn::Sinh, 1, true, false, false, false},
    {Fn::Cosh, 1, true, false, false, false},
    {Fn::Tanh, 1, true, false, false, false},
    {Fn::Asinh, 1, true, false, false, false},
    {Fn::Acosh, 1, true, false, false, false},
    {Fn::Atanh, 1, true, false, false, false},
    {Fn::Erf, 1, true, false, false, false},
    {Fn::Sigmoid, 1, true, false, false, false},
    {Fn::Sign, 1, true, true, false, false},
    {Fn::Not, 1, false, false, true, true},
    {Fn::BitwiseNot, 1, false, true, false, false},
    {Fn::IsNaN, 1, true, false, false, true},
    {Fn::IsInf, 1, true, false, false, true},
    {Fn::Add, 2, true, true, false, false},
    {Fn::Sub, 2, true, true, false, false},
    {Fn::Mul, 2, true, true, false, false},
    {Fn::Div, 2, true, true, false, false},
    {Fn::Pow, 2, true, true, false, false},
    {Fn::Mod, 2, true, true, false, false},
    {Fn::FMod, 2, true, true, false, false},
    {Fn::Min, 2, true, true, false, false},
    {Fn::Max, 2, true, true, false, false},
    {Fn::And, 2, false, false, true, true},
    {Fn::Or, 2, false, false, true, true},
    {Fn::Xor, 2, false, false, true, true},
    {Fn::BitwiseAnd, 2, false, true, false, false},
    {Fn::BitwiseOr, 2, false, true, false, false},
    {Fn::BitwiseXor, 2, false, true, false, false},
    {Fn::ShiftLeft, 2, false, true, false, false},
    {Fn::ShiftRight, 2, false, true, false, false},
    {Fn::Equal, 2, true, true, true, true},
    {Fn::Less, 2, true, true, false, true},
    {Fn::LessEqual, 2, true, true, false, true},
    {Fn::Greater, 2, true, true, false, true},
    {Fn::GreaterEqual, 2, true, true, false, true},
    {Fn::Select, 3, true, true, true, false},
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
                                       std::optional<Location> loc) {
  StringRef name = stringifyElementwiseFn(info.fn);
  if (args.size() != info.arity)
    return emitOptionalError(loc, name, " takes ", info.arity, " operands, got ", args.size());
  bool select = info.fn == Fn::Select;
  Type first = getElementTypeOrSelf(args[select ? 1 : 0]);
  if (select && !getElementTypeOrSelf(args[0]).isInteger(1))
    return emitOptionalError(loc, "the condition of select must be bool");
  for (Value v : args.drop_front(select ? 1 : 0)) {
    Type type = getElementTypeOrSelf(v);
    if (!accepts(info, type))
      return emitOptionalError(loc, name, " does not take elements of type ", type);
    if (type != first && info.fn != Fn::Pow)
      return emitOptionalError(loc, name, " needs one element type, got ", first, " and ", type);
  }
  return success();
}

LogicalResult ElementwiseOp::inferReturnTypes(MLIRContext *ctx, std::optional<Location> loc,
                                              ValueRange operands, DictionaryAttr attrs,
                                              OpaqueProperties properties, RegionRange regions,
                                              SmallVectorImpl<Type> &types) {
  Adaptor op(operands, attrs, properties, regions);
  const ElementwiseInfo &info = elementwiseInfo(op.getFn());
  if (failed(checkOperandTypes(info, operands, loc))) return failure();
  FailureOr<SmallVector<int64_t>> shape = broadcastShapes(operands);
  if (failed(shape)) {
    std::string text;
    llvm::raw_string_ostream os(text);
    llvm::interleaveComma(operands.getTypes(), os);
    return emitOptionalError(loc, "shapes do not broadcast: ", text);
  }
  // pow keeps the base's type, select the branches', the others their only one.
  Type element = getElementTypeOrSelf(operands[info.fn == Fn::Select ? 1 : 0]);
  if (info.boolResult) element = IntegerType::get(ctx, 1);
  types.push_back(RankedTensorType::get(*shape, element));
  return success();
}

static bool isNumber(Type t) { return isa<FloatType, IntegerType>(t); }

LogicalResult CastOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                       ValueRange operands, DictionaryAttr attrs,
                                       OpaqueProperties properties, RegionRange regions,
                                       SmallVectorImpl<Type> &types) {
  Adaptor op(operands, attrs, properties, regions);
  auto from = cast<RankedTensorType>(op.getX().getType());
  if (!isNumber(from.getElementType()) || !isNumber(op.getTo()))
    return emitOptionalError(loc, "cannot cast ", from.getElementType(), " to ", op.getTo());
  types.push_back(from.clone(op.getTo()));
  return success();
}

LogicalResult BitcastOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                          ValueRange operands, DictionaryAttr attrs,
                                          OpaqueProperties properties, RegionRange regions,
                                          SmallVectorImpl<Type> &types) {
  Adaptor op(operands, attrs, properties, regions);
  auto from = cast<RankedTensorType>(op.getX().getType());
  Type to = op.getTo();
  if (!isNumber(from.getElementType()) || !isNumber(to) ||
      from.getElementTypeBitWidth() != to.getIntOrFloatBitWidth())
    return emitOptionalError(loc, "cannot reinterpret ", from.getElementType(), " as ", to);
  types.push_back(from.clone(to));
  return success();
}

}  // namespace adze::graph
