// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// What operands promise each other and types do not show is checked before it
// is relied on.

// CHECK-LABEL: func.func @gather_elements
// CHECK: arith.cmpi ule
// CHECK: adze_rt.check {{.*}}, "gather_elements: indices have a larger extent than the input"
// CHECK: linalg.generic
func.func @gather_elements(%x: tensor<?x4xf32>, %i: tensor<?x4xi64>) -> tensor<?x4xf32> {
  %0 = adze.gather_elements %x, %i {axis = 1 : i64} : (tensor<?x4xf32>, tensor<?x4xi64>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: func.func @scatter_elements
// CHECK: adze_rt.check {{.*}}, "scatter_elements: extents of its operands do not fit each other"
// CHECK: scf.for
func.func @scatter_elements(%x: tensor<4xf32>, %i: tensor<?xi64>, %u: tensor<?xf32>) -> tensor<4xf32> {
  %0 = adze.scatter_elements %x, %i, %u {axis = 0 : i64} : (tensor<4xf32>, tensor<?xi64>, tensor<?xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @topk
// CHECK: adze_rt.check {{.*}}, "topk: k is out of range"
func.func @topk(%x: tensor<4xf32>, %k: tensor<i64>) -> (tensor<?xf32>, tensor<?xi64>) {
  %0:2 = adze.topk %x, %k {axis = 0 : i64, largest = true} : (tensor<4xf32>, tensor<i64>) -> (tensor<?xf32>, tensor<?xi64>)
  return %0#0, %0#1 : tensor<?xf32>, tensor<?xi64>
}

// -----

// CHECK-LABEL: func.func @reshape
// CHECK: adze_rt.check {{.*}}, "reshape: an extent is below -1"
// CHECK: adze_rt.check {{.*}}, "reshape: the element counts differ"
func.func @reshape(%x: tensor<4xf32>, %s: tensor<1xi64>) -> tensor<?xf32> {
  %0 = adze.reshape %x, %s : (tensor<4xf32>, tensor<1xi64>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// CHECK-LABEL: func.func @quantize
// CHECK: adze_rt.check {{.*}}, "quantize: extents of its operands do not fit each other"
func.func @quantize(%x: tensor<2x?xf32>, %s: tensor<?xf32>, %z: tensor<?xi8>) -> tensor<2x?xi8> {
  %0 = adze.quantize %x, %s, %z {axis = 1 : i64} : (tensor<2x?xf32>, tensor<?xf32>, tensor<?xi8>) -> tensor<2x?xi8>
  return %0 : tensor<2x?xi8>
}

// -----

// What is proven costs nothing.
// CHECK-LABEL: func.func @proven
// CHECK-NOT: adze_rt.check
func.func @proven(%x: tensor<?x8xf32>, %w: tensor<8x?xf32>, %i: tensor<8x4xi64>) -> (tensor<?x?xf32>, tensor<8x4xf32>) {
  %0 = adze.matmul %x, %w : (tensor<?x8xf32>, tensor<8x?xf32>) -> tensor<?x?xf32>
  %c = adze.constant dense<0.0> : tensor<8x4xf32> : tensor<8x4xf32>
  %j = adze.constant dense<1> : tensor<8x4xi64> : tensor<8x4xi64>
  %1 = adze.gather_elements %c, %j {axis = 1 : i64} : (tensor<8x4xf32>, tensor<8x4xi64>) -> tensor<8x4xf32>
  return %0, %1 : tensor<?x?xf32>, tensor<8x4xf32>
}

// -----

// Weights of a transposed convolution in NHWC are [K..., C, O/g].
// CHECK-LABEL: func.func @conv_transpose
// CHECK-NOT: adze_rt.check
// CHECK: return
func.func @conv_transpose(%x: tensor<1x?x?x6xf32>, %w: tensor<3x3x6x4xf32>, %b: tensor<8xf32>) -> tensor<1x?x?x8xf32> {
  %0 = adze.conv_transpose %x, %w, %b {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, output_padding = array<i64: 0, 0>, groups = 2 : i64, layout = #adze<layout nhwc>} : (tensor<1x?x?x6xf32>, tensor<3x3x6x4xf32>, tensor<8xf32>) -> tensor<1x?x?x8xf32>
  return %0 : tensor<1x?x?x8xf32>
}
