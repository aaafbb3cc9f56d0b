#include "lib/Runtime/Tensor.h"

#include "lib/Support/Checked.h"
#include "lib/Support/Diagnostics.h"

#include <algorithm>
#include <cstring>

namespace adze::runtime {

namespace {
/// Extents beyond these are left out of messages.
constexpr size_t kShownDims = 12;

template <typename F>
std::string listDims(const char *dtype, size_t rank, F dim) {
  std::string s = std::string(dtype) + "[";
  for (size_t i = 0; i < rank && i < kShownDims; ++i) s += (i ? "," : "") + dim(i);
  return s + (rank > kShownDims ? ",...]" : "]");
}

/// Bytes of the longest row-major tail, and the dimensions before it.
struct Tail {
  size_t outer;
  int64_t bytes;
};

Tail rowMajorTail(std::span<const int64_t> shape, std::span<const int64_t> strides,
                  int64_t elementBytes) {
  Tail t{shape.size(), elementBytes};
  int64_t expected = 1;
  while (t.outer > 0 && (shape[t.outer - 1] == 1 || strides[t.outer - 1] == expected)) {
    --t.outer;
    expected *= shape[t.outer];
    t.bytes *= shape[t.outer];
  }
  return t;
}

char *copyOuter(std::span<const int64_t> shape, std::span<const int64_t> strides,
                int64_t elementBytes, const Tail &tail, size_t dim, const char *from, char *to) {
  if (dim == tail.outer) {
    std::memcpy(to, from, static_cast<size_t>(tail.bytes));
    return to + tail.bytes;
  }
  for (int64_t i = 0; i < shape[dim]; ++i)
    to = copyOuter(shape, strides, elementBytes, tail, dim + 1,
                   from + i * strides[dim] * elementBytes, to);
  return to;
}
}  // namespace

bool isRowMajor(std::span<const int64_t> shape, std::span<const int64_t> strides) {
  if (std::ranges::find(shape, 0) != shape.end()) return true;
  int64_t expected = 1;
  for (size_t d = shape.size(); d-- > 0;) {
    if (shape[d] != 1 && strides[d] != expected) return false;
    auto next = checkedMul(expected, shape[d]);
    if (!next) return false;
    expected = *next;
  }
  return true;
}

std::optional<ByteRange> touchedBytes(std::span<const int64_t> shape,
                                      std::span<const int64_t> strides, int64_t elementBytes) {
  int64_t low = 0, high = 0;
  for (size_t d = 0; d < shape.size(); ++d) {
    auto reach = checkedMul(shape[d] - 1, strides[d]);
    if (!reach) return std::nullopt;
    auto &side = *reach < 0 ? low : high;
    auto moved = checkedAdd(side, *reach);
    if (!moved) return std::nullopt;
    side = *moved;
  }
  auto lowBytes = checkedMul(low, elementBytes), end = checkedAdd(high, 1);
  if (!lowBytes || !end) return std::nullopt;
  auto highBytes = checkedMul(*end, elementBytes);
  if (!highBytes) return std::nullopt;
  return ByteRange{*lowBytes, *highBytes};
}

void copyStrided(std::span<const int64_t> shape, std::span<const int64_t> strides,
                 int64_t elementBytes, const void *from, void *to) {
  if (std::ranges::find(shape, 0) != shape.end()) return;
  Tail tail = rowMajorTail(shape, strides, elementBytes);
  copyOuter(shape, strides, elementBytes, tail, 0, static_cast<const char *>(from),
            static_cast<char *>(to));
}

std::string typeText(artifact::DType dtype, std::span<const int64_t> shape) {
  return listDims(artifact::dtypeName(dtype), shape.size(),
                  [&](size_t i) { return std::to_string(shape[i]); });
}

std::string typeText(const artifact::TensorInfo &info) {
  return listDims(artifact::dtypeName(info.dtype), info.dims.size(), [&](size_t i) {
    const artifact::Dim &d = info.dims[i];
    if (d.value >= 0) return std::to_string(d.value);
    std::string range = d.most < 0 ? "" : std::to_string(d.least) + ".." + std::to_string(d.most);
    if (d.symbol.empty()) return range.empty() ? std::string("?") : range;
    return printable(d.symbol, 40) + (range.empty() ? "" : ":" + range);
  });
}

}  // namespace adze::runtime
