// Reductions and normalisations.
#include "lib/Reference/Call.h"

#include <cmath>
#include <limits>

using namespace mlir;
using adze::graph::ReduceKind;

namespace adze::reference {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

static double neutralFloat(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::Prod: return 1;
    case ReduceKind::Max: return -kInfinity;
    case ReduceKind::Min: return kInfinity;
    default: return 0;
  }
}

static int64_t neutralInt(ReduceKind kind, Type type) {
  switch (kind) {
    case ReduceKind::Prod: return 1;
    case ReduceKind::Max: return lowestInt(type);
    case ReduceKind::Min: return highestInt(type);
    default: return 0;
  }
}

static double joinFloats(ReduceKind kind, double a, double b) {
  switch (kind) {
    case ReduceKind::Prod: return a * b;
    case ReduceKind::Max: return std::isnan(a) || std::isnan(b) ? a + b : std::max(a, b);
    case ReduceKind::Min: return std::isnan(a) || std::isnan(b) ? a + b : std::min(a, b);
    default: return a + b;
  }
}

static int64_t joinInts(ReduceKind kind, Type type, int64_t a, int64_t b) {
  bool less = isUnsigned(type) ? uint64_t(a) < uint64_t(b) : a < b;
  switch (kind) {
    case ReduceKind::Prod: return int64_t(uint64_t(a) * uint64_t(b));
    case ReduceKind::Max: return less ? b : a;
    case ReduceKind::Min: return less ? a : b;
    default: return int64_t(uint64_t(a) + uint64_t(b));
  }
}

/// For each element of x in order, its element in the result of reducing `axes`.
template <typename F>
static void forEachReduced(ArrayRef<int64_t> shape, ArrayRef<int64_t> axes, F f) {
  SmallVector<int64_t> kept(shape), index(shape.size(), 0);
  for (int64_t a : axes) kept[a] = 1;
  SmallVector<int64_t> strides = broadcastStrides(kept, shape);
  if (llvm::is_contained(shape, 0)) return;
  int64_t from = 0;
  do {
    int64_t to = 0;
    for (auto [i, s] : llvm::zip(index, strides)) to += i * s;
    f(from++, to);
  } while (nextIndex(index, shape));
}

ADZE_EVALUATE(ReduceOp) {
  const Tensor &x = call.in(0);
  Tensor &out = call.out();
  ReduceKind kind = op.getKind();
  int64_t count = 1;
  for (int64_t a : op.getAxes()) count *= x.dim(a);
  if (isFloat(x.element())) {
    std::vector<double> values = toDoubles(x), sums(out.size(), neutralFloat(kind));
    forEachReduced(x.shape(), op.getAxes(), [&](int64_t from, int64_t to) {
      sums[to] = joinFloats(kind, sums[to], values[from]);
    });
    if (kind == ReduceKind::Mean)
      for (double &s : sums) s /= double(count);
    storeDoubles(out, sums);
    return success();
  }
  if (kind == ReduceKind::Mean && count == 0 && out.size())
    return call.error("an integer mean of no elements");
  std::vector<int64_t> values = toInts(x), sums(out.size(), neutralInt(kind, x.element()));
  forEachReduced(x.shape(), op.getAxes(), [&](int64_t from, int64_t to) {
    sums[to] = joinInts(kind, x.element(), sums[to], values[from]);
  });
  if (kind == ReduceKind::Mean)
    for (int64_t &s : sums) s /= count;
  storeInts(out, sums);
  return success();
}

/// Calls f(line number, first element, distance) for each line along `axis`.
template <typename F>
static void forEachLine(const Tensor &x, int64_t axis, F f) {
  Lines lines(x.shape(), axis);
  if (lines.extent == 0) return;
  for (int64_t i = 0; i < lines.count(); ++i) f(i, lines.start(i), lines.inner);
}

/// Position of the extreme in a line: `better(a, b)` says that a beats b.
template <typename T, typename F>
static int64_t extreme(const T *line, int64_t n, int64_t distance, bool last, F better) {
  int64_t best = 0;
  for (int64_t i = 1; i < n; ++i) {
    T candidate = line[i * distance], champion = line[best * distance];
    if (better(candidate, champion) || (last && !better(champion, candidate))) best = i;
  }
  return best;
}

