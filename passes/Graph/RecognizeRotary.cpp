// adze-recognize-rotary
#include "passes/Graph/ConstantQueries.h"
#include "passes/Graph/Passes.h"
#include "passes/Graph/Rewrite.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {
#define GEN_PASS_DEF_RECOGNIZEROTARY
#include "passes/Graph/Passes.h.inc"

namespace {

using Fn = ElementwiseFn;

RankedTensorType typeOf(Value v) { return cast<RankedTensorType>(v.getType()); }

/// v is x[..., begin:end] along the last axis, which has `extent` elements.
bool isPart(Value v, Value x, int64_t begin, int64_t end) {
  auto slice = v.getDefiningOp<SliceOp>();
  if (!slice || slice.getX() != x) return false;
  auto starts = constantInts(slice.getStarts()), ends = constantInts(slice.getEnds());
  auto steps = constantInts(slice.getSteps());
  if (!starts || !ends || !steps) return false;
  int64_t rank = typeOf(x).getRank(), extent = typeOf(x).getShape().back();
  auto resolved = [&](int64_t i) { return std::min(i < 0 ? i + extent : i, extent); };
  for (int64_t d = 0; d < rank - 1; ++d) {
    int64_t n = typeOf(x).getDimSize(d);
    bool whole = (*ends)[d] == INT64_MAX || (!ShapedType::isDynamic(n) && (*ends)[d] >= n);
    if ((*starts)[d] != 0 || (*steps)[d] != 1 || !whole) return false;
  }
  return (*steps)[rank - 1] == 1 && resolved((*starts)[rank - 1]) == begin &&
         resolved((*ends)[rank - 1]) == end;
}

/// r = concat(-x[h:], x[:h]) along the last axis, of 2h elements.
bool isHalfRotation(Value r, Value x) {
  auto concat = r.getDefiningOp<ConcatOp>();
  int64_t extent = typeOf(x).getRank() ? typeOf(x).getShape().back() : 0;
  if (!concat || concat.getXs().size() != 2 || extent <= 0 || extent % 2) return false;
  if (int64_t(concat.getAxis()) != typeOf(x).getRank() - 1) return false;
  ElementwiseOp neg = elementwise(concat.getXs()[0], Fn::Neg);
  return neg && isPart(neg.getArgs()[0], x, extent / 2, extent) &&
         isPart(concat.getXs()[1], x, 0, extent / 2);
}

/// x * cosine + rotation(x) * sine.
struct Rotary {
  Value x, cosine, sine, rotated;
};

std::optional<Rotary> matchRotary(ElementwiseOp op) {
  if (op.getFn() != Fn::Add) return std::nullopt;
  for (unsigned i : {0, 1}) {
    ElementwiseOp straight = elementwise(op.getArgs()[i], Fn::Mul);
    ElementwiseOp turned = elementwise(op.getArgs()[1 - i], Fn::Mul);
    if (!straight || !turned || !turned->hasOneUse()) continue;
    for (unsigned j : {0, 1})
      for (unsigned k : {0, 1}) {
        Value x = straight.getArgs()[j], r = turned.getArgs()[k];
        if (x.getType() == op.getType() && r.hasOneUse() && isHalfRotation(r, x))
          return Rotary{x, straight.getArgs()[1 - j], turned.getArgs()[1 - k], r};
      }
  }
  return std::nullopt;
}

/// Builds the two halves.
class Halves {
 public:
  Halves(ElementwiseOp op, const Rotary &m)
      : b(op), loc(fusedLocation(op, partsOf(op, m))), m(m), type(op.getType()) {}

  Value build() {
    int64_t half = type.getShape().back() / 2;
    Value low = part(m.x, 0, half), high = part(m.x, half, 2 * half);
    Value first = apply(Fn::Sub, apply(Fn::Mul, low, part(m.cosine, 0, half)),
                        apply(Fn::Mul, high, part(m.sine, 0, half)));
    Value second = apply(Fn::Add, apply(Fn::Mul, high, part(m.cosine, half, 2 * half)),
                         apply(Fn::Mul, low, part(m.sine, half, 2 * half)));
    return ConcatOp::create(b, loc, type, ValueRange{first, second}, type.getRank() - 1);
  }

 private:
  static SmallVector<Operation *> partsOf(ElementwiseOp op, const Rotary &m) {
    SmallVector<Operation *> parts = opsBetween(op, {m.x, m.cosine, m.sine, m.rotated});
    auto concat = m.rotated.getDefiningOp<ConcatOp>();
    Operation *neg = concat.getXs()[0].getDefiningOp();
    llvm::append_range(parts, ArrayRef<Operation *>{concat, neg, neg->getOperand(0).getDefiningOp(),
                                                    concat.getXs()[1].getDefiningOp()});
    return parts;
  }

  Value ints(ArrayRef<int64_t> values) {
    auto shape = RankedTensorType::get({int64_t(values.size())}, b.getI64Type());
    return ConstantOp::create(b, loc, DenseIntElementsAttr::get(shape, values));
  }

  /// v[..., begin:end]; v itself where its last axis broadcasts.
  Value part(Value v, int64_t begin, int64_t end) {
    RankedTensorType of = typeOf(v);
    if (of.getRank() == 0 || of.getShape().back() == 1) return v;
    SmallVector<int64_t> starts(of.getRank(), 0), ends(of.getRank(), INT64_MAX), shape(of.getShape());
    starts.back() = begin, ends.back() = end, shape.back() = end - begin;
    return SliceOp::create(b, loc, RankedTensorType::get(shape, of.getElementType()), v, ints(starts),
                           ints(ends), ints(SmallVector<int64_t>(of.getRank(), 1)));
  }

  Value apply(Fn fn, Value x, Value y) {
    SmallVector<int64_t> shape(type.getShape());
    shape.back() /= 2;
    return ElementwiseOp::create(b, loc, RankedTensorType::get(shape, type.getElementType()), fn,
                                 ValueRange{x, y});
  }

  OpBuilder b;
  Location loc;
  const Rotary &m;
  RankedTensorType type;
};

/// The last axis broadcasts or is as long as x's.
bool divides(Value v, Value x) {
  RankedTensorType of = typeOf(v);
  if (of.getRank() == 0) return true;
  int64_t extent = of.getShape().back();
  return extent == 1 || extent == typeOf(x).getShape().back();
}

struct RecognizeRotaryPass : public impl::RecognizeRotaryBase<RecognizeRotaryPass> {
  void runOnOperation() override {
    SmallVector<Operation *> dead;
    getOperation()->walk([&](ElementwiseOp op) {
      std::optional<Rotary> m = matchRotary(op);
      if (!m || !divides(m->cosine, m->x) || !divides(m->sine, m->x)) return;
      op.getResult().replaceAllUsesWith(Halves(op, *m).build());
      dead.push_back(op);
      ++numFound;
    });
    eraseChains(dead);
  }
};

}  // namespace
}  // namespace adze
