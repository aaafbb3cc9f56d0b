// Moving data: reshape, transpose, concat, slice, pad, tile, and constants.
#include "lib/Reference/Call.h"
#include "dialects/Graph/ShapeMath.h"

#include <cmath>
#include <cstring>

using namespace mlir;

namespace adze::reference {

ADZE_EVALUATE(ConstantOp) {
  auto value = Tensor::fromAttr(op.getValue());
  if (!value) return call.error("the constant has no data");
  call.out() = std::move(*value);
  return success();
}

ADZE_EVALUATE(ShapeOfOp) {
  storeInts(call.out(), call.in(0).shape());
  return success();
}

ADZE_EVALUATE(RangeOp) {
  bool floats = isFloat(call.in(0).element());
  double start = toDoubles(call.in(0))[0], limit = toDoubles(call.in(1))[0];
  double delta = toDoubles(call.in(2))[0];
  if (delta == 0) return call.error("delta of a range is 0");
  double count = std::max(0.0, std::ceil((limit - start) / delta));
  if (!(count < 0x1p53)) return call.error("the range has too many elements");
  if (!call.out() && failed(call.make(0, {int64_t(count)}))) return failure();
  int64_t n = call.out().size();
  if (floats) {
    std::vector<double> values(n);
    for (int64_t i = 0; i < n; ++i) values[i] = start + double(i) * delta;
    storeDoubles(call.out(), values);
    return success();
  }
  std::vector<int64_t> values(n);
  uint64_t first = toInts(call.in(0))[0], step = toInts(call.in(2))[0];
  for (int64_t i = 0; i < n; ++i) values[i] = int64_t(first + uint64_t(i) * step);
  storeInts(call.out(), values);
  return success();
}

ADZE_EVALUATE(ReshapeOp) {
  std::vector<int64_t> shape = toInts(call.in(1));
  int64_t known = 1;
  for (int64_t d : shape)
    if (d != -1) {
      auto product = d < 0 ? std::nullopt : checkedMul(known, d);
      if (!product) return call.error("the shape has the entry ", d);
      known = *product;
    }
  for (int64_t &d : shape)
    if (d == -1) d = known ? call.in(0).size() / known : 0;
  if (checkedNumElements(shape) != call.in(0).size())
    return call.error("cannot reshape ", call.in(0).type(), " to that shape");
  call.out() = call.in(0).as(RankedTensorType::get(shape, call.in(0).element()));
  return success();
}

ADZE_EVALUATE(ExpandOp) {
  const Tensor &x = call.in(0);
  std::vector<int64_t> shape = toInts(call.in(1));
  if (!call.out() && failed(call.make(0, shape))) return failure();
  copyBox(x, 0, broadcastStrides(x.shape(), shape), call.out(), 0, stridesOf(shape), shape);
  return success();
}

ADZE_EVALUATE(RelayoutOp) {
  const Tensor &x = call.in(0);
  copyBox(x, 0, stridesOf(x.shape()), call.out(), 0, stridesOf(x.shape()), x.shape());
  return success();
}

ADZE_EVALUATE(TransposeOp) {
  const Tensor &x = call.in(0);
  SmallVector<int64_t> strides = stridesOf(x.shape()), from;
  for (int64_t p : op.getPerm()) from.push_back(strides[p]);
  Tensor &out = call.out();
  copyBox(x, 0, from, out, 0, stridesOf(out.shape()), out.shape());
  return success();
}

ADZE_EVALUATE(ConcatOp) {
  Tensor &out = call.out();
  SmallVector<int64_t> to = stridesOf(out.shape());
  int64_t at = 0;
  for (const Tensor &x : call.inputs) {
    copyBox(x, 0, stridesOf(x.shape()), out, at * to[op.getAxis()], to, x.shape());
    at += x.dim(op.getAxis());
  }
  return success();
}

ADZE_EVALUATE(SliceOp) {
  const Tensor &x = call.in(0);
  std::vector<int64_t> starts = toInts(call.in(1)), ends = toInts(call.in(2));
  std::vector<int64_t> steps = toInts(call.in(3));
  SmallVector<int64_t> strides = stridesOf(x.shape()), shape;
  int64_t offset = 0;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (steps[i] == 0) return call.error("the step of axis ", i, " is 0");
    auto range = graph::sliceRange(x.dim(i), starts[i], ends[i], steps[i]);
    shape.push_back(range.count);
    offset += range.start * strides[i];
    // A step that leaves one element may be any number.
    strides[i] = range.count > 1 ? strides[i] * steps[i] : 0;
  }
  if (!call.out() && failed(call.make(0, shape))) return failure();
  copyBox(x, offset, strides, call.out(), 0, stridesOf(shape), shape);
  return success();
}