ADZE_EVALUATE(ArgReduceOp) {
  const Tensor &x = call.in(0);
  int64_t n = x.dim(op.getAxis());
  if (n == 0) return call.error("axis ", op.getAxis(), " is empty: it has no extreme");
  bool most = op.getKind() == graph::ArgKind::Max, last = op.getSelectLast();
  std::vector<int64_t> indices(call.out().size());
  if (isFloat(x.element())) {
    std::vector<double> values = toDoubles(x);
    // NaN is beyond every number, whichever extreme is asked for.
    auto better = [&](double a, double b) {
      return std::isnan(a) ? !std::isnan(b) : most ? a > b : a < b;
    };
    forEachLine(x, op.getAxis(), [&](int64_t i, int64_t start, int64_t distance) {
      indices[i] = extreme(&values[start], n, distance, last, better);
    });
  } else {
    std::vector<int64_t> values = toInts(x);
    bool u = isUnsigned(x.element());
    auto better = [&](int64_t a, int64_t b) {
      if (!most) std::swap(a, b);
      return u ? uint64_t(a) > uint64_t(b) : a > b;
    };
    forEachLine(x, op.getAxis(), [&](int64_t i, int64_t start, int64_t distance) {
      indices[i] = extreme(&values[start], n, distance, last, better);
    });
  }
  storeInts(call.out(), indices);
  return success();
}

/// Replaces each line by its running values.
template <typename T, typename F>
static void accumulate(graph::CumulativeOp op, const Tensor &x, std::vector<T> &values, T neutral,
                       F join) {
  int64_t n = x.dim(op.getAxis());
  forEachLine(x, op.getAxis(), [&](int64_t, int64_t start, int64_t distance) {
    T sum = neutral;
    for (int64_t i = 0; i < n; ++i) {
      T &at = values[start + (op.getReverse() ? n - 1 - i : i) * distance];
      T before = sum;
      sum = join(sum, at);
      at = op.getExclusive() ? before : sum;
    }
  });
}

ADZE_EVALUATE(CumulativeOp) {
  const Tensor &x = call.in(0);
  ReduceKind kind = op.getKind();
  if (isFloat(x.element())) {
    std::vector<double> values = toDoubles(x);
    accumulate(op, x, values, neutralFloat(kind),
               [&](double a, double b) { return joinFloats(kind, a, b); });
    storeDoubles(call.out(), values);
  } else {
    std::vector<int64_t> values = toInts(x);
    accumulate(op, x, values, neutralInt(kind, x.element()),
               [&](int64_t a, int64_t b) { return joinInts(kind, x.element(), a, b); });
    storeInts(call.out(), values);
  }
  return success();
}

ADZE_EVALUATE(SoftmaxOp) {
  const Tensor &x = call.in(0);
  int64_t n = x.dim(op.getAxis());
  std::vector<double> values = toDoubles(x);
  forEachLine(x, op.getAxis(), [&](int64_t, int64_t start, int64_t distance) {
    double most = -kInfinity, sum = 0;
    for (int64_t i = 0; i < n; ++i)
      most = joinFloats(ReduceKind::Max, most, values[start + i * distance]);
    for (int64_t i = 0; i < n; ++i) sum += std::exp(values[start + i * distance] - most);
    for (int64_t i = 0; i < n; ++i) {
      double &v = values[start + i * distance];
      v = op.getLog() ? v - most - std::log(sum) : std::exp(v - most) / sum;
    }
  });
  storeDoubles(call.out(), values);
  return success();
}

ADZE_EVALUATE(NormalizeOp) {
  const Tensor &x = call.in(0);
  int64_t groups = 1, count = 1;
  for (int64_t i = 0; i < x.rank(); ++i)
    (llvm::is_contained(op.getAxes(), i) ? count : groups) *= x.dim(i);
  std::vector<double> values = toDoubles(x), means(groups, 0), squares(groups, 0);
  auto each = [&](auto f) { forEachReduced(x.shape(), op.getAxes(), f); };
  if (op.getCenter()) {
    each([&](int64_t from, int64_t to) { means[to] += values[from] / double(count); });
    each([&](int64_t from, int64_t to) { values[from] -= means[to]; });
  }
  each([&](int64_t from, int64_t to) {
    squares[to] += values[from] * values[from] / double(count);
  });
  double epsilon = op.getEpsilon().convertToFloat();
  each([&](int64_t from, int64_t to) { values[from] /= std::sqrt(squares[to] + epsilon); });
  auto operand = [&](unsigned i, auto apply) {
    const Tensor *t = call.optional(op, i);
    if (!t) return;
    std::vector<double> full = broadcastTo(toDoubles(*t), t->shape(), x.shape());
    for (auto [v, p] : llvm::zip_equal(values, full)) apply(v, p);
  };
  operand(1, [](double &v, double scale) { v *= scale; });
  operand(2, [](double &v, double bias) { v += bias; });
  storeDoubles(call.out(), values);
  return success();
}

}  // namespace adze::reference
