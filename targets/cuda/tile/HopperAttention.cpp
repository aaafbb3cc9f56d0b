#include "targets/cuda/tile/HopperAttention.h"
#include "targets/cuda/tile/Tile.h"
#include "targets/cuda/tile/Wgmma.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace adze::cuda {
namespace {

constexpr int64_t kElement = 2, kBox = 64;  // bytes; elements of a line of 128 bytes

/// Whole boxes; what is beyond the depth reads as zero and is not multiplied.
int64_t padded(int64_t depth) { return static_cast<int64_t>(llvm::alignTo(depth, kBox)); }

class HopperAttentionBuilder {
 public:
  HopperAttentionBuilder(Kit &kit, const HopperAttentionKernel &kernel,
                         const HopperAttentionProblem &problem)
      : kit_(kit),
        k_(kernel),
        p_(problem),
        instruction_(*findWarpgroupInstruction(k_.multiply)),
        qTile_{64, padded(p_.depth), kElement, true},
        kTile_{k_.blockN, padded(p_.depth), kElement, true},
        vTile_{padded(p_.valueDepth), k_.blockN, kElement, false},
        shared_(sharedMemory(kit)),
        barriers_(kit.offset(
            shared_, k_.groups * qTile_.bytes() + k_.stages * (kTile_.bytes() + vTile_.bytes()))),
        keyRing_(kit.offset(barriers_, 8), k_.stages),
        valueRing_(kit.offset(barriers_, 8 + Ring::bytes(k_.stages)), k_.stages),
        thread_(kit.thread()),
        lane_(kit),
        zero_(kit.i32(0)) {}

  void build();

 private:
  struct State {
    RingSlot keys, values;
    RunningSoftmax softmax;
    SmallVector<Value> out, powers;  ///< powers: factors of the product that is next
  };
  int64_t depthSteps() const { return ceilDiv(p_.depth, 16); }
  int64_t columns() const { return static_cast<int64_t>(llvm::alignTo(p_.valueDepth, 8)); }
  Value queries(Value group) { return kit_.offset(shared_, kit_.mul(group, qTile_.bytes())); }
  Value keys(Value slot) {
    return kit_.offset(kit_.offset(shared_, kit_.mul(slot, kTile_.bytes())),
                       k_.groups * qTile_.bytes());
  }
  Value values(Value slot) {
    return kit_.offset(kit_.offset(shared_, kit_.mul(slot, vTile_.bytes())),
                       k_.groups * qTile_.bytes() + k_.stages * kTile_.bytes());
  }

  void findWork();
  void initialiseBarriers();
  void load(Value map, const WarpgroupTile &tile, Value at, Value barrier, Value row, Value head);
  void produce();
  SmallVector<Value> startScores(Value slot);
  SmallVector<Value> startValues(Value slot, ValueRange powers, ValueRange out);
  void addScores(Value step, SmallVector<Value> scores, State &state, SmallVector<Value> &factors);
  SmallVector<Value> packPowers(ArrayRef<Value> scores);
  void release(const Ring &ring, RingSlot &slot);
  void takeTurn();
  void giveTurn();
  SmallVector<Value> pack(const State &state) const;
  State unpack(ValueRange values) const;
  SmallVector<Value> step(Value step, ValueRange carried);
  void consume();
  void finish(const State &state);

