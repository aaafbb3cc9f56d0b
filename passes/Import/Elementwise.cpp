// Operators that are one scalar function, or a few.
#include "passes/Import/Constants.h"
#include "passes/Import/NodeBuilder.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace adze::convert {

using Fn = ElementwiseFn;

template <Fn fn>
static Values unary(NodeBuilder &nb) {
  return {nb.ew(fn, nb.in(0))};
}

template <Fn fn>
static Values binary(NodeBuilder &nb) {
  return {nb.ew(fn, {nb.in(0), nb.in(1)})};
}

/// Left fold of a variadic operator.
template <Fn fn>
static Values variadic(NodeBuilder &nb) {
  Value v = nb.in(0);
  for (unsigned i = 1; i < nb.inputs.size(); ++i) v = nb.ew(fn, {v, nb.in(i)});
  return {v};
}

static Values convertMean(NodeBuilder &nb) {
  Value sum = variadic<Fn::Add>(nb).front();
  if (!sum) return {Value()};
  return {nb.div(sum, nb.splat(nb.element(sum), double(nb.inputs.size())))};
}

static Values convertIdentity(NodeBuilder &nb) { return {nb.in(0)}; }

static Values convertReciprocal(NodeBuilder &nb) {
  Value x = nb.in(0);
  return {nb.div(nb.splat(nb.element(x), 1), x)};
}

static Values convertMod(NodeBuilder &nb) {
  return {nb.ew(nb.boolAttr("fmod") ? Fn::FMod : Fn::Mod, {nb.in(0), nb.in(1)})};
}

static Values convertBitShift(NodeBuilder &nb) {
  StringRef direction = nb.strAttr("direction");
  if (direction != "LEFT" && direction != "RIGHT")
    return {nb.invalid("direction must be LEFT or RIGHT")};
  Value x = nb.in(0), amount = nb.in(1);
  if (direction == "LEFT") return {nb.ew(Fn::ShiftLeft, {x, amount})};
  Value shifted = nb.ew(Fn::ShiftRight, {x, amount});
  if (!shifted || nb.element(x).isUnsignedInteger()) return {shifted};
  // Shifts are logical: a negative number's complement is shifted instead.
  Value complement = nb.ew(Fn::ShiftRight, {nb.ew(Fn::BitwiseNot, x), amount});
  Value negative = nb.ew(Fn::Less, {x, nb.scalarInt(nb.element(x), 0)});
  return {nb.select(negative, nb.ew(Fn::BitwiseNot, complement), shifted)};
}

static Values convertIsInf(NodeBuilder &nb) {
  Value x = nb.in(0);
  bool negative = nb.boolAttr("detect_negative", true), positive = nb.boolAttr("detect_positive", true);
  if (!x) return {x};
  Value inf = nb.ew(Fn::IsInf, x), zero = nb.splat(nb.element(x), 0);
  if (negative && positive) return {inf};
  Value sign = negative ? nb.ew(Fn::Less, {x, zero}) : nb.ew(Fn::Greater, {x, zero});
  if (!negative && !positive) sign = nb.ew(Fn::Less, {x, x});  // never
  return {nb.ew(Fn::And, {inf, sign})};
}

/// Floor, Ceil and Round of integers, from before ONNX restricted them, are x.
template <Fn fn>
static Values rounding(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (x && !isa<FloatType>(nb.element(x))) return {x};
  return {nb.ew(fn, x)};
}

static Values convertCast(NodeBuilder &nb) {
  Type to = nb.dtype(nb.intAttr("to"));
  return {nb.cast(nb.in(0), to, nb.boolAttr("saturate", true))};
}

static Values convertCastLike(NodeBuilder &nb) {
  Value like = nb.in(1);
  return {nb.cast(nb.in(0), nb.element(like), nb.boolAttr("saturate", true))};
}

static Values convertBitCast(NodeBuilder &nb) {
  Type to = nb.dtype(nb.intAttr("to"));
  Value x = nb.in(0);
  if (!x || !to || nb.element(x) == to) return {x};
  // A bool is a byte of 0 or 1.
  if (nb.element(x).isInteger(1) || to.isInteger(1)) return {nb.cast(x, to)};
  return {nb.make<graph::BitcastOp>(x, nb.named("to", TypeAttr::get(to)))};
}

static Values convertWhere(NodeBuilder &nb) {
  return {nb.select(nb.in(0), nb.in(1), nb.in(2))};
}

/// max(x, low) then min(., high), so that low > high gives high as in ONNX.
static Values convertClip(NodeBuilder &nb) {
  Value x = nb.in(0), low = nb.optional(1), high = nb.optional(2);
  if (!x) return {x};
  if (nb.version() < 11) {
    if (nb.hasAttr("min")) low = nb.splat(nb.element(x), nb.floatAttr("min"));
    if (nb.hasAttr("max")) high = nb.splat(nb.element(x), nb.floatAttr("max"));
  }
  if (low) x = nb.max(x, nb.scalar(low));
  if (high) x = nb.min(x, nb.scalar(high));
  return {x};
}

/// Equality and ordering of bool operands go through ui8: only Equal takes bool.
template <Fn fn>
static Values compare(NodeBuilder &nb) {
  return {nb.ew(fn, {nb.in(0), nb.in(1)})};
}

