#include "targets/cuda/tile/Hopper.h"
#include "targets/cuda/tile/Tile.h"

using namespace mlir;

namespace adze::cuda {
namespace {

using NVVM::WGMMATypes;

struct WarpgroupInstruction {
  Multiply multiply;
  int k;
  WGMMATypes factors, sums;
};
// PTX ISA, "wgmma.mma_async": all of 64 rows, 8 to 256 columns and 32 bytes of k.
constexpr WarpgroupInstruction kInstructions[] = {
    {Multiply::F16, 16, WGMMATypes::f16, WGMMATypes::f32},
    {Multiply::BF16, 16, WGMMATypes::bf16, WGMMATypes::f32},
    {Multiply::TF32, 8, WGMMATypes::tf32, WGMMATypes::f32},
    {Multiply::S8, 32, WGMMATypes::s8, WGMMATypes::s32},
};

const WarpgroupInstruction *findInstruction(Multiply multiply) {
  for (const WarpgroupInstruction &i : kInstructions)
    if (i.multiply == multiply) return &i;
  return nullptr;
}

constexpr int64_t kLine = 128;  // bytes of a swizzled line
constexpr int64_t kLines = 8;   // of a pattern, 1024 bytes
// Of a thread while it only loads; the others take what it gives up (setmaxnreg).
constexpr int64_t kProducerRegisters = 40;

/// A factor's tile as wgmma sees it.
struct Layout {
  int64_t rows, depth;  ///< elements
  bool alongK;
  int64_t bytes() const { return rows * kLine; }
  /// Bytes from rows [0, 64) to [64, 128): with lines along k the next lines, else the
  /// next box.
  int64_t rowStep() const { return alongK ? 64 * kLine : depth * kLine; }
  /// All of a descriptor but its address: 128-byte swizzle, the step between
  /// patterns of 8 lines; and between boxes of 64 rows, for lines along rows.
  int64_t descriptor() const {
    int64_t leading = alongK ? 1 : depth * kLine / 16;
    return int64_t{1} << 62 | (kLines * kLine / 16) << 32 | leading << 16;
  }
  /// What the next 32 bytes of k add to the descriptor: bytes / 16.
  int64_t depthStep() const { return alongK ? 32 / 16 : 16 * kLine / 16; }
};

class HopperBuilder {
 public:
  HopperBuilder(Kit &kit, const HopperKernel &kernel, const HopperProblem &problem)
      : kit_(kit), k_(kernel), p_(problem), instruction_(*findInstruction(kernel.multiply)),
        a_{k_.blockM, k_.blockK(), p_.a.alongK}, b_{k_.blockN, k_.blockK(), p_.b.alongK},
        shared_(sharedMemory(kit)),
        barriers_(kit.offset(shared_, k_.stages * stageBytes())),
        steps_(ceilDiv(kit, p_.k, k_.blockK())), rows_(ceilDiv(kit, p_.m, k_.blockM)),
        columns_(ceilDiv(kit, p_.n, k_.blockN)), thread_(kit.thread()) {}

  void build();

 private:
  struct Slot {
    Value number, phase;
  };
  struct Work {
    Value batch, firstRow, firstColumn;
  };
  int64_t stageBytes() const { return a_.bytes() + b_.bytes(); }
  int64_t consumers() const { return k_.blockM / 64; }
  Value full(Value slot) { return kit_.offset(barriers_, kit_.mul(slot, 8)); }
  Value empty(Value slot) { return kit_.offset(full(slot), k_.stages * 8); }
  Value stage(Value slot) { return kit_.offset(shared_, kit_.mul(slot, stageBytes())); }
  Slot next(Slot slot);
  void wait(Value barrier, Value phase);

