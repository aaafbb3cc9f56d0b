#include "targets/cuda/tile/Wgmma.h"

using namespace mlir;

namespace adze::cuda {

// PTX ISA, "wgmma.mma_async".
static constexpr WarpgroupInstruction kInstructions[] = {
    {Multiply::F16, 16, "f16", "f32"},
    {Multiply::BF16, 16, "bf16", "f32"},
    {Multiply::TF32, 8, "tf32", "f32"},
    {Multiply::S8, 32, "s8", "s32"},
};

const WarpgroupInstruction *findWarpgroupInstruction(Multiply multiply) {
  for (const WarpgroupInstruction &i : kInstructions)
    if (i.multiply == multiply) return &i;
  return nullptr;
}

constexpr int64_t kLine = 128;           // bytes of a swizzled line
constexpr int64_t kPattern = 8 * kLine;  // bytes of the swizzle's pattern

Value WarpgroupTile::describe(Kit &kit, Value at, Value firstRow) const {
  // PTX ISA, "Matrix descriptor format": addresses and offsets in 16 bytes. The stride is the step
  // between patterns of eight lines; with lines along rows the leading offset is that between
  // boxes.
  int64_t leading = alongK ? 1 : boxBytes() / 16;
  int64_t constant = int64_t{1} << 62 | (kPattern / 16) << 32 | leading << 16;
  Value start = kit.mul(firstRow, alongK ? kLine : boxBytes() / lineElements());
  Value address = kit.create<LLVM::PtrToIntOp>(kit.getI64Type(), kit.offset(at, start));
  address = kit.create<arith::ShRUIOp>(kit.bitAnd(address, kit.i64(0x3ffff)), kit.i64(4));
  return kit.bitOr(address, kit.i64(constant));
}

Value WarpgroupTile::advance(Kit &kit, Value descriptor, int64_t step) const {
  int64_t bytes = step * lineElements() / 4 * kLine;  // lines along rows: a quarter line's elements
  if (alongK) bytes = step / 4 * boxBytes() + step % 4 * (kLine / 4);
  return kit.add(descriptor, kit.i64(bytes / 16));
}

/// "$first, $first+1, …"
static std::string operandList(size_t first, size_t count) {
  std::string text;
  for (size_t i = first; i < first + count; ++i)
    text += (i == first ? "$" : ", $") + std::to_string(i);
  return text;
}

SmallVector<Value> startProduct(Kit &kit, const WarpgroupInstruction &instruction, int64_t n,
                                ValueRange sums, ValueRange a, bool aAlongK, Value b,
                                bool bAlongK) {
  size_t count = static_cast<size_t>(n / 2);
  Type sum = instruction.sums == "s32" ? Type(kit.getI32Type()) : Type(kit.getF32Type());
  size_t at = count + sums.size();
  bool inRegisters = a.size() > 1;
  std::string text = "{\n.reg .pred p;\nsetp.ne.b32 p, " + std::string(sums.empty() ? "0" : "1") +
                     ", 0;\nwgmma.mma_async.sync.aligned.m64n" + std::to_string(n) + "k" +
                     std::to_string(instruction.k) + "." + instruction.sums.str() + "." +
                     instruction.factors.str() + "." + instruction.factors.str() + " {" +
                     operandList(0, count) + "}, ";
  text += inRegisters ? "{" + operandList(at, a.size()) + "}" : operandList(at, 1);
  text += ", " + operandList(at + a.size(), 1) + ", p";
  if (instruction.multiply != Multiply::S8) text += ", 1, 1";
  if (bytesOf(instruction.multiply) == 2) {
    if (!inRegisters) text += aAlongK ? ", 0" : ", 1";
    text += bAlongK ? ", 0" : ", 1";
  }
  SmallVector<Value> factors(a);
  factors.push_back(b);
  return kit.assembly(text + ";\n}", SmallVector<Type>(count, sum), sums, factors);
}

void fenceProducts(Kit &kit) { kit.create<NVVM::WgmmaFenceAlignedOp>(); }
void commitProducts(Kit &kit) { kit.create<NVVM::WgmmaGroupSyncAlignedOp>(); }

SmallVector<Value> awaitProducts(Kit &kit, int64_t pending, ValueRange sums) {
  // The sums go through the wait, lest something use them before.
  std::string text = "wgmma.wait_group.sync.aligned " + std::to_string(pending) + ";";
  return kit.assembly(text, SmallVector<Type>(sums.getTypes()), sums, {});
}

void takeRegisters(Kit &kit, int64_t groups, int64_t count, bool loads) {
  using Action = NVVM::SetMaxRegisterAction;
  if (groups > 1)
    kit.create<NVVM::SetMaxRegisterOp>(count, loads ? Action::decrease : Action::increase);
}

void Ring::initialise(Kit &kit, int64_t producers, int64_t consumers) const {
  for (int64_t s = 0; s < count_; ++s) {
    kit.create<NVVM::MBarrierInitOp>(full(kit, kit.i32(s)), kit.i32(producers), Value());
    kit.create<NVVM::MBarrierInitOp>(empty(kit, kit.i32(s)), kit.i32(consumers), Value());
  }
}

RingSlot Ring::next(Kit &kit, RingSlot slot) const {
  Value n = kit.add(slot.number, 1), wraps = kit.equal(n, kit.i32(count_));
  return {kit.select(wraps, kit.i32(0), n),
          kit.bitXor(slot.phase, kit.select(wraps, kit.i32(1), kit.i32(0)))};
}

Value Ring::full(Kit &kit, Value slot) const { return kit.offset(barriers_, kit.mul(slot, 8)); }
Value Ring::empty(Kit &kit, Value slot) const { return kit.offset(full(kit, slot), count_ * 8); }

RingSlot firstSlot(Kit &kit, bool fills) { return {kit.i32(0), kit.i32(fills ? 1 : 0)}; }

void awaitBarrier(Kit &kit, Value barrier, Value phase) {
  // The time to sleep for between tries, a hint.
  constexpr int64_t kNanoseconds = 10000000;
  kit.create<NVVM::MBarrierTryWaitParityOp>(barrier, phase, kit.i32(kNanoseconds));
}

void arrive(Kit &kit, Value barrier) {
  kit.create<NVVM::MBarrierArriveOp>(kit.getI64Type(), barrier, Value(), NVVM::MemScopeKind::CTA,
                                     false);
}

void expectBytes(Kit &kit, Value barrier, int64_t bytes) {
  kit.create<NVVM::MBarrierArriveExpectTxOp>(Type(), barrier, kit.i32(bytes),
                                             NVVM::MemScopeKind::CTA, false, Value());
}

void copyBox(Kit &kit, Value to, Value map, ValueRange coordinates, Value barrier) {
  to = kit.create<LLVM::AddrSpaceCastOp>(kit.pointer(7), to);
  kit.create<NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp>(
      to, map, coordinates, barrier, ValueRange(), Value(), Value(), NVVM::TMALoadMode::TILE,
      /*isCTAOnly=*/false, NVVM::CTAGroupKindAttr(), Value());
}

}  // namespace adze::cuda
