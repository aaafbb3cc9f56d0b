// RUN: adze-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: func @constants
func.func @constants() -> (tensor<2xf32>, tensor<i1>) {
  // CHECK: adze.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
  %0 = adze.constant dense<[1.0, 2.0]> : tensor<2xf32> : tensor<2xf32>
  %1 = adze.constant dense<true> : tensor<i1> : tensor<i1>
  return %0, %1 : tensor<2xf32>, tensor<i1>
}

// CHECK-LABEL: func @elements
func.func @elements(%x: tensor<?x8xf32>, %c: tensor<?x8xi1>, %n: tensor<i64>) {
  // CHECK: adze.shape_of %{{.*}} : (tensor<?x8xf32>) -> tensor<2xi64>
  %0 = adze.shape_of %x : (tensor<?x8xf32>) -> tensor<2xi64>
  // CHECK: adze.elementwise add(%{{.*}}, %{{.*}}) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = adze.elementwise add(%x, %x) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: adze.elementwise select(
  %2 = adze.elementwise select(%c, %x, %1) : (tensor<?x8xi1>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: adze.cast %{{.*}} {to = f16}
  %3 = adze.cast %x {to = f16} : (tensor<?x8xf32>) -> tensor<?x8xf16>
  // CHECK: adze.bitcast %{{.*}} {to = i32}
  %4 = adze.bitcast %x {to = i32} : (tensor<?x8xf32>) -> tensor<?x8xi32>
  // CHECK: adze.range
  %5 = adze.range %n, %n, %n : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  return
}

// CHECK-LABEL: func @moving
func.func @moving(%x: tensor<?x8xf32>, %s: tensor<2xi64>, %p: tensor<4xi64>, %v: tensor<f32>,
                  %i: tensor<?x8xi64>, %t: tensor<3x1xi64>, %u: tensor<3x8xf32>, %k: tensor<i64>) {
  // CHECK: adze.reshape
  %0 = adze.reshape %x, %s : (tensor<?x8xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  // CHECK: adze.expand
  %1 = adze.expand %x, %s : (tensor<?x8xf32>, tensor<2xi64>) -> tensor<?x8xf32>
  // CHECK: adze.transpose %{{.*}} {perm = array<i64: 1, 0>}
  %2 = adze.transpose %x {perm = array<i64: 1, 0>} : (tensor<?x8xf32>) -> tensor<8x?xf32>
  // CHECK: adze.concat %{{.*}}, %{{.*}} {axis = 1 : i64}
  %3 = adze.concat %x, %x {axis = 1 : i64} : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x16xf32>
  // CHECK: adze.slice
  %4 = adze.slice %x, %s, %s, %s : (tensor<?x8xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x?xf32>
  // CHECK: adze.pad %{{.*}} {mode = #adze<pad_mode reflect>}
  %5 = adze.pad %x, %p, %v {mode = #adze<pad_mode reflect>} : (tensor<?x8xf32>, tensor<4xi64>, tensor<f32>) -> tensor<?x?xf32>
  // CHECK: adze.tile
  %6 = adze.tile %x, %s : (tensor<?x8xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  // CHECK: adze.gather %
  %7 = adze.gather %x, %i {axis = 0 : i64} : (tensor<?x8xf32>, tensor<?x8xi64>) -> tensor<?x8x8xf32>
  // CHECK: adze.gather_elements
  %8 = adze.gather_elements %x, %i {axis = 0 : i64} : (tensor<?x8xf32>, tensor<?x8xi64>) -> tensor<?x8xf32>
  // CHECK: adze.gather_nd
  %9 = adze.gather_nd %x, %t : (tensor<?x8xf32>, tensor<3x1xi64>) -> tensor<3x8xf32>
  // CHECK: adze.scatter_elements %{{.*}} {axis = 0 : i64, reduction = #adze<scatter_reduction max>}
  %10 = adze.scatter_elements %x, %i, %x {axis = 0 : i64, reduction = #adze<scatter_reduction max>} : (tensor<?x8xf32>, tensor<?x8xi64>, tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: adze.scatter_nd
  %11 = adze.scatter_nd %x, %t, %u : (tensor<?x8xf32>, tensor<3x1xi64>, tensor<3x8xf32>) -> tensor<?x8xf32>
  %lens = adze.constant dense<4> : tensor<8xi64> : tensor<8xi64>
  // CHECK: adze.reverse_sequence
  %12 = adze.reverse_sequence %x, %lens {batch_axis = 1 : i64, time_axis = 0 : i64} : (tensor<?x8xf32>, tensor<8xi64>) -> tensor<?x8xf32>
  // CHECK: adze.trilu
  %13 = adze.trilu %x, %k {upper = true} : (tensor<?x8xf32>, tensor<i64>) -> tensor<?x8xf32>
  %values = adze.constant dense<[0.0, 1.0]> : tensor<2xf32> : tensor<2xf32>
  // CHECK: adze.one_hot
  %14 = adze.one_hot %i, %k, %values {axis = 2 : i64} : (tensor<?x8xi64>, tensor<i64>, tensor<2xf32>) -> tensor<?x8x?xf32>
  %scales = adze.constant dense<2.0> : tensor<2xf32> : tensor<2xf32>
  // CHECK: adze.resize
  %15 = adze.resize %x, %s, %scales {mode = "linear", coordinate_mode = "half_pixel"} : (tensor<?x8xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<?x?xf32>
  return
}

// CHECK-LABEL: func @reductions
func.func @reductions(%x: tensor<?x8xf32>, %k: tensor<i64>, %b: tensor<1x5x4xf32>, %s: tensor<1x2x5xf32>, %t: tensor<f32>) {
  // CHECK: adze.reduce %{{.*}} {axes = array<i64: 1>, keepdims = true, kind = #adze<reduce_kind sum>}
  %0 = adze.reduce %x {kind = #adze<reduce_kind sum>, axes = array<i64: 1>, keepdims = true} : (tensor<?x8xf32>) -> tensor<?x1xf32>
  // CHECK: adze.arg_reduce
  %1 = adze.arg_reduce %x {kind = #adze<arg_kind min>, axis = 1 : i64, keepdims = false} : (tensor<?x8xf32>) -> tensor<?xi64>
  // CHECK: adze.cumulative
  %2 = adze.cumulative %x {kind = #adze<reduce_kind prod>, axis = 1 : i64} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: adze.softmax
  %3 = adze.softmax %x {axis = 1 : i64, log = true} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: adze.normalize
  %4 = adze.normalize %x, %t {axes = array<i64: 1>, epsilon = 1.0e-5 : f32, center = true, operandSegmentSizes = array<i32: 1, 1, 0>} : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  // CHECK: adze.topk
  %5:2 = adze.topk %x, %k {axis = 1 : i64, largest = false} : (tensor<?x8xf32>, tensor<i64>) -> (tensor<?x?xf32>, tensor<?x?xi64>)
  // CHECK: adze.nonzero
  %6 = adze.nonzero %x : (tensor<?x8xf32>) -> tensor<2x?xi64>
  // CHECK: adze.unique
  %7:4 = adze.unique %x {axis = 0 : i64, sorted = true} : (tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<?xi64>, tensor<?xi64>, tensor<?xi64>)
  // CHECK: adze.nms
  %8 = adze.nms %b, %s, %k, %t, %t : (tensor<1x5x4xf32>, tensor<1x2x5xf32>, tensor<i64>, tensor<f32>, tensor<f32>) -> tensor<?x3xi64>
  return
}

// CHECK-LABEL: func @anchors
func.func @anchors(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>, %bias: tensor<6xf32>, %v: tensor<4x6x3x3xf32>,
                   %s: tensor<5x2x4xf32>, %sw: tensor<1x9x4xf32>, %sr: tensor<1x9x3xf32>, %z: tensor<i8>, %f: tensor<f32>) {
  // CHECK: adze.matmul %{{.*}} {transpose_b = true}
  %0 = adze.matmul %x, %x {transpose_b = true} : (tensor<?x4x8x8xf32>, tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  // CHECK: adze.conv %{{.*}} {dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 1, 1>}
  %1 = adze.conv %x, %w, %bias {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<6xf32>) -> tensor<?x6x8x8xf32>
  // CHECK: adze.conv_transpose
  %2 = adze.conv_transpose %x, %v {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, output_padding = array<i64: 0, 0>} : (tensor<?x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<?x6x17x17xf32>
  // CHECK: adze.pool %{{.*}} kind = #adze<pool_kind average>
  %3 = adze.pool %x {kind = #adze<pool_kind average>, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x4x4xf32>
  // CHECK: adze.max_pool_indices
  %4:2 = adze.max_pool_indices %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x4x8x8xf32>) -> (tensor<?x4x4x4xf32>, tensor<?x4x4x4xi64>)
  // CHECK: adze.recurrent
  %5:3 = adze.recurrent %s, %sw, %sr {kind = #adze<recurrent_kind gru>, direction = "forward", activations = ["Sigmoid", "Tanh"], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>} : (tensor<5x2x4xf32>, tensor<1x9x4xf32>, tensor<1x9x3xf32>) -> (tensor<5x1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>)
  // CHECK: adze.quantize
  %6 = adze.quantize %x, %f, %z : (tensor<?x4x8x8xf32>, tensor<f32>, tensor<i8>) -> tensor<?x4x8x8xi8>
  // CHECK: adze.dequantize
  %7 = adze.dequantize %6, %f, %z : (tensor<?x4x8x8xi8>, tensor<f32>, tensor<i8>) -> tensor<?x4x8x8xf32>
  return
}

// CHECK-LABEL: func @regions
func.func @regions(%c: tensor<i1>, %n: tensor<i64>, %x: tensor<2xf32>) -> (tensor<2xf32>, tensor<?x2xf32>) {
  // CHECK: adze.if %{{.*}} : (tensor<i1>) -> tensor<2xf32> {
  // CHECK: } else {
  %0 = adze.if %c : (tensor<i1>) -> tensor<2xf32> {
    adze.yield %x : tensor<2xf32>
  } else {
    %y = adze.elementwise neg(%x) : (tensor<2xf32>) -> tensor<2xf32>
    adze.yield %y : tensor<2xf32>
  }
  // CHECK: adze.loop
  %1:2 = adze.loop %n, %c, %0 : (tensor<i64>, tensor<i1>, tensor<2xf32>) -> (tensor<2xf32>, tensor<?x2xf32>) {
  ^bb0(%i: tensor<i64>, %d: tensor<i1>, %v: tensor<2xf32>):
    adze.yield %d, %v, %v : tensor<i1>, tensor<2xf32>, tensor<2xf32>
  }
  // CHECK: adze.fusion(%{{.*}}) {reason = "chain"} : (tensor<2xf32>) -> tensor<2xf32> {
  %2 = adze.fusion(%1#0) {reason = "chain"} : (tensor<2xf32>) -> tensor<2xf32> {
  ^bb0(%a: tensor<2xf32>):
    %e = adze.elementwise exp(%a) : (tensor<2xf32>) -> tensor<2xf32>
    adze.yield %e : tensor<2xf32>
  }
  return %2, %1#1 : tensor<2xf32>, tensor<?x2xf32>
}

// CHECK-LABEL: func.func @layouts
func.func @layouts(%a: tensor<?x40xf32>, %w: tensor<40x50xf32>) -> (tensor<?x50xf32>, tensor<40x50xf32>) {
  // CHECK: adze.relayout %{{.*}} {layout = #adze.panels<32>} : (tensor<40x50xf32>) -> tensor<40x50xf32, #adze.panels<32>>
  %p = adze.relayout %w {layout = #adze.panels<32>} : (tensor<40x50xf32>) -> tensor<40x50xf32, #adze.panels<32>>
  // CHECK: adze.relayout %{{.*}} : (tensor<40x50xf32, #adze.panels<32>>) -> tensor<40x50xf32>
  %q = adze.relayout %p : (tensor<40x50xf32, #adze.panels<32>>) -> tensor<40x50xf32>
  // CHECK: adze.matmul
  %0 = adze.matmul %a, %p : (tensor<?x40xf32>, tensor<40x50xf32, #adze.panels<32>>) -> tensor<?x50xf32>
  return %0, %q : tensor<?x50xf32>, tensor<40x50xf32>
}
