// The frequent lane instructions for x86-64-v4. Only functions with internal
// linkage are compiled here, so none of them can replace another file's.
#include "lib/PtxEmulator/LaneOps.h"
#include "lib/PtxEmulator/Numbers.h"

#include <cmath>
#include <cstring>
#include <type_traits>

#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,f16c,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#include "lib/PtxEmulator/LaneTypes.h"
namespace adze::ptx {
#define TABLE kLanesV4
#define TENSOR kTensorV4
#include "lib/PtxEmulator/LaneTable.inc"
}  // namespace adze::ptx
#pragma clang attribute pop
#endif