static Values convertPow(NodeBuilder &nb) {
  Value x = nb.in(0), y = nb.in(1);
  std::optional<double> exponent = constantScalar(y);
  if (x && exponent && nb.rank(y) <= nb.rank(x)) {
    if (*exponent == 1) return {x};
    if (*exponent == 2) return {nb.mul(x, x)};
    if (*exponent == 0.5 && isa<FloatType>(nb.element(x))) return {nb.ew(Fn::Sqrt, x)};
  }
  return {nb.ew(Fn::Pow, {x, y})};
}

void populateElementwise(OpTable &t) {
  const std::pair<const char *, ConvertFn> floatUnary[] = {
      {"Sqrt", unary<Fn::Sqrt>}, {"Exp", unary<Fn::Exp>}, {"Log", unary<Fn::Log>},
      {"Sin", unary<Fn::Sin>}, {"Cos", unary<Fn::Cos>}, {"Tan", unary<Fn::Tan>},
      {"Asin", unary<Fn::Asin>}, {"Acos", unary<Fn::Acos>}, {"Atan", unary<Fn::Atan>},
      {"Sinh", unary<Fn::Sinh>}, {"Cosh", unary<Fn::Cosh>}, {"Tanh", unary<Fn::Tanh>},
      {"Asinh", unary<Fn::Asinh>}, {"Acosh", unary<Fn::Acosh>}, {"Atanh", unary<Fn::Atanh>},
      {"Erf", unary<Fn::Erf>}, {"Sigmoid", unary<Fn::Sigmoid>}, {"IsNaN", unary<Fn::IsNaN>},
      {"Reciprocal", convertReciprocal}};
  for (auto [name, fn] : floatUnary) t.push_back({"", name, 1, 0, kFloats, fn});
  t.push_back({"", "IsInf", 10, 0, kFloats, convertIsInf});
  t.push_back({"", "Abs", 1, 0, kNumbers, unary<Fn::Abs>});
  t.push_back({"", "Neg", 1, 0, kFloats | kSigned, unary<Fn::Neg>});
  t.push_back({"", "Sign", 9, 0, kNumbers, unary<Fn::Sign>});
  t.push_back({"", "Floor", 1, 0, kNumbers, rounding<Fn::Floor>});
  t.push_back({"", "Ceil", 1, 0, kNumbers, rounding<Fn::Ceil>});
  t.push_back({"", "Round", 11, 0, kNumbers, rounding<Fn::RoundEven>});
  t.push_back({"", "Not", 1, 0, kBool, unary<Fn::Not>});
  t.push_back({"", "BitwiseNot", 18, 0, kInts, unary<Fn::BitwiseNot>});

  // Below version 7 operands broadcast by an attribute.
  const std::pair<const char *, ConvertFn> arithmetic[] = {
      {"Add", binary<Fn::Add>}, {"Sub", binary<Fn::Sub>}, {"Mul", binary<Fn::Mul>},
      {"Div", binary<Fn::Div>}};
  for (auto [name, fn] : arithmetic) t.push_back({"", name, 7, 0, kNumbers, fn});
  t.push_back({"", "Pow", 7, 0, kNumbers, convertPow});
  t.push_back({"", "Mod", 10, 0, kNumbers, convertMod});
  t.push_back({"", "Min", 6, 0, kNumbers, variadic<Fn::Min>});
  t.push_back({"", "Max", 6, 0, kNumbers, variadic<Fn::Max>});
  t.push_back({"", "Sum", 6, 0, kFloats, variadic<Fn::Add>});
  t.push_back({"", "Mean", 6, 0, kFloats, convertMean});
  t.push_back({"", "And", 7, 0, kBool, binary<Fn::And>});
  t.push_back({"", "Or", 7, 0, kBool, binary<Fn::Or>});
  t.push_back({"", "Xor", 7, 0, kBool, binary<Fn::Xor>});
  t.push_back({"", "BitwiseAnd", 18, 0, kInts, binary<Fn::BitwiseAnd>});
  t.push_back({"", "BitwiseOr", 18, 0, kInts, binary<Fn::BitwiseOr>});
  t.push_back({"", "BitwiseXor", 18, 0, kInts, binary<Fn::BitwiseXor>});
  t.push_back({"", "BitShift", 11, 0, kInts, convertBitShift});
  t.push_back({"", "Equal", 7, 0, kAny, compare<Fn::Equal>});
  t.push_back({"", "Less", 7, 0, kNumbers, compare<Fn::Less>});
  t.push_back({"", "LessOrEqual", 12, 0, kNumbers, compare<Fn::LessEqual>});
  t.push_back({"", "Greater", 7, 0, kNumbers, compare<Fn::Greater>});
  t.push_back({"", "GreaterOrEqual", 12, 0, kNumbers, compare<Fn::GreaterEqual>});
  t.push_back({"", "Where", 9, 0, kBool, convertWhere});
  t.push_back({"", "Clip", 6, 0, kNumbers, convertClip});
  t.push_back({"", "Identity", 1, 0, kAll, convertIdentity});
  t.push_back({"", "Cast", 6, 0, kAll, convertCast});
  t.push_back({"", "CastLike", 15, 0, kAll, convertCastLike});
  t.push_back({"", "BitCast", 1, 0, kAll, convertBitCast});
}

}  // namespace adze::convert
