#include "passes/Import/Registry.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <tuple>

using namespace mlir;

namespace adze::convert {

static auto keyOf(const OpEntry &e) {
  return std::make_tuple(StringRef(e.domain), StringRef(e.name), e.minVersion);
}

static OpTable buildTable() {
  OpTable table;
  for (auto populate :
       {populateElementwise, populateActivation, populateDataMovement, populateShape,
        populateReduction, populateWindow, populateMatMul, populateEinsum, populateNormalization,
        populateControlFlow, populateRecurrent, populateQuantization, populateSorting,
        populateResize, populateMicrosoft, populateSampling, populateSignal, populateTraining})
    populate(table);
  llvm::sort(table, [](const OpEntry &a, const OpEntry &b) { return keyOf(a) < keyOf(b); });
  return table;
}

ArrayRef<OpEntry> allOps() {
  static const OpTable table = buildTable();
  return table;
}

const OpEntry *lookupOp(StringRef domain, StringRef op, int64_t sinceVersion) {
  if (domain == "ai.onnx") domain = "";
  ArrayRef<OpEntry> table = allOps();
  const OpEntry *row = std::lower_bound(
      table.begin(), table.end(), std::make_tuple(domain, op, INT64_MIN),
      [](const OpEntry &e, const auto &key) { return keyOf(e) < key; });
  for (; row != table.end() && domain == row->domain && op == row->name; ++row)
    if (sinceVersion >= row->minVersion && (!row->maxVersion || sinceVersion <= row->maxVersion))
      return row;
  return nullptr;
}

static uint32_t dtypeOf(Type type) {
  if (type.isF16()) return kF16;
  if (type.isBF16()) return kBF16;
  if (type.isF32()) return kF32;
  if (type.isF64()) return kF64;
  if (isa<Float8E4M3FNType, Float8E4M3FNUZType, Float8E5M2Type, Float8E5M2FNUZType>(type))
    return kF8;
  if (isa<Float4E2M1FNType>(type)) return kF4;
  if (isa<Float6E2M3FNType, Float6E3M2FNType>(type)) return kF6;
  if (isa<Float8E8M0FNUType>(type)) return kE8M0;
  auto i = dyn_cast<IntegerType>(type);
  if (!i) return 0;
  bool u = i.isUnsigned();
  switch (i.getWidth()) {
    case 1: return kBool;
    case 2: return u ? kU2 : kI2;
    case 4: return u ? kU4 : kI4;
    case 8: return u ? kU8 : kI8;
    case 16: return u ? kU16 : kI16;
    case 32: return u ? kU32 : kI32;
    case 64: return u ? kU64 : kI64;
    default: return 0;
  }
}

bool containsDtype(uint32_t dtypes, Type type) { return dtypes & dtypeOf(type); }

SmallVector<std::pair<uint32_t, Type>> elementTypes(uint32_t dtypes, MLIRContext *context) {
  Builder b(context);
  SmallVector<Type> all{b.getF16Type(), b.getBF16Type(), b.getF32Type(), b.getF64Type(),
                        Float8E4M3FNType::get(context), Float6E2M3FNType::get(context),
                        Float4E2M1FNType::get(context), Float8E8M0FNUType::get(context),
                        b.getI1Type()};
  for (unsigned width : {2, 4, 8, 16, 32, 64})
    for (bool isSigned : {true, false})
      all.push_back(isSigned ? b.getIntegerType(width) : b.getIntegerType(width, false));
  SmallVector<std::pair<uint32_t, Type>> types;
  for (Type type : all)
    if (uint32_t bit = dtypes & dtypeOf(type)) types.emplace_back(bit, type);
  return types;
}

std::string dtypeNames(uint32_t dtypes) {
  static constexpr std::pair<uint32_t, const char *> kNames[] = {
      {kBool, "bool"},    {kF16, "float16"}, {kBF16, "bfloat16"}, {kF32, "float32"},
      {kF64, "float64"},  {kF8, "float8"},   {kF6, "float6"},
      {kF4, "float4e2m1"}, {kE8M0, "float8e8m0"}, {kI2, "int2"}, {kI4, "int4"},       {kI8, "int8"},
      {kI16, "int16"},    {kI32, "int32"},   {kI64, "int64"},     {kU2, "uint2"}, {kU4, "uint4"},
      {kU8, "uint8"},     {kU16, "uint16"},  {kU32, "uint32"},    {kU64, "uint64"}};
  std::string text;
  for (auto [bit, name] : kNames) {
    if (!(dtypes & bit)) continue;
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

}  // namespace adze::convert
