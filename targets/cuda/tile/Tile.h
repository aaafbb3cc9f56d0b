// Tiles of factors in shared memory: their layout, how they get there, and how
// warps read them as fragments of matrix instructions.
#pragma once
#include "targets/cuda/tile/Instructions.h"
#include "targets/cuda/tile/Operand.h"

namespace adze::cuda {

/// What reads a tile, for whose sake it lies as it does.
enum class TileReader : uint8_t {
  Fragments,  ///< of mma.m16n8: by ldmatrix, or 4-byte elements along rows by pieces
  Quads,      ///< of mma.m8n8k4: lanes read pieces
  Cores,      ///< lanes read pieces of the rows of one k; lines are always k
};

/// One stage of a factor's tile. Lines are rows, or k where memory runs along
/// the rows; their 16-byte pieces are permuted, or lines moved apart, so that nothing meets in a
/// bank.
struct SharedTile {
  int64_t rows, depth;   ///< elements
  int64_t elementBytes;  ///< 1, 2 or 4
  bool alongK;
  /// Along rows, elements of 4 bytes: a lane's k are 2 i and 2 i + 1, not i and i + 4, as sums
  /// have them that become factors.
  bool pairsK = false;
  /// Rows of a piece that a lane reads at once, of 4-byte elements along rows: 4, or 2 where a warp
  /// has 16 rows.
  int64_t pieceRows = 4;
  TileReader reader = TileReader::Fragments;

  int64_t lines() const { return alongK ? rows : depth; }
  int64_t lineElements() const { return alongK ? depth : rows; }
  int64_t lineBytes() const { return lineElements() * elementBytes; }
  int64_t bytes() const { return lineOffset(lines() - 1) + lineBytes(); }
  /// Where a line begins. Of a sum, where no bit is carried, it is the sum of the parts'.
  int64_t lineOffset(int64_t line) const;
  Value lineOffset(Kit &kit, Value line) const;
  /// ldmatrix does not transpose elements of 4 bytes: warps then read pieces of some
  /// rows of one k.
  bool isReadByPieces() const {
    return reader == TileReader::Fragments && !alongK && elementBytes == 4;
  }
  /// Where piece `piece` of `line` lies among the line's pieces.
  Value swizzle(Kit &kit, Value line, Value piece) const;
};

/// The lane's number and its place in a fragment.
struct Lane {
  explicit Lane(Kit &kit);
  Value number, group, inGroup;  ///< 0-31; / 4; % 4
};

/// A warp's fragments of one factor. Which row of the tile a fragment's row
/// stands for is free, as long as the sums are stored to match.
class Fragments {
 public:
  /// Of the rows from `firstRow` on, `rows` of them; firstRow is a multiple of it. Steps count from
  /// `firstStep` on; null: 0.
  Fragments(Kit &kit, const SharedTile &tile, Multiply multiply, bool isA, const Lane &lane,
            Value firstRow, int64_t rows, Value firstStep = {});

  struct Registers {
    /// By tile of 16 (A) or 8 (B) rows: 4 or 2 i32. For TF32x3 `small` has what
    /// `big` leaves.
    std::vector<mlir::SmallVector<Value>> big, small;
  };
  /// Those of 32 bytes of k, the step-th; of all tiles, or of one unit of them.
  Registers load(Kit &kit, Value stage, int64_t step) const;
  Registers load(Kit &kit, Value stage, int64_t step, int64_t unit) const;
  /// Rows that are read together.
  int64_t unitRows() const { return tile_.isReadByPieces() ? 8 * tile_.pieceRows : 16; }

  int64_t count() const { return rows_ / (isA_ ? 16 : 8); }
  /// The row that a lane's sum stands for is lanePart() + constantPart(): of
  /// A for rows 0-7 and 8-15 (`half`) of a tile, of B for the two columns.
  Value lanePart() const { return lanePart_; }
  int64_t constantPart(int64_t tile, int64_t half) const;

 private:
  mlir::SmallVector<Value> loadMatrices(Kit &kit, Value stage, int64_t step, int64_t pair) const;
  mlir::SmallVector<Value> loadPieces(Kit &kit, Value stage, int64_t step, int64_t group) const;

  SharedTile tile_;
  Multiply multiply_;
  bool isA_;
  int64_t rows_;
  mlir::SmallVector<Value> offsets_;  ///< of the lane: by step along k, else by pair of tiles
  Value lanePart_;
};

/// Appends raw registers (i32), rounded as `multiply` wants them.
void addRounded(Kit &kit, Multiply multiply, ValueRange raw, Fragments::Registers &out);

/// sums += A B: four sums for each tile of A and tile of B, those of one tile of A together.
void multiplyTiles(Kit &kit, const MatrixInstruction &instruction, const Fragments::Registers &a,
                   const Fragments::Registers &b, mlir::MutableArrayRef<Value> sums);

/// Copies a factor's tile to shared memory, by all threads of the block.
class TileCopy {
 public:
  TileCopy(Kit &kit, const Operand &operand, const SharedTile &tile, Extent rows, Extent depth,
           Value batch, Value firstRow, int64_t threads);

  /// Asynchronously; the caller commits the group.
  void start(Kit &kit, Value stage, Value firstK);
  /// Through registers: reads (zeros where `enabled` is false), then writes as
  /// elements of `type`.
  mlir::SmallVector<Value> fetch(Kit &kit, Value firstK, Value enabled);
  void put(Kit &kit, Value stage, ValueRange values, Type type);
  size_t chunks() const { return passes_.size(); }

  /// Elements of a chunk: the most that alignment and extents allow.
  static int64_t chunkElements(const Operand &operand, const SharedTile &tile, const Extent &rows,
                               const Extent &depth);
  /// cp.async takes 4, 8 or 16 bytes, and converts and transposes nothing.
  static bool canBeAsync(const Operand &operand, const SharedTile &tile, const Extent &rows,
                         const Extent &depth);
  /// Can `threads` share the chunks evenly?
  static bool fits(const Operand &operand, const SharedTile &tile, const Extent &rows,
                   const Extent &depth, int64_t threads);

 private:
  struct Pass {
    Value line, chunk;
    mlir::SmallVector<Value> prepared;
    Value valid;   ///< of the row; null: always
    Value inTile;  ///< has the thread a chunk; null: it has
    Value offset;  ///< in the stage, bytes
  };
  /// The thread's chunks: their line and number among those of a line, as the operand has lines.
  static std::vector<Pass> shareOut(Kit &kit, const SharedTile &tile, int64_t elements,
                                    int64_t threads);
  static std::vector<Pass> shareOutTransposed(Kit &kit, const SharedTile &tile, int64_t elements,
                                              int64_t threads);
  Value offsetOf(Kit &kit, const Pass &pass) const;
  static void whenInTile(Kit &kit, const Pass &pass, mlir::function_ref<void()> copy);
  Place placeOf(Kit &kit, const Pass &pass, Value firstK);

  Operand operand_;
  SharedTile tile_;
  Extent depth_;
  int64_t elements_;
  bool masksK_;
  bool transposes_;  ///< memory's lines are rows, the tile's are k
  std::vector<Pass> passes_;
};

}  // namespace adze::cuda
