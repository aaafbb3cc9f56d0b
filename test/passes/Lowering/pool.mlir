// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// The border is the neutral element; the window is a tensor that nobody reads.
// CHECK: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 * 2 + d4, d2 * 2 + d5, d3)>
// CHECK-LABEL: func.func @max
// CHECK: %[[LOW:.*]] = arith.constant 0xFF800000 : f32
// CHECK: tensor.pad %arg0 low[0, 1, 1, 0] high[0, 1, 1, 0]
// CHECK: tensor.yield %[[LOW]]
// CHECK: linalg.generic {{.*}}"reduction", "reduction"]
// CHECK: arith.maximumf
func.func @max(%x: tensor<1x?x8x4xf32>) -> tensor<1x?x4x4xf32> {
  %0 = adze.pool %x {kind = #adze<pool_kind max>, kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, layout = #adze<layout nhwc>} : (tensor<1x?x8x4xf32>) -> tensor<1x?x4x4xf32>
  return %0 : tensor<1x?x4x4xf32>
}

// -----

// An average that leaves out the border divides by what lies inside.
// CHECK-LABEL: func.func @average
// CHECK: linalg.generic {{.*}}"reduction"]
// CHECK: arith.addf
// CHECK: linalg.generic
// CHECK: arith.minsi
// CHECK: arith.divf
func.func @average(%x: tensor<1x8x4xf32>) -> tensor<1x4x4xf32> {
  %0 = adze.pool %x {kind = #adze<pool_kind average>, kernel = array<i64: 3>, strides = array<i64: 2>, pads = array<i64: 1, 0>, dilations = array<i64: 1>, layout = #adze<layout nhwc>} : (tensor<1x8x4xf32>) -> tensor<1x4x4xf32>
  return %0 : tensor<1x4x4xf32>
}

// -----

// CHECK-LABEL: func.func @norm
// CHECK: arith.mulf %[[V:.*]], %[[V]]
// CHECK: math.sqrt
func.func @norm(%x: tensor<1x8x4xf32>) -> tensor<1x7x4xf32> {
  %0 = adze.pool %x {kind = #adze<pool_kind lp>, p = 2 : i64, kernel = array<i64: 2>, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>, layout = #adze<layout nhwc>} : (tensor<1x8x4xf32>) -> tensor<1x7x4xf32>
  return %0 : tensor<1x7x4xf32>
}

// -----

// The value and its flat index go through one reduction; the first of equals stays.
// CHECK-LABEL: func.func @indices
// CHECK: %[[R:.*]]:2 = linalg.generic {{.*}}"reduction"]
// CHECK-NOT: linalg.generic
// CHECK: %[[BETTER:.*]] = arith.cmpf ogt
// CHECK: arith.select %[[BETTER]], %{{.*}} : i64
// CHECK: return %[[R]]#0, %[[R]]#1
func.func @indices(%x: tensor<1x2x8xf32>) -> (tensor<1x2x7xf32>, tensor<1x2x7xi64>) {
  %0, %1 = adze.max_pool_indices %x {kernel = array<i64: 2>, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x2x8xf32>) -> (tensor<1x2x7xf32>, tensor<1x2x7xi64>)
  return %0, %1 : tensor<1x2x7xf32>, tensor<1x2x7xi64>
}
