#include "targets/cuda/tile/HopperSplit.h"
#include "targets/cuda/tile/Tile.h"
#include "targets/cuda/tile/Wgmma.h"
#include "targets/cuda/tile/Work.h"

using namespace mlir;

namespace adze::cuda {
namespace {

constexpr int64_t kDepth = HopperSplitKernel::kBlockK;
constexpr int64_t kLoaders = 128;  // threads of the warpgroup that copies

/// The factor that comes from registers: which it is, and its part of the tile.
struct Sides {
  bool registersAreB;
  int64_t registerRows, sharedRows;
};
Sides sidesOf(const HopperSplitKernel &k, const MatmulProblem &p) {
  bool isB = !p.b.alongK;
  return {isB, isB ? k.blockN : k.blockM, isB ? k.blockM : k.blockN};
}

SharedTile registerTile(const Operand &operand, int64_t rows) {
  // A warp has 16 rows.
  return {rows, kDepth, 4, operand.alongK, false, 2};
}
SharedTile sharedTile(int64_t rows) { return {rows, kDepth, 4, true}; }

class HopperSplitBuilder {
 public:
  HopperSplitBuilder(Kit &kit, const HopperSplitKernel &kernel, const MatmulProblem &problem)
      : kit_(kit),
        k_(kernel),
        p_(problem),
        sides_(sidesOf(kernel, problem)),
        inRegisters_(sides_.registersAreB ? p_.b : p_.a),
        inShared_(sides_.registersAreB ? p_.a : p_.b),
        instruction_(*findWarpgroupInstruction(Multiply::TF32)),
        work_(findWork(kit, {k_.blockM, k_.blockN, kDepth, k_.splitK, k_.rasterGroup}, p_)),
        rTile_(registerTile(inRegisters_, sides_.registerRows)),
        sTile_(sharedTile(sides_.sharedRows)),
        factor_{sides_.sharedRows, kDepth, 4, true},
        shared_(sharedMemory(kit)),
        ring_(kit.offset(shared_, k_.stages * stageBytes()), k_.stages),
        thread_(kit.thread()),
        lane_(kit),
        steps_(kit.sub(work_.endStep, work_.firstStep)) {}

  void build();

 private:
  int64_t stageBytes() const { return rTile_.bytes() + 2 * sTile_.bytes(); }
  int64_t groups() const { return sides_.registerRows / 64; }
  Value stage(Value slot) { return kit_.offset(shared_, kit_.mul(slot, stageBytes())); }
  Value big(Value slot) { return kit_.offset(stage(slot), rTile_.bytes()); }
  Value small(Value slot) { return kit_.offset(big(slot), sTile_.bytes()); }

  void initialiseBarriers();
  void produce();
  void startCopies(TileCopy &registers, TileCopy &shared, Value slot, Value step);
  void split(Value slot);
  void consume();
  SmallVector<Value> multiply(Value slot, const Fragments &fragments);
  void finish(const Fragments &fragments, ValueRange sums);

