// Windowed ops: how a tensor with channels is laid out, and its windows.
#pragma once
#include "dialects/Graph/Graph.h"
#include "dialects/Graph/ShapeMath.h"
#include "lib/Reference/Tensor.h"

namespace adze::reference {

using graph::DataLayout;

/// A tensor as [batch, channel, spatial...] whatever its layout: extents and
/// strides in that order.
struct ChannelView {
  int64_t batch, channels, batchStride, channelStride;
  llvm::SmallVector<int64_t> spatial, strides;

  ChannelView(llvm::ArrayRef<int64_t> shape, DataLayout layout) {
    bool nchw = layout == DataLayout::NCHW;
    llvm::SmallVector<int64_t> all = stridesOf(shape);
    size_t channel = nchw ? 1 : shape.size() - 1, first = nchw ? 2 : 1;
    batch = shape[0], channels = shape[channel];
    batchStride = all[0], channelStride = all[channel];
    spatial.assign(shape.begin() + first, shape.begin() + first + shape.size() - 2);
    strides.assign(all.begin() + first, all.begin() + first + shape.size() - 2);
  }
};

/// The weights of a convolution as [outer, inner, kernel...]: [O, C/g, K...] for
/// NCHW, stored [K..., C/g, O] for NHWC; transposed ones have [C, O/g, K...].
struct WeightView {
  int64_t outer, inner, outerStride, innerStride;
  llvm::SmallVector<int64_t> kernel, strides;

  /// `outer` are the output channels, or the input channels of a transposed
  /// convolution.
  WeightView(llvm::ArrayRef<int64_t> shape, DataLayout layout, bool isTransposed = false) {
    bool nchw = layout == DataLayout::NCHW;
    llvm::SmallVector<int64_t> all = stridesOf(shape);
    size_t rank = shape.size(), o = 0, i = 1;
    if (!nchw) o = isTransposed ? rank - 2 : rank - 1, i = isTransposed ? rank - 1 : rank - 2;
    size_t first = nchw ? 2 : 0;
    outer = shape[o], inner = shape[i], outerStride = all[o], innerStride = all[i];
    kernel.assign(shape.begin() + first, shape.begin() + first + rank - 2);
    strides.assign(all.begin() + first, all.begin() + first + rank - 2);
  }
};

/// The window of `op` along each spatial axis.
template <typename OpTy>
llvm::SmallVector<graph::Window> windowsOf(OpTy op, llvm::ArrayRef<int64_t> kernel) {
  llvm::SmallVector<graph::Window> windows;
  size_t n = kernel.size();
  for (size_t i = 0; i < n; ++i)
    windows.push_back({kernel[i], op.getStrides()[i], op.getDilations()[i], op.getPads()[i],
                       op.getPads()[n + i]});
  return windows;
}

}  // namespace adze::reference
