// The ops of the adze dialect. `r` is the rank of x; axes are normalised to
// 0..r-1 by whoever builds the op.
#ifndef ADZE_DIALECTS_GRAPH_OPS
#define ADZE_DIALECTS_GRAPH_OPS

include "dialects/Graph/GraphBase.td"

//===-- Constants, shapes, elementwise ------------------------------------===//

def ConstantOp : Adze_Op<"constant", [Pure, ConstantLike]> {
  let summary = "A tensor known at compile time";
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Adze_Tensor:$result);
  let assemblyFormat = "attr-dict $value `:` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::ElementsAttr":$value), [{
    build($_builder, $_state, ::llvm::cast<::mlir::RankedTensorType>(value.getType()), value);
  }]>];
}

def ShapeOfOp : Adze_PureOp<"shape_of"> {
  let summary = "The extents of x as tensor<r x i64>";
  let arguments = (ins Adze_Tensor:$x);
  let results = (outs Adze_IndexTensor:$result);
}

def ElementwiseOp : Adze_FusibleOp<"elementwise", [], ["stepsPerElement"]> {
  let summary = "A scalar function over operands broadcast as in numpy";
  let description = [{
    A dimension that is dynamic in two operands may turn out to be 1 in one of
    them at run time and then broadcasts. Integer division truncates, integer
    arithmetic wraps, shifts are logical. `mod` takes the divisor's sign, `fmod`
    the dividend's. min and max return NaN when an operand is NaN. All operands
    have one element type, but for pow (exponent of any type) and select (bool
    condition first).
  }];
  let arguments = (ins Adze_ElementwiseFnAttr:$fn, Variadic<Adze_Tensor>:$args);
  let results = (outs Adze_Tensor:$result);
  let assemblyFormat = "$fn `(` $args `)` attr-dict `:` functional-type(operands, results)";
}

def CastOp : Adze_FusibleOp<"cast"> {
  let summary = "Converts elements to type `to` (ONNX Cast)";
  let description = [{
    Float to integer truncates towards zero (out of range saturates, NaN gives
    0); to bool: x != 0; float to a smaller float rounds to nearest even; float8
    saturates when `saturate` is set.
  }];
  let arguments = (ins Adze_Tensor:$x, TypeAttr:$to, DefaultValuedAttr<BoolAttr, "true">:$saturate);
  let results = (outs Adze_Tensor:$result);
}

def BitcastOp : Adze_FusibleOp<"bitcast"> {
  let summary = "Reinterprets elements as another type of the same width";
  let arguments = (ins Adze_Tensor:$x, TypeAttr:$to);
  let results = (outs Adze_Tensor:$result);
}

def RangeOp : Adze_PureOp<"range"> {
  let summary = "start, start + delta, ... before limit; operands are rank-0 tensors of one type";
  let arguments = (ins Adze_Tensor:$start, Adze_Tensor:$limit, Adze_Tensor:$delta);
  let results = (outs Adze_Tensor:$result);
}

//===-- Moving data -------------------------------------------------------===//

def ReshapeOp : Adze_PureOp<"reshape"> {
  let summary = "x with extents `shape`; one entry may be -1 (0 is an extent of zero)";
  let arguments = (ins Adze_Tensor:$x, Adze_IndexTensor:$shape);
  let results = (outs Adze_Tensor:$result);
}

