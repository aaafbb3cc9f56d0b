// conv and conv_transpose, by the definition: one kernel element at a time over
// whole planes.
#include "lib/Reference/Call.h"
#include "lib/Reference/Windows.h"

using namespace mlir;

namespace adze::reference {

namespace {
/// One kernel element along one spatial axis: `count` steps from the first
/// source and target positions.
struct Tap {
  int64_t count, from, fromStep, to, toStep;
};

/// Steps o in [0, outer) for which o * stride + shift lies in [0, inner), as a
/// first step and a count.
std::pair<int64_t, int64_t> overlap(int64_t outer, int64_t inner, int64_t stride, int64_t shift) {
  int64_t first = shift < 0 ? (-shift + stride - 1) / stride : 0;
  int64_t end = inner > shift ? (inner - 1 - shift) / stride + 1 : 0;
  return {first, std::max<int64_t>(0, std::min(outer, end) - first)};
}

/// Kernel element k of a convolution: target o reads source o * stride + shift.
Tap convolutionTap(const graph::Window &w, int64_t k, int64_t in, int64_t out) {
  int64_t shift = k * w.dilation - w.padBegin;
  auto [first, count] = overlap(out, in, w.stride, shift);
  return {count, first * w.stride + shift, w.stride, first, 1};
}

/// Of a transposed convolution: source i adds to target i * stride + shift.
Tap transposedTap(const graph::Window &w, int64_t k, int64_t in, int64_t out) {
  Tap t = convolutionTap(w, k, out, in);
  return {t.count, t.to, t.toStep, t.from, t.fromStep};
}

double addProduct(double sum, double a, double b) { return sum + a * b; }
int64_t addProduct(int64_t sum, int64_t a, int64_t b) {
  return int64_t(uint64_t(sum) + uint64_t(a) * uint64_t(b));
}

/// to[...] += weight * from[...] over the box of `taps`.
template <typename T>
void addPlane(const T *from, ArrayRef<int64_t> fromStrides, T *to, ArrayRef<int64_t> toStrides,
              ArrayRef<Tap> taps, T weight) {
  const Tap &t = taps[0];
  int64_t fromStep = t.fromStep * fromStrides[0], toStep = t.toStep * toStrides[0];
  from += t.from * fromStrides[0];
  to += t.to * toStrides[0];
  for (int64_t i = 0; i < t.count; ++i) {
    if (taps.size() == 1)
      to[i * toStep] = addProduct(to[i * toStep], weight, from[i * fromStep]);
    else
      addPlane(from + i * fromStep, fromStrides.drop_front(), to + i * toStep,
               toStrides.drop_front(), taps.drop_front(), weight);
  }
}

template <typename T>
std::vector<T> valuesOf(const Tensor &t) {
  if constexpr (std::is_same_v<T, double>)
    return toDoubles(t);
  else
    return toInts(t);
}

void store(Tensor &t, ArrayRef<double> values) { storeDoubles(t, values); }
void store(Tensor &t, ArrayRef<int64_t> values) { storeInts(t, values); }

/// The taps of every kernel element in row-major order.
template <typename MakeTap>
std::vector<SmallVector<Tap>> allTaps(ArrayRef<graph::Window> windows, ArrayRef<int64_t> kernel,
                                      ArrayRef<int64_t> in, ArrayRef<int64_t> out, MakeTap make) {
  std::vector<SmallVector<Tap>> all;
  SmallVector<int64_t> k(kernel.size(), 0);
  do {
    SmallVector<Tap> &taps = all.emplace_back();
    for (auto [i, w] : llvm::enumerate(windows)) taps.push_back(make(w, k[i], in[i], out[i]));
  } while (nextIndex(k, kernel));
  return all;
}

/// Fills `out` with the bias of each channel.
template <typename T>
void fillBias(std::vector<T> &out, const ChannelView &y, const Tensor *bias) {
  if (!bias) return;
  std::vector<T> values = valuesOf<T>(*bias);
  SmallVector<int64_t> at(y.spatial.size(), 0);
  if (out.empty()) return;
  do {
    int64_t offset = 0;
    for (auto [i, s] : llvm::zip(at, y.strides)) offset += i * s;
    for (int64_t n = 0; n < y.batch; ++n)
      for (int64_t c = 0; c < y.channels; ++c)
        out[offset + n * y.batchStride + c * y.channelStride] = values[c];
  } while (nextIndex(at, y.spatial));
}

/// The sums over all pairs of channels that share a group. `pairs` calls back
/// with (source channel, target channel, offset of the weights).
template <typename T, typename Pairs>
std::vector<T> convolve(const Tensor &xt, const ChannelView &x, const Tensor &wt,
                        const WeightView &w, const ChannelView &y, const Tensor *bias,
                        int64_t outSize, ArrayRef<SmallVector<Tap>> taps, Pairs pairs) {
  std::vector<T> from = valuesOf<T>(xt), weights = valuesOf<T>(wt), out(outSize);
  fillBias(out, y, bias);
  if (out.empty() || from.empty()) return out;
  for (int64_t n = 0; n < x.batch; ++n)
    pairs([&](int64_t source, int64_t target, int64_t weightOffset) {
      SmallVector<int64_t> k(w.kernel.size(), 0);
      for (const SmallVector<Tap> &tap : taps) {
        int64_t at = weightOffset;
        for (auto [i, s] : llvm::zip(k, w.strides)) at += i * s;
        addPlane(&from[n * x.batchStride + source * x.channelStride], x.strides,
                 &out[n * y.batchStride + target * y.channelStride], y.strides, ArrayRef<Tap>(tap),
                 weights[at]);
        nextIndex(k, w.kernel);
      }
    });
  return out;
}
}  // namespace

ADZE_EVALUATE(ConvOp) {
  ChannelView x(call.in(0).shape(), op.getLayout()), y(call.out().shape(), op.getLayout());
  WeightView w(call.in(1).shape(), op.getLayout());
  auto taps = allTaps(windowsOf(op, w.kernel), w.kernel, x.spatial, y.spatial, convolutionTap);
  int64_t perGroup = w.outer / op.getGroups();
  auto pairs = [&](auto f) {
    for (int64_t o = 0; o < w.outer; ++o)
      for (int64_t c = 0; c < w.inner; ++c)
        f(o / perGroup * w.inner + c, o, o * w.outerStride + c * w.innerStride);
  };
  const Tensor *bias = call.optional(op, 2);
  auto compute = [&]<typename T>(T) {
    store(call.out(), convolve<T>(call.in(0), x, call.in(1), w, y, bias, call.out().size(), taps,
                                  pairs));
  };
  isFloat(call.out().element()) ? compute(double()) : compute(int64_t());
  return success();
}

ADZE_EVALUATE(ConvTransposeOp) {
  ChannelView x(call.in(0).shape(), op.getLayout()), y(call.out().shape(), op.getLayout());
  WeightView w(call.in(1).shape(), op.getLayout(), /*isTransposed=*/true);
  auto taps = allTaps(windowsOf(op, w.kernel), w.kernel, x.spatial, y.spatial, transposedTap);
  int64_t perGroup = w.outer / op.getGroups();
  auto pairs = [&](auto f) {
    for (int64_t c = 0; c < w.outer; ++c)
      for (int64_t o = 0; o < w.inner; ++o)
        f(c, c / perGroup * w.inner + o, c * w.outerStride + o * w.innerStride);
  };
  const Tensor *bias = call.optional(op, 2);
  auto compute = [&]<typename T>(T) {
    store(call.out(), convolve<T>(call.in(0), x, call.in(1), w, y, bias, call.out().size(), taps,
                                  pairs));
  };
  isFloat(call.out().element()) ? compute(double()) : compute(int64_t());
  return success();
}

}  // namespace adze::reference
