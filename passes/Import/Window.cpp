// Convolutions and pooling.
#include "passes/Import/Windows.h"

#include "lib/Support/Checked.h"

#include "llvm/ADT/STLExtras.h"

#include <limits>

using namespace mlir;

namespace adze::convert {

using Fn = ElementwiseFn;
using graph::PoolKind;
using graph::ReduceKind;

//===-- Padding ------------------------------------------------------------===//

/// Padding that makes the result's extent ceil(in / stride).
static int64_t samePadding(int64_t in, int64_t stride, int64_t span) {
  int64_t out = (in + stride - 1) / stride;
  return std::max<int64_t>((out - 1) * stride + span - in, 0);
}

static void setSplit(Windows &w, size_t i, int64_t total, bool upper) {
  size_t s = w.kernel.size();
  w.pads[i] = upper ? total / 2 : total - total / 2;
  w.pads[i + s] = total - w.pads[i];
}

/// SAME padding of x by an op, for extents known at run time only.
static Value padDynamically(NodeBuilder &nb, Value x, const Windows &w, ArrayRef<int64_t> spans,
                            bool upper, Value padValue) {
  size_t s = w.kernel.size();
  SmallVector<Value> begins(2, nb.ints({0})), ends(2, nb.ints({0}));
  for (size_t i = 0; i < s; ++i) {
    Value in = nb.dim(x, i + 2), stride = nb.ints({w.strides[i]});
    Value out = nb.div(nb.add(in, nb.ints({w.strides[i] - 1})), stride);
    Value need = nb.sub(nb.add(nb.mul(nb.sub(out, nb.ints({1})), stride), nb.ints({spans[i]})), in);
    Value total = nb.max(need, nb.ints({0}));
    Value half = nb.div(total, nb.ints({2})), rest = nb.sub(total, half);
    begins.push_back(upper ? half : rest);
    ends.push_back(upper ? rest : half);
  }
  llvm::append_range(begins, ends);
  return nb.make<graph::PadOp>({x, nb.join(begins), padValue});
}

static bool positive(ArrayRef<int64_t> values) {
  return llvm::all_of(values, [](int64_t v) { return v > 0 && v < INT32_MAX; });
}

static void padSame(NodeBuilder &nb, Value &x, Windows &w, bool upper, Value padValue) {
  size_t s = w.kernel.size();
  Ints spans(s);
  bool dynamic = false;
  for (size_t i = 0; i < s; ++i) {
    spans[i] = (w.kernel[i] - 1) * w.dilations[i] + 1;
    // With stride 1 the padding does not depend on the extent.
    dynamic |= ShapedType::isDynamic(nb.extent(x, i + 2)) && w.strides[i] != 1;
  }
  if (dynamic && !padValue) {
    nb.unsupported("auto_pad of a dynamic extent is not known at compile time");
  } else if (dynamic) {
    x = padDynamically(nb, x, w, spans, upper, padValue);
  } else {
    for (size_t i = 0; i < s; ++i) {
      int64_t in = nb.extent(x, i + 2);
      int64_t total = w.strides[i] == 1 ? spans[i] - 1 : samePadding(in, w.strides[i], spans[i]);
      setSplit(w, i, total, upper);
    }
  }
}

std::optional<Windows> readWindows(NodeBuilder &nb, Value &x, Ints kernel, Value padValue) {
  if (!x) return std::nullopt;
  size_t s = kernel.size();
  if (nb.rank(x) != int64_t(s) + 2 || s == 0) {
    nb.invalid("its input of rank " + Twine(nb.rank(x)) + " does not fit a kernel of rank " + Twine(s));
    return std::nullopt;
  }
  Windows w{kernel, nb.intsAttr("strides", s, 1), nb.intsAttr("dilations", s, 1), Ints(2 * s, 0)};
  if (!positive(w.kernel) || !positive(w.strides) || !positive(w.dilations)) {
    nb.invalid("kernel, strides and dilations must be positive");
    return std::nullopt;
  }
  StringRef mode = nb.strAttr("auto_pad", "NOTSET");
  if (mode == "NOTSET" || mode.empty()) w.pads = nb.intsAttr("pads", 2 * s, 0);
  else if (mode == "SAME_UPPER" || mode == "SAME_LOWER")
    padSame(nb, x, w, mode == "SAME_UPPER", padValue);
  else if (mode != "VALID") nb.invalid("auto_pad is none of NOTSET, SAME_UPPER, SAME_LOWER, VALID");
  if (nb.failed()) return std::nullopt;
  return w;
}

std::optional<Ints> kernelShape(NodeBuilder &nb, Value weight) {
  if (!weight || nb.rank(weight) < 3) {
    nb.invalid("its weight must have rank 3 or more");
    return std::nullopt;
  }
  Ints kernel(nb.type(weight).getShape().drop_front(2));
  if (auto given = nb.intsAttr("kernel_shape")) {
    if (mlir::failed(verifyCompatibleShape(kernel, *given))) {
      nb.invalid("kernel_shape is not that of its weight");
      return std::nullopt;
    }
    return given;
  }
  if (llvm::any_of(kernel, ShapedType::isDynamic)) {
    nb.unsupported("its kernel has a dynamic extent");
    return std::nullopt;
  }
  return kernel;
}

static SmallVector<NamedAttribute> windowAttrs(NodeBuilder &nb, const Windows &w) {
  return {nb.list("strides", w.strides), nb.list("pads", w.pads),
          nb.list("dilations", w.dilations)};
}

//===-- Convolution --------------------------------------------------------===//

Value buildConv(NodeBuilder &nb, Value x, Value w, Value bias, Value padValue, Type accumulator) {
  std::optional<Ints> kernel = kernelShape(nb, w);
  if (!kernel) return {};
  std::optional<Windows> win = readWindows(nb, x, *kernel, padValue);
  if (!win) return {};
  SmallVector<NamedAttribute> attrs = windowAttrs(nb, *win);
  attrs.push_back(nb.named("groups", nb.intAttr("group", 1)));
  if (accumulator) attrs.push_back(nb.named("accumulator", TypeAttr::get(accumulator)));
  SmallVector<Value> operands{x, w};
  if (bias) operands.push_back(bias);
  return nb.make<graph::ConvOp>(operands, attrs);
}

static Values convertConv(NodeBuilder &nb) {
  Value x = nb.in(0);
  return {buildConv(nb, x, nb.in(1), nb.optional(2), nb.splat(nb.element(x), 0))};
}

/// Extents of ConvTranspose's padding where output_shape or auto_pad gives it.
static void padTransposed(NodeBuilder &nb, Value x, Windows &w, Ints &outputPadding) {
  size_t s = w.kernel.size();
  StringRef mode = nb.strAttr("auto_pad", "NOTSET");
  std::optional<Ints> shape = nb.intsAttr("output_shape");
  bool same = mode.starts_with("SAME");
  if (!shape && !same) return;
  if (shape && shape->size() == s + 2) shape->erase(shape->begin(), shape->begin() + 2);
  if (shape && shape->size() != s) return void(nb.invalid("output_shape has a wrong length"));
  for (size_t i = 0; i < s; ++i) {
    int64_t span = (w.kernel[i] - 1) * w.dilations[i] + 1, in = nb.extent(x, i + 2);
    int64_t total = span + outputPadding[i] - w.strides[i];  // SAME: result = in * stride
    if (shape) {
      if (ShapedType::isDynamic(in))
        return void(nb.unsupported("output_shape is given for a dynamic extent"));
      total = w.strides[i] * (in - 1) + outputPadding[i] + span - (*shape)[i];
    }
    if (total < 0) outputPadding[i] -= total, total = 0;
    setSplit(w, i, total, mode == "SAME_UPPER");
  }
}

static Values convertConvTranspose(NodeBuilder &nb) {
  Value x = nb.in(0), weight = nb.in(1);
  std::optional<Ints> kernel = kernelShape(nb, weight);
  if (!x || !kernel) return {Value()};
  size_t s = kernel->size();
  Windows w{*kernel, nb.intsAttr("strides", s, 1), nb.intsAttr("dilations", s, 1),
            nb.intsAttr("pads", 2 * s, 0)};
  if (!positive(w.kernel) || !positive(w.strides) || !positive(w.dilations))
    return {nb.invalid("kernel, strides and dilations must be positive")};
  if (nb.rank(x) != int64_t(s) + 2) return {nb.invalid("its input does not fit the kernel's rank")};
  Ints outputPadding = nb.intsAttr("output_padding", s, 0);
  padTransposed(nb, x, w, outputPadding);
  SmallVector<Value> operands{x, weight};
  if (nb.has(2)) operands.push_back(nb.in(2));
  SmallVector<NamedAttribute> attrs = windowAttrs(nb, w);
  attrs.push_back(nb.list("output_padding", outputPadding));
  attrs.push_back(nb.named("groups", nb.intAttr("group", 1)));
  return {nb.make<graph::ConvTransposeOp>(operands, attrs)};
}

//===-- Pooling ------------------------------------------------------------===//

static Value lowest(NodeBuilder &nb, Value x) {
  if (!x) return x;
  auto i = dyn_cast<IntegerType>(nb.element(x));
  if (!i) return nb.splat(nb.element(x), -std::numeric_limits<double>::infinity());
  return nb.scalarInt(i, i.isUnsigned() ? 0 : std::numeric_limits<int64_t>::min() >> (64 - i.getWidth()));
}

static Value buildPool(NodeBuilder &nb, Value x, PoolKind kind, Value padValue) {
  std::optional<Ints> kernel = nb.intsAttr("kernel_shape");
  if (!kernel) return nb.invalid("kernel_shape is missing");
  std::optional<Windows> w = readWindows(nb, x, *kernel, padValue);
  if (!w) return {};
  SmallVector<NamedAttribute> attrs = windowAttrs(nb, *w);
  attrs.push_back(nb.named("kind", graph::PoolKindAttr::get(nb.b.getContext(), kind)));
  attrs.push_back(nb.list("kernel", w->kernel));
  attrs.push_back(nb.flag("ceil_mode", nb.boolAttr("ceil_mode")));
  attrs.push_back(nb.flag("count_include_pad", nb.boolAttr("count_include_pad")));
  attrs.push_back(nb.named("p", nb.intAttr("p", 2)));
  return nb.make<graph::PoolOp>(x, attrs);
}

static Values convertMaxPool(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!nb.wants(1)) return {buildPool(nb, x, PoolKind::Max, lowest(nb, x)), Value()};
  std::optional<Ints> kernel = nb.intsAttr("kernel_shape");
  if (!x || !kernel) return {nb.invalid("kernel_shape is missing")};
  std::optional<Windows> w = readWindows(nb, x, *kernel, Value());
  if (!w) return {Value()};
  SmallVector<NamedAttribute> attrs = windowAttrs(nb, *w);
  attrs.push_back(nb.list("kernel", w->kernel));
  attrs.push_back(nb.flag("ceil_mode", nb.boolAttr("ceil_mode")));
  attrs.push_back(nb.flag("column_major", nb.boolAttr("storage_order")));
  return nb.create<graph::MaxPoolIndicesOp>(x, attrs);
}

