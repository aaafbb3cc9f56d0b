// Extents of results from extents of operands, as plain integers: shared by
// type inference, by the reference evaluator and by whoever lowers the op, so
// that they cannot disagree. All arithmetic is checked; nullopt means overflow.
#pragma once
#include "lib/Support/Checked.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace adze::graph {

/// First element and number of elements that x[start:end:step] takes from an
/// axis of n elements, clamped as in ONNX Slice.
struct SliceRange {
  int64_t start;
  int64_t count;
};

/// `n` is not negative and `step` is not 0.
inline SliceRange sliceRange(int64_t n, int64_t start, int64_t end, int64_t step) {
  if (start < 0) start += n;
  if (end < 0) end = end < INT64_MIN + n ? INT64_MIN + n : end + n;
  if (step > 0) {
    start = std::clamp<int64_t>(start, 0, n);
    end = std::clamp<int64_t>(end, 0, n);
    return {start, end > start ? (end - start - 1) / step + 1 : 0};
  }
  if (n == 0) return {0, 0};
  start = std::clamp<int64_t>(start, 0, n - 1);
  end = std::clamp<int64_t>(end, -1, n - 1);
  if (end >= start) return {start, 0};
  // The count of steps, with the step's absolute value kept unsigned.
  uint64_t stride = 0 - static_cast<uint64_t>(step);
  return {start, static_cast<int64_t>((static_cast<uint64_t>(start - end) - 1) / stride) + 1};
}

/// One spatial axis of a windowed op.
struct Window {
  int64_t kernel = 1, stride = 1, dilation = 1, padBegin = 0, padEnd = 0;

  /// Elements the dilated kernel spans.
  std::optional<int64_t> span() const {
    auto steps = checkedMul(kernel - 1, dilation);
    return steps ? checkedAdd(*steps, 1) : std::nullopt;
  }

  /// Number of windows over an axis of `in` elements; negative when not even
  /// one fits. With `ceilMode` a last window that is cut off counts, if it
  /// starts inside the input or the padding before it (ONNX opset 19 and up).
  std::optional<int64_t> resultExtent(int64_t in, bool ceilMode) const {
    auto spanned = span();
    auto padded = checkedAdd(padBegin, padEnd);
    if (padded) padded = checkedAdd(*padded, in);
    if (!spanned || !padded) return std::nullopt;
    int64_t room = *padded - *spanned;
    if (room < 0 && !(ceilMode && room > -stride)) return -1;
    if (!ceilMode) return room / stride + 1;
    int64_t count = room > 0 ? (room - 1) / stride + 2 : 1;
    if ((count - 1) > (in + padBegin - 1) / stride) --count;
    return count;
  }
};

/// stride * (in - 1) + outputPadding + span - padBegin - padEnd.
inline std::optional<int64_t> transposedExtent(const Window &w, int64_t in,
                                               int64_t outputPadding) {
  auto spanned = w.span();
  auto extent = checkedMul(w.stride, in - 1);
  for (int64_t term : {outputPadding, spanned.value_or(0), -w.padBegin, -w.padEnd})
    if (extent) extent = checkedAdd(*extent, term);
  return spanned ? extent : std::nullopt;
}

}  // namespace adze::graph
