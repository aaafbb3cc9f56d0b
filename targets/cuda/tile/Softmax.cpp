#include "targets/cuda/tile/Softmax.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;

namespace adze::cuda {

static constexpr float kLog2E = 1.44269504088896340736f;
static constexpr float kLeast = -std::numeric_limits<float>::infinity();

static Value compare(Kit &kit, arith::CmpIPredicate predicate, Value a, Value b) {
  return kit.create<arith::CmpIOp>(predicate, a, b);
}

Value countKeyTiles(Kit &kit, const ScoreRules &rules, Value firstQuery, int64_t tileQueries,
                    int64_t tileKeys) {
  Value tiles = ceilDiv(kit, rules.keys, tileKeys);
  if (!rules.causal) return tiles;
  // Signed: an offset may be negative.
  Value last = kit.add(kit.add(firstQuery, tileQueries - 1), kit.value(rules.causalOffset));
  Value none = compare(kit, arith::CmpIPredicate::slt, last, kit.i32(0));
  Value seen = kit.add(kit.div(last, tileKeys), 1);
  return kit.select(none, kit.i32(0), kit.min(seen, tiles));
}

namespace {

/// Scores of one lane on their way to what the rules make of them.
struct RuledScores {
  Kit &kit;
  const ScoreRules &rules;
  const ScoreTile &tile;

  Value queryOf(size_t n) const {
    return kit.add(kit.add(tile.firstQuery, tile.laneQuery), tile.query(n));
  }
  Value keyOf(size_t n) const { return kit.add(kit.add(tile.firstKey, tile.laneKey), tile.key(n)); }

  /// Scores of neighbouring keys, which exist, as does the query.
  SmallVector<Value> change(Value query, Value key, ArrayRef<Value> scores) const {
    if (rules.scalesLate()) return SmallVector<Value>(scores);
    Value scaled = kit.vector(scores);
    if (rules.scale != 1) {
      Value scale = kit.create<vector::BroadcastOp>(scaled.getType(), kit.f32(rules.scale));
      scaled = kit.create<arith::MulFOp>(scaled, scale);
    }
    if (rules.score) scaled = rules.score(kit, tile.batch, query, key, scaled);
    SmallVector<Value> out;
    for (size_t i = 0; i < scores.size(); ++i)
      out.push_back(kit.element(scaled, static_cast<int64_t>(i)));
    return out;
  }

  /// All of them, of queries that see all keys.
  SmallVector<Value> whole(ValueRange scores) const {
    SmallVector<Value> out;
    for (size_t n = 0; n < scores.size(); n += 2)
      llvm::append_range(out, change(queryOf(n), keyOf(n), {scores[n], scores[n + 1]}));
    return out;
  }

  /// Score n, -inf where the query does not see the key. What the rules read of queries or keys
  /// that do not exist is that of the last ones.
  Value masked(size_t n, Value s) const {
    Value query = queryOf(n), key = keyOf(n);
    Value seen = kit.less(key, kit.value(rules.keys));
    if (rules.causal) {
      Value last = kit.add(query, kit.value(rules.causalOffset));
      seen = kit.bitAnd(seen, compare(kit, arith::CmpIPredicate::sle, key, last));
    }
    Value changed = change(lastOf(query, rules.queries), lastOf(key, rules.keys), {s})[0];
    return kit.select(seen, changed, kit.f32(kLeast));
  }

  Value lastOf(Value index, const Extent &extent) const {
    return kit.min(index, kit.sub(kit.value(extent), kit.i32(1)));
  }
};

}  // namespace

SmallVector<Value> applyRules(Kit &kit, const ScoreRules &rules, const ScoreTile &tile,
                              ValueRange scores) {
  RuledScores ruled{kit, rules, tile};
  bool queriesFit = !rules.score || rules.queries.isMultipleOf(tile.queries);
  bool keysFit = rules.keys.isMultipleOf(std::max(tile.keys, tile.sharedKeys));
  if (!rules.causal && queriesFit && keysFit) return ruled.whole(scores);
  // Tiles that all queries see whole need no comparisons.
  Value lastKey = kit.add(tile.firstKey, tile.keys - 1);
  Value inside = kit.less(lastKey, kit.value(rules.keys));
  if (!queriesFit)
    inside = kit.bitAnd(
        inside, kit.less(kit.add(tile.firstQuery, tile.queries - 1), kit.value(rules.queries)));
  if (rules.causal) {
    Value first = kit.add(tile.firstQuery, kit.value(rules.causalOffset));
    inside = kit.bitAnd(inside, compare(kit, arith::CmpIPredicate::sle, lastKey, first));
  }
  auto either = kit.create<scf::IfOp>(TypeRange(scores), inside, true);
  OpBuilder::InsertionGuard guard(kit);
  kit.setInsertionPointToStart(either.thenBlock());
  kit.create<scf::YieldOp>(ruled.whole(scores));
  kit.setInsertionPointToStart(either.elseBlock());
  SmallVector<Value> masked;
  for (size_t n = 0; n < scores.size(); ++n) masked.push_back(ruled.masked(n, scores[n]));
  kit.create<scf::YieldOp>(masked);
  return SmallVector<Value>(either.getResults());
}

RunningSoftmax::RunningSoftmax(Kit &kit, size_t rows)
    : most(rows, kit.f32(kLeast)), sum(rows, kit.f32(0)) {}

static std::vector<SmallVector<Value>> byRow(const ScoreTile &tile, ArrayRef<Value> scores,
                                             size_t rows) {
  std::vector<SmallVector<Value>> out(rows);
  for (size_t n = 0; n < scores.size(); ++n) out[tile.row(n)].push_back(scores[n]);
  return out;
}

/// Pair by pair, so that few wait for each other.
template <typename Op>
static Value reduce(Kit &kit, SmallVector<Value> values) {
  while (values.size() > 1) {
    size_t half = values.size() / 2;
    for (size_t i = 0; i < half; ++i) values[i] = kit.create<Op>(values[2 * i], values[2 * i + 1]);
    if (values.size() % 2) values[half++] = values.back();
    values.resize(half);
  }
  return values[0];
}

namespace {

/// 2^((x - most) scale): exp of the difference of two scores.
class Power {
 public:
  Power(Kit &kit, const ScoreRules &rules, Value most)
      : kit_(kit),
        scalesLate_(rules.scalesLate()),
        scale_(kit.f32(scalesLate_ ? rules.scale * kLog2E : kLog2E)) {
    // Nothing seen yet: any finite number does, powers are 0.
    Value isLeast = kit.create<arith::CmpFOp>(arith::CmpFPredicate::OEQ, most, kit.f32(kLeast));
    base_ = kit.select(isLeast, kit.f32(0), most);
    if (scalesLate_) base_ = kit.create<arith::NegFOp>(kit.create<arith::MulFOp>(base_, scale_));
  }

