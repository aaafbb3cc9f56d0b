// What happens to the sums of a tile.
#pragma once
#include "targets/cuda/tile/Kit.h"

namespace adze::cuda {

/// What to do with sums: `values` is a vector of f32 (i32 for S8), those of
/// columns `column`, `column` + 1, … of one row; they exist. 1, 2 or 4 values.
using Epilogue = std::function<void(Kit &, Value batch, Value row, Value column, Value values)>;

/// An epilogue that stores activation(value + bias[column]) to c, row-major with
/// a stride of `stride` elements; `bias`, f32, may be null. Both !llvm.ptr<1>, `type` f32, f16,
/// bf16 or (of i32 sums) i32.
Epilogue storeEpilogue(Value c, Type type, Extent stride, Extent batchStride, Value bias = {},
                       std::function<Value(Kit &, Value)> activation = {});
Value relu(Kit &kit, Value x);

/// A tile of the product: its extents and where it ends.
struct ProductTile {
  Value batch, firstRow, firstColumn;
  int64_t rows, columns;
  Extent m, n;
};

/// One of a lane's sums: its place relative to the lane's first row and column.
struct SumPlace {
  int64_t row, column;
  size_t index;
};

/// Gives a lane's sums to the epilogue, neighbours together: without conditions
/// where the whole tile lies within the product.
void finishTile(Kit &kit, const ProductTile &tile, Value laneRow, Value laneColumn,
                mlir::ArrayRef<SumPlace> places, ValueRange sums, const Epilogue &epilogue);

/// The tile's number -> its row and column of tiles. Blocks that run together
/// take `group` rows of tiles, so that they read few rows and columns.
std::pair<Value, Value> rasterTile(Kit &kit, Value tile, Value rows, Value columns, int64_t group);

}  // namespace adze::cuda
