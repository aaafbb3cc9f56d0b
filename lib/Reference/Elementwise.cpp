// adze.elementwise.
#include "lib/Reference/Call.h"

#include <cmath>

using namespace mlir;
using adze::graph::ElementwiseFn;

namespace adze::reference {

using Fn = ElementwiseFn;

static double floatUnary(Fn fn, double x) {
  switch (fn) {
    case Fn::Abs: return std::fabs(x);
    case Fn::Neg: return -x;
    case Fn::Ceil: return std::ceil(x);
    case Fn::Floor: return std::floor(x);
    case Fn::RoundEven: return std::nearbyint(x);
    case Fn::Sqrt: return std::sqrt(x);
    case Fn::Rsqrt: return 1 / std::sqrt(x);
    case Fn::Exp: return std::exp(x);
    case Fn::Log: return std::log(x);
    case Fn::Sin: return std::sin(x);
    case Fn::Cos: return std::cos(x);
    case Fn::Tan: return std::tan(x);
    case Fn::Asin: return std::asin(x);
    case Fn::Acos: return std::acos(x);
    case Fn::Atan: return std::atan(x);
    case Fn::Sinh: return std::sinh(x);
    case Fn::Cosh: return std::cosh(x);
    case Fn::Tanh: return std::tanh(x);
    case Fn::Asinh: return std::asinh(x);
    case Fn::Acosh: return std::acosh(x);
    case Fn::Atanh: return std::atanh(x);
    case Fn::Erf: return std::erf(x);
    case Fn::Sigmoid: return 1 / (1 + std::exp(-x));
    case Fn::Sign: return std::isnan(x) ? x : double((x > 0) - (x < 0));
    case Fn::IsNaN: return std::isnan(x);
    case Fn::IsInf: return std::isinf(x);
    default: return x;
  }
}

/// a modulo b with the sign of b, also when the result is zero.
static double floorMod(double a, double b) {
  double r = std::fmod(a, b);
  if (r == 0) return std::copysign(r, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static double floatBinary(Fn fn, double a, double b) {
  bool nan = std::isnan(a) || std::isnan(b);
  switch (fn) {
    case Fn::Add: return a + b;
    case Fn::Sub: return a - b;
    case Fn::Mul: return a * b;
    case Fn::Div: return a / b;
    case Fn::Pow: return std::pow(a, b);
    case Fn::Mod: return floorMod(a, b);
    case Fn::FMod: return std::fmod(a, b);
    case Fn::Min: return nan ? NAN : std::min(a, b);
    case Fn::Max: return nan ? NAN : std::max(a, b);
    case Fn::Equal: return a == b;
    case Fn::Less: return a < b;
    case Fn::LessEqual: return a <= b;
    case Fn::Greater: return a > b;
    case Fn::GreaterEqual: return a >= b;
    default: return a;
  }
}

/// Integers of one type: 64 bits in the machine, wrapped when stored.
struct Ints {
  Type type;
  bool isUnsigned = reference::isUnsigned(type);
  unsigned width = type.getIntOrFloatBitWidth();

  bool less(int64_t a, int64_t b) const {
    return isUnsigned ? uint64_t(a) < uint64_t(b) : a < b;
  }
  uint64_t bits(int64_t v) const { return width >= 64 ? v : uint64_t(v) & ((1ull << width) - 1); }

  /// Truncating division and its remainder; b is not 0.
  int64_t quotient(int64_t a, int64_t b) const {
    if (isUnsigned) return int64_t(uint64_t(a) / uint64_t(b));
    return b == -1 ? int64_t(0 - uint64_t(a)) : a / b;
  }
  int64_t remainder(int64_t a, int64_t b) const {
    if (isUnsigned) return int64_t(uint64_t(a) % uint64_t(b));
    return b == -1 ? 0 : a % b;
  }
  int64_t floorMod(int64_t a, int64_t b) const {
    int64_t r = remainder(a, b);
    return !isUnsigned && r != 0 && (r < 0) != (b < 0) ? r + b : r;
  }
  int64_t shift(uint64_t v, uint64_t by, bool left) const {
    if (by >= width) return 0;
    return int64_t(left ? v << by : v >> by);
  }
  /// base^exponent, wrapped; a negative exponent truncates towards zero.
  int64_t power(int64_t base, int64_t exponent, bool unsignedExponent) const {
    if (!unsignedExponent && exponent < 0) {
      if (base == -1 && !isUnsigned) return exponent % 2 ? -1 : 1;
      return base == 1;
    }
    uint64_t result = 1, square = base;
    for (uint64_t e = exponent; e; e >>= 1, square *= square)
      if (e & 1) result *= square;
    return int64_t(result);
  }

  int64_t unary(Fn fn, int64_t x) const {
    switch (fn) {
      case Fn::Abs: return !isUnsigned && x < 0 ? int64_t(0 - uint64_t(x)) : x;
      case Fn::Neg: return int64_t(0 - uint64_t(x));
      case Fn::Sign: return isUnsigned ? x != 0 : (x > 0) - (x < 0);
      case Fn::Not: return !x;
      case Fn::BitwiseNot: return ~x;
      default: return x;
    }
  }

  int64_t binary(Fn fn, int64_t a, int64_t b) const {
    switch (fn) {
      case Fn::Add: return int64_t(uint64_t(a) + uint64_t(b));
      case Fn::Sub: return int64_t(uint64_t(a) - uint64_t(b));
      case Fn::Mul: return int64_t(uint64_t(a) * uint64_t(b));
      case Fn::Div: return quotient(a, b);
      case Fn::Mod: return floorMod(a, b);
      case Fn::FMod: return remainder(a, b);
      case Fn::Min: return less(b, a) ? b : a;
      case Fn::Max: return less(a, b) ? b : a;
      case Fn::And:
      case Fn::BitwiseAnd: return a & b;
      case Fn::Or:
      case Fn::BitwiseOr: return a | b;
      case Fn::Xor:
      case Fn::BitwiseXor: return a ^ b;
      case Fn::ShiftLeft: return shift(bits(a), bits(b), true);
      case Fn::ShiftRight: return shift(bits(a), bits(b), false);
      case Fn::Equal: return a == b;
      case Fn::Less: return less(a, b);
      case Fn::LessEqual: return !less(b, a);
      case Fn::Greater: return less(b, a);
      case Fn::GreaterEqual: return !less(a, b);
      default: return a;
    }
  }
};

static std::vector<double> doublesAt(const Tensor &t, const Tensor &result) {
  return broadcastTo(toDoubles(t), t.shape(), result.shape());
}
static std::vector<int64_t> intsAt(const Tensor &t, const Tensor &result) {
  return broadcastTo(toInts(t), t.shape(), result.shape());
}

/// Float results go to a float tensor, truth values to a bool one.
static void storeNumbers(Tensor &out, ArrayRef<double> values) {
  if (isFloat(out.element())) return storeDoubles(out, values);
  storeInts(out, SmallVector<int64_t, 0>(values.begin(), values.end()));
}

static void evaluateFloats(Fn fn, Call &call) {
  std::vector<double> a = doublesAt(call.in(0), call.out());
  if (call.inputs.size() == 1) {
    for (double &v : a) v = floatUnary(fn, v);
  } else {
    std::vector<double> b = doublesAt(call.in(1), call.out());
    for (auto [x, y] : llvm::zip_equal(a, b)) x = floatBinary(fn, x, y);
  }
  storeNumbers(call.out(), a);
}

/// pow of an integer base: an integer exponent is exact, a float one is not.
static void evaluateIntPow(Call &call) {
  std::vector<int64_t> a = intsAt(call.in(0), call.out());
  Ints ints{call.in(0).element()};
  if (isFloat(call.in(1).element())) {
    std::vector<double> b = doublesAt(call.in(1), call.out());
    for (auto [x, y] : llvm::zip_equal(a, b)) {
      double power = std::pow(ints.isUnsigned ? double(uint64_t(x)) : double(x), y);
      x = std::fabs(power) < 0x1p63 ? int64_t(power) : 0;
    }
  } else {
    bool plain = isUnsigned(call.in(1).element());
    std::vector<int64_t> b = intsAt(call.in(1), call.out());
    for (auto [x, y] : llvm::zip_equal(a, b)) x = ints.power(x, y, plain);
  }
  storeInts(call.out(), a);
}

static LogicalResult evaluateInts(Fn fn, Call &call) {
  Ints ints{call.in(0).element()};
  std::vector<int64_t> a = intsAt(call.in(0), call.out());
  if (call.inputs.size() == 1) {
    for (int64_t &v : a) v = ints.unary(fn, v);
  } else {
    std::vector<int64_t> b = intsAt(call.in(1), call.out());
    bool divides = fn == Fn::Div || fn == Fn::Mod || fn == Fn::FMod;
    if (divides && llvm::is_contained(b, 0)) return call.error("an integer is divided by zero");
    for (auto [x, y] : llvm::zip_equal(a, b)) x = ints.binary(fn, x, y);
  }
  storeInts(call.out(), a);
  return success();
}

/// Moves bits, so that NaNs and every type come through unchanged.
static void evaluateSelect(Call &call) {
  Tensor &out = call.out();
  std::vector<int64_t> condition = intsAt(call.in(0), out);
  byWidth(out, [&]<typename T>(T) {
    auto expand = [&](const Tensor &t) {
      auto full = Tensor::zeros(RankedTensorType::get(out.shape(), out.element()));
      if (full)
        copyBox(t, 0, broadcastStrides(t.shape(), out.shape()), *full, 0, stridesOf(out.shape()),
                out.shape());
      return full;
    };
    auto yes = expand(call.in(1)), no = expand(call.in(2));
    if (!yes || !no) return;
    for (int64_t i = 0; i < out.size(); ++i)
      out.mutableData<T>()[i] = (condition[i] ? *yes : *no).template data<T>()[i];
  });
}

ADZE_EVALUATE(ElementwiseOp) {
  Fn fn = op.getFn();
  if (fn == Fn::Select) {
    evaluateSelect(call);
  } else if (isFloat(call.in(0).element())) {
    evaluateFloats(fn, call);
  } else if (fn == Fn::Pow) {
    evaluateIntPow(call);
  } else {
    return evaluateInts(fn, call);
  }
  return success();
}

}  // namespace adze::reference
