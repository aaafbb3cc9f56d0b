// RUN: adze-opt %s --split-input-file --adze-assign-layout | FileCheck %s

// test/passes/Layout/transposes.mlir has the model's own transposes.

// CHECK-LABEL: func.func @conv
// CHECK-DAG: %[[X:.*]] = adze.transpose %arg0 {perm = array<i64: 0, 2, 3, 1>}
// CHECK-DAG: %[[W:.*]] = adze.transpose %arg1 {perm = array<i64: 2, 3, 1, 0>} : (tensor<8x3x5x4xf32>) -> tensor<5x4x3x8xf32>
// CHECK: %[[C:.*]] = adze.conv %[[X]], %[[W]], %arg2 {{.*}}layout = #adze<layout nhwc>{{.*}} -> tensor<?x5x?x8xf32>
// CHECK: %[[R:.*]] = adze.transpose %[[C]] {perm = array<i64: 0, 3, 1, 2>}
// CHECK: return %[[R]]
func.func @conv(%x: tensor<?x3x9x?xf32>, %w: tensor<8x3x5x4xf32>, %b: tensor<8xf32>)
    -> tensor<?x8x5x?xf32> {
  %0 = adze.conv %x, %w, %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
    dilations = array<i64: 1, 1>}
    : (tensor<?x3x9x?xf32>, tensor<8x3x5x4xf32>, tensor<8xf32>) -> tensor<?x8x5x?xf32>
  return %0 : tensor<?x8x5x?xf32>
}

// -----

// One and three spatial axes take the same way.
// CHECK-LABEL: func.func @ranks
// CHECK: adze.transpose %arg0 {perm = array<i64: 0, 2, 1>}
// CHECK: adze.transpose %arg1 {perm = array<i64: 2, 0, 1>}
// CHECK: adze.pool {{.*}}layout = #adze<layout nhwc>{{.*}} -> tensor<1x2x2x2x5xf32>
func.func @ranks(%x: tensor<1x3x9xf32>, %w: tensor<3x4x3xf32>, %y: tensor<1x5x4x4x4xf32>)
    -> (tensor<1x4x11xf32>, tensor<1x5x2x2x2xf32>) {
  %0 = adze.conv_transpose %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>,
    dilations = array<i64: 1>, output_padding = array<i64: 0>}
    : (tensor<1x3x9xf32>, tensor<3x4x3xf32>) -> tensor<1x4x11xf32>
  %1 = adze.pool %y {kind = #adze<pool_kind max>, kernel = array<i64: 2, 2, 2>,
    strides = array<i64: 2, 2, 2>, pads = array<i64: 0, 0, 0, 0, 0, 0>,
    dilations = array<i64: 1, 1, 1>} : (tensor<1x5x4x4x4xf32>) -> tensor<1x5x2x2x2xf32>
  return %0, %1 : tensor<1x4x11xf32>, tensor<1x5x2x2x2xf32>
}

// -----

// What is channels-last already stays.
// CHECK-LABEL: func.func @nhwc
// CHECK-NOT: adze.transpose
func.func @nhwc(%x: tensor<1x4x4x5xf32>) -> tensor<1x2x2x5xf32> {
  %0 = adze.pool %x {kind = #adze<pool_kind max>, kernel = array<i64: 2, 2>,
    strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>,
    layout = #adze<layout nhwc>} : (tensor<1x4x4x5xf32>) -> tensor<1x2x2x5xf32>
  return %0 : tensor<1x2x2x5xf32>
}

// -----

// Two transposes cost more than a pointwise convolution loses to channels-first
// data.
// CHECK-LABEL: func.func @keeps
// CHECK-NOT: adze.transpose
// CHECK: adze.conv %{{.*}}, %arg1 {{.*}} -> tensor<1x32x16x16xf32>
module attributes {adze.target = {vector_bits = 512}} {
func.func @keeps(%x: tensor<1x32x16x16xf32>, %w: tensor<32x32x1x1xf32>) -> tensor<1x32x16x16xf32> {
  %0 = adze.elementwise abs(%x) : (tensor<1x32x16x16xf32>) -> tensor<1x32x16x16xf32>
  %1 = adze.conv %0, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x32x16x16xf32>, tensor<32x32x1x1xf32>) -> tensor<1x32x16x16xf32>
  return %1 : tensor<1x32x16x16xf32>
}
}

