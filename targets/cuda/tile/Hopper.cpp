#include "targets/cuda/tile/Hopper.h"
#include "targets/cuda/tile/Tile.h"
#include "targets/cuda/tile/Wgmma.h"

using namespace mlir;

namespace adze::cuda {
namespace {

// Of a thread while it only loads; the others take what it gives up (setmaxnreg).
constexpr int64_t kProducerRegisters = 40;
constexpr int64_t kCopierRegisters = 104;  ///< of one that also addresses what it copies
constexpr int64_t kLoaders = 128;          ///< threads of the warpgroup that loads

WarpgroupTile tileOf(const HopperKernel &k, bool alongK, int64_t rows) {
  return {rows, k.blockK(), bytesOf(k.multiply), alongK};
}

/// A's tile as threads copy it: lines of 128 bytes, swizzled as wgmma reads them.
SharedTile copiedTile(const HopperKernel &k) {
  return {k.blockM, k.blockK(), bytesOf(k.multiply), true};
}

class HopperBuilder {
 public:
  HopperBuilder(Kit &kit, const HopperKernel &kernel, const MatmulProblem &problem)
      : kit_(kit),
        k_(kernel),
        p_(problem),
        instruction_(*findWarpgroupInstruction(kernel.multiply)),
        a_(tileOf(k_, copiesA() || p_.aMap->alongK, k_.blockM)),
        b_(tileOf(k_, p_.bMap->alongK, k_.blockN)),
        shared_(sharedMemory(kit)),
        ring_(kit.offset(shared_, k_.stages * stageBytes()), k_.stages),
        steps_(ceilDiv(kit, p_.k, k_.blockK())),
        rows_(ceilDiv(kit, p_.m, k_.blockM)),
        columns_(ceilDiv(kit, p_.n, k_.blockN)),
        thread_(kit.thread()) {}

  void build();

 private:
  struct Work {
    Value batch, firstRow, firstColumn;
  };
  bool copiesA() const { return k_.maps == 1; }
  int64_t stageBytes() const { return a_.bytes() + b_.bytes(); }
  int64_t consumers() const { return k_.blockM / 64; }
  /// That are on their way while one is finished.
  int64_t stagesAhead() const { return k_.stages - 2; }
  Value stage(Value slot) { return kit_.offset(shared_, kit_.mul(slot, stageBytes())); }

  void initialiseBarriers();
  SmallVector<Value> forEachTile(ValueRange carried,
                                 function_ref<SmallVector<Value>(const Work &, ValueRange)> body);
  void produce();
  void produceCopies();
  SmallVector<Value> startStage(TileCopy &copy, const Work &work, Value step, ValueRange slots);
  Value finishStage(Value slot, Value condition);
  void load(const MappedOperand &factor, const WarpgroupTile &tile, Value at, Value barrier,
            Value k, Value row, Value batch);
  void consume();
  SmallVector<Value> multiply(Value stage, Value group, ValueRange sums);
  void release(Value slot, Value condition);
  void finish(const Work &work, Value group, ValueRange sums);

