// Softmax of scores in the registers of a warp, tile of keys by tile of keys, with running maxima
// and sums (Dao, FlashAttention-2, 2023).
#pragma once
#include "targets/cuda/tile/Kit.h"

namespace adze::cuda {

/// Changes scores, scaled: adds a mask, caps them. `scores` is a vector of f32, those of keys `key`
/// and, if there are two, `key` + 1. Query and keys exist.
using ScoreFunction =
    std::function<Value(Kit &, Value batch, Value query, Value key, Value scores)>;

/// Changes what the sums of a query's values are multiplied by, 1 / the sum of its powers.
using WeightFunction = std::function<Value(Kit &, Value batch, Value query, Value factor)>;

/// What becomes of the products of queries and keys.
struct ScoreRules {
  Extent queries, keys;
  float scale = 1;
  ScoreFunction score;    ///< null: none
  WeightFunction weight;  ///< null: none
  /// Query i sees keys up to i + causalOffset.
  bool causal = false;
  Extent causalOffset = Extent::of(0);

  bool scalesLate() const { return !score && scale > 0; }
};

/// Which scores a lane has: of tiles of 16 queries and 8 keys the four of an mma's sums.
struct ScoreTile {
  Value batch, firstQuery, firstKey;  ///< of the tile
  int64_t queries, keys;              ///< in the tile
  Value laneQuery, laneKey;           ///< of the lane's first score, within the tile
  int64_t queryTiles;                 ///< of the lane
  int64_t sharedKeys = 0;             ///< of a tile whose keys several warps share
  int64_t keyTiles() const { return keys / 8; }
  size_t count() const { return queryTiles * keyTiles() * 4; }
  /// Of score n, [query tile][key tile][row 0-7, 8-15][2 keys]: its lane's n-th row, and places.
  size_t row(size_t n) const { return n / (keyTiles() * 4) * 2 + n % 4 / 2; }
  int64_t query(size_t n) const { return static_cast<int64_t>(row(n)) * 8; }
  int64_t key(size_t n) const { return static_cast<int64_t>(n / 4 % keyTiles() * 8 + n % 2); }
};

/// Tiles of `tileKeys` keys that some of the block's queries see.
Value countKeyTiles(Kit &kit, const ScoreRules &rules, Value firstQuery, int64_t tileQueries,
                    int64_t tileKeys);

/// Scores as the rules have them, -inf where there is no key or none that the query sees.
mlir::SmallVector<Value> applyRules(Kit &kit, const ScoreRules &rules, const ScoreTile &tile,
                                    ValueRange scores);

/// A lane's rows so far: the largest score, and the lane's part of the sum of powers.
struct RunningSoftmax {
  mlir::SmallVector<Value> most, sum;
  RunningSoftmax(Kit &kit, size_t rows);
  RunningSoftmax() = default;
  /// Scores -> powers, exp(score - largest); returns what earlier sums are to be multiplied by.
  mlir::SmallVector<Value> add(Kit &kit, const ScoreRules &rules, const ScoreTile &tile,
                               mlir::MutableArrayRef<Value> scores);
  /// Takes up other keys of the same rows; returns what sums of these keys and of those are to be
  /// multiplied by.
  std::pair<mlir::SmallVector<Value>, mlir::SmallVector<Value>> merge(Kit &kit,
                                                                      const ScoreRules &rules,
                                                                      const RunningSoftmax &other);
  /// What sums of values are multiplied by, by row, of which the first is query `firstQuery`: 1 /
  /// the whole sum, changed by the rules. A query that sees no key gets infinity, so that its 0
  /// becomes NaN; where there are no keys at all, sums stay 0.
  mlir::SmallVector<Value> weights(Kit &kit, const ScoreRules &rules, Value batch,
                                   Value firstQuery) const;
};

}  // namespace adze::cuda
