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
// CHECK: adze_rt.check {{.*}}, "matmul: the summed extents differ"
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