  Kit &kit_;
  const HopperKernel &k_;
  const MatmulProblem &p_;
  const WarpgroupInstruction &instruction_;
  WarpgroupTile a_, b_;
  Value shared_;
  Ring ring_;
  Value steps_, rows_, columns_, thread_;
};

void HopperBuilder::initialiseBarriers() {
  kit_.when(kit_.equal(thread_, kit_.i32(0)), [&] {
    // With copies each loader says that its part is there, and the first one that B's are begun.
    ring_.initialise(kit_, copiesA() ? kLoaders + 1 : 1, consumers());
    kit_.create<NVVM::FenceMbarrierInitOp>();
  });
  kit_.barrier();
}

/// The tiles that this block takes, the same for loading and multiplying.
SmallVector<Value> HopperBuilder::forEachTile(
    ValueRange carried, function_ref<SmallVector<Value>(const Work &, ValueRange)> body) {
  Value tiles = kit_.mul(rows_, columns_);
  Value all = kit_.mul(tiles, kit_.value(p_.batch));
  Value blocks = kit_.create<NVVM::GridDimXOp>(kit_.getI32Type());
  return kit_.loop(kit_.block(0), all, blocks, carried, [&](Value tile, ValueRange values) {
    auto [row, column] = rasterTile(kit_, kit_.rem(tile, tiles), rows_, columns_, k_.rasterGroup);
    return body({kit_.div(tile, tiles), kit_.mul(row, k_.blockM), kit_.mul(column, k_.blockN)},
                values);
  });
}

void HopperBuilder::load(const MappedOperand &factor, const WarpgroupTile &tile, Value at,
                         Value barrier, Value k, Value row, Value batch) {
  auto coordinates = [&](Value row) {
    if (factor.coordinates) return factor.coordinates(kit_, batch, row, k);
    return tile.alongK ? SmallVector<Value>{k, row, batch} : SmallVector<Value>{row, k, batch};
  };
  if (tile.alongK) return copyBox(kit_, at, factor.map, coordinates(row), barrier);
  for (int64_t i = 0; i < tile.boxes(); ++i)
    copyBox(kit_, kit_.offset(at, i * tile.boxBytes()), factor.map,
            coordinates(kit_.add(row, i * tile.lineElements())), barrier);
}

/// One thread keeps the ring full.
void HopperBuilder::produce() {
  takeRegisters(kit_, consumers(), kProducerRegisters, true);
  kit_.when(kit_.equal(thread_, kit_.i32(0)), [&] {
    RingSlot first = firstSlot(kit_, true);
    forEachTile({first.number, first.phase}, [&](const Work &work, ValueRange carried) {
      return kit_.loop(kit_.i32(0), steps_, kit_.i32(1), carried,
                       [&](Value step, ValueRange values) {
                         RingSlot slot{values[0], values[1]};
                         awaitBarrier(kit_, ring_.empty(kit_, slot.number), slot.phase);
                         Value barrier = ring_.full(kit_, slot.number), at = stage(slot.number);
                         Value k = kit_.mul(step, k_.blockK());
                         expectBytes(kit_, barrier, stageBytes());
                         load(*p_.aMap, a_, at, barrier, k, work.firstRow, work.batch);
                         load(*p_.bMap, b_, kit_.offset(at, a_.bytes()), barrier, k,
                              work.firstColumn, work.batch);
                         slot = ring_.next(kit_, slot);
                         return SmallVector<Value>{slot.number, slot.phase};
                       });
    });
  });
}

/// All threads copy A, as Matmul.h's do, and one of them lets the hardware copy B. Two stages are
/// left to those who multiply: they give one back once they have begun the next.
void HopperBuilder::produceCopies() {
  takeRegisters(kit_, consumers(), kCopierRegisters, true);
  RingSlot first = firstSlot(kit_, true);
  // The slot that is filled, and that which is ready next.
  forEachTile({first.number, first.phase, first.number}, [&](const Work &work, ValueRange carried) {
    TileCopy copy(kit_, p_.a, copiedTile(k_), p_.m, p_.k, work.batch, work.firstRow, kLoaders);
    SmallVector<Value> slots = kit_.loop(
        kit_.i32(0), steps_, kit_.i32(1), carried,
        [&](Value step, ValueRange values) { return startStage(copy, work, step, values); });
    for (int64_t left = stagesAhead() - 1; left >= 0; --left) {
      kit_.create<NVVM::CpAsyncWaitGroupOp>(left);
      slots[2] = finishStage(slots[2], kit_.less(kit_.i32(left), steps_));
    }
    return slots;
  });
}

/// Begins a stage, and finishes the one that was begun stagesAhead() before.
SmallVector<Value> HopperBuilder::startStage(TileCopy &copy, const Work &work, Value step,
                                             ValueRange slots) {
  RingSlot slot{slots[0], slots[1]};
  awaitBarrier(kit_, ring_.empty(kit_, slot.number), slot.phase);
  Value barrier = ring_.full(kit_, slot.number), at = stage(slot.number);
  Value k = kit_.mul(step, k_.blockK());
  kit_.when(kit_.equal(thread_, kit_.i32(0)), [&] {
    expectBytes(kit_, barrier, b_.bytes());
    load(*p_.bMap, b_, kit_.offset(at, a_.bytes()), barrier, k, work.firstColumn, work.batch);
  });
  copy.start(kit_, at, k);
  kit_.create<NVVM::CpAsyncCommitGroupOp>();
  kit_.create<NVVM::CpAsyncWaitGroupOp>(stagesAhead());
  Value ready = finishStage(slots[2], kit_.less(kit_.i32(stagesAhead() - 1), step));
  slot = ring_.next(kit_, slot);
  return {slot.number, slot.phase, ready};
}

/// What the thread wrote of a slot is there for wgmma; the slot after it.
Value HopperBuilder::finishStage(Value slot, Value condition) {
  kit_.when(condition, [&] {
    kit_.create<NVVM::FenceProxyOp>(
        NVVM::ProxyKind::async_shared,
        NVVM::SharedSpaceAttr::get(kit_.getContext(), NVVM::SharedSpace::shared_cta));
    arrive(kit_, ring_.full(kit_, slot));
  });
  return kit_.select(condition, ring_.next(kit_, {slot, kit_.i32(0)}).number, slot);
}

/// Starts sums += A B of a stage for the rows of warpgroup `group`.
SmallVector<Value> HopperBuilder::multiply(Value stage, Value group, ValueRange sums) {
  Value a = a_.describe(kit_, stage, kit_.mul(group, 64));
  Value b = b_.describe(kit_, kit_.offset(stage, a_.bytes()), kit_.i32(0));
  SmallVector<Value> result(sums);
  fenceProducts(kit_);
  for (int64_t i = 0; i < k_.blockK() * bytesOf(k_.multiply) / 32; ++i)
    result = startProduct(kit_, instruction_, k_.blockN, result, a_.advance(kit_, a, i), a_.alongK,
                          b_.advance(kit_, b, i), b_.alongK);
  commitProducts(kit_);
  return result;
}

/// The warpgroup is done with a stage.
void HopperBuilder::release(Value slot, Value condition) {
  Value isFirst = kit_.equal(kit_.bitAnd(thread_, 127), kit_.i32(0));
  kit_.when(kit_.bitAnd(isFirst, condition), [&] { arrive(kit_, ring_.empty(kit_, slot)); });
}

void HopperBuilder::consume() {
  // Of 64 Ki registers, for 128 threads a warpgroup; at most 232.
  int64_t registers = consumers() == 3 ? (copiesA() ? 128 : 152) : (copiesA() ? 200 : 232);
  takeRegisters(kit_, consumers(), registers, false);
  Value group = kit_.sub(kit_.shr(thread_, 7), kit_.i32(1));
  Value zero = k_.multiply == Multiply::S8 ? kit_.i32(0) : kit_.f32(0);
  RingSlot first = firstSlot(kit_, false);
  forEachTile({first.number, first.phase}, [&](const Work &work, ValueRange carried) {
    SmallVector<Value> start{carried[0], carried[1], carried[0]};
    start.append(k_.blockN / 2, zero);
    auto body = [&](Value step, ValueRange values) {
      RingSlot slot{values[0], values[1]};
      awaitBarrier(kit_, ring_.full(kit_, slot.number), slot.phase);
      SmallVector<Value> sums = multiply(stage(slot.number), group, values.drop_front(3));
      // This product goes on while the one before is over.
      kit_.create<NVVM::WgmmaWaitGroupSyncOp>(1);
      release(values[2], kit_.less(kit_.i32(0), step));
      RingSlot following = ring_.next(kit_, slot);
      SmallVector<Value> out{following.number, following.phase, slot.number};
      llvm::append_range(out, sums);
      return out;
    };
    SmallVector<Value> end = kit_.loop(kit_.i32(0), steps_, kit_.i32(1), start, body);
    SmallVector<Value> sums = awaitProducts(kit_, 0, ValueRange(end).drop_front(3));
    release(end[2], kit_.less(kit_.i32(0), steps_));
    finish(work, group, sums);
    return SmallVector<Value>{end[0], end[1]};
  });
}

void HopperBuilder::finish(const Work &work, Value group, ValueRange sums) {
  Lane lane(kit_);
  Value warp = kit_.bitAnd(kit_.shr(thread_, 5), 3);
  Value row = kit_.add(kit_.add(kit_.mul(group, 64), kit_.mul(warp, 16)), lane.group);
  SmallVector<SumPlace> places;
  for (int64_t j = 0; j < k_.blockN / 8; ++j)
    for (int64_t half = 0; half < 2; ++half)
      for (int64_t e = 0; e < 2; ++e) places.push_back({8 * half, 8 * j + e, places.size()});
  ProductTile tile{work.batch, work.firstRow, work.firstColumn, k_.blockM, k_.blockN, p_.m, p_.n};
  finishTile(kit_, tile, kit_.add(work.firstRow, row),
             kit_.add(work.firstColumn, kit_.mul(lane.inGroup, 2)), places, sums, p_.epilogue);
}

void HopperBuilder::build() {
  initialiseBarriers();
  kit_.when(
      kit_.less(thread_, kit_.i32(kLoaders)), [&] { copiesA() ? produceCopies() : produce(); },
      [&] { consume(); });
}

}  // namespace

TensorMapShape tensorMap(const HopperKernel &kernel, bool isA, bool alongK, int64_t batch,
                         int64_t rows, int64_t k) {
  int64_t tile = isA ? kernel.blockM : kernel.blockN;
  if (alongK) return {{batch, rows, k}, {1, tile, kernel.blockK()}};
  return {{batch, k, rows}, {1, kernel.blockK(), 64}};
}

int64_t threads(const HopperKernel &k) { return kLoaders + 2 * k.blockM; }

int64_t sharedBytes(const HopperKernel &k, const MatmulProblem &) {
  return k.stages * (k.blockM + k.blockN) * 128 + Ring::bytes(k.stages);
}

int64_t tileCount(const HopperKernel &k, int64_t batch, int64_t m, int64_t n) {
  return ceilDiv(m, k.blockM) * ceilDiv(n, k.blockN) * batch;
}

static std::optional<std::string> whyNotCopied(const HopperKernel &k, const MatmulProblem &p) {
  constexpr int64_t kPieceBytes = 16;
  SharedTile tile = copiedTile(k);
  if (!p.a.alongK) return "A: threads copy along k";
  if (TileCopy::chunkElements(p.a, tile, p.m, p.k) * tile.elementBytes != kPieceBytes)
    return "A: not aligned to 16 bytes";
  if (k.stages < 3) return "stages are too few";
  if (k.blockM == 192 && k.blockN > 128) return "the sums need too many registers";
  return std::nullopt;
}

std::optional<std::string> whyNot(const HopperKernel &k, const MatmulProblem &p) {
  if (!findWarpgroupInstruction(k.multiply))
    return "wgmma has no " + nameOf(k.multiply).str() + " products";
  if (k.maps != 1 && k.maps != 2) return "one factor or two have maps";
  if (!p.bMap || (k.maps == 2 && !p.aMap)) return "factors have no tensor maps";
  Type element = elementOf(k.multiply, p.bMap->element.getContext());
  if ((k.maps == 2 ? p.aMap->element : p.a.element) != element || p.bMap->element != element)
    return "factors of another type";
  if (k.blockM % 64 != 0 || k.blockM < 64 || k.blockM > 192)
    return "a tile has 64, 128 or 192 rows";
  if (k.blockN % 8 != 0 || k.blockN < 8 || k.blockN > 256)
    return "a tile has 8 to 256 columns, a multiple of 8";
  if (k.blockM == 192 && k.blockN > 192) return "the sums need too many registers";
  // Each stage's factors begin at a pattern of the swizzle.
  if (p.bMap->alongK ? k.blockN % 8 != 0 : k.blockN % 64 != 0)
    return "B: a tile's rows do not fill its boxes";
  bool isHalf = bytesOf(k.multiply) == 2;
  if (!isHalf && !(p.bMap->alongK && (k.maps == 1 || p.aMap->alongK)))
    return "wgmma transposes 16-bit factors only";
  if (k.stages < 2 || k.rasterGroup < 1) return "stages or groups are too few";
  if (sharedBytes(k, p) > sharedLimit(90)) return "the stages need too much shared memory";
  return k.maps == 1 ? whyNotCopied(k, p) : std::nullopt;
}

void buildMatmul(Kit &kit, const HopperKernel &kernel, const MatmulProblem &problem) {
  HopperBuilder(kit, kernel, problem).build();
}

}  // namespace adze::cuda
