// Comparing results. docs/accuracy.md derives the bounds.
#pragma once
#include "tools/adze/Tensor.h"

namespace adze::cli {

/// An element passes when |got - want| <= absolute + relative * |want| +
/// ofLargest * max|want|.
struct Tolerance {
  double relative = 0, absolute = 0, ofLargest = 0;
};

/// Bounds for a node case: ONNX's own (onnx.backend.test.runner), and what
/// `steps` roundings one after the other and sums of `terms` terms add to them.
Tolerance suiteTolerance(int32_t dtype, int64_t steps, int64_t terms);

/// Bounds for a whole model: results of `dtype` after `stages` roundings one
/// after the other, whose sums have `terms` terms together. `addend` is the size
/// of a constant that the last function adds to reach its result, or 0; `product` is
/// by how much a product of two float32 may be off (Target::productError), or 0.
Tolerance derivedTolerance(int32_t dtype, int64_t stages, int64_t terms, double addend = 0, double product = 0);

struct Difference {
  bool same = true;
  std::string reason;      ///< empty when same
  double maxAbsolute = 0;
  double maxRelative = 0;  ///< of the elements that are not zero
  double maxUlps = 0;      ///< in units of the dtype's last place
  double sqnr = 0;         ///< signal to error, dB; infinite when equal
  int64_t wrong = 0;       ///< elements out of bounds
};

/// Type and shape must agree; integers and booleans must be equal.
Difference compare(const HostTensor &got, const HostTensor &want, const Tolerance &tolerance);

Json toJson(const Difference &d);

/// Of a session's results, from what an artifact tells: roundings one after the
/// other and the terms of their sums (docs/accuracy.md).
class Session;
Tolerance toleranceOf(const Session &session, int32_t dtype);

}  // namespace adze::cli