  void initialiseBarriers();
  SmallVector<Value> forEachTile(ValueRange carried,
                                 function_ref<SmallVector<Value>(const Work &, ValueRange)> body);
  void produce();
  void load(const HopperFactor &factor, const Layout &layout, Value at, Value barrier, Value k,
            Value row, Value batch);
  void consume();
  Value multiply(Value stage, Value group, Value sums);
  void release(Value slot, Value condition);
  void finish(const Work &work, Value group, Value sums);

  Kit &kit_;
  const HopperKernel &k_;
  const HopperProblem &p_;
  const WarpgroupInstruction &instruction_;
  Layout a_, b_;
  Value shared_, barriers_;  ///< of stages: full, then empty
  Value steps_, rows_, columns_, thread_;
};

HopperBuilder::Slot HopperBuilder::next(Slot slot) {
  Value n = kit_.add(slot.number, 1);
  Value wraps = kit_.equal(n, kit_.i32(k_.stages));
  return {kit_.select(wraps, kit_.i32(0), n),
          kit_.bitXor(slot.phase, kit_.select(wraps, kit_.i32(1), kit_.i32(0)))};
}

void HopperBuilder::wait(Value barrier, Value phase) {
  // The time to sleep for between tries, a hint.
  constexpr int64_t kNanoseconds = 10000000;
  kit_.create<NVVM::MBarrierTryWaitParityOp>(barrier, phase, kit_.i32(kNanoseconds));
}

void HopperBuilder::initialiseBarriers() {
  kit_.when(kit_.equal(thread_, kit_.i32(0)), [&] {
    for (int64_t s = 0; s < k_.stages; ++s) {
      kit_.create<NVVM::MBarrierInitOp>(full(kit_.i32(s)), kit_.i32(1), Value());
      kit_.create<NVVM::MBarrierInitOp>(empty(kit_.i32(s)), kit_.i32(consumers()), Value());
    }
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
    auto [row, column] =
        rasterTile(kit_, kit_.rem(tile, tiles), rows_, columns_, k_.rasterGroup);
    return body({kit_.div(tile, tiles), kit_.mul(row, k_.blockM), kit_.mul(column, k_.blockN)},
                values);
  });
}

void HopperBuilder::load(const HopperFactor &factor, const Layout &layout, Value at,
                         Value barrier, Value k, Value row, Value batch) {
  auto copy = [&](Value to, ValueRange coordinates) {
    to = kit_.create<LLVM::AddrSpaceCastOp>(kit_.pointer(7), to);
    kit_.create<NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp>(
        to, factor.map, coordinates, barrier, ValueRange(), Value(), Value(),
        NVVM::TMALoadMode::TILE, /*isCTAOnly=*/false, NVVM::CTAGroupKindAttr(), Value());
  };
  if (layout.alongK) return copy(at, {k, row, batch});
  for (int64_t r = 0; r < layout.rows; r += 64)
    copy(kit_.offset(at, r / 64 * layout.rowStep()), {kit_.add(row, r), k, batch});
}

/// One thread keeps the ring full.
void HopperBuilder::produce() {
  kit_.create<NVVM::SetMaxRegisterOp>(kProducerRegisters, NVVM::SetMaxRegisterAction::decrease);
  kit_.when(kit_.equal(thread_, kit_.i32(0)), [&] {
    // A ring that nobody has filled counts as released: phase 1.
    forEachTile({kit_.i32(0), kit_.i32(1)}, [&](const Work &work, ValueRange carried) {
      return kit_.loop(kit_.i32(0), steps_, kit_.i32(1), carried, [&](Value step, ValueRange values) {
        Slot slot{values[0], values[1]};
        wait(empty(slot.number), slot.phase);
        Value barrier = full(slot.number), at = stage(slot.number);
        Value k = kit_.mul(step, k_.blockK());
        kit_.create<NVVM::MBarrierArriveExpectTxOp>(Type(), barrier, kit_.i32(stageBytes()),
                                                    NVVM::MemScopeKind::CTA, false, Value());
        load(p_.a, a_, at, barrier, k, work.firstRow, work.batch);
        load(p_.b, b_, kit_.offset(at, a_.bytes()), barrier, k, work.firstColumn, work.batch);
        slot = next(slot);
        return SmallVector<Value>{slot.number, slot.phase};
      });
    });
  });
}

/// Starts sums += A B of a stage for the rows of warpgroup `group`.
Value HopperBuilder::multiply(Value stage, Value group, Value sums) {
  auto describe = [&](Value at, const Layout &layout) {
    Value address = kit_.create<LLVM::PtrToIntOp>(kit_.getI64Type(), at);
    Value field = kit_.bitAnd(address, kit_.i64(0x3ffff));
    field = kit_.create<arith::ShRUIOp>(field, kit_.i64(4));
    return kit_.bitOr(field, kit_.i64(layout.descriptor()));
  };
  Value a = describe(kit_.offset(stage, kit_.mul(group, a_.rowStep())), a_);
  Value b = describe(kit_.offset(stage, a_.bytes()), b_);
  auto major = [](const Layout &l, NVVM::MMALayout alongK, NVVM::MMALayout alongRows) {
    return l.alongK ? alongK : alongRows;
  };
  auto one = NVVM::WGMMAScaleIn::one;
  NVVM::MMAIntOverflowAttr overflow;
  kit_.create<NVVM::WgmmaFenceAlignedOp>();
  for (int64_t i = 0; i < kLine / 32; ++i) {
    sums = kit_.create<NVVM::WgmmaMmaAsyncOp>(
        sums.getType(), sums, kit_.add(a, kit_.i64(i * a_.depthStep())),
        kit_.add(b, kit_.i64(i * b_.depthStep())),
        NVVM::MMAShapeAttr::get(kit_.getContext(), 64, static_cast<int>(k_.blockN), instruction_.k),
        instruction_.factors, instruction_.factors, instruction_.sums, NVVM::WGMMAScaleOut::one, one,
        one, major(a_, NVVM::MMALayout::row, NVVM::MMALayout::col),
        major(b_, NVVM::MMALayout::col, NVVM::MMALayout::row), overflow);
  }
  kit_.create<NVVM::WgmmaGroupSyncAlignedOp>();
  return sums;
}

/// The warpgroup is done with a stage.
void HopperBuilder::release(Value slot, Value condition) {
  Value isFirst = kit_.equal(kit_.bitAnd(thread_, 127), kit_.i32(0));
  kit_.when(kit_.bitAnd(isFirst, condition), [&] {
    kit_.create<NVVM::MBarrierArriveOp>(kit_.getI64Type(), empty(slot), Value(), NVVM::MemScopeKind::CTA,
                                        false);
  });
}

void HopperBuilder::consume() {
  // Of 64 Ki registers, for 128 threads a warpgroup; at most 232.
  int64_t registers = consumers() == 3 ? 152 : 232;
  kit_.create<NVVM::SetMaxRegisterOp>(registers, NVVM::SetMaxRegisterAction::increase);
  Value group = kit_.sub(kit_.shr(thread_, 7), kit_.i32(1));
  Type sum = k_.multiply == Multiply::S8 ? Type(kit_.getI32Type()) : Type(kit_.getF32Type());
  auto sums = LLVM::LLVMStructType::getLiteral(kit_.getContext(), SmallVector<Type>(k_.blockN / 2, sum));
  forEachTile({kit_.i32(0), kit_.i32(0)}, [&](const Work &work, ValueRange carried) {
    SmallVector<Value> start{carried[0], carried[1], carried[0], kit_.create<LLVM::ZeroOp>(sums)};
    auto body = [&](Value step, ValueRange values) {
      Slot slot{values[0], values[1]};
      wait(full(slot.number), slot.phase);
      Value result = multiply(stage(slot.number), group, values[3]);
      // This product goes on while the one before is over.
      kit_.create<NVVM::WgmmaWaitGroupSyncOp>(1);
      release(values[2], kit_.less(kit_.i32(0), step));
      Slot following = next(slot);
      return SmallVector<Value>{following.number, following.phase, slot.number, result};
    };
    SmallVector<Value> end = kit_.loop(kit_.i32(0), steps_, kit_.i32(1), start, body);
    kit_.create<NVVM::WgmmaWaitGroupSyncOp>(0);
    release(end[2], kit_.less(kit_.i32(0), steps_));
    finish(work, group, end[3]);
    return SmallVector<Value>{end[0], end[1]};
  });
}

void HopperBuilder::finish(const Work &work, Value group, Value sums) {
  Lane lane(kit_);
  Value warp = kit_.bitAnd(kit_.shr(thread_, 5), 3);
  Value row = kit_.add(kit_.add(kit_.mul(group, 64), kit_.mul(warp, 16)), lane.group);
  SmallVector<SumPlace> places;
  SmallVector<Value> values;
  for (int64_t j = 0; j < k_.blockN / 8; ++j)
    for (int64_t half = 0; half < 2; ++half)
      for (int64_t e = 0; e < 2; ++e) {
        places.push_back({8 * half, 8 * j + e, values.size()});
        values.push_back(kit_.member(sums, static_cast<int64_t>(values.size())));
      }
  ProductTile tile{work.batch, work.firstRow, work.firstColumn, k_.blockM, k_.blockN, p_.m, p_.n};
  finishTile(kit_, tile, kit_.add(work.firstRow, row),
             kit_.add(work.firstColumn, kit_.mul(lane.inGroup, 2)), places, values, p_.epilogue);
}

void HopperBuilder::build() {
  initialiseBarriers();
  kit_.when(kit_.less(thread_, kit_.i32(128)), [&] { produce(); }, [&] { consume(); });
}

}  // namespace

TensorMapShape tensorMap(const HopperKernel &kernel, bool isA, bool alongK, int64_t batch,
                         int64_t rows, int64_t k) {
  int64_t tile = isA ? kernel.blockM : kernel.blockN;
  if (alongK) return {{batch, rows, k}, {1, tile, kernel.blockK()}};
  return {{batch, k, rows}, {1, kernel.blockK(), 64}};
}

int64_t threads(const HopperKernel &k) { return 128 + 2 * k.blockM; }

int64_t sharedBytes(const HopperKernel &k) {
  return k.stages * ((k.blockM + k.blockN) * kLine + 16);
}

int64_t tileCount(const HopperKernel &k, int64_t batch, int64_t m, int64_t n) {
  return ceilDiv(m, k.blockM) * ceilDiv(n, k.blockN) * batch;
}

std::optional<std::string> whyNot(const HopperKernel &k, const HopperProblem &p) {
  if (!findInstruction(k.multiply)) return "wgmma has no " + nameOf(k.multiply).str() + " products";
  if (k.blockM % 64 != 0 || k.blockM < 64 || k.blockM > 192) return "a tile has 64, 128 or 192 rows";
  if (k.blockN % 8 != 0 || k.blockN < 8 || k.blockN > 256) return "a tile has 8 to 256 columns, a multiple of 8";
  if (k.blockM == 192 && k.blockN > 192) return "the sums need too many registers";
  // Each stage's factors begin at a pattern of the swizzle.
  if (p.b.alongK ? k.blockN % 8 != 0 : k.blockN % 64 != 0) return "B: a tile's rows do not fill its boxes";
  bool isHalf = bytesOf(k.multiply) == 2;
  if (!isHalf && !(p.a.alongK && p.b.alongK)) return "wgmma transposes 16-bit factors only";
  if (k.stages < 2 || k.rasterGroup < 1) return "stages or groups are too few";
  if (sharedBytes(k) > 227 << 10) return "the stages need too much shared memory";
  return std::nullopt;
}

void buildMatmul(Kit &kit, const HopperKernel &kernel, const HopperProblem &problem) {
  HopperBuilder(kit, kernel, problem).build();
}

}  // namespace adze::cuda
