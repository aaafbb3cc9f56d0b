// Where the elements of a factor of a product lie in global memory.
#pragma once
#include "targets/cuda/tile/Kit.h"

namespace adze::cuda {

/// An address, and whether there is something; null: always.
struct Place {
  Value pointer;  ///< !llvm.ptr<1>
  Value valid;    ///< i1; elements that are not read as zero
};

/// One factor: rows (m of A, n of B) of k elements. Neighbours in memory are
/// elements of k of one row (`alongK`) or rows of one k; a chunk is a run of
/// neighbours that a thread copies at once.
struct Operand {
  Type element;
  bool alongK = true;
  /// Every chunk of this many bytes starts at a multiple of them: a power of
  /// two, at most 16 counts. Runs are multiples of it too, as far as they are no
  /// extent of the product, which say it themselves (Extent::divisor).
  int64_t alignment = 16;
  /// What depends on the row alone, computed once: values for `place`. `row` may
  /// lie beyond the extent; nothing is read there.
  std::function<mlir::SmallVector<Value>(Kit &, Value batch, Value row)> prepare;
  /// The chunk that begins at element (row, k).
  std::function<Place(Kit &, ValueRange prepared, Value k)> place;
};

/// One factor as a tensor map has it, for copies of boxes (Hopper.h).
struct MappedOperand {
  Type element;
  Value map;           ///< the kernel's argument, an !llvm.ptr of kTensorMaps (Ptx.h)
  bool alongK = true;  ///< neighbours in memory are elements of k, else rows
  /// Where in the map the box from (row, k) on begins, innermost dimension first; null: the map is
  /// of [batch][rows][k], or [batch][k][rows].
  std::function<mlir::SmallVector<Value>(Kit &, Value batch, Value row, Value k)> coordinates;
};

/// rows x k with strides in elements, one of which is 1: `alongK` when k's is.
/// `stride` is the other's; batches are `batchStride` apart.
Operand stridedOperand(Value pointer, Type element, bool alongK, Extent stride, Extent batchStride,
                       int64_t alignment);

/// Panels of `panel` rows: element (row, k) of [rows / panel][depth][panel].
Operand panelOperand(Value pointer, Type element, int64_t panel, Extent depth, Extent batchStride,
                     int64_t alignment);

/// Batches 0 to group - 1 have the first of `operand`, and so on: heads that share keys.
Operand sharedOperand(Operand operand, int64_t group);

/// A convolution's input [batch][height][width][channels] as the matrix whose
/// rows are output positions (image, y, x) and whose k is (kernel y, kernel x, channel
/// of the group); padding reads as zero. The product's batch is the group.
struct ConvolutionShape {
  Extent height, width;  ///< of the input
  Extent outHeight, outWidth;
  Extent channels, groupChannels;  ///< of the input; of one group
  int64_t kernelWidth = 1;
  int64_t strideY = 1, strideX = 1, dilationY = 1, dilationX = 1;
  Extent padTop = Extent::of(0), padLeft = Extent::of(0);
};
Operand convolutionOperand(Value pointer, Type element, const ConvolutionShape &shape,
                           int64_t alignment);

}  // namespace adze::cuda
