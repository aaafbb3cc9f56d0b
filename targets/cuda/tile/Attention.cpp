#include "targets/cuda/tile/Attention.h"
#include "targets/cuda/tile/Tile.h"

#include "llvm/Support/MathExtras.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace adze::cuda {
namespace {

constexpr int64_t kStages = 2;

/// Extents of tiles are powers of two; what is beyond the depth is zero and not multiplied.
int64_t padded(int64_t depth) { return std::max<int64_t>(llvm::PowerOf2Ceil(depth), 32); }

SharedTile queryTile(const AttentionKernel &k, const AttentionProblem &p) {
  return {k.blockM(), padded(p.depth), bytesOf(k.multiply), true};
}
SharedTile keyTile(const AttentionKernel &k, const AttentionProblem &p) {
  return {k.blockN, padded(p.depth), bytesOf(k.multiply), true};
}
SharedTile valueTile(const AttentionKernel &k, const AttentionProblem &p) {
  return {padded(p.valueDepth), k.blockN, bytesOf(k.multiply), false, bytesOf(k.multiply) == 4};
}

struct Work {
  Value batch, firstRow;
};

Work findWork(Kit &kit, const AttentionKernel &k, const AttentionProblem &p) {
  Value tiles = ceilDiv(kit, p.queries, k.blockM()), block = kit.block(0);
  return {kit.div(block, tiles), kit.mul(kit.rem(block, tiles), k.blockM())};
}

class AttentionBuilder {
 public:
  AttentionBuilder(Kit &kit, const AttentionKernel &kernel, const AttentionProblem &problem)
      : kit_(kit),
        k_(kernel),
        p_(problem),
        instruction_(*findInstruction(k_.multiply, k_.chip)),
        work_(findWork(kit, k_, p_)),
        lane_(kit),
        shared_(sharedMemory(kit)),
        qTile_(queryTile(k_, p_)),
        kTile_(keyTile(k_, p_)),
        vTile_(valueTile(k_, p_)),
        zero_(kit.i32(0)),
        qCopy_(kit, p_.q, qTile_, p_.queries, Extent::of(p_.depth), work_.batch, work_.firstRow,
               threads(k_)),
        vCopy_(kit, p_.v, vTile_, Extent::of(p_.valueDepth), p_.keys, work_.batch, zero_,
               threads(k_)),
        slice_(kit.div(kit.shr(kit.thread(), 5), k_.warps)),
        inTile_(kit.rem(kit.shr(kit.thread(), 5), k_.warps)),
        warpRow_(kit.mul(inTile_, k_.warpM)),
        firstKey_(kit.mul(slice_, k_.warpN())),
        q_(kit, qTile_, k_.multiply, true, lane_, warpRow_, k_.warpM),
        keys_(kit, kTile_, k_.multiply, false, lane_, firstKey_, k_.warpN()),
        v_(kit, vTile_, k_.multiply, false, lane_, zero_, vTile_.rows, firstKeyStep()) {}

  void build();

 private:
  /// What a lane keeps of the keys so far: by tile of 16 queries and 8 columns four sums.
  struct State {
    RunningSoftmax softmax;
    SmallVector<Value> out;
  };

  int64_t queryTiles() const { return k_.warpM / 16; }
  int64_t keyTiles() const { return k_.warpN() / 8; }
  int64_t columnUnits() const { return ceilDiv(p_.valueDepth, v_.unitRows()); }
  int64_t columnTiles() const { return columnUnits() * v_.unitRows() / 8; }
  int64_t depthSteps() const { return ceilDiv(p_.depth * bytesOf(k_.multiply), 32); }
  int64_t keySteps() const { return k_.warpN() * bytesOf(k_.multiply) / 32; }
  Value firstKeyStep() { return k_.slices == 1 ? Value() : kit_.mul(slice_, keySteps()); }
  /// In registers, if they are few: else fragments of queries are read again for each tile of keys.
  bool keepsQueries() const {
    return bytesOf(k_.multiply) == 2 && depthSteps() * queryTiles() * 4 <= 32;
  }

  Value keyStage(Value number) {
    return kit_.offset(kit_.offset(shared_, kit_.mul(number, kTile_.bytes())), qTile_.bytes());
  }
  Value valueStage(Value number) {
    return kit_.offset(kit_.offset(shared_, kit_.mul(number, vTile_.bytes())),
                       qTile_.bytes() + kStages * kTile_.bytes());
  }
  Value f32(float x) { return kit_.f32(x); }
  Value mulf(Value a, Value b) { return kit_.create<arith::MulFOp>(a, b); }
  Value fma(Value a, Value b, Value c) { return kit_.create<math::FmaOp>(a, b, c); }
  void commit() { kit_.create<NVVM::CpAsyncCommitGroupOp>(); }
  void waitFor(int64_t pending) {
    kit_.create<NVVM::CpAsyncWaitGroupOp>(pending);
    kit_.barrier();
  }

