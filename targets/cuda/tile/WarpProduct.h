// What one warp makes of two tiles in shared memory: which sums its lanes have, and how they add to
// them. There is one kind for each way in which a chip multiplies.
#pragma once
#include "targets/cuda/tile/Epilogue.h"
#include "targets/cuda/tile/Tile.h"

#include <memory>

namespace adze::cuda {

/// A warp's part of the block's tiles.
struct WarpPart {
  Value row, column;  ///< its first of A's and of B's tile
  int64_t rows, columns;
  Value firstStep;  ///< from which steps count; null: 0
};

class WarpProduct {
 public:
  virtual ~WarpProduct() = default;

  /// sums += A B over 32 bytes of k, the step-th: f32, or i32 of S8.
  virtual void multiply(Kit &kit, Value aStage, Value bStage, int64_t step,
                        mlir::MutableArrayRef<Value> sums) const = 0;

  /// A lane's sums, relative to laneRow() and laneColumn(), these to the warp's part.
  mlir::ArrayRef<SumPlace> places() const { return places_; }
  Value laneRow() const { return laneRow_; }
  Value laneColumn() const { return laneColumn_; }

 protected:
  mlir::SmallVector<SumPlace> places_;
  Value laneRow_, laneColumn_;
};

/// What reads tiles of such products.
TileReader readerOf(Multiply multiply, int chip);

std::unique_ptr<WarpProduct> makeWarpProduct(Kit &kit, Multiply multiply, int chip,
                                             const SharedTile &a, const SharedTile &b,
                                             const WarpPart &part);
/// Those of TileReader::Quads and Cores.
std::unique_ptr<WarpProduct> makeQuadProduct(Kit &kit, const SharedTile &a, const SharedTile &b,
                                             const WarpPart &part);
std::unique_ptr<WarpProduct> makeCoreProduct(Kit &kit, const SharedTile &a, const SharedTile &b,
                                             const WarpPart &part);

/// Can a warp have so many rows of the tile, next to `others` of the other factor's?
bool canHaveRows(const SharedTile &tile, bool isA, int64_t rows, int64_t others);

}  // namespace adze::cuda