  /// Scaled late, the difference is one fma; scores that have a mask may be as large as it is, and
  /// are subtracted before they are scaled.
  Value of(Value x) const {
    Value exponent;
    if (scalesLate_)
      exponent = kit_.create<math::FmaOp>(x, scale_, base_);
    else
      exponent = kit_.create<arith::MulFOp>(kit_.create<arith::SubFOp>(x, base_), scale_);
    return kit_.approximate("ex2.approx.f32", exponent);
  }

 private:
  Kit &kit_;
  bool scalesLate_;
  Value scale_, base_;
};

}  // namespace

SmallVector<Value> RunningSoftmax::add(Kit &kit, const ScoreRules &rules, const ScoreTile &tile,
                                       MutableArrayRef<Value> scores) {
  SmallVector<Value> before(most), factors;
  std::vector<Power> powers;
  std::vector<SmallVector<Value>> rows = byRow(tile, scores, most.size());
  for (size_t r = 0; r < most.size(); ++r) {
    rows[r].push_back(most[r]);
    most[r] = reduce<arith::MaxNumFOp>(kit, rows[r]);
    // The four lanes of a row.
    for (int mask : {1, 2})
      most[r] = kit.create<arith::MaxNumFOp>(most[r], kit.shuffleXor(most[r], mask));
    powers.emplace_back(kit, rules, most[r]);
    factors.push_back(powers[r].of(before[r]));
    sum[r] = kit.create<arith::MulFOp>(sum[r], factors[r]);
  }
  for (size_t n = 0; n < scores.size(); ++n) scores[n] = powers[tile.row(n)].of(scores[n]);
  rows = byRow(tile, scores, most.size());
  for (size_t r = 0; r < most.size(); ++r)
    sum[r] = kit.create<arith::AddFOp>(sum[r], reduce<arith::AddFOp>(kit, rows[r]));
  return factors;
}

std::pair<SmallVector<Value>, SmallVector<Value>> RunningSoftmax::merge(
    Kit &kit, const ScoreRules &rules, const RunningSoftmax &other) {
  SmallVector<Value> own, others;
  for (size_t r = 0; r < most.size(); ++r) {
    Value before = most[r];
    most[r] = kit.create<arith::MaxNumFOp>(before, other.most[r]);
    Power power(kit, rules, most[r]);
    own.push_back(power.of(before));
    others.push_back(power.of(other.most[r]));
    Value part = kit.create<arith::MulFOp>(other.sum[r], others[r]);
    sum[r] = kit.create<math::FmaOp>(sum[r], own[r], part);
  }
  return {own, others};
}

SmallVector<Value> RunningSoftmax::weights(Kit &kit, const ScoreRules &rules, Value batch,
                                           Value firstQuery) const {
  SmallVector<Value> out;
  for (auto [r, s] : llvm::enumerate(sum)) {
    Value whole = s;
    for (int mask : {1, 2}) whole = kit.create<arith::AddFOp>(whole, kit.shuffleXor(whole, mask));
    Value factor = kit.create<arith::DivFOp>(kit.f32(1), whole);
    Value hasKeys = kit.less(kit.i32(0), kit.value(rules.keys));
    factor = kit.select(hasKeys, factor, kit.f32(0));
    if (rules.weight) {
      Value query = kit.add(firstQuery, 8 * static_cast<int64_t>(r));
      Value last = kit.sub(kit.value(rules.queries), kit.i32(1));
      factor = rules.weight(kit, batch, kit.min(query, last), factor);
    }
    out.push_back(factor);
  }
  return out;
}

}  // namespace adze::cuda
