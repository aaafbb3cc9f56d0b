// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// Windows that do not overlap: each input element makes a block of its own.
// CHECK-LABEL: func.func @blocks
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x4x2x4x2x5xf32>)
// CHECK: arith.mulf {{.*}} fastmath<contract>
// CHECK: %[[Y:.*]] = tensor.collapse_shape %{{.*}} {{\[}}[0], [1, 2], [3, 4], [5]]
// CHECK: linalg.generic {{.*}} ins(%arg2 : tensor<5xf32>) outs(%[[Y]]
func.func @blocks(%x: tensor<1x4x4x3xf32>, %w: tensor<2x2x3x5xf32>, %b: tensor<5xf32>) -> tensor<1x8x8x5xf32> {
  %0 = adze.conv_transpose %x, %w, %b {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, output_padding = array<i64: 0, 0>, layout = #adze<layout nhwc>} : (tensor<1x4x4x3xf32>, tensor<2x2x3x5xf32>, tensor<5xf32>) -> tensor<1x8x8x5xf32>
  return %0 : tensor<1x8x8x5xf32>
}

// -----

// Windows that overlap: a convolution of the spread data with the reversed kernel.
// CHECK-LABEL: func.func @overlap
// CHECK: %[[SPREAD:.*]] = tensor.insert_slice %arg0 into %{{.*}}[0, 0, 0] [1, %{{.*}}, 3] [1, 2, 1]
// CHECK: %[[X:.*]] = tensor.pad %[[SPREAD]] low[0, 1, 0] high[0, 2, 0]
// CHECK: %[[W:.*]] = linalg.generic
// CHECK: arith.subi %c2, %{{.*}}
// CHECK: tensor.extract %arg1
// CHECK: linalg.generic {{.*}} ins(%[[X]], %[[W]]
func.func @overlap(%x: tensor<1x?x3xf32>, %w: tensor<3x3x5xf32>) -> tensor<1x?x5xf32> {
  %0 = adze.conv_transpose %x, %w {strides = array<i64: 2>, pads = array<i64: 1, 1>, dilations = array<i64: 1>, output_padding = array<i64: 1>, layout = #adze<layout nhwc>} : (tensor<1x?x3xf32>, tensor<3x3x5xf32>) -> tensor<1x?x5xf32>
  return %0 : tensor<1x?x5xf32>
}