def ExpandOp : Adze_FusibleOp<"expand"> {
  let summary = "Broadcasts x to exactly `shape`";
  let description = [{
    `shape` has at least r entries; each extent of x, aligned at the right, is
    1 or the entry. (ONNX Expand's two-way broadcast is resolved on import.)
  }];
  let arguments = (ins Adze_Tensor:$x, Adze_IndexTensor:$shape);
  let results = (outs Adze_Tensor:$result);
}

def TransposeOp : Adze_FusibleOp<"transpose"> {
  let summary = "result.dim[i] = x.dim[perm[i]]";
  let arguments = (ins Adze_Tensor:$x, DenseI64ArrayAttr:$perm);
  let results = (outs Adze_Tensor:$result);
  let hasFolder = 1;
}

def RelayoutOp : Adze_PureOp<"relayout"> {
  let summary = "x stored in another layout; none: row-major";
  let arguments = (ins Adze_Tensor:$x, OptionalAttr<Adze_PanelsAttr>:$layout);
  let results = (outs Adze_Tensor:$result);
}

def ConcatOp : Adze_FusibleOp<"concat", [], ["timesComputed"]> {
  let summary = "Operands joined along `axis`";
  let arguments = (ins Variadic<Adze_Tensor>:$xs, I64Attr:$axis);
  let results = (outs Adze_Tensor:$result);
}

def SliceOp : Adze_FusibleOp<"slice"> {
  let summary = "x[starts:ends:steps] over all r axes, clamped as in ONNX Slice";
  let description = [{
    starts, ends and steps have r entries; an axis left alone has 0,
    INT64_MAX, 1. Negative starts and ends count from the end; steps are not 0.
  }];
  let arguments = (ins Adze_Tensor:$x, Adze_IndexTensor:$starts, Adze_IndexTensor:$ends,
                       Adze_IndexTensor:$steps);
  let results = (outs Adze_Tensor:$result);
}

def PadOp : Adze_PureOp<"pad"> {
  let summary = "x with pads[i] elements before and pads[r+i] after axis i; negative pads crop";
  let arguments = (ins Adze_Tensor:$x, Adze_IndexTensor:$pads, Adze_Tensor:$value,
                       DefaultValuedAttr<Adze_PadModeAttr, "PadMode::Constant">:$mode);
  let results = (outs Adze_Tensor:$result);
}

def TileOp : Adze_PureOp<"tile"> {
  let summary = "x repeated repeats[i] times along axis i";
  let arguments = (ins Adze_Tensor:$x, Adze_IndexTensor:$repeats);
  let results = (outs Adze_Tensor:$result);
}

def GatherOp : Adze_PureOp<"gather"> {
  let summary = "x's slices along `axis` at indices (i32 or i64, negative from the end)";
  let arguments = (ins Adze_Tensor:$x, Adze_Tensor:$indices, I64Attr:$axis);
  let results = (outs Adze_Tensor:$result);
}

def GatherElementsOp : Adze_PureOp<"gather_elements"> {
  let summary = "ONNX GatherElements";
  let arguments = (ins Adze_Tensor:$x, Adze_Tensor:$indices, I64Attr:$axis);
  let results = (outs Adze_Tensor:$result);
}

def GatherNDOp : Adze_PureOp<"gather_nd"> {
  let summary = "ONNX GatherND";
  let arguments = (ins Adze_Tensor:$x, Adze_Tensor:$indices, DefaultValuedAttr<I64Attr, "0">:$batch_dims);
  let results = (outs Adze_Tensor:$result);
}

def ScatterElementsOp : Adze_PureOp<"scatter_elements"> {
  let summary = "ONNX ScatterElements";
  let arguments = (ins Adze_Tensor:$x, Adze_Tensor:$indices, Adze_Tensor:$updates, I64Attr:$axis,
                       DefaultValuedAttr<Adze_ScatterReductionAttr, "ScatterReduction::None">:$reduction);
  let results = (outs Adze_Tensor:$result);
}

def ScatterNDOp : Adze_PureOp<"scatter_nd"> {
  let summary = "ONNX ScatterND";
  let arguments = (ins Adze_Tensor:$x, Adze_Tensor:$indices, Adze_Tensor:$updates,
                       DefaultValuedAttr<Adze_ScatterReductionAttr, "ScatterReduction::None">:$reduction);
  let results = (outs Adze_Tensor:$result);
}

def ReverseSequenceOp : Adze_PureOp<"reverse_sequence"> {
  let summary = "ONNX ReverseSequence";
  let arguments = (ins Adze_Tensor:$x, Adze_IndexTensor:$sequence_lens, I64Attr:$batch_axis,
                       I64Attr:$time_axis);
  let results = (outs Adze_Tensor:$result);
}

def TriluOp : Adze_PureOp<"trilu"> {
  let summary = "Upper or lower triangle of the last two axes, shifted by the rank-0 tensor k";
  let arguments = (ins Adze_Tensor:$x, Adze_IndexTensor:$k, BoolAttr:$upper);
  let results = (outs Adze_Tensor:$result);
}

def OneHotOp : Adze_PureOp<"one_hot"> {
  let summary = "ONNX OneHot: depth is a rank-0 tensor, values = [off, on]; axis is in the result";
  let arguments = (ins Adze_Tensor:$indices, Adze_IndexTensor:$depth, Adze_Tensor:$values, I64Attr:$axis);
  let results = (outs Adze_Tensor:$result);
}

def ResizeOp : Adze_PureOp<"resize"> {
  let summary = "ONNX Resize of every axis of x to `sizes`";
  let description = [{
    sizes: r extents of the result. scales: r factors used in the coordinate
    transform (result extent over input extent where the model gave sizes).
    roi: 2r values, used by tf_crop_and_resize only. The string attributes are
    ONNX's own values.
  }];
  let arguments = (ins Adze_Tensor:$x, Adze_IndexTensor:$sizes, RankedTensorOf<[F32]>:$scales,
      Optional<Adze_Tensor>:$roi, StrAttr:$mode, StrAttr:$coordinate_mode,
      DefaultValuedAttr<StrAttr, "\"round_prefer_floor\"">:$nearest_mode,
      DefaultValuedAttr<F32Attr, "-0.75f">:$cubic_coeff_a,
      DefaultValuedAttr<BoolAttr, "false">:$exclude_outside,
      DefaultValuedAttr<F32Attr, "0.0f">:$extrapolation_value,
      DefaultValuedAttr<BoolAttr, "false">:$antialias);
  let results = (outs Adze_Tensor:$result);
}

//===-- Reductions, sorting -----------------------------------------------===//

def ReduceOp : Adze_FusibleOp<"reduce", [], ["timesComputed"]> {
  let summary = "Reduces `axes` (sorted, distinct); mean divides by the count";
  let description = [{
    An empty reduction gives the neutral element (max: -inf or the lowest
    integer). bool: max is or, min is and.
  }];
  let arguments = (ins Adze_Tensor:$x, Adze_ReduceKindAttr:$kind, DenseI64ArrayAttr:$axes,
                       BoolAttr:$keepdims);
  let results = (outs Adze_Tensor:$result);
}

def ArgReduceOp : Adze_PureOp<"arg_reduce"> {
  let summary = "Index (i64) of the extreme along axis; the first or the last of equals";
  let arguments = (ins Adze_Tensor:$x, Adze_ArgKindAttr:$kind, I64Attr:$axis, BoolAttr:$keepdims,
                       DefaultValuedAttr<BoolAttr, "false">:$select_last);
  let results = (outs Adze_IndexTensor:$result);
}

def CumulativeOp : Adze_PureOp<"cumulative"> {
  let summary = "Running sum or product along `axis`";
  let arguments = (ins Adze_Tensor:$x, Adze_ReduceKindAttr:$kind, I64Attr:$axis,
                       DefaultValuedAttr<BoolAttr, "false">:$exclusive,
                       DefaultValuedAttr<BoolAttr, "false">:$reverse);
  let results = (outs Adze_Tensor:$result);
}

def SoftmaxOp : Adze_FusibleOp<"softmax", [], ["timesComputed", "rowDims"]> {
  let summary = "exp(x - max) / sum along `axis`, or its logarithm";
  let arguments = (ins Adze_Tensor:$x, I64Attr:$axis, DefaultValuedAttr<BoolAttr, "false">:$log);
  let results = (outs Adze_Tensor:$result);
}

def NormalizeOp : Adze_FusibleOp<"normalize", [AttrSizedOperandSegments], ["timesComputed"]> {
  let summary = "Layer (centred) or RMS normalisation over `axes`";
  let description = [{
    y = (x - mean) / sqrt(var + epsilon) with `center`, else
    x / sqrt(mean(x^2) + epsilon); then * scale + bias, both broadcast to x.
    Half precision computes in f32.
  }];
  let arguments = (ins Adze_Tensor:$x, Optional<Adze_Tensor>:$scale, Optional<Adze_Tensor>:$bias,
                       DenseI64ArrayAttr:$axes, F32Attr:$epsilon, BoolAttr:$center);
  let results = (outs Adze_Tensor:$result);
}

def TopKOp : Adze_PureOp<"topk"> {
  let summary = "The k largest or smallest along axis, and their i64 indices; k is a rank-0 tensor";
  let arguments = (ins Adze_Tensor:$x, Adze_IndexTensor:$k, I64Attr:$axis, BoolAttr:$largest,
                       DefaultValuedAttr<BoolAttr, "true">:$sorted);
  let results = (outs Adze_Tensor:$values, Adze_IndexTensor:$indices);
}

def NonZeroOp : Adze_PureOp<"nonzero"> {
  let summary = "Indices of non-zero elements as tensor<r x ? x i64>, row-major order";
  let arguments = (ins Adze_Tensor:$x);
  let results = (outs Adze_IndexTensor:$result);
}

def UniqueOp : Adze_PureOp<"unique"> {
  let summary = "ONNX Unique; no axis attribute: over the flattened x";
  let arguments = (ins Adze_Tensor:$x, OptionalAttr<I64Attr>:$axis, BoolAttr:$sorted);
  let results = (outs Adze_Tensor:$values, Adze_IndexTensor:$indices, Adze_IndexTensor:$inverse,
                      Adze_IndexTensor:$counts);
}

def NmsOp : Adze_PureOp<"nms"> {
  let summary = "ONNX NonMaxSuppression; the three limits are rank-0 tensors";
  let arguments = (ins Adze_Tensor:$boxes, Adze_Tensor:$scores, Adze_IndexTensor:$max_output,
                       Adze_Tensor:$iou_threshold, Adze_Tensor:$score_threshold,
                       DefaultValuedAttr<BoolAttr, "false">:$center_point_box);
  let results = (outs Adze_IndexTensor:$result);
}

//===-- Anchors -----------------------------------------------------------===//

def MatmulOp : Adze_FusibleOp<"matmul", [], ["rowDims"]> {
  let summary = "[..., M, K] x [..., K, N], batch dimensions broadcast; ranks at least 2";
  let description = [{
    transpose_a / transpose_b: that operand is stored [..., K, M] / [..., N, K].
    The result has a's element type; with `accumulator` (integers) the products
    are summed and returned in that type. b may be in panels when it is a plain
    matrix, not transposed.
  }];
  let arguments = (ins Adze_Tensor:$a, Adze_Tensor:$b,
                       DefaultValuedAttr<BoolAttr, "false">:$transpose_a,
                       DefaultValuedAttr<BoolAttr, "false">:$transpose_b,
                       OptionalAttr<TypeAttr>:$accumulator);
  let results = (outs Adze_Tensor:$result);
}

def ConvOp : Adze_FusibleOp<"conv"> {
  let summary = "N-dimensional convolution (cross-correlation)";
  let description = [{
    s spatial axes; strides and dilations have s entries, pads 2s (begins, then
    ends). bias is [O]. Layout: see DataLayout. x's channels = groups * weight
    channels, O divides by groups. w may be in panels when the layout is NHWC and
    there is one group.
  }];
  let arguments = (ins Adze_Tensor:$x, Adze_Tensor:$w, Optional<Adze_Tensor>:$bias,
      DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads, DenseI64ArrayAttr:$dilations,
      DefaultValuedAttr<I64Attr, "1">:$groups,
      DefaultValuedAttr<Adze_DataLayoutAttr, "DataLayout::NCHW">:$layout,
      OptionalAttr<TypeAttr>:$accumulator);
  let results = (outs Adze_Tensor:$result);
}

def ConvTransposeOp : Adze_FusibleOp<"conv_transpose"> {
  let summary = "N-dimensional transposed convolution";
  let description = [{
    Weights are [C, O/g, K...] for NCHW and [K..., C, O/g] for NHWC. Result
    extent = stride * (in - 1) + output_padding + (k - 1) * dilation + 1
    - pad_begin - pad_end.
  }];
  let arguments = (ins Adze_Tensor:$x, Adze_Tensor:$w, Optional<Adze_Tensor>:$bias,
      DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads, DenseI64ArrayAttr:$dilations,
      DenseI64ArrayAttr:$output_padding, DefaultValuedAttr<I64Attr, "1">:$groups,
      DefaultValuedAttr<Adze_DataLayoutAttr, "DataLayout::NCHW">:$layout);
  let results = (outs Adze_Tensor:$result);
}

def PoolOp : Adze_FusibleOp<"pool"> {
  let summary = "Windowed max, average or p-norm";
  let arguments = (ins Adze_Tensor:$x, Adze_PoolKindAttr:$kind, DenseI64ArrayAttr:$kernel,
      DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads, DenseI64ArrayAttr:$dilations,
      DefaultValuedAttr<BoolAttr, "false">:$ceil_mode,
      DefaultValuedAttr<BoolAttr, "false">:$count_include_pad,
      DefaultValuedAttr<I64Attr, "2">:$p,
      DefaultValuedAttr<Adze_DataLayoutAttr, "DataLayout::NCHW">:$layout);
  let results = (outs Adze_Tensor:$result);
}

def MaxPoolIndicesOp : Adze_PureOp<"max_pool_indices"> {
  let summary = "Max pooling and the flat i64 index of each maximum in x (NCHW)";
  let arguments = (ins Adze_Tensor:$x, DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides,
      DenseI64ArrayAttr:$pads, DenseI64ArrayAttr:$dilations,
      DefaultValuedAttr<BoolAttr, "false">:$ceil_mode,
      DefaultValuedAttr<BoolAttr, "false">:$column_major);
  let results = (outs Adze_Tensor:$values, Adze_IndexTensor:$indices);
}

def RecurrentOp : Adze_PureOp<"recurrent", [AttrSizedOperandSegments]> {
  let summary = "ONNX RNN, GRU or LSTM with layout 0: x is [T, B, I]";
  let description = [{
    Operands and attributes as ONNX's: w [D, G*H, I], r [D, G*H, H],
    b [D, 2*G*H], sequence_lens [B] i32, h0/c0 [D, B, H], p [D, 3*H].
    Results: y [T, D, B, H], yh [D, B, H], yc [D, B, H] (LSTM; else equal to yh).
  }];
  let arguments = (ins Adze_Tensor:$x, Adze_Tensor:$w, Adze_Tensor:$r, Optional<Adze_Tensor>:$b,
      Optional<Adze_Tensor>:$sequence_lens, Optional<Adze_Tensor>:$h0, Optional<Adze_Tensor>:$c0,
      Optional<Adze_Tensor>:$p, Adze_RecurrentKindAttr:$kind,
      StrAttr:$direction, StrArrayAttr:$activations,
      DefaultValuedAttr<F32ArrayAttr, "{}">:$activation_alpha,
      DefaultValuedAttr<F32ArrayAttr, "{}">:$activation_beta,
      OptionalAttr<F32Attr>:$clip, DefaultValuedAttr<BoolAttr, "false">:$linear_before_reset,
      DefaultValuedAttr<BoolAttr, "false">:$input_forget);
  let results = (outs Adze_Tensor:$y, Adze_Tensor:$yh, Adze_Tensor:$yc);
}

//===-- Quantization ------------------------------------------------------===//

def QuantizeOp : Adze_FusibleOp<"quantize"> {
  let summary = "clamp(round_half_even(x / scale) + zero_point) to the zero point's type (ONNX numerics)";
  let description = [{
    scale and zero_point: rank 0, or rank 1 along `axis`, or (block_size > 0) of
    x's rank with x's extent along axis divided by block_size.
  }];
  let arguments = (ins Adze_Tensor:$x, Adze_Tensor:$scale, Adze_Tensor:$zero_point,
                       DefaultValuedAttr<I64Attr, "0">:$axis,
                       DefaultValuedAttr<I64Attr, "0">:$block_size,
                       DefaultValuedAttr<BoolAttr, "true">:$saturate);
  let results = (outs Adze_Tensor:$result);
}

def DequantizeOp : Adze_FusibleOp<"dequantize"> {
  let summary = "(x - zero_point) * scale in scale's type; shapes as in quantize";
  let arguments = (ins Adze_Tensor:$x, Adze_Tensor:$scale, Adze_Tensor:$zero_point,
                       DefaultValuedAttr<I64Attr, "0">:$axis,
                       DefaultValuedAttr<I64Attr, "0">:$block_size);
  let results = (outs Adze_Tensor:$result);
}

//===-- Regions -----------------------------------------------------------===//

def YieldOp : Adze_Op<"yield", [Pure, Terminator, ReturnLike]> {
  let summary = "Ends a region";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
  let builders = [OpBuilder<(ins), [{ }]>];
}

def IfOp : Adze_Op<"if", [SingleBlockImplicitTerminator<"YieldOp">, RecursiveMemoryEffects,
                          RecursivelySpeculatable]> {
  let summary = "One of two regions, by a one-element bool tensor; both yield the results' types";
  let arguments = (ins Adze_BoolTensor:$condition);
  let results = (outs Variadic<Adze_Tensor>:$outs);
  let regions = (region SizedRegion<1>:$thenRegion, SizedRegion<1>:$elseRegion);
  let assemblyFormat = [{
    $condition attr-dict `:` functional-type(operands, results) $thenRegion `else` $elseRegion
  }];
  let hasVerifier = 1;
}

def LoopOp : Adze_Op<"loop", [SingleBlockImplicitTerminator<"YieldOp">, RecursiveMemoryEffects]> {
  let summary = "ONNX Loop: at most trip_count iterations while the condition holds";
  let description = [{
    Body arguments: iteration (tensor<i64>), condition (tensor<i1>), carried
    values. It yields the next condition, the next carried values, then one
    element a scan output, stacked along a new axis 0 in the results. Results:
    final carried values, then scan outputs.
  }];
  let arguments = (ins Adze_IndexTensor:$trip_count, Adze_BoolTensor:$condition,
                       Variadic<Adze_Tensor>:$inits);
  let results = (outs Variadic<Adze_Tensor>:$outs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results) $body";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    unsigned getNumCarried() { return getInits().size(); }
    unsigned getNumScans() { return getNumResults() - getNumCarried(); }
  }];
}

def FusionOp : Adze_Op<"fusion", [IsolatedFromAbove, SingleBlockImplicitTerminator<"YieldOp">,
                                  RecursiveMemoryEffects, RecursivelySpeculatable]> {
  let summary = "A fused group: becomes exactly one kernel and materialises nothing inside";
  let arguments = (ins Variadic<Adze_Tensor>:$inputs, OptionalAttr<StrAttr>:$reason);
  let results = (outs Variadic<Adze_Tensor>:$outs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `(` $inputs `)` attr-dict `:` functional-type(operands, results) $body
  }];
  let hasVerifier = 1;
}

#endif
