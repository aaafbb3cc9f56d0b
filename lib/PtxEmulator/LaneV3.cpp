// The frequent lane instructions for x86-64-v3. Only functions with internal
// linkage are compiled here, so none of them can replace another file's.
#include "lib/PtxEmulator/LaneOps.h"
#include "lib/PtxEmulator/Numbers.h"

#include <cmath>
#include <cstring>
#include <type_traits>

#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#include "lib/PtxEmulator/LaneTypes.h"
namespace adze::ptx {
#define TABLE kLanesV3
#define TENSOR kTensorV3
#include "lib/PtxEmulator/LaneTable.inc"
}  // namespace adze::ptx
#pragma clang attribute pop
#endif
