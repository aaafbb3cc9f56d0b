// RUN: adze-opt %s --split-input-file --adze-assign-layout --canonicalize --cse | FileCheck %s

// CHECK-LABEL: func.func @pair
// CHECK-NOT: adze.transpose
// CHECK: %[[R:.*]] = adze.elementwise abs(%arg0)
// CHECK: return %[[R]]
func.func @pair(%x: tensor<1x7x?x8xf32>) -> tensor<1x7x?x8xf32> {
  %0 = adze.transpose %x {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x7x?x8xf32>) -> tensor<1x8x7x?xf32>
  %1 = adze.elementwise abs(%0) : (tensor<1x8x7x?xf32>) -> tensor<1x8x7x?xf32>
  %2 = adze.transpose %1 {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x8x7x?xf32>) -> tensor<1x7x?x8xf32>
  return %2 : tensor<1x7x?x8xf32>
}

// -----

// A residual sum of two transposed values moves one tensor instead of two, a
// per-channel constant is reshaped, a scalar is left alone.
// CHECK-LABEL: func.func @sum
// CHECK: %[[S:.*]] = adze.elementwise add(%arg0, %arg1)
// CHECK: %[[B:.*]] = adze.reshape %{{.*}} -> tensor<8xf32>
// CHECK: %[[M:.*]] = adze.elementwise mul(%[[S]], %[[B]])
// CHECK: %[[X:.*]] = adze.elementwise max(%[[M]], %{{.*}}) : (tensor<1x7x7x8xf32>, tensor<f32>)
// CHECK: %[[R:.*]] = adze.transpose %[[X]] {perm = array<i64: 0, 3, 1, 2>}
// CHECK: return %[[R]]
func.func @sum(%x: tensor<1x7x7x8xf32>, %y: tensor<1x7x7x8xf32>, %b: tensor<8x1x1xf32>)
    -> tensor<1x8x7x7xf32> {
  %zero = adze.constant dense<0.0> : tensor<f32> : tensor<f32>
  %0 = adze.transpose %x {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x7x7x8xf32>) -> tensor<1x8x7x7xf32>
  %1 = adze.transpose %y {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x7x7x8xf32>) -> tensor<1x8x7x7xf32>
  %2 = adze.elementwise add(%0, %1) : (tensor<1x8x7x7xf32>, tensor<1x8x7x7xf32>) -> tensor<1x8x7x7xf32>
  %3 = adze.elementwise mul(%2, %b) : (tensor<1x8x7x7xf32>, tensor<8x1x1xf32>) -> tensor<1x8x7x7xf32>
  %4 = adze.elementwise max(%3, %zero) : (tensor<1x8x7x7xf32>, tensor<f32>) -> tensor<1x8x7x7xf32>
  return %4 : tensor<1x8x7x7xf32>
}

// -----

// A sum with a tensor that is not transposed would need a transpose more.
// CHECK-LABEL: func.func @mixed_sum
// CHECK: %[[T:.*]] = adze.transpose %arg0
// CHECK: %[[R:.*]] = adze.elementwise add(%[[T]], %arg1)
// CHECK: return %[[R]]
func.func @mixed_sum(%x: tensor<1x7x7x8xf32>, %y: tensor<1x8x7x7xf32>) -> tensor<1x8x7x7xf32> {
  %0 = adze.transpose %x {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x7x7x8xf32>) -> tensor<1x8x7x7xf32>
  %1 = adze.elementwise add(%0, %y) : (tensor<1x8x7x7xf32>, tensor<1x8x7x7xf32>) -> tensor<1x8x7x7xf32>
  return %1 : tensor<1x8x7x7xf32>
}

// -----

