#include "passes/Schedule/Quarters.h"

#include <limits>

using namespace mlir;

namespace adze::schedule {
namespace {

/// The bits of 2/pi behind the point, after 34 zeros: x = m 2^e with 24 bits of m
/// needs those from 2^1 / 2^e on, the first 96 of which leave an error of 2^-70.
constexpr uint32_t kTwoOverPi[] = {0x00000000, 0x28be60db, 0x9391054a, 0x7f09d5f4, 0x7d4d3770,
                                   0x36d8a566, 0x4f10e410, 0x7f9458ea, 0xf7aef158};
constexpr int kLeading = 33;  ///< of those zeros before the bit of weight 2^1
constexpr int kWords = 3, kOffsets = std::size(kTwoOverPi) - kWords;

/// Integers of one width, of the shape of an f32 type.
class IntegerBuilder {
 public:
  IntegerBuilder(MathBuilder &m, unsigned width)
      : m(m), type(clone(m.type, m.builder.getIntegerType(width))) {}

  static Type clone(Type shaped, Type element) {
    auto vector = dyn_cast<VectorType>(shaped);
    return vector ? Type(vector.clone(element)) : element;
  }
  Value constant(int64_t v) {
    auto attr = m.builder.getIntegerAttr(getElementTypeOrSelf(type), v);
    auto vector = dyn_cast<VectorType>(type);
    return arith::ConstantOp::create(
        m.builder, m.loc,
        vector ? TypedAttr(DenseElementsAttr::get(vector, Attribute(attr))) : attr);
  }
  template <class Op>
  Value make(Value l, Value r) {
    return Op::create(m.builder, m.loc, l, r);
  }
  Value left(Value v, Value by) { return make<arith::ShLIOp>(v, by); }
  Value right(Value v, Value by) { return make<arith::ShRUIOp>(v, by); }
  Value add(Value l, Value r) { return make<arith::AddIOp>(l, r); }
  Value mul(Value l, Value r) { return make<arith::MulIOp>(l, r); }
  Value both(Value l, Value r) { return make<arith::AndIOp>(l, r); }

  MathBuilder &m;
  Type type;
};

/// Words `first` to `first + 4` of the table, each in 64 bits.
SmallVector<Value> pick(IntegerBuilder &b, Value first) {
  SmallVector<Value> words;
  for (int i = 0; i <= kWords; ++i) {
    Value word = b.constant(kTwoOverPi[i]);
    for (int offset = 1; offset + i < int(std::size(kTwoOverPi)) && offset < kOffsets; ++offset) {
      Value is = arith::CmpIOp::create(b.m.builder, b.m.loc, arith::CmpIPredicate::eq, first,
                                       b.constant(offset));
      word = b.m.select(is, b.constant(kTwoOverPi[offset + i]), word);
    }
    words.push_back(word);
  }
  return words;
}

}  // namespace

std::pair<Value, Value> reduceQuarters(MathBuilder &m, Value x) {
  IntegerBuilder narrow(m, 32), b(m, 64);
  Value bits = arith::ExtUIOp::create(
      m.builder, m.loc, b.type, arith::BitcastOp::create(m.builder, m.loc, narrow.type, m.abs(x)));
  Value mantissa = b.add(b.both(bits, b.constant(0x7fffff)), b.constant(0x800000));
  // The first bit of the table that counts: 0 for the smallest x.
  Value at = b.add(b.right(bits, b.constant(23)), b.constant(kLeading - 1 - 150));
  SmallVector<Value> words = pick(b, b.right(at, b.constant(5)));
  Value shift = b.both(at, b.constant(31)), low = b.constant(0xffffffff);
  // From the last word on: what carries over to the next.
  Value carry = b.constant(0), product[kWords];
  for (int i = kWords; i-- > 0;) {
    Value pair = b.add(b.left(words[i], b.constant(32)), words[i + 1]);
    Value word = b.right(b.left(pair, shift), b.constant(32));
    Value sum = b.add(b.mul(mantissa, word), carry);
    product[i] = b.both(sum, low);
    carry = b.right(sum, b.constant(32));
  }
  // Two bits of quarters, 62 of their fraction, rounded to the nearest quarter.
  Value turn = b.add(b.left(product[0], b.constant(32)), product[1]);
  Value fraction = b.left(turn, b.constant(2));
  Value quarters = b.add(b.right(turn, b.constant(62)), b.right(fraction, b.constant(63)));
  Value k = arith::TruncIOp::create(m.builder, m.loc, narrow.type, quarters);
  // In f64: the sine's own error leaves no room for three roundings more.
  Type f64 = IntegerBuilder::clone(m.type, m.builder.getF64Type());
  TypedAttr quarter = m.builder.getF64FloatAttr(1.5707963267948966 * 0x1p-64);
  if (auto vector = dyn_cast<VectorType>(f64))
    quarter = DenseElementsAttr::get(vector, Attribute(quarter));
  Value angle = arith::MulFOp::create(m.builder, m.loc,
                                      arith::SIToFPOp::create(m.builder, m.loc, f64, fraction),
                                      arith::ConstantOp::create(m.builder, m.loc, quarter));
  Value r = arith::TruncFOp::create(m.builder, m.loc, m.type, angle);
  Value isNegative = m.compare(arith::CmpFPredicate::OLT, x, m.constant(0));
  k = m.select(isNegative, narrow.make<arith::SubIOp>(narrow.constant(0), k), k);
  r = m.select(isNegative, arith::NegFOp::create(m.builder, m.loc, r), r);
  Value isFinite = m.compare(arith::CmpFPredicate::OLT, m.abs(x),
                             m.constant(std::numeric_limits<float>::infinity()));
  return {k, m.select(isFinite, r, m.constant(std::numeric_limits<float>::quiet_NaN()))};
}

}  // namespace adze::schedule
