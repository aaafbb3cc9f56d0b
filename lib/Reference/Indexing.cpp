// Gather, scatter, reverse_sequence, one_hot.
#include "lib/Reference/Call.h"

#include <cstring>

using namespace mlir;
using adze::graph::ScatterReduction;

namespace adze::reference {

/// Indices into an axis of `extent` elements, made positive; an index out of
/// range is an error.
static FailureOr<std::vector<int64_t>> positiveIndices(const Tensor &t, int64_t extent, Call &call) {
  std::vector<int64_t> indices = toInts(t);
  for (int64_t &i : indices) {
    if (i < -extent || i >= extent)
      return call.error("index ", i, " is out of range for an axis of ", extent, " elements");
    if (i < 0) i += extent;
  }
  return indices;
}

ADZE_EVALUATE(GatherOp) {
  const Tensor &x = call.in(0);
  Lines lines(x.shape(), op.getAxis());
  auto indices = positiveIndices(call.in(1), lines.extent, call);
  if (failed(indices)) return failure();
  int64_t run = lines.inner * x.elementBytes();
  char *to = call.out().mutableBytes();
  for (int64_t o = 0; o < lines.outer; ++o)
    for (int64_t i : *indices) {
      std::memcpy(to, x.bytes() + (o * lines.extent + i) * run, run);
      to += run;
    }
  return success();
}

/// For each element of `indices`, the position in x that GatherElements and
/// ScatterElements mean: its own coordinates, with the index along `axis`.
static FailureOr<std::vector<int64_t>> elementPositions(const Tensor &x, const Tensor &indices,
                                                        int64_t axis, Call &call) {
  auto positions = positiveIndices(indices, x.dim(axis), call);
  if (failed(positions) || positions->empty()) return positions;
  SmallVector<int64_t> strides = stridesOf(x.shape()), at(x.rank(), 0);
  auto *position = positions->begin().base();
  do {
    int64_t offset = *position * strides[axis];
    for (int64_t d = 0; d < x.rank(); ++d)
      if (d != axis) offset += at[d] * strides[d];
    *position++ = offset;
  } while (nextIndex(at, indices.shape()));
  return positions;
}

ADZE_EVALUATE(GatherElementsOp) {
  const Tensor &x = call.in(0);
  auto positions = elementPositions(x, call.in(1), op.getAxis(), call);
  if (failed(positions)) return failure();
  byWidth(x, [&]<typename T>(T) {
    T *to = call.out().mutableData<T>().data();
    for (int64_t p : *positions) *to++ = x.data<T>()[p];
  });
  return success();
}

/// The first element of the slice that each index tuple selects in x, whose
/// first `batch` axes are walked along with those of `indices`.
static FailureOr<std::vector<int64_t>> slicePositions(const Tensor &x, const Tensor &indices,
                                                      int64_t batch, Call &call) {
  int64_t length = indices.dim(indices.rank() - 1);
  std::vector<int64_t> values = toInts(indices), positions;
  SmallVector<int64_t> strides = stridesOf(x.shape());
  int64_t tuples = length ? indices.size() / length : 0, perBatch = 1;
  for (int64_t d : indices.shape().drop_front(batch).drop_back()) perBatch *= d;
  int64_t batchStride = batch ? strides[batch - 1] : 0;
  for (int64_t t = 0; t < tuples; ++t) {
    int64_t position = t / perBatch * batchStride;
    for (int64_t k = 0; k < length; ++k) {
      int64_t i = values[t * length + k], extent = x.dim(batch + k);
      if (i < -extent || i >= extent)
        return call.error("index ", i, " is out of range for an axis of ", extent, " elements");
      position += (i < 0 ? i + extent : i) * strides[batch + k];
    }
    positions.push_back(position);
  }
  return positions;
}

/// Elements of the slice that an index tuple selects.
static int64_t sliceSize(const Tensor &x, const Tensor &indices, int64_t batch) {
  int64_t size = 1;
  for (int64_t d : x.shape().drop_front(batch + indices.dim(indices.rank() - 1))) size *= d;
  return size;
}

ADZE_EVALUATE(GatherNDOp) {
  const Tensor &x = call.in(0);
  auto positions = slicePositions(x, call.in(1), op.getBatchDims(), call);
  if (failed(positions)) return failure();
  int64_t run = sliceSize(x, call.in(1), op.getBatchDims()) * x.elementBytes();
  char *to = call.out().mutableBytes();
  for (int64_t p : *positions) {
    std::memcpy(to, x.bytes() + p * x.elementBytes(), run);
    to += run;
  }
  return success();
}

static double joinFloats(ScatterReduction kind, double a, double b) {
  switch (kind) {
    case ScatterReduction::Add: return a + b;
    case ScatterReduction::Mul: return a * b;
    case ScatterReduction::Max: return a != a || b != b ? a + b : std::max(a, b);
    case ScatterReduction::Min: return a != a || b != b ? a + b : std::min(a, b);
    case ScatterReduction::None: return b;
  }
  return b;
}

static int64_t joinInts(ScatterReduction kind, Type type, int64_t a, int64_t b) {
  bool less = isUnsigned(type) ? uint64_t(a) < uint64_t(b) : a < b;
  switch (kind) {
    case ScatterReduction::Add: return int64_t(uint64_t(a) + uint64_t(b));
    case ScatterReduction::Mul: return int64_t(uint64_t(a) * uint64_t(b));
    case ScatterReduction::Max: return less ? b : a;
    case ScatterReduction::Min: return less ? a : b;
    case ScatterReduction::None: return b;
  }
  return b;
}

/// out = x with `run` updates joined at each position.
static void scatter(const Tensor &x, const Tensor &updates, ArrayRef<int64_t> positions, int64_t run,
                    ScatterReduction kind, Tensor &out) {
  if (kind == ScatterReduction::None) {
    std::memcpy(out.mutableBytes(), x.bytes(), x.byteSize());
    int64_t width = x.elementBytes(), bytes = run * width;
    for (auto [i, p] : llvm::enumerate(positions))
      std::memcpy(out.mutableBytes() + p * width, updates.bytes() + i * bytes, bytes);
    return;
  }
  auto join = [&](auto values, const auto &news, auto combine) {
    for (auto [i, p] : llvm::enumerate(positions))
      for (int64_t k = 0; k < run; ++k) values[p + k] = combine(values[p + k], news[i * run + k]);
    return values;
  };
  if (isFloat(x.element()))
    storeDoubles(out, join(toDoubles(x), toDoubles(updates),
                           [&](double a, double b) { return joinFloats(kind, a, b); }));
  else
    storeInts(out, join(toInts(x), toInts(updates), [&](int64_t a, int64_t b) {
                return wrapInt(x.element(), joinInts(kind, x.element(), a, b));
              }));
}

ADZE_EVALUATE(ScatterElementsOp) {
  if (call.in(1).shape() != call.in(2).shape())
    return call.error("indices and updates have different shapes");
  auto positions = elementPositions(call.in(0), call.in(1), op.getAxis(), call);
  if (failed(positions)) return failure();
  scatter(call.in(0), call.in(2), *positions, 1, op.getReduction(), call.out());
  return success();
}

ADZE_EVALUATE(ScatterNDOp) {
  auto positions = slicePositions(call.in(0), call.in(1), 0, call);
  if (failed(positions)) return failure();
  int64_t run = sliceSize(call.in(0), call.in(1), 0);
  scatter(call.in(0), call.in(2), *positions, run, op.getReduction(), call.out());
  return success();
}

ADZE_EVALUATE(ReverseSequenceOp) {
  const Tensor &x = call.in(0);
  std::vector<int64_t> lengths = toInts(call.in(1));
  int64_t batchAxis = op.getBatchAxis(), timeAxis = op.getTimeAxis();
  SmallVector<int64_t> strides = stridesOf(x.shape());
  int64_t batches = x.dim(batchAxis), times = x.dim(timeAxis);
  int64_t run = strides[1] * x.elementBytes();
  for (int64_t b = 0; b < batches; ++b) {
    if (lengths[b] < 0 || lengths[b] > times)
      return call.error("sequence length ", lengths[b], " is out of range for ", times, " steps");
    for (int64_t t = 0; t < times; ++t) {
      int64_t from = t < lengths[b] ? lengths[b] - 1 - t : t;
      auto at = [&](int64_t step) {
        return (b * strides[batchAxis] + step * strides[timeAxis]) * x.elementBytes();
      };
      std::memcpy(call.out().mutableBytes() + at(t), x.bytes() + at(from), run);
    }
  }
  return success();
}

ADZE_EVALUATE(OneHotOp) {
  int64_t depth = toInts(call.in(1))[0];
  if (depth < 0) return call.error("depth is ", depth);
  SmallVector<int64_t> shape(call.in(0).shape());
  shape.insert(shape.begin() + op.getAxis(), depth);
  if (!call.out() && failed(call.make(0, shape))) return failure();
  Tensor &out = call.out();
  std::vector<double> indices = toDoubles(call.in(0));
  Lines lines(shape, op.getAxis());
  byWidth(out, [&]<typename T>(T) {
    ArrayRef<T> values = call.in(2).data<T>();
    T *to = out.mutableData<T>().data();
    std::fill_n(to, out.size(), values[0]);
    for (int64_t i = 0; i < int64_t(indices.size()); ++i) {
      double index = indices[i] < 0 ? indices[i] + double(depth) : indices[i];
      // An index out of range leaves its line off.
      if (index >= 0 && index < double(depth)) to[lines.start(i) + int64_t(index) * lines.inner] = values[1];
    }
  });
  return success();
}

}  // namespace adze::reference
