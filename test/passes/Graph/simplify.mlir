// RUN: adze-opt %s --split-input-file --adze-simplify --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @reshapes
// CHECK: %[[S:.*]] = adze.constant dense<12>
// CHECK: %[[R:.*]] = adze.reshape %arg0, %[[S]]
// CHECK: return %[[R]]
func.func @reshapes(%x: tensor<2x6xf32>) -> tensor<12xf32> {
  %a = adze.constant dense<[2, 3, 2]> : tensor<3xi64> : tensor<3xi64>
  %b = adze.constant dense<12> : tensor<1xi64> : tensor<1xi64>
  %0 = adze.reshape %x, %a : (tensor<2x6xf32>, tensor<3xi64>) -> tensor<2x3x2xf32>
  %1 = adze.reshape %0, %b : (tensor<2x3x2xf32>, tensor<1xi64>) -> tensor<12xf32>
  return %1 : tensor<12xf32>
}

// -----

// To the shape it has, known or not.
// CHECK-LABEL: func.func @same_shape
// CHECK-NEXT: return %arg0
func.func @same_shape(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %0 = adze.shape_of %x : (tensor<?x?xf32>) -> tensor<2xi64>
  %1 = adze.reshape %x, %0 : (tensor<?x?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  %2 = adze.expand %1, %0 : (tensor<?x?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %2 : tensor<?x?xf32>
}

// -----

// An unknown shape may be another one.
// CHECK-LABEL: func.func @other_shape
// CHECK: adze.reshape
func.func @other_shape(%x: tensor<?x?xf32>, %s: tensor<2xi64>) -> tensor<?x?xf32> {
  %0 = adze.reshape %x, %s : (tensor<?x?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// CHECK-LABEL: func.func @moves
// CHECK-NEXT: return %arg0
func.func @moves(%x: tensor<?x6xf32>) -> tensor<?x6xf32> {
  %zero = adze.constant dense<0> : tensor<2xi64> : tensor<2xi64>
  %one = adze.constant dense<1> : tensor<2xi64> : tensor<2xi64>
  %end = adze.constant dense<[9223372036854775807, 6]> : tensor<2xi64> : tensor<2xi64>
  %pads = adze.constant dense<0> : tensor<4xi64> : tensor<4xi64>
  %v = adze.constant dense<1.0> : tensor<f32> : tensor<f32>
  %0 = adze.concat %x {axis = 0 : i64} : (tensor<?x6xf32>) -> tensor<?x6xf32>
  %1 = adze.slice %0, %zero, %end, %one
    : (tensor<?x6xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x6xf32>
  %2 = adze.pad %1, %pads, %v : (tensor<?x6xf32>, tensor<4xi64>, tensor<f32>) -> tensor<?x6xf32>
  %3 = adze.tile %2, %one : (tensor<?x6xf32>, tensor<2xi64>) -> tensor<?x6xf32>
  %4 = adze.cast %3 {to = f32} : (tensor<?x6xf32>) -> tensor<?x6xf32>
  return %4 : tensor<?x6xf32>
}

// -----

// A step, a pad or a cut is work.
// CHECK-LABEL: func.func @real_moves
// CHECK: adze.slice
// CHECK: adze.pad
func.func @real_moves(%x: tensor<?xf32>) -> tensor<?xf32> {
  %zero = adze.constant dense<0> : tensor<1xi64> : tensor<1xi64>
  %one = adze.constant dense<1> : tensor<1xi64> : tensor<1xi64>
  %end = adze.constant dense<6> : tensor<1xi64> : tensor<1xi64>
  %pads = adze.constant dense<[0, 1]> : tensor<2xi64> : tensor<2xi64>
  %v = adze.constant dense<1.0> : tensor<f32> : tensor<f32>
  %0 = adze.slice %x, %zero, %end, %one
    : (tensor<?xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
  %1 = adze.pad %0, %pads, %v : (tensor<?xf32>, tensor<2xi64>, tensor<f32>) -> tensor<?xf32>
  return %1 : tensor<?xf32>
}

// -----

// CHECK-LABEL: func.func @neutral
// CHECK: %[[C:.*]] = adze.constant dense<1.250000e-01>
// CHECK: %[[M:.*]] = adze.elementwise mul(%arg0, %[[C]])
// CHECK: return %[[M]]
func.func @neutral(%x: tensor<4xf32>) -> tensor<4xf32> {
  %zero = adze.constant dense<0.0> : tensor<f32> : tensor<f32>
  %one = adze.constant dense<1.0> : tensor<4xf32> : tensor<4xf32>
  %eight = adze.constant dense<8.0> : tensor<f32> : tensor<f32>
  %0 = adze.elementwise add(%zero, %x) : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = adze.elementwise mul(%0, %one) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = adze.elementwise sub(%1, %zero) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %3 = adze.elementwise div(%2, %eight) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %3 : tensor<4xf32>
}

// -----

// Adding zeros of more dimensions broadcasts; 0 - x is not x; 1/3 is not exact.
// CHECK-LABEL: func.func @not_neutral
// CHECK: adze.elementwise add
// CHECK: adze.elementwise sub
// CHECK: adze.elementwise div
func.func @not_neutral(%x: tensor<4xf32>) -> tensor<2x4xf32> {
  %zeros = adze.constant dense<0.0> : tensor<2x1xf32> : tensor<2x1xf32>
  %zero = adze.constant dense<0.0> : tensor<f32> : tensor<f32>
  %three = adze.constant dense<3.0> : tensor<f32> : tensor<f32>
  %0 = adze.elementwise add(%x, %zeros) : (tensor<4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  %1 = adze.elementwise sub(%zero, %0) : (tensor<f32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %2 = adze.elementwise div(%1, %three) : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xf32>
  return %2 : tensor<2x4xf32>
}

// -----

// The consumer broadcasts by itself, unless the expand alone gives an extent.
// CHECK-LABEL: func.func @expands
// CHECK: %[[E:.*]] = adze.expand %arg1
// CHECK: adze.elementwise mul(%arg0, %arg1)
// CHECK: adze.elementwise abs(%[[E]])
func.func @expands(%x: tensor<?x8xf32>, %y: tensor<1x8xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %s = adze.shape_of %x : (tensor<?x8xf32>) -> tensor<2xi64>
  %0 = adze.expand %y, %s : (tensor<1x8xf32>, tensor<2xi64>) -> tensor<?x8xf32>
  %1 = adze.elementwise mul(%x, %0) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = adze.elementwise abs(%0) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %1, %2 : tensor<?x8xf32>, tensor<?x8xf32>
}

// -----

// A static shape is kept.
// CHECK-LABEL: func.func @keeps_static
// CHECK: adze.reshape
func.func @keeps_static(%x: tensor<?x3xf32>) -> tensor<4x3xf32> {
  %s = adze.constant dense<[4, 3]> : tensor<2xi64> : tensor<2xi64>
  %0 = adze.reshape %x, %s : (tensor<?x3xf32>, tensor<2xi64>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

// Slices of different axes are one; of one axis they stay.
// CHECK-LABEL: func.func @slices
// CHECK-DAG: %[[STARTS:.*]] = adze.constant dense<[1, 2]> : tensor<2xi64>
// CHECK-DAG: %[[ENDS:.*]] = adze.constant dense<[9223372036854775807, -1]> : tensor<2xi64>
// CHECK-DAG: %[[STEPS:.*]] = adze.constant dense<[2, 1]> : tensor<2xi64>
// CHECK: %[[S:.*]] = adze.slice %arg0, %[[STARTS]], %[[ENDS]], %[[STEPS]] : (tensor<?x8xf32>,
// CHECK: %[[T:.*]] = adze.slice %[[S]],
// CHECK: return %[[S]], %[[T]]
func.func @slices(%x: tensor<?x8xf32>) -> (tensor<?x5xf32>, tensor<?x3xf32>) {
  %a0 = adze.constant dense<[1, 0]> : tensor<2xi64> : tensor<2xi64>
  %a1 = adze.constant dense<9223372036854775807> : tensor<2xi64> : tensor<2xi64>
  %a2 = adze.constant dense<[2, 1]> : tensor<2xi64> : tensor<2xi64>
  %b0 = adze.constant dense<[0, 2]> : tensor<2xi64> : tensor<2xi64>
  %b1 = adze.constant dense<[9223372036854775807, -1]> : tensor<2xi64> : tensor<2xi64>
  %b2 = adze.constant dense<1> : tensor<2xi64> : tensor<2xi64>
  %0 = adze.slice %x, %a0, %a1, %a2 : (tensor<?x8xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x8xf32>
  %1 = adze.slice %0, %b0, %b1, %b2 : (tensor<?x8xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x5xf32>
  %2 = adze.slice %1, %b0, %a1, %b2 : (tensor<?x5xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x3xf32>
  return %1, %2 : tensor<?x5xf32>, tensor<?x3xf32>
}