/// The element of an axis of n elements that padding copies to position i,
/// counted from the axis' first element; -1 for the padding value.
static int64_t padSource(int64_t i, int64_t n, graph::PadMode mode) {
  if (i >= 0 && i < n) return i;
  switch (mode) {
    case graph::PadMode::Constant: return -1;
    case graph::PadMode::Edge: return i < 0 ? 0 : n - 1;
    case graph::PadMode::Wrap: return ((i % n) + n) % n;
    case graph::PadMode::Reflect: {
      if (n == 1) return 0;
      int64_t period = 2 * (n - 1), at = ((i % period) + period) % period;
      return at < n ? at : period - at;
    }
  }
  return -1;
}

ADZE_EVALUATE(PadOp) {
  const Tensor &x = call.in(0);
  std::vector<int64_t> pads = toInts(call.in(1));
  int64_t rank = x.rank();
  SmallVector<int64_t> shape;
  for (int64_t i = 0; i < rank; ++i) {
    shape.push_back(x.dim(i) + pads[i] + pads[rank + i]);
    if (shape.back() > 0 && x.dim(i) == 0 && op.getMode() != graph::PadMode::Constant)
      return call.error("axis ", i, " is empty: only constant padding can fill it");
    if (shape.back() < 0) return call.error("pads crop more than axis ", i, " has");
  }
  if (!call.out() && failed(call.make(0, shape))) return failure();
  Tensor &out = call.out();
  // One axis at a time: the sources of every position along it.
  std::vector<std::vector<int64_t>> sources(rank);
  for (int64_t i = 0; i < rank; ++i)
    for (int64_t k = 0; k < shape[i]; ++k)
      sources[i].push_back(padSource(k - pads[i], x.dim(i), op.getMode()));
  gatherBox(x, sources, call.in(2).bytes(), out);
  return success();
}

ADZE_EVALUATE(TileOp) {
  const Tensor &x = call.in(0);
  std::vector<int64_t> repeats = toInts(call.in(1));
  // [r0, d0, r1, d1, ...] with the repeats' strides 0 is the tiled tensor.
  SmallVector<int64_t> strides = stridesOf(x.shape()), from, extents, shape;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (repeats[i] < 0) return call.error("axis ", i, " is repeated ", repeats[i], " times");
    auto extent = checkedMul(x.dim(i), repeats[i]);
    if (!extent) return call.error("the result's extent along axis ", i, " is too large");
    shape.push_back(*extent);
    from.append({0, strides[i]});
    extents.append({repeats[i], x.dim(i)});
  }
  if (!call.out() && failed(call.make(0, shape))) return failure();
  copyBox(x, 0, from, call.out(), 0, stridesOf(extents), extents);
  return success();
}

ADZE_EVALUATE(TriluOp) {
  const Tensor &x = call.in(0);
  int64_t rows = x.dim(x.rank() - 2), columns = x.dim(x.rank() - 1), k = toInts(call.in(1))[0];
  k = std::clamp(k, -rows - 1, columns + 1);
  byWidth(x, [&]<typename T>(T) {
    for (int64_t i = 0; i < x.size(); ++i) {
      int64_t distance = i % columns - i / columns % rows;
      if (op.getUpper() ? distance >= k : distance <= k)
        call.out().mutableData<T>()[i] = x.data<T>()[i];
    }
  });
  return success();
}

}  // namespace adze::reference