  Kit &kit_;
  const HopperAttentionKernel &k_;
  const HopperAttentionProblem &p_;
  const WarpgroupInstruction &instruction_;
  WarpgroupTile qTile_, kTile_, vTile_;
  Value shared_, barriers_;  ///< the first says that the queries are there
  Ring keyRing_, valueRing_;
  Value thread_;
  Lane lane_;
  Value zero_;
  Value batch_, image_, head_, firstQuery_, tiles_;
  Value group_;  ///< of consumers
  SmallVector<Value> scores_;
};

void HopperAttentionBuilder::findWork() {
  Value count = ceilDiv(kit_, p_.queries, k_.blockM()), block = kit_.block(0);
  Value tile = kit_.rem(block, count);
  batch_ = kit_.div(block, count);
  // The last queries see most keys: they begin first.
  if (p_.causal) tile = kit_.sub(kit_.sub(count, kit_.i32(1)), tile);
  firstQuery_ = kit_.mul(tile, k_.blockM());
  image_ = kit_.div(batch_, p_.heads), head_ = kit_.rem(batch_, p_.heads);
  // One tile at least: where no key is seen, its powers are 0 and the result NaN.
  Value seen = countKeyTiles(kit_, p_, firstQuery_, k_.blockM(), k_.blockN);
  tiles_ = kit_.createOrFold<arith::MaxUIOp>(seen, kit_.i32(1));
}

void HopperAttentionBuilder::initialiseBarriers() {
  kit_.when(kit_.equal(thread_, zero_), [&] {
    kit_.create<NVVM::MBarrierInitOp>(barriers_, kit_.i32(1), Value());
    keyRing_.initialise(kit_, 1, k_.groups);
    valueRing_.initialise(kit_, 1, k_.groups);
    kit_.create<NVVM::FenceMbarrierInitOp>();
  });
  kit_.barrier();
}

void HopperAttentionBuilder::load(Value map, const WarpgroupTile &tile, Value at, Value barrier,
                                  Value row, Value head) {
  for (int64_t i = 0; i < tile.boxes(); ++i)
    copyBox(kit_, kit_.offset(at, i * tile.boxBytes()), map,
            {kit_.i32(i * kBox), row, head, image_}, barrier);
}

/// One thread loads the queries, then keeps the rings full.
void HopperAttentionBuilder::produce() {
  takeRegisters(kit_, k_.groups, 24, true);
  kit_.when(kit_.equal(thread_, zero_), [&] {
    expectBytes(kit_, barriers_, k_.groups * qTile_.bytes());
    for (int64_t g = 0; g < k_.groups; ++g)
      load(p_.q, qTile_, queries(kit_.i32(g)), barriers_, kit_.add(firstQuery_, 64 * g), head_);
    Value keyHead = kit_.div(head_, p_.heads / p_.keyHeads);
    RingSlot first = firstSlot(kit_, true);
    kit_.loop(zero_, tiles_, kit_.i32(1), {first.number, first.phase},
              [&](Value step, ValueRange at) {
                RingSlot slot{at[0], at[1]};
                Value row = kit_.mul(step, k_.blockN);
                auto fill = [&](const Ring &ring, Value map, const WarpgroupTile &tile, Value to) {
                  awaitBarrier(kit_, ring.empty(kit_, slot.number), slot.phase);
                  Value barrier = ring.full(kit_, slot.number);
                  expectBytes(kit_, barrier, tile.bytes());
                  load(map, tile, to, barrier, row, keyHead);
                };
                fill(keyRing_, p_.k, kTile_, keys(slot.number));
                fill(valueRing_, p_.v, vTile_, values(slot.number));
                slot = keyRing_.next(kit_, slot);
                return SmallVector<Value>{slot.number, slot.phase};
              });
  });
}

/// Starts Q K^T of the keys in `slot`.
SmallVector<Value> HopperAttentionBuilder::startScores(Value slot) {
  Value a = qTile_.describe(kit_, queries(group_), zero_),
        b = kTile_.describe(kit_, keys(slot), zero_);
  SmallVector<Value> scores;
  for (int64_t i = 0; i < depthSteps(); ++i)
    scores = startProduct(kit_, instruction_, k_.blockN, scores, qTile_.advance(kit_, a, i), true,
                          kTile_.advance(kit_, b, i), true);
  commitProducts(kit_);
  return scores;
}

/// Starts out += P V of the values in `slot`.
SmallVector<Value> HopperAttentionBuilder::startValues(Value slot, ValueRange powers,
                                                       ValueRange out) {
  Value b = vTile_.describe(kit_, values(slot), zero_);
  SmallVector<Value> sums(out);
  for (int64_t i = 0; i < k_.blockN / 16; ++i)
    sums = startProduct(kit_, instruction_, columns(), sums, powers.slice(4 * i, 4), true,
                        vTile_.advance(kit_, b, i), false);
  commitProducts(kit_);
  return sums;
}

/// Powers of the scores of tile `step`, into scores_.
void HopperAttentionBuilder::addScores(Value step, SmallVector<Value> scores, State &state,
                                       SmallVector<Value> &factors) {
  Value row = kit_.add(kit_.mul(group_, 64), kit_.mul(kit_.bitAnd(kit_.shr(thread_, 5), 3), 16));
  ScoreTile tile{batch_,
                 firstQuery_,
                 kit_.mul(step, k_.blockN),
                 k_.blockM(),
                 k_.blockN,
                 kit_.add(row, lane_.group),
                 kit_.mul(lane_.inGroup, 2),
                 1};
  scores_ = applyRules(kit_, p_, tile, scores);
  factors = state.softmax.add(kit_, p_, tile, scores_);
}

/// As fragments of A: of 16 keys the sums of two tiles of 8.
SmallVector<Value> HopperAttentionBuilder::packPowers(ArrayRef<Value> scores) {
  auto pair = VectorType::get(2, elementOf(k_.multiply, kit_.getContext()));
  SmallVector<Value> out;
  for (size_t n = 0; n < scores.size(); n += 2) {
    Value two = kit_.create<arith::TruncFOp>(pair, kit_.vector({scores[n], scores[n + 1]}));
    out.push_back(kit_.bitcast(two, kit_.getI32Type()));
  }
  return out;
}

/// The warpgroup is done with a slot; it goes on to the next.
void HopperAttentionBuilder::release(const Ring &ring, RingSlot &slot) {
  kit_.when(kit_.equal(kit_.bitAnd(thread_, 127), zero_),
            [&] { arrive(kit_, ring.empty(kit_, slot.number)); });
  slot = ring.next(kit_, slot);
}

// Barrier 1 + g opens when it is group g's turn to start products.
void HopperAttentionBuilder::takeTurn() {
  if (!k_.takeTurns || k_.groups == 1) return;
  kit_.create<NVVM::BarrierOp>(Type(), kit_.add(group_, 1), kit_.i32(256),
                               NVVM::BarrierReductionAttr(), Value());
}
void HopperAttentionBuilder::giveTurn() {
  if (!k_.takeTurns || k_.groups == 1) return;
  Value next = kit_.add(group_, 1);
  next = kit_.select(kit_.equal(next, kit_.i32(k_.groups)), zero_, next);
  kit_.create<NVVM::BarrierArriveOp>(kit_.add(next, 1), kit_.i32(256));
}

SmallVector<Value> HopperAttentionBuilder::pack(const State &s) const {
  SmallVector<Value> all{s.keys.number, s.keys.phase, s.values.number, s.values.phase};
  for (const auto *part : {&s.softmax.most, &s.softmax.sum, &s.out, &s.powers})
    llvm::append_range(all, *part);
  return all;
}

HopperAttentionBuilder::State HopperAttentionBuilder::unpack(ValueRange v) const {
  State s;
  s.keys = {v[0], v[1]}, s.values = {v[2], v[3]};
  s.softmax.most.append({v[4], v[5]}), s.softmax.sum.append({v[6], v[7]});
  ValueRange rest = v.drop_front(8);
  llvm::append_range(s.out, rest.take_front(columns() / 2));
  llvm::append_range(s.powers, rest.drop_front(columns() / 2));
  return s;
}

/// Scores of tile `step` and products of the tile before it; while the latter run, the former's
/// softmax.
SmallVector<Value> HopperAttentionBuilder::step(Value step, ValueRange carried) {
  State state = unpack(carried);
  awaitBarrier(kit_, keyRing_.full(kit_, state.keys.number), state.keys.phase);
  takeTurn();
  fenceProducts(kit_);
  SmallVector<Value> scores = startScores(state.keys.number);
  awaitBarrier(kit_, valueRing_.full(kit_, state.values.number), state.values.phase);
  SmallVector<Value> out = startValues(state.values.number, state.powers, state.out);
  giveTurn();
  scores = awaitProducts(kit_, 1, scores);
  release(keyRing_, state.keys);
  SmallVector<Value> factors;
  addScores(step, scores, state, factors);
  out = awaitProducts(kit_, 0, out);
  release(valueRing_, state.values);
  for (size_t n = 0; n < out.size(); ++n)
    state.out[n] = kit_.create<arith::MulFOp>(out[n], factors[n % 4 / 2]);
  state.powers = packPowers(scores_);
  return pack(state);
}

void HopperAttentionBuilder::consume() {
  // With 24 of the loading warpgroup's.
  takeRegisters(kit_, k_.groups, k_.groups == 3 ? 160 : 240, false);
  group_ = kit_.sub(kit_.shr(thread_, 7), kit_.i32(1));
  State state;
  state.keys = state.values = firstSlot(kit_, false);
  state.softmax = RunningSoftmax(kit_, 2);
  state.out.assign(columns() / 2, kit_.f32(0));
  awaitBarrier(kit_, barriers_, zero_);
  awaitBarrier(kit_, keyRing_.full(kit_, state.keys.number), state.keys.phase);
  if (k_.takeTurns && k_.groups > 1) {
    // The first turn is group 0's.
    kit_.when(kit_.equal(group_, kit_.i32(k_.groups - 1)),
              [&] { kit_.create<NVVM::BarrierArriveOp>(kit_.i32(1), kit_.i32(256)); });
  }
  takeTurn();
  fenceProducts(kit_);
  SmallVector<Value> scores = startScores(state.keys.number), factors;
  giveTurn();
  scores = awaitProducts(kit_, 0, scores);
  release(keyRing_, state.keys);
  addScores(zero_, scores, state, factors);
  state.powers = packPowers(scores_);
  SmallVector<Value> results =
      kit_.loop(kit_.i32(1), tiles_, kit_.i32(1), pack(state),
                [&](Value i, ValueRange carried) { return step(i, carried); });
  state = unpack(results);
  awaitBarrier(kit_, valueRing_.full(kit_, state.values.number), state.values.phase);
  fenceProducts(kit_);
  state.out = awaitProducts(kit_, 0, startValues(state.values.number, state.powers, state.out));
  finish(state);
}

void HopperAttentionBuilder::finish(const State &state) {
  Value row = kit_.add(kit_.mul(group_, 64), kit_.mul(kit_.bitAnd(kit_.shr(thread_, 5), 3), 16));
  Value laneRow = kit_.add(firstQuery_, kit_.add(row, lane_.group));
  SmallVector<Value> weights = state.softmax.weights(kit_, p_, batch_, laneRow), values;
  SmallVector<SumPlace> places;
  for (int64_t j = 0; j < columns() / 8; ++j)
    for (int64_t half = 0; half < 2; ++half)
      for (int64_t e = 0; e < 2; ++e) {
        places.push_back({8 * half, 8 * j + e, places.size()});
        values.push_back(kit_.create<arith::MulFOp>(state.out[values.size()], weights[half]));
      }
  ProductTile tile{
      batch_, firstQuery_, zero_, k_.blockM(), columns(), p_.queries, Extent::of(p_.valueDepth)};
  finishTile(kit_, tile, laneRow, kit_.mul(lane_.inGroup, 2), places, values, p_.epilogue);
}

void HopperAttentionBuilder::build() {
  findWork();
  initialiseBarriers();
  kit_.when(
      kit_.less(thread_, kit_.i32(128)), [&] { produce(); }, [&] { consume(); });
}

}  // namespace