  Kit &kit_;
  const HopperSplitKernel &k_;
  const MatmulProblem &p_;
  Sides sides_;
  const Operand &inRegisters_, &inShared_;
  const WarpgroupInstruction &instruction_;
  Work work_;
  SharedTile rTile_, sTile_;
  WarpgroupTile factor_;
  Value shared_;
  Ring ring_;
  Value thread_;
  Lane lane_;
  Value steps_;
};

void HopperSplitBuilder::initialiseBarriers() {
  kit_.when(kit_.equal(thread_, kit_.i32(0)), [&] {
    // Full when all loaders have split their part, empty when all warps have read.
    ring_.initialise(kit_, kLoaders, 4 * groups());
    kit_.create<NVVM::FenceMbarrierInitOp>();
  });
  kit_.barrier();
}

void HopperSplitBuilder::startCopies(TileCopy &registers, TileCopy &shared, Value slot,
                                     Value step) {
  Value k = kit_.mul(kit_.add(work_.firstStep, step), kDepth);
  registers.start(kit_, stage(slot), k);
  shared.start(kit_, big(slot), k);
}

/// A tile of the factor in shared memory -> its big parts in its place, and its small ones.
void HopperSplitBuilder::split(Value slot) {
  Type four = VectorType::get(4, kit_.getF32Type());
  for (int64_t at = 0; at < sTile_.bytes(); at += kLoaders * 16) {
    auto one = [&] {
      Value from = kit_.offset(kit_.offset(big(slot), kit_.mul(thread_, 16)), at);
      Value to = kit_.offset(kit_.offset(small(slot), kit_.mul(thread_, 16)), at);
      Value x = kit_.load(four, from, 16);
      Fragments::Registers parts;
      SmallVector<Value> raw;
      for (int64_t i = 0; i < 4; ++i)
        raw.push_back(kit_.bitcast(kit_.element(x, i), kit_.getI32Type()));
      addRounded(kit_, Multiply::TF32x3, raw, parts);
      kit_.store(kit_.vector(parts.big[0]), from, 16);
      kit_.store(kit_.vector(parts.small[0]), to, 16);
    };
    int64_t rest = (sTile_.bytes() - at) / 16;
    if (rest >= kLoaders)
      one();
    else
      kit_.when(kit_.less(thread_, kit_.i32(rest)), one);
  }
}

/// stages - 1 tiles are on their way while one is split.
void HopperSplitBuilder::produce() {
  takeRegisters(kit_, groups(), 104, true);
  const Extent &rows = sides_.registersAreB ? p_.n : p_.m,
               &others = sides_.registersAreB ? p_.m : p_.n;
  Value firstRow = sides_.registersAreB ? work_.firstColumn : work_.firstRow;
  Value firstOther = sides_.registersAreB ? work_.firstRow : work_.firstColumn;
  TileCopy registers(kit_, inRegisters_, rTile_, rows, p_.k, work_.batch, firstRow, kLoaders);
  TileCopy shared(kit_, inShared_, sTile_, others, p_.k, work_.batch, firstOther, kLoaders);
  auto commit = [&] { kit_.create<NVVM::CpAsyncCommitGroupOp>(); };
  kit_.loop(kit_.i32(0), kit_.i32(k_.stages - 1), kit_.i32(1), {}, [&](Value i, ValueRange) {
    kit_.when(kit_.less(i, steps_), [&] { startCopies(registers, shared, i, i); });
    commit();
    return SmallVector<Value>();
  });
  // The slot that is split, and that which is filled, for the first time without waiting.
  SmallVector<Value> start{kit_.i32(0), kit_.i32(k_.stages - 1), kit_.i32(1)};
  kit_.loop(kit_.i32(0), steps_, kit_.i32(1), start, [&](Value step, ValueRange values) {
    RingSlot ready{values[0], kit_.i32(0)}, next{values[1], values[2]};
    kit_.create<NVVM::CpAsyncWaitGroupOp>(k_.stages - 2);
    kit_.create<NVVM::BarrierOp>(Type(), kit_.i32(1), kit_.i32(kLoaders),
                                 NVVM::BarrierReductionAttr(), Value());
    split(ready.number);
    kit_.create<NVVM::FenceProxyOp>(
        NVVM::ProxyKind::async_shared,
        NVVM::SharedSpaceAttr::get(kit_.getContext(), NVVM::SharedSpace::shared_cta));
    arrive(kit_, ring_.full(kit_, ready.number));
    Value ahead = kit_.add(step, k_.stages - 1);
    kit_.when(kit_.less(ahead, steps_), [&] {
      awaitBarrier(kit_, ring_.empty(kit_, next.number), next.phase);
      startCopies(registers, shared, next.number, ahead);
    });
    commit();
    ready = ring_.next(kit_, ready), next = ring_.next(kit_, next);
    return SmallVector<Value>{ready.number, next.number, next.phase};
  });
}

/// Starts and awaits the product of a slot.
SmallVector<Value> HopperSplitBuilder::multiply(Value slot, const Fragments &fragments) {
  std::vector<Fragments::Registers> a;
  for (int64_t step = 0; step < kDepth / 8; ++step)
    a.push_back(fragments.load(kit_, stage(slot), step));
  Value bigs = factor_.describe(kit_, big(slot), kit_.i32(0));
  Value smalls = factor_.describe(kit_, small(slot), kit_.i32(0));
  SmallVector<Value> sums;
  auto product = [&](auto part, Value other) {
    for (int64_t step = 0; step < kDepth / 8; ++step)
      sums = startProduct(kit_, instruction_, sides_.sharedRows, sums, (a[step].*part)[0], true,
                          factor_.advance(kit_, other, step), true);
  };
  fenceProducts(kit_);
  // The product of both small parts is below what f32 keeps.
  product(&Fragments::Registers::small, bigs);
  product(&Fragments::Registers::big, smalls);
  product(&Fragments::Registers::big, bigs);
  commitProducts(kit_);
  return awaitProducts(kit_, 0, sums);
}

void HopperSplitBuilder::consume() {
  // With 104 of the loading warpgroup's.
  takeRegisters(kit_, groups(), groups() == 3 ? 128 : 200, false);
  Value warp = kit_.sub(kit_.shr(thread_, 5), kit_.i32(kLoaders / 32));
  Fragments fragments(kit_, rTile_, Multiply::TF32x3, true, lane_, kit_.mul(warp, 16), 16);
  RingSlot first = firstSlot(kit_, false);
  SmallVector<Value> carried{first.number, first.phase};
  carried.append(sides_.sharedRows / 2, kit_.f32(0));
  SmallVector<Value> results =
      kit_.loop(kit_.i32(0), steps_, kit_.i32(1), carried, [&](Value, ValueRange values) {
        RingSlot slot{values[0], values[1]};
        awaitBarrier(kit_, ring_.full(kit_, slot.number), slot.phase);
        SmallVector<Value> part = multiply(slot.number, fragments);
        kit_.when(kit_.equal(lane_.number, kit_.i32(0)),
                  [&] { arrive(kit_, ring_.empty(kit_, slot.number)); });
        slot = ring_.next(kit_, slot);
        SmallVector<Value> out{slot.number, slot.phase};
        // Tensor cores cut long sums; these are rounded.
        for (auto [sum, p] : llvm::zip_equal(values.drop_front(2), part))
          out.push_back(kit_.create<arith::AddFOp>(sum, p));
        return out;
      });
  finish(fragments, ValueRange(results).drop_front(2));
}

void HopperSplitBuilder::finish(const Fragments &fragments, ValueRange sums) {
  Value warp = kit_.sub(kit_.shr(thread_, 5), kit_.i32(kLoaders / 32));
  Value own = kit_.add(kit_.mul(warp, 16), fragments.lanePart()),
        other = kit_.mul(lane_.inGroup, 2);
  SmallVector<SumPlace> places;
  for (int64_t j = 0; j < sides_.sharedRows / 8; ++j)
    for (int64_t half = 0; half < 2; ++half)
      for (int64_t e = 0; e < 2; ++e) {
        int64_t mine = fragments.constantPart(0, half), its = 8 * j + e;
        places.push_back(sides_.registersAreB ? SumPlace{its, mine, places.size()}
                                              : SumPlace{mine, its, places.size()});
      }
  Value batch =
      k_.splitK == 1 ? work_.batch : kit_.add(kit_.mul(work_.batch, k_.splitK), work_.split);
  ProductTile tile{batch, work_.firstRow, work_.firstColumn, k_.blockM, k_.blockN, p_.m, p_.n};
  finishTile(kit_, tile, kit_.add(work_.firstRow, sides_.registersAreB ? other : own),
             kit_.add(work_.firstColumn, sides_.registersAreB ? own : other), places, sums,
             p_.epilogue);
}

void HopperSplitBuilder::build() {
  initialiseBarriers();
  kit_.when(
      kit_.less(thread_, kit_.i32(kLoaders)), [&] { produce(); }, [&] { consume(); });
}

}  // namespace

int64_t threads(const HopperSplitKernel &k, const MatmulProblem &p) {
  return kLoaders + 2 * sidesOf(k, p).registerRows;
}

int64_t sharedBytes(const HopperSplitKernel &k, const MatmulProblem &p) {
  Sides s = sidesOf(k, p);
  return k.stages * (s.registerRows + 2 * s.sharedRows) * kDepth * 4 + Ring::bytes(k.stages);
}

int64_t blockCount(const HopperSplitKernel &k, int64_t batch, int64_t m, int64_t n) {
  return ceilDiv(m, k.blockM) * ceilDiv(n, k.blockN) * batch * k.splitK;
}

std::optional<std::string> whyNot(const HopperSplitKernel &k, const MatmulProblem &p) {
  Sides s = sidesOf(k, p);
  const Operand &r = s.registersAreB ? p.b : p.a, &o = s.registersAreB ? p.a : p.b;
  const Extent &rows = s.registersAreB ? p.n : p.m, &others = s.registersAreB ? p.m : p.n;
  if (!r.element.isF32() || !o.element.isF32()) return "factors are not f32";
  if (!o.alongK) return "neither factor is contiguous along k";
  if (s.registerRows != 64 && s.registerRows != 128 && s.registerRows != 192)
    return "the factor in registers has 64, 128 or 192 rows";
  if (s.sharedRows < 8 || s.sharedRows > 128 || s.sharedRows % 8 != 0)
    return "the factor in shared memory has 8 to 128 rows, a multiple of 8";
  if (s.registerRows == 192 && s.sharedRows > 64) return "the sums need too many registers";
  SharedTile rTile = registerTile(r, s.registerRows), oTile = sharedTile(s.sharedRows);
  if (!TileCopy::canBeAsync(r, rTile, rows, p.k) || !TileCopy::canBeAsync(o, oTile, others, p.k))
    return "a factor is not aligned to 4 bytes";
  if (!TileCopy::fits(r, rTile, rows, p.k, kLoaders) ||
      !TileCopy::fits(o, oTile, others, p.k, kLoaders))
    return "threads do not share a tile's chunks evenly";
  if (k.stages < 2 || k.splitK < 1 || k.rasterGroup < 1)
    return "stages, splits or groups are too few";
  if (sharedBytes(k, p) > sharedLimit(90)) return "the stages need too much shared memory";
  return std::nullopt;
}

void buildMatmul(Kit &kit, const HopperSplitKernel &kernel, const MatmulProblem &problem) {
  HopperSplitBuilder(kit, kernel, problem).build();
}

}  // namespace adze::cuda
