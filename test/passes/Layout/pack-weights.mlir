// RUN: adze-opt %s --adze-pack-weights | FileCheck %s

// 32 registers of 16 floats: up to four vectors of columns a panel.
module attributes {adze.target = {vector_bits = 512, vector_registers = 32, l2_bytes = 1048576}} {

// CHECK-LABEL: func.func @matmul
// CHECK: %[[P:.*]] = adze.relayout %{{.*}} {layout = #adze.panels<64>} : {{.*}} -> tensor<64x96xf32, #adze.panels<64>>
// CHECK: adze.matmul %arg0, %[[P]]
func.func @matmul(%a: tensor<?x64xf32>) -> tensor<?x96xf32> {
  %w = adze.constant dense<1.0> : tensor<64x96xf32> : tensor<64x96xf32>
  %0 = adze.matmul %a, %w : (tensor<?x64xf32>, tensor<64x96xf32>) -> tensor<?x96xf32>
  return %0 : tensor<?x96xf32>
}

// Transposed weights are stored the other way round first.
// CHECK-LABEL: func.func @transposed
// CHECK: adze.transpose %{{.*}} {perm = array<i64: 1, 0>} : (tensor<96x64xf32>) -> tensor<64x96xf32>
// CHECK: adze.relayout
// CHECK: adze.matmul
// CHECK-NOT: transpose_b = true
// CHECK: return
func.func @transposed(%a: tensor<?x64xf32>) -> tensor<?x96xf32> {
  %w = adze.constant dense<1.0> : tensor<96x64xf32> : tensor<96x64xf32>
  %0 = adze.matmul %a, %w {transpose_b = true} : (tensor<?x64xf32>, tensor<96x64xf32>) -> tensor<?x96xf32>
  return %0 : tensor<?x96xf32>
}

// Five vectors: three and two, not four and one.
// CHECK-LABEL: func.func @five
// CHECK: panels<48>
func.func @five(%a: tensor<?x64xf32>) -> tensor<?x80xf32> {
  %w = adze.constant dense<1.0> : tensor<64x80xf32> : tensor<64x80xf32>
  %0 = adze.matmul %a, %w : (tensor<?x64xf32>, tensor<64x80xf32>) -> tensor<?x80xf32>
  return %0 : tensor<?x80xf32>
}

// One row: more columns keep more sums in flight. A deep sum: fewer, so that
// they stay in the cache.
// CHECK-LABEL: func.func @row
// CHECK: panels<128>
// CHECK: panels<32>
func.func @row(%a: tensor<1x64xf32>, %b: tensor<?x8000xf32>) -> (tensor<1x960xf32>, tensor<?x64xf32>) {
  %w = adze.constant dense<1.0> : tensor<64x960xf32> : tensor<64x960xf32>
  %0 = adze.matmul %a, %w : (tensor<1x64xf32>, tensor<64x960xf32>) -> tensor<1x960xf32>
  %v = adze.constant dense<1.0> : tensor<8000x64xf32> : tensor<8000x64xf32>
  %1 = adze.matmul %b, %v : (tensor<?x8000xf32>, tensor<8000x64xf32>) -> tensor<?x64xf32>
  return %0, %1 : tensor<1x960xf32>, tensor<?x64xf32>
}

// CHECK-LABEL: func.func @conv
// CHECK: adze.relayout %{{.*}} : {{.*}} -> tensor<3x3x16x32xf32, #adze.panels<32>>
func.func @conv(%x: tensor<1x?x?x16xf32>) -> tensor<1x?x?x32xf32> {
  %w = adze.constant dense<1.0> : tensor<3x3x16x32xf32> : tensor<3x3x16x32xf32>
  %0 = adze.conv %x, %w {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, layout = #adze<layout nhwc>} : (tensor<1x?x?x16xf32>, tensor<3x3x16x32xf32>) -> tensor<1x?x?x32xf32>
  return %0 : tensor<1x?x?x32xf32>
}

// A 3x3 convolution of stride 1 goes by Winograd's filtering: fewer products.
// CHECK-LABEL: func.func @winograd
// CHECK: adze.relayout %{{.*}} {layout = #adze.panels<64, winograd = 4>} : {{.*}} -> tensor<3x3x64x64xf32, #adze.panels<64, winograd = 4>>
func.func @winograd(%x: tensor<1x56x56x64xf32>) -> tensor<1x56x56x64xf32> {
  %w = adze.constant dense<1.0> : tensor<3x3x64x64xf32> : tensor<3x3x64x64xf32>
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, layout = #adze<layout nhwc>} : (tensor<1x56x56x64xf32>, tensor<3x3x64x64xf32>) -> tensor<1x56x56x64xf32>
  return %0 : tensor<1x56x56x64xf32>
}

// Not where it does not pay: few results for many coefficients, few channels;
// and not in half precision.
// CHECK-LABEL: func.func @direct
// CHECK: -> tensor<3x3x512x512xf32, #adze.panels<{{[0-9]+}}>>
// CHECK: -> tensor<3x3x3x64xf32, #adze.panels<{{[0-9]+}}>>
// CHECK: -> tensor<3x3x64x64xf16, #adze.panels<{{[0-9]+}}>>
func.func @direct(%x: tensor<1x7x7x512xf32>, %y: tensor<1x64x64x3xf32>, %z: tensor<1x56x56x64xf16>) -> (tensor<1x7x7x512xf32>, tensor<1x64x64x64xf32>, tensor<1x56x56x64xf16>) {
  %w = adze.constant dense<1.0> : tensor<3x3x512x512xf32> : tensor<3x3x512x512xf32>
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, layout = #adze<layout nhwc>} : (tensor<1x7x7x512xf32>, tensor<3x3x512x512xf32>) -> tensor<1x7x7x512xf32>
  %v = adze.constant dense<1.0> : tensor<3x3x3x64xf32> : tensor<3x3x3x64xf32>
  %1 = adze.conv %y, %v {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, layout = #adze<layout nhwc>} : (tensor<1x64x64x3xf32>, tensor<3x3x3x64xf32>) -> tensor<1x64x64x64xf32>
  %u = adze.constant dense<1.0> : tensor<3x3x64x64xf16> : tensor<3x3x64x64xf16>
  %2 = adze.conv %z, %u {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, layout = #adze<layout nhwc>} : (tensor<1x56x56x64xf16>, tensor<3x3x64x64xf16>) -> tensor<1x56x56x64xf16>
  return %0, %1, %2 : tensor<1x7x7x512xf32>, tensor<1x64x64x64xf32>, tensor<1x56x56x64xf16>
}

// Keys are computed: they are transposed in front of more than a few queries, in
// one go with what transposed them before.
// CHECK-LABEL: func.func @keys
// CHECK: %[[A:.*]] = adze.transpose %arg1 {perm = array<i64: 0, 2, 1>} : (tensor<4x?x64xf32>) -> tensor<4x64x?xf32>
// CHECK: adze.matmul %arg0, %[[A]] : (tensor<4x?x64xf32>, tensor<4x64x?xf32>)
// CHECK: %[[B:.*]] = adze.transpose %arg2 {perm = array<i64: 1, 2, 0>} : (tensor<?x4x64xf32>) -> tensor<4x64x?xf32>
// CHECK: adze.matmul %arg0, %[[B]] : (tensor<4x?x64xf32>, tensor<4x64x?xf32>)
// CHECK: adze.matmul %arg3, %arg1 {transpose_b = true}
// CHECK: adze.matmul %arg0, %arg4 {transpose_b = true}
func.func @keys(%q: tensor<4x?x64xf32>, %k: tensor<4x?x64xf32>, %l: tensor<?x4x64xf32>, %one: tensor<4x1x64xf32>, %few: tensor<4x3x64xf32>) {
  %0 = adze.matmul %q, %k {transpose_b = true} : (tensor<4x?x64xf32>, tensor<4x?x64xf32>) -> tensor<4x?x?xf32>
  %1 = adze.transpose %l {perm = array<i64: 1, 0, 2>} : (tensor<?x4x64xf32>) -> tensor<4x?x64xf32>
  %2 = adze.matmul %q, %1 {transpose_b = true} : (tensor<4x?x64xf32>, tensor<4x?x64xf32>) -> tensor<4x?x?xf32>
  %3 = adze.matmul %one, %k {transpose_b = true} : (tensor<4x1x64xf32>, tensor<4x?x64xf32>) -> tensor<4x1x?xf32>
  %4 = adze.matmul %q, %few {transpose_b = true} : (tensor<4x?x64xf32>, tensor<4x3x64xf32>) -> tensor<4x?x3xf32>
  return
}

// Left alone: weights that are no constant, that have few columns, groups, a
// batch of matrices.
// CHECK-LABEL: func.func @plain
// CHECK-NOT: adze.relayout
func.func @plain(%a: tensor<?x64xf32>, %v: tensor<64x96xf32>, %x: tensor<1x8x8x16xf32>, %c: tensor<2x4x64xf32>) {
  %0 = adze.matmul %a, %v : (tensor<?x64xf32>, tensor<64x96xf32>) -> tensor<?x96xf32>
  %w = adze.constant dense<1.0> : tensor<64x5xf32> : tensor<64x5xf32>
  %1 = adze.matmul %a, %w : (tensor<?x64xf32>, tensor<64x5xf32>) -> tensor<?x5xf32>
  %g = adze.constant dense<1.0> : tensor<3x3x8x32xf32> : tensor<3x3x8x32xf32>
  %2 = adze.conv %x, %g {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 2 : i64, layout = #adze<layout nhwc>} : (tensor<1x8x8x16xf32>, tensor<3x3x8x32xf32>) -> tensor<1x6x6x32xf32>
  %b = adze.constant dense<1.0> : tensor<2x64x96xf32> : tensor<2x64x96xf32>
  %3 = adze.matmul %c, %b : (tensor<2x4x64xf32>, tensor<2x64x96xf32>) -> tensor<2x4x96xf32>
  return
}
}
