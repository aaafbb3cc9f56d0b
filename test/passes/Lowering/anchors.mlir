// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// A convolution pads, sums over its window with FMAs allowed, and its bias and
// activation write over the sums.
// CHECK-LABEL: func.func @conv
// CHECK: tensor.pad %{{.*}} low[0, 1, 1, 0] high[0, 1, 1, 0]
// CHECK: %[[ZERO:.*]] = linalg.fill
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}}"reduction", "reduction", "reduction"]} {{.*}} outs(%[[ZERO]]
// CHECK: arith.mulf {{.*}} fastmath<contract>
// CHECK: arith.addf {{.*}} fastmath<contract>
// CHECK: %[[BIASED:.*]] = linalg.generic {{.*}} outs(%[[SUM]]
// CHECK: linalg.generic {{.*}} outs(%[[BIASED]]
// CHECK-NOT: arith.maximumf
func.func @conv(%x: tensor<1x?x?x3xf32>, %w: tensor<3x3x3x16xf32>, %b: tensor<16xf32>) -> tensor<1x?x?x16xf32> {
  %0 = adze.conv %x, %w, %b {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, layout = #adze<layout nhwc>} : (tensor<1x?x?x3xf32>, tensor<3x3x3x16xf32>, tensor<16xf32>) -> tensor<1x?x?x16xf32>
  %z = adze.constant dense<0.0> : tensor<f32> : tensor<f32>
  %1 = adze.elementwise max(%0, %z) : (tensor<1x?x?x16xf32>, tensor<f32>) -> tensor<1x?x?x16xf32>
  return %1 : tensor<1x?x?x16xf32>
}

// -----

// Half precision sums in f32 and rounds once; a sum whose extents may differ is
// checked.
// CHECK-LABEL: func.func @half
// CHECK: adze_rt.check {{.*}}, "matmul: extents of its operands do not fit each other"
// CHECK: arith.extf
// CHECK: arith.truncf
func.func @half(%x: tensor<?x4x?xf16>, %w: tensor<?x16xf16>) -> tensor<?x4x16xf16> {
  %0 = adze.matmul %x, %w : (tensor<?x4x?xf16>, tensor<?x16xf16>) -> tensor<?x4x16xf16>
  return %0 : tensor<?x4x16xf16>
}

// -----

// A depthwise convolution has one channel loop.
// CHECK-LABEL: func.func @depthwise
// CHECK: tensor.collapse_shape {{.*}} : tensor<3x3x1x32xf32> into tensor<3x3x32xf32>
// CHECK: iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
func.func @depthwise(%x: tensor<1x8x8x32xf32>, %w: tensor<3x3x1x32xf32>) -> tensor<1x8x8x32xf32> {
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 32 : i64, layout = #adze<layout nhwc>} : (tensor<1x8x8x32xf32>, tensor<3x3x1x32xf32>) -> tensor<1x8x8x32xf32>
  return %0 : tensor<1x8x8x32xf32>
}

// -----

// The residual of two "same" convolutions needs no broadcast at run time.
// CHECK-LABEL: func.func @residual
// CHECK-NOT: scf.if
// CHECK: return
func.func @residual(%x: tensor<1x?x?x16xf32>, %w: tensor<3x3x16x16xf32>) -> tensor<1x?x?x16xf32> {
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, layout = #adze<layout nhwc>} : (tensor<1x?x?x16xf32>, tensor<3x3x16x16xf32>) -> tensor<1x?x?x16xf32>
  %1 = adze.elementwise add(%0, %x) : (tensor<1x?x?x16xf32>, tensor<1x?x?x16xf32>) -> tensor<1x?x?x16xf32>
  return %1 : tensor<1x?x?x16xf32>
}

// -----

// Weights in panels are read where they lie; the op is otherwise the same.
// CHECK: affine_map<(d0, d1, d2) -> (d1 floordiv 32, d2, d1 mod 32)>
// CHECK: affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d3 floordiv 16, d4, d5, d6, d3 mod 16)>
// CHECK-LABEL: func.func @panels
// CHECK-SAME: tensor<2x40x32xf32>
// CHECK-SAME: tensor<2x3x3x8x16xf32>
func.func @panels(%a: tensor<?x40xf32>, %b: tensor<40x50xf32, #adze.panels<32>>, %x: tensor<1x?x?x8xf32>, %w: tensor<3x3x8x32xf32, #adze.panels<16>>) -> (tensor<?x50xf32>, tensor<1x?x?x32xf32>) {
  %0 = adze.matmul %a, %b : (tensor<?x40xf32>, tensor<40x50xf32, #adze.panels<32>>) -> tensor<?x50xf32>
  %1 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, layout = #adze<layout nhwc>} : (tensor<1x?x?x8xf32>, tensor<3x3x8x32xf32, #adze.panels<16>>) -> tensor<1x?x?x32xf32>
  return %0, %1 : tensor<?x50xf32>, tensor<1x?x?x32xf32>
}

// -----

// A relayout at run time pads the columns, splits them and moves panels first;
// the way back drops the padding.
// CHECK-LABEL: func.func @relayout
// CHECK: tensor.pad %{{.*}} low[0, 0] high[0, 14]
// CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0], [1, 2]] output_shape [40, 2, 32]
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x40x32xf32>)
// CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0], [1, 2]] : tensor<40x2x32xf32> into tensor<40x64xf32>
// CHECK: tensor.extract_slice %{{.*}}[0, 0] [40, 50] [1, 1]
func.func @relayout(%w: tensor<40x50xf32>) -> (tensor<40x50xf32, #adze.panels<32>>, tensor<40x50xf32>) {
  %p = adze.relayout %w {layout = #adze.panels<32>} : (tensor<40x50xf32>) -> tensor<40x50xf32, #adze.panels<32>>
  %q = adze.relayout %p : (tensor<40x50xf32, #adze.panels<32>>) -> tensor<40x50xf32>
  return %p, %q : tensor<40x50xf32, #adze.panels<32>>, tensor<40x50xf32>
}