// -----

// Not so where matrix units wait for channels-last data.
// CHECK-LABEL: func.func @matrix_units
// CHECK: adze.transpose %arg0
// CHECK: adze.conv {{.*}}layout = #adze<layout nhwc>
module attributes {adze.target = {vector_bits = 512, simt_width = 32}} {
func.func @matrix_units(%x: tensor<1x32x16x16xf32>, %w: tensor<32x32x1x1xf32>) -> tensor<1x32x16x16xf32> {
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x32x16x16xf32>, tensor<32x32x1x1xf32>) -> tensor<1x32x16x16xf32>
  return %0 : tensor<1x32x16x16xf32>
}
}

// -----

// A chain of them shares the two transposes, and it pays again.
// CHECK-LABEL: func.func @chain
// CHECK-COUNT-1: adze.transpose %arg0
// CHECK-COUNT-3: adze.conv {{.*}}layout = #adze<layout nhwc>
// CHECK: adze.transpose
module attributes {adze.target = {vector_bits = 512}} {
func.func @chain(%x: tensor<1x32x16x16xf32>) -> tensor<1x32x16x16xf32> {
  %w = adze.constant dense<0.125> : tensor<32x32x1x1xf32> : tensor<32x32x1x1xf32>
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x32x16x16xf32>, tensor<32x32x1x1xf32>) -> tensor<1x32x16x16xf32>
  %1 = adze.conv %0, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x32x16x16xf32>, tensor<32x32x1x1xf32>) -> tensor<1x32x16x16xf32>
  %2 = adze.conv %1, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x32x16x16xf32>, tensor<32x32x1x1xf32>) -> tensor<1x32x16x16xf32>
  return %2 : tensor<1x32x16x16xf32>
}
}

// -----

// A pin is part of the assignment: what is pinned to the model's order is
// transposed to and from, and what lies beside it decides anew.
// CHECK-LABEL: func.func @pinned
// CHECK: %[[A:.*]] = adze.transpose %arg0 {perm = array<i64: 0, 2, 3, 1>}
// CHECK: %[[B:.*]] = adze.pool %[[A]] {{.*}}layout = #adze<layout nhwc>
// CHECK: %[[C:.*]] = adze.transpose %[[B]] {perm = array<i64: 0, 3, 1, 2>}
// CHECK: adze.pool %[[C]] {adze.order = "keep"{{.*}} -> tensor<1x64x6x6xf32>
func.func @pinned(%x: tensor<1x64x32x32xf32>) -> tensor<1x64x6x6xf32> {
  %0 = adze.pool %x {kind = #adze<pool_kind max>, kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>,
    pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x64x32x32xf32>) -> tensor<1x64x15x15xf32>
  %1 = adze.pool %0 {adze.order = "keep", kind = #adze<pool_kind max>, kernel = array<i64: 5, 5>,
    strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x64x15x15xf32>) -> tensor<1x64x6x6xf32>
  return %1 : tensor<1x64x6x6xf32>
}

// -----

// CHECK-LABEL: func.func @changed
// CHECK: %[[A:.*]] = adze.transpose %arg0
// CHECK: %[[B:.*]] = adze.elementwise abs(%[[A]]) {adze.order = "change"} : (tensor<1x16x16x32xf32>)
// CHECK: %[[C:.*]] = adze.transpose %[[B]]
// CHECK: adze.conv %[[C]], %arg1 {{.*}} -> tensor<1x32x16x16xf32>
module attributes {adze.target = {vector_bits = 512}} {
func.func @changed(%x: tensor<1x32x16x16xf32>, %w: tensor<32x32x1x1xf32>) -> tensor<1x32x16x16xf32> {
  %0 = adze.elementwise abs(%x) {adze.order = "change"} : (tensor<1x32x16x16xf32>) -> tensor<1x32x16x16xf32>
  %1 = adze.conv %0, %w {adze.order = "keep", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x32x16x16xf32>, tensor<32x32x1x1xf32>) -> tensor<1x32x16x16xf32>
  return %1 : tensor<1x32x16x16xf32>
}
}

// -----

