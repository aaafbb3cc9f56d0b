#include "lib/Runtime/DlPack.h"

namespace adze::runtime::dlpack {

namespace {
using artifact::DType;

struct Row {
  DType dtype;
  uint8_t code, bits;
};
// Codes: 0 int, 1 uint, 2 float, 4 bfloat, 5 complex, 6 bool; 10.. the 8-bit
// floats of DLPack 1.1.
constexpr Row kRows[] = {
    {DType::Int8, 0, 8},
    {DType::Int16, 0, 16},
    {DType::Int32, 0, 32},
    {DType::Int64, 0, 64},
    {DType::UInt8, 1, 8},
    {DType::UInt16, 1, 16},
    {DType::UInt32, 1, 32},
    {DType::UInt64, 1, 64},
    {DType::Float16, 2, 16},
    {DType::Float32, 2, 32},
    {DType::Float64, 2, 64},
    {DType::BFloat16, 4, 16},
    {DType::Complex64, 5, 64},
    {DType::Complex128, 5, 128},
    {DType::Bool, 6, 8},
    {DType::Float8E4M3FN, 10, 8},
    {DType::Float8E4M3FNUZ, 11, 8},
    {DType::Float8E5M2, 12, 8},
    {DType::Float8E5M2FNUZ, 13, 8},
    {DType::Float8E8M0, 14, 8},
};
}  // namespace

DType fromDlPack(DataType t) {
  for (const Row &r : kRows)
    if (t.lanes == 1 && r.code == t.code && r.bits == t.bits) return r.dtype;
  return DType::Undefined;
}

DataType toDlPack(DType t) {
  for (const Row &r : kRows)
    if (r.dtype == t) return {r.code, r.bits, 1};
  return {255, 0, 1};
}

}  // namespace adze::runtime::dlpack
