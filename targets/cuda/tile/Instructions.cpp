#include "targets/cuda/tile/Instructions.h"

using namespace mlir;

namespace adze::cuda {

using NVVM::MMATypes;

// PTX ISA, "Matrix multiply-accumulate operation using mma instruction". The
// largest comes first.
static constexpr MatrixInstruction kInstructions[] = {
    {Multiply::F16, 80, 16, 8, 16, MMATypes::f16},
    {Multiply::F16, 75, 16, 8, 8, MMATypes::f16},
    {Multiply::F16, 70, 8, 8, 4, MMATypes::f16},
    {Multiply::BF16, 80, 16, 8, 16, MMATypes::bf16},
    {Multiply::TF32, 80, 16, 8, 8, MMATypes::tf32},
    {Multiply::TF32x3, 80, 16, 8, 8, MMATypes::tf32},
    {Multiply::S8, 80, 16, 8, 32, MMATypes::s8},
    {Multiply::S8, 75, 8, 8, 16, MMATypes::s8},
};

std::span<const MatrixInstruction> matrixInstructions() { return kInstructions; }

const MatrixInstruction *findInstruction(Multiply multiply, int chip) {
  for (const MatrixInstruction &i : kInstructions)
    if (i.multiply == multiply && i.leastChip <= chip) return &i;
  return nullptr;
}

bool canMultiply(Multiply multiply, int chip) {
  return multiply == Multiply::F32 || findInstruction(multiply, chip);
}

bool isOfQuads(const MatrixInstruction &i) { return i.multiply == Multiply::F16 && i.k == 4; }

// Bytes of shared memory that a block may have (CUDA programming guide, compute capabilities).
namespace {
struct SharedLimit {
  int chip;
  int64_t bytes;
};
}  // namespace
static constexpr SharedLimit kSharedLimits[] = {{70, 96 << 10},  {75, 64 << 10},  {80, 163 << 10},
                                                {86, 99 << 10},  {87, 163 << 10}, {89, 99 << 10},
                                                {90, 227 << 10}, {120, 99 << 10}};

int64_t sharedLimit(int chip) {
  int64_t bytes = 48 << 10;
  for (const SharedLimit &l : kSharedLimits)
    if (l.chip <= chip) bytes = l.bytes;
  return bytes;
}

StringRef nameOf(Multiply multiply) {
  constexpr StringLiteral names[] = {"f16", "bf16", "tf32", "tf32x3", "s8", "f32"};
  return names[static_cast<int>(multiply)];
}

int64_t bytesOf(Multiply multiply) {
  constexpr int64_t bytes[] = {2, 2, 4, 4, 1, 4};
  return bytes[static_cast<int>(multiply)];
}

double productError(Multiply multiply) {
  // Each factor is off by half a place; in TF32x3 by 2^-21, where its small part is cut,
  // and the small parts' product is left out.
  constexpr double errors[] = {0x1p-10, 0x1p-7, 0x1p-10, 5 * 0x1p-22, 0, 0};
  return errors[static_cast<int>(multiply)];
}

Type elementOf(Multiply multiply, MLIRContext *context) {
  switch (multiply) {
    case Multiply::F16:
      return Float16Type::get(context);
    case Multiply::BF16:
      return BFloat16Type::get(context);
    case Multiply::S8:
      return IntegerType::get(context, 8);
    default:
      return Float32Type::get(context);
  }
}

/// Registers as the op wants them: pairs for f16, i32 for all others.
static SmallVector<Value> registersOf(Kit &kit, const MatrixInstruction &i, ValueRange values) {
  if (i.type != MMATypes::f16) return SmallVector<Value>(values);
  Type pair = VectorType::get(2, kit.getF16Type());
  return llvm::map_to_vector(values, [&](Value v) { return kit.bitcast(v, pair); });
}

static SmallVector<Value> one(Kit &kit, const MatrixInstruction &i, ValueRange a, ValueRange b,
                              ValueRange d, bool aAlongK = true, bool bAlongK = true) {
  SmallVector<Type> sums(d.getTypes());
  auto result = LLVM::LLVMStructType::getLiteral(kit.getContext(), sums);
  std::optional<NVVM::MMAIntOverflow> overflow;
  if (i.type == MMATypes::s8) overflow = NVVM::MMAIntOverflow::wrapped;
  Value all = kit.create<NVVM::MmaOp>(
      result, registersOf(kit, i, a), registersOf(kit, i, b), d, ArrayRef<int64_t>{i.m, i.n, i.k},
      std::nullopt, overflow, std::array{i.type, i.type},
      std::array{aAlongK ? NVVM::MMALayout::row : NVVM::MMALayout::col,
                 bAlongK ? NVVM::MMALayout::col : NVVM::MMALayout::row});
  SmallVector<Value> out;
  for (size_t k = 0; k < d.size(); ++k) out.push_back(kit.member(all, k));
  return out;
}

SmallVector<Value> multiplyAdd(Kit &kit, const MatrixInstruction &i, ValueRange a, ValueRange b,
                               ValueRange d) {
  // Registers of A: rows 0-7 and 8-15 of the first half of k, then of the second;
  // of B the halves of k; of D rows 0-7, two columns, then rows 8-15.
  if (i.k * bytesOf(i.multiply) == 32) return one(kit, i, a, b, d);
  SmallVector<Value> sums(d);
  for (int half = 0; half < 2; ++half) {
    if (i.m == 16) {
      sums = one(kit, i, a.slice(2 * half, 2), b.slice(half, 1), sums);
      continue;
    }
    for (int rows = 0; rows < 2; ++rows) {
      SmallVector<Value> part = one(kit, i, a.slice(2 * half + rows, 1), b.slice(half, 1),
                                    ArrayRef<Value>(sums).slice(2 * rows, 2));
      llvm::copy(part, sums.begin() + 2 * rows);
    }
  }
  return sums;
}

SmallVector<Value> multiplyQuads(Kit &kit, ValueRange a, bool aAlongK, ValueRange b, bool bAlongK,
                                 ValueRange d) {
  return one(kit, *findInstruction(Multiply::F16, 70), a, b, d, aAlongK, bAlongK);
}

Value roundToTf32(Kit &kit, Value x) {
  return kit.create<NVVM::ConvertFloatToTF32Op>(kit.getI32Type(), x, NVVM::FPRoundingMode::RNA,
                                                NVVM::SaturationMode::NONE, false);
}

std::pair<Value, Value> splitTf32(Kit &kit, Value bits) {
  // Half of the 13 bits that fall away is carried into the rest. ptxas makes four instructions of
  // cvt.rna.tf32, most of them for infinities.
  Value big = kit.bitAnd(kit.add(bits, 0x1000), ~int64_t{0x1fff});
  Type f32 = kit.getF32Type();
  // Exact: the difference of neighbours has fewer bits than either.
  Value rest = kit.create<arith::SubFOp>(kit.bitcast(bits, f32), kit.bitcast(big, f32));
  return {big, kit.bitcast(rest, bits.getType())};
}

}  // namespace adze::cuda
