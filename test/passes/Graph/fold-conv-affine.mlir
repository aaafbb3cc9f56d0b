// RUN: adze-opt %s --split-input-file --adze-fold-conv-affine | FileCheck %s

// A batch norm spelled as scale and shift disappears into weight and bias.
// CHECK-LABEL: func.func @scale_shift
// CHECK: %[[W:.*]] = adze.elementwise mul(%{{.*}}, %{{.*}}) : (tensor<2x3x1x1xf32>, tensor<2x1x1x1xf32>) -> tensor<2x3x1x1xf32>
// CHECK: %[[B:.*]] = adze.elementwise add(%{{.*}}, %{{.*}}) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
// CHECK: %[[C:.*]] = adze.conv %arg0, %[[W]], %[[B]]
// CHECK-NEXT: return %[[C]]
func.func @scale_shift(%x: tensor<?x3x8x8xf32>) -> tensor<?x2x8x8xf32> {
  %w = adze.constant dense<1.0> : tensor<2x3x1x1xf32> : tensor<2x3x1x1xf32>
  %scale = adze.constant dense<[[[2.0]], [[3.0]]]> : tensor<2x1x1xf32> : tensor<2x1x1xf32>
  %shift = adze.constant dense<[[[[4.0]], [[5.0]]]]> : tensor<1x2x1x1xf32> : tensor<1x2x1x1xf32>
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
    dilations = array<i64: 1, 1>} : (tensor<?x3x8x8xf32>, tensor<2x3x1x1xf32>) -> tensor<?x2x8x8xf32>
  %1 = adze.elementwise mul(%0, %scale) : (tensor<?x2x8x8xf32>, tensor<2x1x1xf32>) -> tensor<?x2x8x8xf32>
  %2 = adze.elementwise add(%shift, %1) : (tensor<1x2x1x1xf32>, tensor<?x2x8x8xf32>) -> tensor<?x2x8x8xf32>
  return %2 : tensor<?x2x8x8xf32>
}

// -----

// Channels last, division, and an old bias that scales too.
// CHECK-LABEL: func.func @nhwc
// CHECK: %[[W:.*]] = adze.elementwise div(%{{.*}}, %{{.*}}) : (tensor<1x1x3x2xf32>, tensor<1x1x1x2xf32>)
// CHECK: %[[B:.*]] = adze.elementwise div(%{{.*}}, %{{.*}}) : (tensor<2xf32>, tensor<2xf32>)
// CHECK: adze.conv %arg0, %[[W]], %[[B]]
func.func @nhwc(%x: tensor<1x8x8x3xf32>) -> tensor<1x8x8x2xf32> {
  %w = adze.constant dense<1.0> : tensor<1x1x3x2xf32> : tensor<1x1x3x2xf32>
  %b = adze.constant dense<1.0> : tensor<2xf32> : tensor<2xf32>
  %scale = adze.constant dense<[2.0, 3.0]> : tensor<2xf32> : tensor<2xf32>
  %0 = adze.conv %x, %w, %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
    dilations = array<i64: 1, 1>, layout = #adze<layout nhwc>}
    : (tensor<1x8x8x3xf32>, tensor<1x1x3x2xf32>, tensor<2xf32>) -> tensor<1x8x8x2xf32>
  %1 = adze.elementwise div(%0, %scale) : (tensor<1x8x8x2xf32>, tensor<2xf32>) -> tensor<1x8x8x2xf32>
  return %1 : tensor<1x8x8x2xf32>
}

// -----

// CHECK-LABEL: func.func @matmul
// CHECK: %[[W:.*]] = adze.elementwise mul(%{{.*}}, %{{.*}}) : (tensor<4x2xf32>, tensor<f32>)
// CHECK: %[[M:.*]] = adze.matmul %arg0, %[[W]]
// CHECK: adze.elementwise add(%[[M]]
func.func @matmul(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = adze.constant dense<1.0> : tensor<4x2xf32> : tensor<4x2xf32>
  %half = adze.constant dense<0.5> : tensor<f32> : tensor<f32>
  %0 = adze.matmul %x, %w : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  %1 = adze.elementwise mul(%0, %half) : (tensor<?x2xf32>, tensor<f32>) -> tensor<?x2xf32>
  %2 = adze.elementwise add(%1, %half) : (tensor<?x2xf32>, tensor<f32>) -> tensor<?x2xf32>
  return %2 : tensor<?x2xf32>
}

// -----

// A factor along another axis, a weight with another user, a result with
// another user: nothing folds.
// CHECK-LABEL: func.func @refused
// CHECK-COUNT-3: adze.elementwise mul
func.func @refused(%x: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>,
                                            tensor<2x2xf32>) {
  %w0 = adze.constant dense<1.0> : tensor<2x2xf32> : tensor<2x2xf32>
  %w1 = adze.constant dense<2.0> : tensor<2x2xf32> : tensor<2x2xf32>
  %w2 = adze.constant dense<3.0> : tensor<2x2xf32> : tensor<2x2xf32>
  %rows = adze.constant dense<[[2.0], [3.0]]> : tensor<2x1xf32> : tensor<2x1xf32>
  %half = adze.constant dense<0.5> : tensor<f32> : tensor<f32>
  %0 = adze.matmul %x, %w0 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = adze.elementwise mul(%0, %rows) : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
  %2 = adze.matmul %x, %w1 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %3 = adze.elementwise mul(%2, %half) : (tensor<2x2xf32>, tensor<f32>) -> tensor<2x2xf32>
  %4 = adze.matmul %1, %w1 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %5 = adze.matmul %x, %w2 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %6 = adze.elementwise mul(%5, %half) : (tensor<2x2xf32>, tensor<f32>) -> tensor<2x2xf32>
  return %3, %4, %5, %6 : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
}
