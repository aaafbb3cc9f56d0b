// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// Batch dimensions broadcast by the maps; an extent of 1 reads element 0.
// CHECK-DAG: #[[A:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, 0, d2, d4)>
// CHECK-DAG: #[[B:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d4, d3)>
// CHECK-LABEL: func.func @batch
// CHECK: linalg.generic {indexing_maps = [#[[A]], #[[B]], #{{.*}}], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
func.func @batch(%a: tensor<2x1x?x8xf32>, %b: tensor<3x8x4xf32>) -> tensor<2x3x?x4xf32> {
  %0 = adze.matmul %a, %b : (tensor<2x1x?x8xf32>, tensor<3x8x4xf32>) -> tensor<2x3x?x4xf32>
  return %0 : tensor<2x3x?x4xf32>
}

// -----

// A transposed operand is read in place.
// CHECK-DAG: #[[A:.*]] = affine_map<(d0, d1, d2) -> (d2, d0)>
// CHECK-DAG: #[[B:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: func.func @transposed
// CHECK: linalg.generic {indexing_maps = [#[[A]], #[[B]], #{{.*}}], {{.*}} ins(%arg0, %arg1
func.func @transposed(%a: tensor<8x4xf32>, %b: tensor<6x8xf32>) -> tensor<4x6xf32> {
  %0 = adze.matmul %a, %b {transpose_a = true, transpose_b = true} : (tensor<8x4xf32>, tensor<6x8xf32>) -> tensor<4x6xf32>
  return %0 : tensor<4x6xf32>
}

// -----

// Integers widen by their own signs and sum in the accumulator's type.
// CHECK-LABEL: func.func @integers
// CHECK: %[[L:.*]] = arith.extui %{{.*}} : i8 to i32
// CHECK: %[[R:.*]] = arith.extsi %{{.*}} : i8 to i32
// CHECK: %[[P:.*]] = arith.muli %[[L]], %[[R]] : i32
// CHECK: arith.addi %{{.*}}, %[[P]] : i32
func.func @integers(%a: tensor<4x8xui8>, %b: tensor<8x6xi8>) -> tensor<4x6xi32> {
  %0 = adze.matmul %a, %b {accumulator = i32} : (tensor<4x8xui8>, tensor<8x6xi8>) -> tensor<4x6xi32>
  return %0 : tensor<4x6xi32>
}

// -----

// Groups are a dimension of their own: a view, not a copy.
// CHECK-LABEL: func.func @groups
// CHECK: tensor.expand_shape %arg0 {{.*}} into tensor<1x8x8x2x2xf32>
// CHECK: tensor.expand_shape %arg1 {{.*}} into tensor<3x3x2x2x3xf32>
// CHECK: linalg.generic {{.*}}"parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]
// CHECK: tensor.collapse_shape {{.*}} into tensor<1x6x6x6xf32>
func.func @groups(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x2x6xf32>) -> tensor<1x6x6x6xf32> {
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 2 : i64, layout = #adze<layout nhwc>} : (tensor<1x8x8x4xf32>, tensor<3x3x2x6xf32>) -> tensor<1x6x6x6xf32>
  return %0 : tensor<1x6x6x6xf32>
}

// -----

// Strides and dilations are factors in the data's map.
// CHECK: affine_map<(d0, d1, d2, d3, d4) -> (d0, d3, d2 * 2 + d4 * 3)>
// CHECK-LABEL: func.func @strided
func.func @strided(%x: tensor<1x4x9xf32>, %w: tensor<6x4x3xf32>) -> tensor<1x6x2xf32> {
  %0 = adze.conv %x, %w {strides = array<i64: 2>, pads = array<i64: 0, 0>, dilations = array<i64: 3>} : (tensor<1x4x9xf32>, tensor<6x4x3xf32>) -> tensor<1x6x2xf32>
  return %0 : tensor<1x6x2xf32>
}

// -----

// Winograd coefficients: one sum over the three transforms, over input in whole
// tiles of six by six.
// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (d0, (d1 floordiv 4) * 4 + d6, (d2 floordiv 4) * 4 + d7, d8)>
// CHECK-DAG: #[[U:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (d3 floordiv 16, d4, d5, d8, d3 mod 16)>
// CHECK-DAG: #[[A:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (d1 mod 4, d4)>
// CHECK-LABEL: func.func @winograd
// CHECK-DAG: %[[B:.*]] = arith.constant dense<{{.*}}> : tensor<6x6xf32>
// CHECK-DAG: %[[P:.*]] = tensor.pad %arg0 low[0, 1, 1, 0] high[0, 4, 1, 0]
// CHECK: linalg.generic {{.*}}#[[X]], #[[U]]{{.*}}#[[A]]{{.*}} ins(%{{.*}}, %arg1, %[[B]], %[[B]], %{{.*}}, %{{.*}} : tensor<1x10x10x4xf32>, tensor<1x6x6x4x16xf32>, {{.*}}) {{.*}} attrs = {adze.winograd}
func.func @winograd(%x: tensor<1x5x8x4xf32>, %w: tensor<3x3x4x8xf32, #adze.panels<16, winograd = 4>>) -> tensor<1x5x8x8xf32> {
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, layout = #adze<layout nhwc>} : (tensor<1x5x8x4xf32>, tensor<3x3x4x8xf32, #adze.panels<16, winograd = 4>>) -> tensor<1x5x8x8xf32>
  return %0 : tensor<1x5x8x8xf32>
}
