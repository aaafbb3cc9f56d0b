// Convolutions whose weights are stored as Winograd coefficients.
#include "lib/Support/Winograd.h"
#include "passes/Lowering/Contraction.h"
#include "passes/Schedule/Schedule.h"

using namespace mlir;

namespace adze::lowering {

namespace {

template <size_t rows, size_t columns>
Value matrix(Emitter &e, const std::array<std::array<double, columns>, rows> &values, Type element) {
  SmallVector<Attribute> elements;
  for (const auto &row : values)
    for (double v : row) elements.push_back(FloatAttr::get(element, v));
  auto type = RankedTensorType::get({int64_t(rows), int64_t(columns)}, element);
  return arith::ConstantOp::create(e.b, e.loc, DenseElementsAttr::get(type, elements));
}

/// Zeros around x: whole tiles of results find all they read.
Value padToTiles(Emitter &e, graph::ConvOp op, Value x, ArrayRef<Fold> results) {
  Folds low(4, e.m.constant(0)), high = low, own = e.extentsOf(x);
  for (int64_t d = 1; d <= 2; ++d) {
    Fold tiles = e.m.ceilDiv(results[d], e.m.constant(kWinogradTile));
    Fold reads = e.m.add(e.m.mul(tiles, e.m.constant(kWinogradTile)), e.m.constant(2));
    low[d] = e.m.constant(op.getPads()[d - 1]);
    high[d] = e.m.sub(e.m.sub(reads, own[d]), low[d]);
  }
  return e.pad(x, low, high, scalarConstant(e.b, e.loc, elementOf(x), 0));
}

}  // namespace

Value contractWinograd(Emitter &e, graph::ConvOp op, ArrayRef<Fold> extents) {
  constexpr Winograd matrices = winogradMatrices();
  Value x = padToTiles(e, op, e.operand(0), extents);
  Type element = elementOf(x);
  Value output = matrix(e, matrices.output, element), input = matrix(e, matrices.input, element);
  SmallVector<AffineExpr> d(9);
  for (auto [i, expr] : llvm::enumerate(d)) expr = e.b.getAffineDimExpr(i);
  auto [n, h, w, o, a, b, i, j, c] = std::tie(d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8]);
  auto map = [&](ArrayRef<AffineExpr> results) { return e.affineMap(d.size(), results); };
  constexpr int64_t tile = kWinogradTile;
  int64_t panel = graph::layoutOf(op.getW().getType()).getTile();
  SmallVector<AffineMap> maps = {
      map({n, h.floorDiv(tile) * tile + i, w.floorDiv(tile) * tile + j, c}),
      map({o.floorDiv(panel), a, b, c, o % panel}),
      map({a, i}), map({b, j}), map({h % tile, a}), map({w % tile, b}), map({n, h, w, o})};
  SmallVector<utils::IteratorType> iterators(4, utils::IteratorType::parallel);
  iterators.append(5, utils::IteratorType::reduction);
  auto body = [&](OpBuilder &builder, Location loc, ValueRange args) {
    auto product = [&](Value l, Value r) -> Value { return arith::MulFOp::create(builder, loc, l, r); };
    Value read = product(product(args[0], args[2]), args[3]);
    Value coefficient = product(product(args[1], args[4]), args[5]);
    return multiplyAdd(builder, loc, read, coefficient, args[6]);
  };
  Value sum = e.generic({x, e.operand(1), input, input, output, output}, e.zeros(extents, element),
                        maps, iterators, body);
  sum.getDefiningOp()->setAttr(schedule::kWinogradAttr, e.b.getUnitAttr());
  return sum;
}

}  // namespace adze::lowering
