// pool and max_pool_indices.
#include "lib/Reference/Call.h"
#include "lib/Reference/Windows.h"

#include <cmath>
#include <limits>

using namespace mlir;
using adze::graph::PoolKind;

namespace adze::reference {

namespace {
/// The elements of one window: offsets in x of those inside the input, and how
/// many lie inside the input or its padding.
struct WindowElements {
  SmallVector<int64_t> offsets;
  int64_t padded = 0;
};

/// Elements of the window at `position` of one channel plane, in row-major
/// order of the kernel.
void collect(ArrayRef<graph::Window> windows, ArrayRef<int64_t> kernel, const ChannelView &x,
             ArrayRef<int64_t> position, WindowElements &elements) {
  elements = {};
  SmallVector<int64_t> k(kernel.size(), 0);
  do {
    int64_t offset = 0;
    bool inside = true, padded = true;
    for (auto [d, w] : llvm::enumerate(windows)) {
      int64_t at = position[d] * w.stride + k[d] * w.dilation - w.padBegin;
      inside &= at >= 0 && at < x.spatial[d];
      padded &= at < x.spatial[d] + w.padEnd;
      offset += at * x.strides[d];
    }
    if (inside) elements.offsets.push_back(offset);
    elements.padded += padded;
  } while (nextIndex(k, kernel));
}

/// Calls f(first element of the channel plane, element of the result, window
/// elements) for every element of the result.
template <typename OpTy, typename F>
void forEachWindow(OpTy op, const ChannelView &x, const ChannelView &y, F f) {
  SmallVector<graph::Window> windows = windowsOf(op, op.getKernel());
  SmallVector<int64_t> position(y.spatial.size(), 0);
  if (llvm::is_contained(y.spatial, 0)) return;
  WindowElements elements;
  do {
    collect(windows, op.getKernel(), x, position, elements);
    int64_t at = 0;
    for (auto [i, s] : llvm::zip(position, y.strides)) at += i * s;
    for (int64_t n = 0; n < y.batch; ++n)
      for (int64_t c = 0; c < y.channels; ++c)
        f(n * x.batchStride + c * x.channelStride, at + n * y.batchStride + c * y.channelStride,
          elements);
  } while (nextIndex(position, y.spatial));
}

double poolFloats(graph::PoolOp op, const double *plane, const WindowElements &w) {
  if (op.getKind() == PoolKind::Max) {
    double most = -std::numeric_limits<double>::infinity();
    for (int64_t o : w.offsets)
      most = std::isnan(most) || std::isnan(plane[o]) ? NAN : std::max(most, plane[o]);
    return most;
  }
  double sum = 0;
  if (op.getKind() == PoolKind::Lp) {
    for (int64_t o : w.offsets) sum += std::pow(std::fabs(plane[o]), double(op.getP()));
    return std::pow(sum, 1 / double(op.getP()));
  }
  for (int64_t o : w.offsets) sum += plane[o];
  return sum / double(op.getCountIncludePad() ? w.padded : w.offsets.size());
}

bool less(Type type, int64_t a, int64_t b) {
  return isUnsigned(type) ? uint64_t(a) < uint64_t(b) : a < b;
}
}  // namespace

ADZE_EVALUATE(PoolOp) {
  const Tensor &t = call.in(0);
  ChannelView x(t.shape(), op.getLayout()), y(call.out().shape(), op.getLayout());
  if (isFloat(t.element())) {
    std::vector<double> values = toDoubles(t), out(call.out().size());
    forEachWindow(op, x, y, [&](int64_t plane, int64_t to, const WindowElements &w) {
      out[to] = poolFloats(op, values.data() + plane, w);
    });
    storeDoubles(call.out(), out);
    return success();
  }
  std::vector<int64_t> values = toInts(t), out(call.out().size(), lowestInt(t.element()));
  forEachWindow(op, x, y, [&](int64_t plane, int64_t to, const WindowElements &w) {
    for (int64_t o : w.offsets)
      if (less(t.element(), out[to], values[plane + o])) out[to] = values[plane + o];
  });
  storeInts(call.out(), out);
  return success();
}

/// The index of an element with its spatial axes in the other order.
static int64_t columnMajor(int64_t index, ArrayRef<int64_t> shape) {
  int64_t planeSize = 1, result = 0, stride = 1;
  for (int64_t d : shape.drop_front(2)) planeSize *= d;
  SmallVector<int64_t> strides = stridesOf(shape);
  for (size_t d = 2; d < shape.size(); ++d) {
    result += index % planeSize / strides[d] % shape[d] * stride;
    stride *= shape[d];
  }
  return index / planeSize * planeSize + result;
}

ADZE_EVALUATE(MaxPoolIndicesOp) {
  const Tensor &t = call.in(0);
  ChannelView x(t.shape(), DataLayout::NCHW), y(call.out().shape(), DataLayout::NCHW);
  std::vector<double> floats;
  std::vector<int64_t> ints;
  bool isFloats = isFloat(t.element());
  isFloats ? void(floats = toDoubles(t)) : void(ints = toInts(t));
  auto greater = [&](int64_t a, int64_t b) {
    if (!isFloats) return less(t.element(), ints[b], ints[a]);
    return std::isnan(floats[a]) ? !std::isnan(floats[b]) : floats[a] > floats[b];
  };
  std::vector<int64_t> best(call.out(0).size(), -1);
  bool empty = false;
  forEachWindow(op, x, y, [&](int64_t plane, int64_t to, const WindowElements &w) {
    for (int64_t o : w.offsets)
      if (best[to] < 0 || greater(plane + o, best[to])) best[to] = plane + o;
    empty |= best[to] < 0;
  });
  if (empty) return call.error("a window lies in the padding: it has no maximum");
  byWidth(t, [&]<typename T>(T) {
    for (auto [i, b] : llvm::enumerate(best))
      call.out(0).mutableData<T>()[i] = t.data<T>()[b];
  });
  if (op.getColumnMajor())
    for (int64_t &b : best) b = columnMajor(b, t.shape());
  storeInts(call.out(1), best);
  return success();
}

}  // namespace adze::reference
