// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// ONNX numerics: round half to even, add the zero point, then clamp.
// CHECK-LABEL: func.func @quantize
// CHECK: %[[Q:.*]] = arith.divf
// CHECK: %[[R:.*]] = math.roundeven %[[Q]]
// CHECK: %[[Z:.*]] = arith.uitofp %{{.*}} : i8 to f32
// CHECK: %[[S:.*]] = arith.addf %[[R]], %[[Z]]
// CHECK: arith.cmpf ogt, %[[S]], %cst
// CHECK: arith.fptoui
func.func @quantize(%x: tensor<4xf32>, %s: tensor<f32>, %z: tensor<ui8>) -> tensor<4xui8> {
  %0 = adze.quantize %x, %s, %z : (tensor<4xf32>, tensor<f32>, tensor<ui8>) -> tensor<4xui8>
  return %0 : tensor<4xui8>
}

// -----

// The difference is exact in integers.
// CHECK: affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: func.func @per_axis
// CHECK: %[[D:.*]] = arith.subi %{{.*}}, %{{.*}} : i32
// CHECK: %[[F:.*]] = arith.sitofp %[[D]] : i32 to f32
// CHECK: arith.mulf %[[F]]
func.func @per_axis(%x: tensor<4x6xi8>, %s: tensor<6xf32>, %z: tensor<6xi8>) -> tensor<4x6xf32> {
  %0 = adze.dequantize %x, %s, %z {axis = 1 : i64} : (tensor<4x6xi8>, tensor<6xf32>, tensor<6xi8>) -> tensor<4x6xf32>
  return %0 : tensor<4x6xf32>
}

// -----

// CHECK-LABEL: func.func @blocks
// CHECK: %[[B:.*]] = arith.divui %{{.*}}, %c2
// CHECK: tensor.extract %arg1[%{{.*}}, %[[B]]]
func.func @blocks(%x: tensor<4x6xi8>, %s: tensor<4x3xf32>, %z: tensor<4x3xi8>) -> tensor<4x6xf32> {
  %0 = adze.dequantize %x, %s, %z {axis = 1 : i64, block_size = 2 : i64} : (tensor<4x6xi8>, tensor<4x3xf32>, tensor<4x3xi8>) -> tensor<4x6xf32>
  return %0 : tensor<4x6xf32>
}
