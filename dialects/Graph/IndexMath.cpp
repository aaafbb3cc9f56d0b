#include "dialects/Graph/IndexMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir;

namespace adze::graph {

using Fold = OpFoldResult;

static std::optional<int64_t> known(Fold v) { return getConstantIntValue(v); }

// Wraps instead of overflowing: a size that does not fit is an error elsewhere.
static int64_t wrap(uint64_t v) { return static_cast<int64_t>(v); }

Value IndexMath::value(Fold v) { return getValueOrCreateConstantIndexOp(b, loc, v); }

SmallVector<Value> IndexMath::values(ArrayRef<Fold> vs) {
  return llvm::map_to_vector(vs, [&](Fold v) { return value(v); });
}

Fold IndexMath::add(Fold l, Fold r) {
  std::optional<int64_t> a = known(l), c = known(r);
  if (a && c) return constant(wrap(uint64_t(*a) + uint64_t(*c)));
  if (a && *a == 0) return r;
  if (c && *c == 0) return l;
  return b.createOrFold<arith::AddIOp>(loc, value(l), value(r));
}

Fold IndexMath::sub(Fold l, Fold r) {
  std::optional<int64_t> a = known(l), c = known(r);
  if (a && c) return constant(wrap(uint64_t(*a) - uint64_t(*c)));
  if (c && *c == 0) return l;
  if (l == r) return constant(0);
  return b.createOrFold<arith::SubIOp>(loc, value(l), value(r));
}

Fold IndexMath::mul(Fold l, Fold r) {
  std::optional<int64_t> a = known(l), c = known(r);
  if (a && c) return constant(wrap(uint64_t(*a) * uint64_t(*c)));
  if ((a && *a == 0) || (c && *c == 0)) return constant(0);
  if (a && *a == 1) return r;
  if (c && *c == 1) return l;
  return b.createOrFold<arith::MulIOp>(loc, value(l), value(r));
}

Fold IndexMath::floorDiv(Fold l, Fold r) {
  std::optional<int64_t> a = known(l), c = known(r);
  if (c && *c == 0) c = 1, r = constant(1);
  if (c && *c == 1) return l;
  if (a && c && !(*c == -1)) return constant(llvm::divideFloorSigned(*a, *c));
  if (!c) r = max(r, constant(1));
  return b.createOrFold<arith::FloorDivSIOp>(loc, value(l), value(r));
}

Fold IndexMath::ceilDiv(Fold l, Fold r) {
  std::optional<int64_t> a = known(l), c = known(r);
  if (c && *c == 1) return l;
  if (a && c && *c > 0) return constant(llvm::divideCeilSigned(*a, *c));
  return b.createOrFold<arith::CeilDivSIOp>(loc, value(l), value(r));
}

Fold IndexMath::max(Fold l, Fold r) {
  std::optional<int64_t> a = known(l), c = known(r);
  if (a && c) return constant(std::max(*a, *c));
  if (l == r) return l;
  return b.createOrFold<arith::MaxSIOp>(loc, value(l), value(r));
}

Fold IndexMath::min(Fold l, Fold r) {
  std::optional<int64_t> a = known(l), c = known(r);
  if (a && c) return constant(std::min(*a, *c));
  if (l == r) return l;
  return b.createOrFold<arith::MinSIOp>(loc, value(l), value(r));
}

Fold IndexMath::selectEqual(Fold l, Fold r, Fold then, Fold otherwise) {
  std::optional<int64_t> a = known(l), c = known(r);
  if (a && c) return *a == *c ? then : otherwise;
  if (l == r || then == otherwise) return then;
  Value cond = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, value(l), value(r));
  return b.createOrFold<arith::SelectOp>(loc, cond, value(then), value(otherwise));
}

Fold IndexMath::selectNegative(Fold l, Fold then, Fold otherwise) {
  if (std::optional<int64_t> a = known(l)) return *a < 0 ? then : otherwise;
  if (then == otherwise) return then;
  Value cond = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, value(l),
                                             value(constant(0)));
  return b.createOrFold<arith::SelectOp>(loc, cond, value(then), value(otherwise));
}

}  // namespace adze::graph
