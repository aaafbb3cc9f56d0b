// RUN: adze-opt %s --split-input-file --adze-assign-layout | FileCheck %s

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
