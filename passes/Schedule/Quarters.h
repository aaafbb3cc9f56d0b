// Large angles in quarters of a turn.
#pragma once
#include "passes/Schedule/MathBuilder.h"

namespace adze::schedule {

/// k and r of x = k pi/2 + r, |r| <= pi/4, for any f32 x from 2^-9 on: k as a 32-bit
/// integer modulo 4, r to half an ulp; r is NaN where x is infinite or NaN. M. Payne and
/// R. Hanek, Radian reduction for trigonometric functions, SIGNUM 18 (1983).
std::pair<mlir::Value, mlir::Value> reduceQuarters(MathBuilder &m, mlir::Value x);

}  // namespace adze::schedule
