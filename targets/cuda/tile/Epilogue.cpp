#include "targets/cuda/tile/Epilogue.h"

#include <tuple>

using namespace mlir;

namespace adze::cuda {

Value relu(Kit &kit, Value x) {
  Value zero = kit.create<arith::ConstantOp>(kit.getZeroAttr(x.getType()));
  return kit.create<arith::MaximumFOp>(x, zero);
}

Epilogue storeEpilogue(Value c, Type type, Extent stride, Extent batchStride, Value bias,
                       std::function<Value(Kit &, Value)> activation) {
  return [=](Kit &kit, Value batch, Value row, Value column, Value values) {
    int64_t count = cast<VectorType>(values.getType()).getNumElements();
    if (bias) {
      Value at = kit.offset(bias, kit.mul(kit.wide(column), kit.i64(4)));
      values = kit.create<arith::AddFOp>(values, kit.load(values.getType(), at, 4 * count));
    }
    if (activation) values = activation(kit, values);
    auto stored = VectorType::get(count, type);
    if (values.getType() != stored) values = kit.create<arith::TruncFOp>(stored, values);
    Value index = kit.add(kit.mulWide(batch, batchStride), kit.mulWide(row, stride));
    index = kit.add(index, kit.wide(column));
    bool aligned = stride.isMultipleOf(count) && batchStride.isMultipleOf(count);
    kit.store(values, kit.offset(c, kit.mul(index, kit.i64(bytesOf(type)))),
              bytesOf(type) * (aligned ? count : 1));
  };
}

std::pair<Value, Value> rasterTile(Kit &kit, Value tile, Value rows, Value columns, int64_t group) {
  Value inGroup = kit.mul(columns, group);
  Value first = kit.mul(kit.div(tile, inGroup), group), at = kit.rem(tile, inGroup);
  Value height = kit.min(kit.sub(rows, first), kit.i32(group));
  return {kit.add(first, kit.rem(at, height)), kit.div(at, height)};
}

/// How many places from `at` on are neighbours in one row: at most `most`.
static size_t runLength(ArrayRef<SumPlace> places, size_t at, size_t most) {
  size_t n = 1;
  while (n < most && at + n < places.size() && places[at + n].row == places[at].row &&
         places[at + n].column == places[at].column + static_cast<int64_t>(n))
    ++n;
  return n;
}

static void finishSums(Kit &kit, const ProductTile &tile, Value laneRow, Value laneColumn,
                       ArrayRef<SumPlace> places, ValueRange sums, const Epilogue &epilogue,
                       bool masked) {
  size_t most = 4;
  while (!tile.n.isMultipleOf(static_cast<int64_t>(most))) most /= 2;
  for (size_t at = 0; at < places.size();) {
    size_t count = runLength(places, at, most);
    if (count == 3) count = 2;
    SmallVector<Value> values;
    for (const SumPlace &p : places.slice(at, count)) values.push_back(sums[p.index]);
    Value row = kit.add(laneRow, places[at].row), column = kit.add(laneColumn, places[at].column);
    auto one = [&] { epilogue(kit, tile.batch, row, column, kit.vector(values)); };
    at += count;
    if (!masked) {
      one();
      continue;
    }
    Value inside =
        kit.bitAnd(kit.less(row, kit.value(tile.m)), kit.less(column, kit.value(tile.n)));
    kit.when(inside, one);
  }
}

void finishTile(Kit &kit, const ProductTile &tile, Value laneRow, Value laneColumn,
                ArrayRef<SumPlace> places, ValueRange sums, const Epilogue &epilogue) {
  SmallVector<SumPlace> sorted(places);
  llvm::sort(sorted, [](const SumPlace &a, const SumPlace &b) {
    return std::tie(a.row, a.column) < std::tie(b.row, b.column);
  });
  auto finish = [&](bool masked) {
    finishSums(kit, tile, laneRow, laneColumn, sorted, sums, epilogue, masked);
  };
  if (tile.m.isMultipleOf(tile.rows) && tile.n.isMultipleOf(tile.columns)) return finish(false);
  auto fits = [&](Value first, int64_t count, const Extent &e) {
    return kit.less(kit.add(first, count - 1), kit.value(e));
  };
  Value inside = kit.bitAnd(fits(tile.firstRow, tile.rows, tile.m),
                            fits(tile.firstColumn, tile.columns, tile.n));
  kit.when(
      inside, [&] { finish(false); }, [&] { finish(true); });
}

}  // namespace adze::cuda
