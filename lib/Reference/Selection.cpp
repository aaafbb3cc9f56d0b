// Sorting and selecting: topk, nonzero, unique, nms.
#include "lib/Reference/Call.h"

#include <cmath>
#include <numeric>

using namespace mlir;

namespace adze::reference {

/// Keys that compare like the elements: for floats NaN is the largest.
static std::vector<double> floatKeys(const Tensor &x) { return toDoubles(x); }

static std::vector<uint64_t> intKeys(const Tensor &x) {
  std::vector<int64_t> ints = toInts(x);
  std::vector<uint64_t> keys(ints.begin(), ints.end());
  if (!isUnsigned(x.element()))
    for (uint64_t &k : keys) k ^= uint64_t(1) << 63;
  return keys;
}

static bool keyLess(double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; }
static bool keyLess(uint64_t a, uint64_t b) { return a < b; }

/// Calls f with keys of x of the fitting type.
template <typename F>
static void withKeys(const Tensor &x, F f) {
  if (isFloat(x.element()))
    f(floatKeys(x));
  else
    f(intKeys(x));
}

/// Copies elements of x at `positions` to the front of `out`.
static void take(const Tensor &x, ArrayRef<int64_t> positions, Tensor &out) {
  byWidth(x, [&]<typename T>(T) {
    T *to = out.mutableData<T>().data();
    for (int64_t p : positions) *to++ = x.data<T>()[p];
  });
}

ADZE_EVALUATE(TopKOp) {
  const Tensor &x = call.in(0);
  int64_t k = toInts(call.in(1))[0], axis = op.getAxis(), n = x.dim(axis);
  if (k < 0 || k > n) return call.error("k is ", k, ", but axis ", axis, " has ", n, " elements");
  SmallVector<int64_t> shape(x.shape());
  shape[axis] = k;
  for (unsigned i = 0; i < 2; ++i)
    if (!call.out(i) && failed(call.make(i, shape))) return failure();
  Lines lines(x.shape(), axis), results(shape, axis);
  std::vector<int64_t> positions(call.out(0).size()), indices(call.out(0).size());
  withKeys(x, [&](const auto &keys) {
    std::vector<int64_t> order(n);
    for (int64_t line = 0; line < lines.count(); ++line) {
      int64_t start = lines.start(line);
      std::iota(order.begin(), order.end(), 0);
      // Of equals the first wins, so ties break by index in either order.
      std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](int64_t a, int64_t b) {
        auto ka = keys[start + a * lines.inner], kb = keys[start + b * lines.inner];
        if (keyLess(ka, kb) || keyLess(kb, ka)) return op.getLargest() ? keyLess(kb, ka) : keyLess(ka, kb);
        return a < b;
      });
      for (int64_t i = 0; i < k; ++i) {
        int64_t to = results.start(line) + i * results.inner;
        indices[to] = order[i];
        positions[to] = start + order[i] * lines.inner;
      }
    }
  });
  take(x, positions, call.out(0));
  storeInts(call.out(1), indices);
  return success();
}

ADZE_EVALUATE(NonZeroOp) {
  const Tensor &x = call.in(0);
  std::vector<int64_t> positions;
  std::vector<double> values = toDoubles(x);
  for (int64_t i = 0; i < x.size(); ++i)
    if (values[i] != 0) positions.push_back(i);
  int64_t count = positions.size();
  if (failed(call.make(0, {x.rank(), count}))) return failure();
  SmallVector<int64_t> strides = stridesOf(x.shape());
  MutableArrayRef<int64_t> out = call.out().mutableData<int64_t>();
  for (int64_t d = 0; d < x.rank(); ++d)
    for (int64_t i = 0; i < count; ++i)
      out[d * count + i] = positions[i] / strides[d] % x.dim(d);
  return success();
}

/// The slices of x along an axis, and how they compare.
template <typename Keys>
struct Slices {
  const Keys &keys;
  Lines lines;

  /// -1, 0 or 1: slice a against slice b, in row-major order of their elements.
  int compare(int64_t a, int64_t b) const {
    for (int64_t i = 0; i < lines.count(); ++i) {
      int64_t start = lines.start(i);
      auto ka = keys[start + a * lines.inner], kb = keys[start + b * lines.inner];
      if (keyLess(ka, kb)) return -1;
      if (keyLess(kb, ka)) return 1;
    }
    return 0;
  }
};

/// What unique finds: first occurrences, the group of each slice, group sizes.
struct Groups {
  std::vector<int64_t> first, inverse, counts;
};