  void startCopies(Value stage, Value step, Value end);
  SmallVector<Value> score(Value stage);
  Fragments::Registers probabilities(ArrayRef<Value> scores, int64_t step);
  void addValues(Value stage, ArrayRef<Value> scores, ArrayRef<Value> factors, State &state);
  SmallVector<Value> step(Value step, Value end, ValueRange carried);
  SmallVector<Value> pack(const State &state) const;
  State unpack(ValueRange values) const;
  void merge(State &state, const State &other);
  void finishSlices(State state);
  void finish(State state);

  Kit &kit_;
  const AttentionKernel &k_;
  const AttentionProblem &p_;
  const MatrixInstruction &instruction_;
  Work work_;
  Lane lane_;
  Value shared_;
  SharedTile qTile_, kTile_, vTile_;
  Value zero_;
  TileCopy qCopy_, vCopy_;
  Value slice_, inTile_;  ///< of the warp: its part of the keys, its number among those of one part
  Value warpRow_, firstKey_;
  Fragments q_, keys_, v_;
  std::vector<Fragments::Registers> queries_;  ///< by step of the depth, where they are kept
};

/// Of keys, then of values; they may be waited for apart.
void AttentionBuilder::startCopies(Value stage, Value step, Value end) {
  Value isTile = kit_.less(step, end), firstKey = kit_.mul(step, k_.blockN);
  kit_.when(isTile, [&] {
    TileCopy(kit_, p_.k, kTile_, p_.keys, Extent::of(p_.depth), work_.batch, firstKey, threads(k_))
        .start(kit_, keyStage(stage), zero_);
  });
  commit();
  kit_.when(isTile, [&] { vCopy_.start(kit_, valueStage(stage), firstKey); });
  commit();
}

SmallVector<Value> AttentionBuilder::score(Value stage) {
  SmallVector<Value> all(queryTiles() * keyTiles() * 4, f32(0));
  for (int64_t d = 0; d < depthSteps(); ++d) {
    Fragments::Registers a = keepsQueries() ? queries_[d] : q_.load(kit_, shared_, d);
    multiplyTiles(kit_, instruction_, a, keys_.load(kit_, stage, d), all);
  }
  return all;
}

/// Powers of the step-th 32 bytes of keys as fragments of a factor: the sums of two key tiles, or
/// (4 bytes) of one, are where a factor's elements are.
Fragments::Registers AttentionBuilder::probabilities(ArrayRef<Value> scores, int64_t step) {
  Fragments::Registers out;
  auto pair = VectorType::get(2, elementOf(k_.multiply, kit_.getContext()));
  for (int64_t i = 0; i < queryTiles(); ++i) {
    ArrayRef<Value> s = scores.slice(i * keyTiles() * 4, keyTiles() * 4);
    SmallVector<Value> raw;
    if (bytesOf(k_.multiply) == 4) {
      for (int64_t at : {0, 2, 1, 3})
        raw.push_back(kit_.bitcast(s[4 * step + at], kit_.getI32Type()));
    } else {
      for (int64_t at = 8 * step; at < 8 * step + 8; at += 2) {
        Value two = kit_.create<arith::TruncFOp>(pair, kit_.vector({s[at], s[at + 1]}));
        raw.push_back(kit_.bitcast(two, kit_.getI32Type()));
      }
    }
    addRounded(kit_, k_.multiply, raw, out);
  }
  return out;
}

/// out = factor out + P V. The sum over this tile's keys is apart, rounded to nearest when it is
/// added, where sums are to be as f32's; else the tensor cores add to `out`.
void AttentionBuilder::addValues(Value stage, ArrayRef<Value> scores, ArrayRef<Value> factors,
                                 State &state) {
  bool apart = bytesOf(k_.multiply) == 4;
  int64_t perQuery = columnTiles() * 4, perUnit = v_.unitRows() / 8 * 4;
  std::vector<Fragments::Registers> p;
  for (int64_t s = 0; s < keySteps(); ++s) p.push_back(probabilities(scores, s));
  for (int64_t u = 0; u < columnUnits(); ++u) {
    auto sumOf = [&](int64_t n) -> Value & {
      return state.out[n / perUnit * perQuery + u * perUnit + n % perUnit];
    };
    auto factorOf = [&](int64_t n) { return factors[n / perUnit * 2 + n % 4 / 2]; };
    SmallVector<Value> part;
    for (int64_t n = 0; n < queryTiles() * perUnit; ++n)
      part.push_back(apart ? f32(0) : mulf(sumOf(n), factorOf(n)));
    for (int64_t s = 0; s < keySteps(); ++s)
      multiplyTiles(kit_, instruction_, p[s], v_.load(kit_, stage, s, u), part);
    for (int64_t n = 0; n < queryTiles() * perUnit; ++n)
      sumOf(n) = apart ? fma(sumOf(n), factorOf(n), part[n]) : part[n];
  }
}

SmallVector<Value> AttentionBuilder::pack(const State &state) const {
  SmallVector<Value> all(state.softmax.most);
  llvm::append_range(all, state.softmax.sum);
  llvm::append_range(all, state.out);
  return all;
}

AttentionBuilder::State AttentionBuilder::unpack(ValueRange values) const {
  size_t rows = 2 * queryTiles();
  State s;
  s.softmax.most.append(values.begin(), values.begin() + rows);
  s.softmax.sum.append(values.begin() + rows, values.begin() + 2 * rows);
  s.out.append(values.begin() + 2 * rows, values.end());
  return s;
}

/// One tile of keys, whose copy is there and whose values' copy is on its way; starts those of the
/// next.
SmallVector<Value> AttentionBuilder::step(Value step, Value end, ValueRange carried) {
  Value stage = carried[0], other = kit_.bitXor(stage, kit_.i32(1)), next = kit_.add(step, 1);
  State state = unpack(carried.drop_front());
  startCopies(other, next, end);
  Value firstKey = kit_.add(kit_.mul(step, k_.blockN), firstKey_);
  ScoreTile tile{work_.batch,      work_.firstRow, firstKey,
                 k_.blockM(),      k_.warpN(),     kit_.add(warpRow_, q_.lanePart()),
                 keys_.lanePart(), queryTiles(),   k_.blockN};
  SmallVector<Value> scores = applyRules(kit_, p_, tile, score(keyStage(stage)));
  SmallVector<Value> factors = state.softmax.add(kit_, p_, tile, scores);
  waitFor(2);
  addValues(valueStage(stage), scores, factors, state);
  waitFor(1);
  SmallVector<Value> out{other};
  llvm::append_range(out, pack(state));
  return out;
}

void AttentionBuilder::finish(State state) {
  Value laneRow = kit_.add(kit_.add(work_.firstRow, warpRow_), q_.lanePart());
  SmallVector<Value> weights = state.softmax.weights(kit_, p_, work_.batch, laneRow);
  SmallVector<SumPlace> places;
  SmallVector<Value> values;
  for (int64_t i = 0; i < queryTiles(); ++i)
    for (int64_t j = 0; j < columnTiles(); ++j)
      for (int64_t half = 0; half < 2; ++half)
        for (int64_t e = 0; e < 2; ++e) {
          places.push_back({q_.constantPart(i, half), v_.constantPart(j, e), values.size()});
          values.push_back(mulf(state.out[values.size()], weights[2 * i + half]));
        }
  ProductTile tile{work_.batch, work_.firstRow,           zero_, k_.blockM(), columnTiles() * 8,
                   p_.queries,  Extent::of(p_.valueDepth)};
  finishTile(kit_, tile, laneRow, v_.lanePart(), places, values, p_.epilogue);
}

void AttentionBuilder::merge(State &state, const State &other) {
  auto [own, others] = state.softmax.merge(kit_, p_, other.softmax);
  int64_t perQuery = columnTiles() * 4;
  for (int64_t n = 0; n < static_cast<int64_t>(state.out.size()); ++n) {
    int64_t row = n / perQuery * 2 + n % 4 / 2;
    state.out[n] = fma(state.out[n], own[row], mulf(other.out[n], others[row]));
  }
}

/// The warps of the first slice put the states of the others, which pass them through the tiles'
/// memory, together with theirs.
void AttentionBuilder::finishSlices(State state) {
  SmallVector<Value> values = pack(state);
  int64_t quads = static_cast<int64_t>(values.size()) / 4, width = k_.warps * 32 * 16;
  Value own = kit_.mul(kit_.add(kit_.mul(inTile_, 32), lane_.number), 16);
  auto slot = [&](Value slice, int64_t quad) {
    Value of = kit_.offset(shared_, kit_.mul(kit_.sub(slice, kit_.i32(1)), quads * width));
    return kit_.offset(kit_.offset(of, own), quad * width);
  };
  waitFor(0);
  Value isFirst = kit_.equal(slice_, kit_.i32(0));
  kit_.when(
      isFirst, [] {},
      [&] {
        for (int64_t q = 0; q < quads; ++q)
          kit_.store(kit_.vector(ArrayRef(values).slice(4 * q, 4)), slot(slice_, q), 16);
      });
  kit_.barrier();
  kit_.when(isFirst, [&] {
    Type quad = VectorType::get(4, kit_.getF32Type());
    for (int64_t slice = 1; slice < k_.slices; ++slice) {
      SmallVector<Value> other;
      for (int64_t q = 0; q < quads; ++q) {
        Value four = kit_.load(quad, slot(kit_.i32(slice), q), 16);
        for (int64_t i = 0; i < 4; ++i) other.push_back(kit_.element(four, i));
      }
      merge(state, unpack(other));
    }
    finish(state);
  });
}

void AttentionBuilder::build() {
  Value end = countKeyTiles(kit_, p_, work_.firstRow, k_.blockM(), k_.blockN);
  qCopy_.start(kit_, shared_, zero_);
  startCopies(zero_, zero_, end);
  waitFor(1);
  if (keepsQueries())
    for (int64_t d = 0; d < depthSteps(); ++d) queries_.push_back(q_.load(kit_, shared_, d));
  State start{RunningSoftmax(kit_, 2 * queryTiles()),
              SmallVector<Value>(queryTiles() * columnTiles() * 4, f32(0))};
  SmallVector<Value> carried{zero_};
  llvm::append_range(carried, pack(start));
  SmallVector<Value> results = kit_.loop(zero_, end, kit_.i32(1), carried,
                                         [&](Value i, ValueRange c) { return step(i, end, c); });
  State state = unpack(ValueRange(results).drop_front());
  if (k_.slices == 1) return finish(state);
  finishSlices(state);
}

/// What one warp passes to another: two maxima, two sums, and results of each lane.
int64_t stateBytes(const AttentionKernel &k, const AttentionProblem &p) {
  return k.warpM / 16 * (4 + padded(p.valueDepth) / 2) * 4 * 32;
}

std::optional<std::string> whyNotFactor(const AttentionKernel &k, const Operand &o,
                                        const SharedTile &tile, const Extent &rows,
                                        const Extent &depth) {
  if (o.alongK != tile.alongK) return "it is not contiguous the way it is read";
  if (o.element != elementOf(k.multiply, o.element.getContext())) return "its type is another";
  if (tile.lineBytes() < (tile.isReadByPieces() ? 128 : 32)) return "a tile's lines are too short";
  if (!TileCopy::canBeAsync(o, tile, rows, depth)) return "it is not aligned to 4 bytes";
  if (!TileCopy::fits(o, tile, rows, depth, threads(k)))
    return "threads do not share its chunks evenly";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> whyNot(const AttentionKernel &k, const AttentionProblem &p) {
  const MatrixInstruction *i = findInstruction(k.multiply, k.chip);
  if (!i || k.multiply == Multiply::S8 || k.chip < 80) return "the chip has no such kernel";
  if (k.warpM != 16 && k.warpM != 32) return "a warp has 16 or 32 queries";
  if (!llvm::isPowerOf2_64(k.blockM()) || !llvm::isPowerOf2_64(k.blockN))
    return "a tile's extent is no power of two";
  if (k.slices < 1 || k.blockN % k.slices != 0 || k.warpN() % 16 != 0 || threads(k) > 1024)
    return "tiles are too small or too large";
  if (p.depth < 1 || p.valueDepth < 1 || p.depth > 256 || p.valueDepth > 256)
    return "the depth is not within 1 and 256";
  Extent depth = Extent::of(p.depth), columns = Extent::of(p.valueDepth);
  if (auto why = whyNotFactor(k, p.q, queryTile(k, p), p.queries, depth)) return "queries: " + *why;
  if (auto why = whyNotFactor(k, p.k, keyTile(k, p), p.keys, depth)) return "keys: " + *why;
  if (auto why = whyNotFactor(k, p.v, valueTile(k, p), columns, p.keys)) return "values: " + *why;
  if (sharedBytes(k, p) > sharedLimit(k.chip)) return "the tiles need too much shared memory";
  return std::nullopt;
}

void buildAttention(Kit &kit, const AttentionKernel &kernel, const AttentionProblem &problem) {
  AttentionBuilder(kit, kernel, problem).build();
}

int64_t threads(const AttentionKernel &k) { return k.warps * k.slices * 32; }

int64_t blockCount(const AttentionKernel &k, int64_t batch, int64_t queries) {
  return ceilDiv(queries, k.blockM()) * batch;
}

int64_t sharedBytes(const AttentionKernel &k, const AttentionProblem &p) {
  int64_t tiles = keyTile(k, p).bytes() + valueTile(k, p).bytes();
  int64_t states = (k.slices - 1) * k.warps * stateBytes(k, p);
  return std::max(queryTile(k, p).bytes() + kStages * tiles, states);
}

}  // namespace adze::cuda
