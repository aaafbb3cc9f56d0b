#include "targets/cuda/tile/Softmax.h"

#include "mlir/Dialect/Math/IR/Math.h"

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

/// Score n, scaled and changed; -inf where the query does not see the key, if `masked`.
static Value applyRule(Kit &kit, const ScoreRules &rules, const ScoreTile &tile, size_t n, Value s,
                       bool masked) {
  Value query = kit.add(kit.add(tile.firstQuery, tile.laneQuery), tile.query(n));
  Value key = kit.add(kit.add(tile.firstKey, tile.laneKey), tile.key(n));
  auto change = [&]() -> Value {
    if (rules.scalesLate()) return s;
    Value scaled = kit.create<arith::MulFOp>(s, kit.f32(rules.scale));
    return rules.score ? rules.score(kit, tile.batch, query, key, scaled) : scaled;
  };
  if (!masked) return change();
  Value seen = kit.less(key, kit.value(rules.keys));
  if (rules.causal) {
    Value last = kit.add(query, kit.value(rules.causalOffset));
    seen = kit.bitAnd(seen, compare(kit, arith::CmpIPredicate::sle, key, last));
  }
  if (!rules.score) return kit.select(seen, change(), kit.f32(kLeast));
  seen = kit.bitAnd(seen, kit.less(query, kit.value(rules.queries)));
  auto either = kit.create<scf::IfOp>(TypeRange{kit.getF32Type()}, seen, true);
  OpBuilder::InsertionGuard guard(kit);
  kit.setInsertionPointToStart(either.thenBlock());
  kit.create<scf::YieldOp>(change());
  kit.setInsertionPointToStart(either.elseBlock());
  kit.create<scf::YieldOp>(kit.f32(kLeast));
  return either.getResult(0);
}

SmallVector<Value> applyRules(Kit &kit, const ScoreRules &rules, const ScoreTile &tile,
                              ValueRange scores) {
  auto all = [&](bool masked) {
    SmallVector<Value> out;
    for (size_t n = 0; n < scores.size(); ++n)
      out.push_back(applyRule(kit, rules, tile, n, scores[n], masked));
    return out;
  };
  bool queriesFit = !rules.score || rules.queries.isMultipleOf(tile.queries);
  if (!rules.causal && queriesFit && rules.keys.isMultipleOf(tile.keys)) return all(false);
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
  kit.create<scf::YieldOp>(all(false));
  kit.setInsertionPointToStart(either.elseBlock());
  kit.create<scf::YieldOp>(all(true));
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

SmallVector<Value> RunningSoftmax::add(Kit &kit, const ScoreRules &rules, const ScoreTile &tile,
                                       MutableArrayRef<Value> scores) {
  auto power = [&](Value x) { return kit.approximate("ex2.approx.f32", x); };
  auto fma = [&](Value a, Value b, Value c) { return kit.create<math::FmaOp>(a, b, c); };
  Value scale = kit.f32(rules.scalesLate() ? rules.scale * kLog2E : kLog2E);
  SmallVector<Value> before(most), negated, factors;
  std::vector<SmallVector<Value>> rows = byRow(tile, scores, most.size());
  for (size_t r = 0; r < most.size(); ++r) {
    rows[r].push_back(most[r]);
    most[r] = reduce<arith::MaxNumFOp>(kit, rows[r]);
    // The four lanes that have this row.
    for (int mask : {1, 2})
      most[r] = kit.create<arith::MaxNumFOp>(most[r], kit.shuffleXor(most[r], mask));
    // Nothing seen yet: any finite number does, powers are 0.
    Value isLeast = kit.create<arith::CmpFOp>(arith::CmpFPredicate::OEQ, most[r], kit.f32(kLeast));
    Value base = kit.create<arith::MulFOp>(kit.select(isLeast, kit.f32(0), most[r]), scale);
    negated.push_back(kit.create<arith::NegFOp>(base));
    factors.push_back(power(fma(before[r], scale, negated[r])));
    sum[r] = kit.create<arith::MulFOp>(sum[r], factors[r]);
  }
  for (size_t n = 0; n < scores.size(); ++n)
    scores[n] = power(fma(scores[n], scale, negated[tile.row(n)]));
  rows = byRow(tile, scores, most.size());
  for (size_t r = 0; r < most.size(); ++r)
    sum[r] = kit.create<arith::AddFOp>(sum[r], reduce<arith::AddFOp>(kit, rows[r]));
  return factors;
}

SmallVector<Value> RunningSoftmax::inverse(Kit &kit) const {
  SmallVector<Value> out;
  for (Value s : sum) {
    for (int mask : {1, 2}) s = kit.create<arith::AddFOp>(s, kit.shuffleXor(s, mask));
    out.push_back(kit.create<arith::DivFOp>(kit.f32(1), s));
  }
  return out;
}

}  // namespace adze::cuda