template <typename Keys>
static Groups groupSlices(const Slices<Keys> &slices, bool sorted) {
  int64_t n = slices.lines.extent;
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return slices.compare(a, b) < 0; });
  Groups groups;
  groups.inverse.resize(n);
  for (int64_t i = 0; i < n; ++i) {
    if (i == 0 || slices.compare(order[i - 1], order[i]) != 0) {
      groups.first.push_back(order[i]);
      groups.counts.push_back(0);
    }
    groups.inverse[order[i]] = groups.first.size() - 1;
    ++groups.counts.back();
  }
  if (sorted) return groups;
  // In order of first occurrence.
  std::vector<int64_t> by(groups.first.size()), rank(groups.first.size());
  std::iota(by.begin(), by.end(), 0);
  llvm::sort(by, [&](int64_t a, int64_t b) { return groups.first[a] < groups.first[b]; });
  Groups result = groups;
  for (auto [to, from] : llvm::enumerate(by)) {
    rank[from] = to;
    result.first[to] = groups.first[from];
    result.counts[to] = groups.counts[from];
  }
  for (int64_t &g : result.inverse) g = rank[g];
  return result;
}

ADZE_EVALUATE(UniqueOp) {
  const Tensor &x = call.in(0);
  SmallVector<int64_t> shape(x.shape());
  int64_t axis = op.getAxis().value_or(0);
  if (!op.getAxis()) shape = {x.size()};
  Lines lines(shape, axis);
  Groups groups;
  withKeys(x, [&](const auto &keys) {
    Slices<std::decay_t<decltype(keys)>> slices{keys, lines};
    groups = groupSlices(slices, op.getSorted());
  });
  int64_t count = groups.first.size();
  shape[axis] = count;
  if (failed(call.make(0, shape)) || failed(call.make(1, {count})) ||
      failed(call.make(2, {lines.extent})) || failed(call.make(3, {count})))
    return failure();
  std::vector<int64_t> positions(call.out(0).size());
  Lines results(shape, axis);
  for (int64_t line = 0; line < lines.count(); ++line)
    for (int64_t i = 0; i < count; ++i)
      positions[results.start(line) + i * results.inner] =
          lines.start(line) + groups.first[i] * lines.inner;
  take(x, positions, call.out(0));
  storeInts(call.out(1), groups.first);
  storeInts(call.out(2), groups.inverse);
  storeInts(call.out(3), groups.counts);
  return success();
}

/// A box as corners.
struct Box {
  double top, left, bottom, right;

  Box(const double *v, bool centre) {
    if (centre) {
      top = v[1] - v[3] / 2, bottom = v[1] + v[3] / 2;
      left = v[0] - v[2] / 2, right = v[0] + v[2] / 2;
    } else {
      std::tie(top, bottom) = std::minmax(v[0], v[2]);
      std::tie(left, right) = std::minmax(v[1], v[3]);
    }
  }
  double area() const { return (bottom - top) * (right - left); }
};

static double intersectionOverUnion(const Box &a, const Box &b) {
  double height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  double width = std::min(a.right, b.right) - std::max(a.left, b.left);
  if (height <= 0 || width <= 0 || a.area() <= 0 || b.area() <= 0) return 0;
  double common = height * width;
  return common / (a.area() + b.area() - common);
}

ADZE_EVALUATE(NmsOp) {
  const Tensor &scores = call.in(1);
  std::vector<double> boxes = toDoubles(call.in(0)), values = toDoubles(scores);
  int64_t batches = scores.dim(0), classes = scores.dim(1), count = scores.dim(2);
  int64_t limit = toInts(call.in(2))[0];
  double overlap = toDoubles(call.in(3))[0], least = toDoubles(call.in(4))[0];
  std::vector<int64_t> selected;
  for (int64_t b = 0; b < batches; ++b)
    for (int64_t c = 0; c < classes; ++c) {
      const double *score = values.data() + (b * classes + c) * count;
      std::vector<int64_t> order;
      for (int64_t i = 0; i < count; ++i)
        if (score[i] > least) order.push_back(i);
      llvm::stable_sort(order, [&](int64_t i, int64_t j) { return score[i] > score[j]; });
      std::vector<Box> kept;
      for (int64_t i : order) {
        if (int64_t(kept.size()) >= limit) break;
        Box box(boxes.data() + (b * count + i) * 4, op.getCenterPointBox());
        if (llvm::any_of(kept, [&](const Box &k) { return intersectionOverUnion(k, box) > overlap; }))
          continue;
        kept.push_back(box);
        selected.insert(selected.end(), {b, c, i});
      }
    }
  if (failed(call.make(0, {int64_t(selected.size()) / 3, 3}))) return failure();
  storeInts(call.out(), selected);
  return success();
}

}  // namespace adze::reference