int64_t threads(const HopperAttentionKernel &k) { return 128 * (k.groups + 1); }

int64_t blockCount(const HopperAttentionKernel &k, int64_t batch, int64_t queries) {
  return ceilDiv(queries, k.blockM()) * batch;
}

int64_t sharedBytes(const HopperAttentionKernel &k, const HopperAttentionProblem &p) {
  int64_t perKey = (padded(p.depth) + padded(p.valueDepth)) * kElement;
  return k.blockM() * padded(p.depth) * kElement + k.stages * k.blockN * perKey + 8 +
         2 * Ring::bytes(k.stages);
}

HopperAttentionBoxes tensorBoxes(const HopperAttentionKernel &k) {
  return {{1, 1, 64, kBox}, {1, 1, k.blockN, kBox}, {1, 1, k.blockN, kBox}};
}

std::optional<std::string> whyNot(const HopperAttentionKernel &k, const HopperAttentionProblem &p) {
  if (k.multiply != Multiply::F16 && k.multiply != Multiply::BF16) return "factors are f16 or bf16";
  if (k.groups < 1 || k.groups > 3 || k.stages < 2)
    return "there are 1 to 3 warpgroups, and 2 stages or more";
  if (k.blockN < 16 || k.blockN > 256 || k.blockN % 16 != 0)
    return "a tile has 16 to 256 keys, a multiple of 16";
  if (p.depth < 1 || p.depth > 256 || p.valueDepth < 1 || p.valueDepth > 256)
    return "the depth is not within 1 and 256";
  if (p.depth % 8 != 0 || p.valueDepth % 8 != 0) return "tensor maps have rows of whole 16 bytes";
  if (p.heads < 1 || p.keyHeads < 1 || p.heads % p.keyHeads != 0)
    return "heads do not share keys evenly";
  if (sharedBytes(k, p) > sharedLimit(90)) return "the tiles need too much shared memory";
  return std::nullopt;
}

void buildAttention(Kit &kit, const HopperAttentionKernel &kernel,
                    const HopperAttentionProblem &problem) {
  HopperAttentionBuilder(kit, kernel, problem).build();
}

}  // namespace adze::cuda