// Axes and axis-wise operands are renumbered.
// CHECK-LABEL: func.func @axes
// CHECK: adze.constant dense<[0, 0, 0, 1, 0, 0, 0, 0]>
// CHECK: %[[P:.*]] = adze.pad %arg0
// CHECK: %[[C:.*]] = adze.concat %[[P]], %[[P]] {axis = 3 : i64}
// CHECK: %[[S:.*]] = adze.softmax %[[C]] {axis = 3 : i64}
// CHECK: %[[M:.*]] = adze.reduce %[[S]] {axes = array<i64: 1, 2>, keepdims = false
// CHECK: return %[[M]] : tensor<1x18xf32>
func.func @axes(%x: tensor<1x7x7x8xf32>) -> tensor<1x18xf32> {
  %pads = adze.constant dense<[0, 1, 0, 0, 0, 0, 0, 0]> : tensor<8xi64> : tensor<8xi64>
  %zero = adze.constant dense<0.0> : tensor<f32> : tensor<f32>
  %0 = adze.transpose %x {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x7x7x8xf32>) -> tensor<1x8x7x7xf32>
  %1 = adze.pad %0, %pads, %zero : (tensor<1x8x7x7xf32>, tensor<8xi64>, tensor<f32>) -> tensor<1x9x7x7xf32>
  %2 = adze.concat %1, %1 {axis = 1 : i64} : (tensor<1x9x7x7xf32>, tensor<1x9x7x7xf32>) -> tensor<1x18x7x7xf32>
  %3 = adze.softmax %2 {axis = 1 : i64} : (tensor<1x18x7x7xf32>) -> tensor<1x18x7x7xf32>
  %4 = adze.reduce %3 {kind = #adze<reduce_kind mean>, axes = array<i64: 2, 3>, keepdims = false}
    : (tensor<1x18x7x7xf32>) -> tensor<1x18xf32>
  return %4 : tensor<1x18xf32>
}

// -----

// A softmax along the innermost axis stays innermost.
// CHECK-LABEL: func.func @innermost
// CHECK: %[[T:.*]] = adze.transpose %arg0
// CHECK: adze.softmax %[[T]] {axis = 2 : i64}
func.func @innermost(%x: tensor<4x5x6xf32>) -> tensor<4x6x5xf32> {
  %0 = adze.transpose %x {perm = array<i64: 0, 2, 1>} : (tensor<4x5x6xf32>) -> tensor<4x6x5xf32>
  %1 = adze.softmax %0 {axis = 2 : i64} : (tensor<4x6x5xf32>) -> tensor<4x6x5xf32>
  return %1 : tensor<4x6x5xf32>
}

// -----

// Dropping an extent of 1 and swapping back: nothing moves at all.
// CHECK-LABEL: func.func @squeeze
// CHECK-NOT: adze.transpose
// CHECK: adze.reshape %arg0, %{{.*}} : (tensor<?x1x?x8xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
func.func @squeeze(%x: tensor<?x1x?x8xf32>) -> tensor<?x?x8xf32> {
  %pick = adze.constant dense<[0, 1, 3]> : tensor<3xi64> : tensor<3xi64>
  %0 = adze.transpose %x {perm = array<i64: 0, 3, 1, 2>} : (tensor<?x1x?x8xf32>) -> tensor<?x8x1x?xf32>
  %1 = adze.shape_of %0 : (tensor<?x8x1x?xf32>) -> tensor<4xi64>
  %2 = adze.gather %1, %pick {axis = 0 : i64} : (tensor<4xi64>, tensor<3xi64>) -> tensor<3xi64>
  %3 = adze.reshape %0, %2 : (tensor<?x8x1x?xf32>, tensor<3xi64>) -> tensor<?x8x?xf32>
  %4 = adze.transpose %3 {perm = array<i64: 0, 2, 1>} : (tensor<?x8x?xf32>) -> tensor<?x?x8xf32>
  return %4 : tensor<?x?x8xf32>
}

// -----

// Hoisted over a sum, the last transpose cancels the first and one of the two
// is left.
// CHECK-LABEL: func.func @hoist
// CHECK: %[[T:.*]] = adze.transpose %arg1 {perm = array<i64: 0, 2, 3, 1>}
// CHECK: %[[S:.*]] = adze.elementwise add(%arg0, %[[T]])
// CHECK: %[[R:.*]] = adze.elementwise abs(%[[S]])
// CHECK: return %[[R]]
func.func @hoist(%x: tensor<1x7x7x8xf32>, %y: tensor<1x8x7x7xf32>) -> tensor<1x7x7x8xf32> {
  %0 = adze.transpose %x {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x7x7x8xf32>) -> tensor<1x8x7x7xf32>
  %1 = adze.elementwise add(%0, %y) : (tensor<1x8x7x7xf32>, tensor<1x8x7x7xf32>) -> tensor<1x8x7x7xf32>
  %2 = adze.elementwise abs(%1) : (tensor<1x8x7x7xf32>) -> tensor<1x8x7x7xf32>
  %3 = adze.transpose %2 {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x8x7x7xf32>) -> tensor<1x7x7x8xf32>
  return %3 : tensor<1x7x7x8xf32>
}

// -----

// Sinking through a resize pays when it cancels below, and is taken back when
// it does not.
// CHECK-LABEL: func.func @resize_back
// CHECK: %[[T:.*]] = adze.transpose %arg0
// CHECK: %[[R:.*]] = adze.resize %[[T]]
// CHECK: return %[[R]]
func.func @resize_back(%x: tensor<1x8x8x4xf32>) -> tensor<1x4x16x16xf32> {
  %sizes = adze.constant dense<[1, 4, 16, 16]> : tensor<4xi64> : tensor<4xi64>
  %scales = adze.constant dense<[1.0, 1.0, 2.0, 2.0]> : tensor<4xf32> : tensor<4xf32>
  %0 = adze.transpose %x {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x4xf32>) -> tensor<1x4x8x8xf32>
  %1 = adze.resize %0, %sizes, %scales {mode = "nearest", coordinate_mode = "asymmetric"}
    : (tensor<1x4x8x8xf32>, tensor<4xi64>, tensor<4xf32>) -> tensor<1x4x16x16xf32>
  return %1 : tensor<1x4x16x16xf32>
}

// -----

// The last two axes of a matmul operand become a flag; extents of 1 move by a
// reshape.
// CHECK-LABEL: func.func @matmul
// CHECK-NOT: adze.transpose
// CHECK: adze.matmul %arg0, %arg1 {transpose_b = true}
// CHECK: adze.reshape %arg2
func.func @matmul(%a: tensor<4x5xf32>, %b: tensor<6x5xf32>, %c: tensor<1x?x3xf32>)
    -> (tensor<4x6xf32>, tensor<?x1x3xf32>) {
  %0 = adze.transpose %b {perm = array<i64: 1, 0>} : (tensor<6x5xf32>) -> tensor<5x6xf32>
  %1 = adze.matmul %a, %0 : (tensor<4x5xf32>, tensor<5x6xf32>) -> tensor<4x6xf32>
  %2 = adze.transpose %c {perm = array<i64: 1, 0, 2>} : (tensor<1x?x3xf32>) -> tensor<?x1x3xf32>
  return %1, %2 : tensor<4x6xf32>, tensor<?x1x3xf32>
}

// -----

// Merged axes that stay neighbours do not stop a transpose, nor does a query of
// the shape.
// CHECK-LABEL: func.func @merge
// CHECK-NOT: adze.transpose
// CHECK: %[[R:.*]] = adze.reshape %arg0, %{{.*}} : (tensor<?x?x?x8xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
// CHECK: return %[[R]]
func.func @merge(%x: tensor<?x?x?x8xf32>) -> tensor<?x?x8xf32> {
  %zero = adze.constant dense<0> : tensor<1xi64> : tensor<1xi64>
  %rest = adze.constant dense<[8, -1]> : tensor<2xi64> : tensor<2xi64>
  %0 = adze.transpose %x {perm = array<i64: 0, 3, 1, 2>} : (tensor<?x?x?x8xf32>) -> tensor<?x8x?x?xf32>
  %1 = adze.shape_of %0 : (tensor<?x8x?x?xf32>) -> tensor<4xi64>
  %2 = adze.gather %1, %zero {axis = 0 : i64} : (tensor<4xi64>, tensor<1xi64>) -> tensor<1xi64>
  %3 = adze.concat %2, %rest {axis = 0 : i64} : (tensor<1xi64>, tensor<2xi64>) -> tensor<3xi64>
  %4 = adze.reshape %0, %3 : (tensor<?x8x?x?xf32>, tensor<3xi64>) -> tensor<?x8x?xf32>
  %5 = adze.transpose %4 {perm = array<i64: 0, 2, 1>} : (tensor<?x8x?xf32>) -> tensor<?x?x8xf32>
  return %5 : tensor<?x?x8xf32>
}

// -----

// Axes that a transpose takes apart cannot be merged before it.
// CHECK-LABEL: func.func @no_merge
// CHECK: %[[T:.*]] = adze.transpose %arg0
// CHECK: adze.reshape %[[T]]
func.func @no_merge(%x: tensor<2x3x4xf32>) -> tensor<12x2xf32> {
  %s = adze.constant dense<[12, 2]> : tensor<2xi64> : tensor<2xi64>
  %0 = adze.transpose %x {perm = array<i64: 2, 1, 0>} : (tensor<2x3x4xf32>) -> tensor<4x3x2xf32>
  %1 = adze.reshape %0, %s : (tensor<4x3x2xf32>, tensor<2xi64>) -> tensor<12x2xf32>
  return %1 : tensor<12x2xf32>
}