static Values convertAveragePool(NodeBuilder &nb) {
  return {buildPool(nb, nb.in(0), PoolKind::Average, Value())};
}

static Values convertLpPool(NodeBuilder &nb) {
  Value x = nb.in(0);
  return {buildPool(nb, x, PoolKind::Lp, nb.splat(nb.element(x), 0))};
}

static Ints spatialAxes(NodeBuilder &nb, Value x) {
  Ints axes = iota(nb.rank(x));
  axes.erase(axes.begin(), axes.begin() + std::min<size_t>(2, axes.size()));
  return axes;
}

template <ReduceKind kind>
static Values convertGlobalPool(NodeBuilder &nb) {
  Value x = nb.in(0);
  return {nb.reduce(x, kind, spatialAxes(nb, x))};
}

static Values convertGlobalLpPool(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  double p = nb.intAttr("p", 2);
  if (p < 1) return {nb.invalid("p must be positive")};
  Value y = nb.ew(Fn::Pow, {nb.ew(Fn::Abs, x), nb.splat(nb.element(x), p)});
  Value sum = nb.reduce(y, ReduceKind::Sum, spatialAxes(nb, x));
  return {nb.ew(Fn::Pow, {sum, nb.splat(nb.element(x), 1 / p)})};
}

/// Values go back to the flat places that MaxPool gave.
static Values convertMaxUnpool(NodeBuilder &nb) {
  Value x = nb.in(0), indices = nb.in(1), shape;
  std::optional<Ints> kernel = nb.intsAttr("kernel_shape");
  if (!x || !indices || !kernel) return {nb.invalid("kernel_shape is missing")};
  size_t s = kernel->size();
  if (nb.rank(x) != int64_t(s) + 2) return {nb.invalid("its input does not fit the kernel's rank")};
  Ints strides = nb.intsAttr("strides", s, 1), pads = nb.intsAttr("pads", 2 * s, 0);
  SmallVector<Value> pieces{nb.dims(x, 0, 2)};
  for (size_t i = 0; i < s; ++i)
    pieces.push_back(nb.add(nb.mul(nb.sub(nb.dim(x, i + 2), nb.ints({1})), nb.ints({strides[i]})),
                            nb.ints({(*kernel)[i] - pads[i] - pads[i + s]})));
  Value natural = nb.join(pieces);
  shape = nb.has(2) ? nb.listOf(nb.indexVector(nb.in(2)), s + 2) : natural;
  if (!natural || !shape) return {Value()};
  // Indices count in the natural shape; a larger output_shape adds zeros at
  // the end of each axis.
  Value total = nb.reduce(natural, ReduceKind::Prod, {0}, true);
  Value zeros = nb.expand(nb.splat(nb.element(x), 0, {1}), total);
  Value flat = nb.make<graph::ScatterElementsOp>(
      {zeros, nb.reshape(indices, ArrayRef<int64_t>{-1}), nb.reshape(x, ArrayRef<int64_t>{-1})},
      nb.named("axis", int64_t(0)));
  Value y = nb.reshape(flat, natural);
  if (!nb.has(2)) return {y};
  Value behind = nb.join({nb.ints(Ints(nb.rank(x), 0)), nb.sub(shape, natural)});
  return {nb.make<graph::PadOp>({y, behind, nb.splat(nb.element(x), 0)})};
}

void populateWindow(OpTable &t) {
  t.push_back({"", "Conv", 1, 0, kFloats, convertConv});
  t.push_back({"", "ConvTranspose", 1, 0, kFloats, convertConvTranspose});
  t.push_back({"", "MaxPool", 1, 0, kNumbers, convertMaxPool});
  t.push_back({"", "AveragePool", 1, 0, kFloats, convertAveragePool});
  t.push_back({"", "LpPool", 2, 0, kFloats, convertLpPool});
  t.push_back({"", "GlobalAveragePool", 1, 0, kFloats, convertGlobalPool<ReduceKind::Mean>});
  t.push_back({"", "GlobalMaxPool", 1, 0, kFloats, convertGlobalPool<ReduceKind::Max>});
  t.push_back({"", "GlobalLpPool", 2, 0, kFloats, convertGlobalLpPool});
  t.push_back({"", "MaxUnpool", 9, 0, kFloats, convertMaxUnpool});
}

}  // namespace adze::convert