// One transpose for all that read a tensor in another order.
// CHECK-LABEL: func.func @shared
// CHECK-COUNT-1: adze.transpose %arg0 {perm = array<i64: 0, 2, 3, 1>}
// CHECK-NOT: adze.transpose %arg0
func.func @shared(%x: tensor<1x64x32x32xf32>) -> (tensor<1x64x15x15xf32>, tensor<1x64x16x16xf32>, tensor<1x64x32x32xf32>) {
  %0 = adze.pool %x {kind = #adze<pool_kind max>, kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>,
    pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x64x32x32xf32>) -> tensor<1x64x15x15xf32>
  %1 = adze.pool %x {kind = #adze<pool_kind average>, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>,
    pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x64x32x32xf32>) -> tensor<1x64x16x16xf32>
  %2 = adze.elementwise abs(%x) : (tensor<1x64x32x32xf32>) -> tensor<1x64x32x32xf32>
  return %0, %1, %2 : tensor<1x64x15x15xf32>, tensor<1x64x16x16xf32>, tensor<1x64x32x32xf32>
}

// -----

// Channels shuffled between convolutions: the model's transpose moves within the
// channels, and stays within them.
// CHECK-LABEL: func.func @shuffle
// CHECK: adze.conv
// CHECK-NOT: adze.transpose
// CHECK: adze.reshape {{.*}} -> tensor<1x28x28x2x29xf32>
// CHECK: adze.transpose {{.*}} {perm = array<i64: 0, 1, 2, 4, 3>}
// CHECK-NOT: adze.transpose {{.*}}x28
// CHECK: adze.conv {{.*}}layout = #adze<layout nhwc>
// CHECK-NOT: adze.transpose
// CHECK: return
func.func @shuffle(%x: tensor<1x28x28x58xf32>) -> tensor<1x28x28x58xf32> {
  %w = adze.constant dense<0.5> : tensor<58x58x1x1xf32> : tensor<58x58x1x1xf32>
  %split = adze.constant dense<[1, 2, 29, 28, 28]> : tensor<5xi64> : tensor<5xi64>
  %join = adze.constant dense<[1, 58, 28, 28]> : tensor<4xi64> : tensor<4xi64>
  %0 = adze.transpose %x {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x28x28x58xf32>) -> tensor<1x58x28x28xf32>
  %1 = adze.conv %0, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x58x28x28xf32>, tensor<58x58x1x1xf32>) -> tensor<1x58x28x28xf32>
  %2 = adze.reshape %1, %split : (tensor<1x58x28x28xf32>, tensor<5xi64>) -> tensor<1x2x29x28x28xf32>
  %3 = adze.transpose %2 {perm = array<i64: 0, 2, 1, 3, 4>} : (tensor<1x2x29x28x28xf32>) -> tensor<1x29x2x28x28xf32>
  %4 = adze.reshape %3, %join : (tensor<1x29x2x28x28xf32>, tensor<4xi64>) -> tensor<1x58x28x28xf32>
  %5 = adze.conv %4, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x58x28x28xf32>, tensor<58x58x1x1xf32>) -> tensor<1x58x28x28xf32>
  %6 = adze.transpose %5 {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x58x28x28xf32>) -> tensor<1x28x28x58xf32>
  return %6 : tensor<1x28x28x58xf32>
}

// -----

// One channel: both orders are the same bytes, and nothing moves.
// CHECK-LABEL: func.func @image
// CHECK-NOT: adze.transpose %arg0
// CHECK: adze.reshape %arg0
// CHECK: adze.conv {{.*}}layout = #adze<layout nhwc>{{.*}} -> tensor<1x14x14x16xf32>
func.func @image(%x: tensor<1x1x28x28xf32>) -> tensor<1x16x1x1xf32> {
  %w = adze.constant dense<0.5> : tensor<16x1x3x3xf32> : tensor<16x1x3x3xf32>
  %0 = adze.conv %x, %w {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<1x1x28x28xf32>, tensor<16x1x3x3xf32>) -> tensor<1x16x14x14xf32>
  %1 = adze.reduce %0 {kind = #adze<reduce_kind mean>, axes = array<i64: 2, 3>, keepdims = true}
    : (tensor<1x16x14x14xf32>) -> tensor<1x16x1x1xf32>
  return %1 : tensor<1x16x1x1xf32>
}
