// Moving elements between strided boxes, and broadcasting.
#include "lib/Reference/Call.h"

#include <cstring>

using namespace mlir;

namespace adze::reference {

namespace {
/// One axis of a box.
struct Axis {
  int64_t extent, from, to;
};
using Axes = SmallVector<Axis>;
constexpr int64_t kTile = 32;

/// Drops axes of extent 1 and joins axes that are one run on both sides.
Axes coalesce(ArrayRef<int64_t> extents, ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  Axes axes;
  for (auto [n, f, t] : llvm::zip(extents, from, to)) {
    if (n == 1) continue;
    if (!axes.empty() && axes.back().from == f * n && axes.back().to == t * n)
      axes.back() = {axes.back().extent * n, f, t};
    else
      axes.push_back({n, f, t});
  }
  return axes;
}

template <typename T>
void copyRow(const T *from, T *to, const Axis &a) {
  if (a.from == 1 && a.to == 1) {
    std::copy_n(from, a.extent, to);
  } else {
    for (int64_t i = 0; i < a.extent; ++i) to[i * a.to] = from[i * a.from];
  }
}

/// A plane by square tiles: one side is contiguous in `from`, the other in
/// `to`, and a tile of both stays in the cache.
template <typename T>
void copyPlane(const T *from, T *to, const Axis &a, const Axis &b) {
  for (int64_t i = 0; i < a.extent; i += kTile)
    for (int64_t j = 0; j < b.extent; j += kTile) {
      Axis row{std::min(kTile, b.extent - j), b.from, b.to};
      for (int64_t k = i; k < std::min(i + kTile, a.extent); ++k)
        copyRow(from + k * a.from + j * b.from, to + k * a.to + j * b.to, row);
    }
}

template <typename T>
void copyAxes(const T *from, T *to, ArrayRef<Axis> axes) {
  if (axes.empty()) {
    *to = *from;
  } else if (axes.size() == 1) {
    copyRow(from, to, axes[0]);
  } else if (axes.size() == 2) {
    copyPlane(from, to, axes[0], axes[1]);
  } else {
    for (int64_t i = 0; i < axes[0].extent; ++i)
      copyAxes(from + i * axes[0].from, to + i * axes[0].to, axes.drop_front());
  }
}
}  // namespace

void copyBox(const Tensor &from, int64_t fromOffset, ArrayRef<int64_t> fromStrides, Tensor &to,
             int64_t toOffset, ArrayRef<int64_t> toStrides, ArrayRef<int64_t> extents) {
  if (llvm::is_contained(extents, 0)) return;
  Axes axes = coalesce(extents, fromStrides, toStrides);
  // The axis that is contiguous in the source goes next to the innermost one.
  for (size_t i = 0; i + 2 < axes.size(); ++i)
    if (axes[i].from == 1) {
      std::rotate(axes.begin() + i, axes.begin() + i + 1, axes.end() - 1);
      break;
    }
  byWidth(from, [&]<typename T>(T) {
    copyAxes(from.data<T>().data() + fromOffset, to.mutableData<T>().data() + toOffset,
             ArrayRef<Axis>(axes));
  });
}

void gatherBox(const Tensor &from, ArrayRef<std::vector<int64_t>> sources, const void *fill,
               Tensor &to) {
  SmallVector<int64_t> strides = stridesOf(from.shape()), index(to.rank(), 0);
  if (to.size() == 0) return;
  byWidth(from, [&]<typename T>(T value) {
    std::memcpy(&value, fill, sizeof(T));
    T *at = to.mutableData<T>().data();
    do {
      int64_t offset = 0;
      for (int64_t i = 0; i < to.rank() && offset >= 0; ++i) {
        int64_t source = sources[i][index[i]];
        offset = source < 0 ? -1 : offset + source * strides[i];
      }
      *at++ = offset < 0 ? value : from.data<T>()[offset];
    } while (nextIndex(index, to.shape()));
  });
}

SmallVector<int64_t> broadcastStrides(ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  SmallVector<int64_t> strides(to.size() - from.size(), 0);
  for (auto [d, s] : llvm::zip(from, stridesOf(from))) strides.push_back(d == 1 ? 0 : s);
  return strides;
}

template <typename T>
static void broadcastInto(const T *from, ArrayRef<int64_t> strides, ArrayRef<int64_t> shape, T *&to) {
  if (shape.empty()) {
    *to++ = *from;
    return;
  }
  for (int64_t i = 0; i < shape[0]; ++i)
    broadcastInto(from + i * strides[0], strides.drop_front(), shape.drop_front(), to);
}

template <typename T>
std::vector<T> broadcastTo(std::vector<T> values, ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  if (from == to) return values;
  int64_t count = 1;
  for (int64_t d : to) count *= d;
  if (values.size() == 1) return std::vector<T>(count, values[0]);
  std::vector<T> result(count);
  T *at = result.data();
  if (count) broadcastInto(values.data(), broadcastStrides(from, to), to, at);
  return result;
}
template std::vector<double> broadcastTo(std::vector<double>, ArrayRef<int64_t>, ArrayRef<int64_t>);
template std::vector<int64_t> broadcastTo(std::vector<int64_t>, ArrayRef<int64_t>,
                                          ArrayRef<int64_t>);

}  // namespace adze::reference
