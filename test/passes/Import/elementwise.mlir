// RUN: adze-opt %s --onnx-to-adze --canonicalize --cse | FileCheck %s

// CHECK-LABEL: func @relu
// CHECK: %[[ZERO:.+]] = adze.constant dense<0.000000e+00>
// CHECK: adze.elementwise max(%arg0, %[[ZERO]]) : (tensor<?x4xf32>, tensor<f32>) -> tensor<?x4xf32>
func.func @relu(%x: tensor<?x4xf32>) -> tensor<*xf32> {
  %y = onnx.node "Relu"(%x) {since_version = 14 : i64} : (tensor<?x4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// The low bound is taken before the high one; an absent bound is no bound.
// CHECK-LABEL: func @clip_high
// CHECK-NOT: max
// CHECK: adze.elementwise min(%arg0, %arg1)
func.func @clip_high(%x: tensor<4xf32>, %hi: tensor<f32>) -> tensor<4xf32> {
  %none = onnx.none : !onnx.none
  %y = onnx.node "Clip"(%x, %none, %hi) {since_version = 13 : i64}
      : (tensor<4xf32>, !onnx.none, tensor<f32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// Version 6 has its bounds as attributes.
// CHECK-LABEL: func @clip_attributes
// CHECK-DAG: %[[LO:.+]] = adze.constant dense<-1.000000e+00>
// CHECK-DAG: %[[HI:.+]] = adze.constant dense<2.000000e+00>
// CHECK: %[[A:.+]] = adze.elementwise max(%arg0, %[[LO]])
// CHECK: adze.elementwise min(%[[A]], %[[HI]])
func.func @clip_attributes(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = onnx.node "Clip"(%x) {since_version = 6 : i64,
      onnx_attributes = {min = -1.0 : f32, max = 2.0 : f32}} : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// The base keeps its type; a square is a product.
// CHECK-LABEL: func @square
// CHECK: adze.elementwise mul(%arg0, %arg0)
func.func @square(%x: tensor<4xf32>) -> tensor<4xf32> {
  %two = onnx.constant dense<2.0> : tensor<f32>
  %y = onnx.node "Pow"(%x, %two) {since_version = 15 : i64}
      : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// A signed right shift keeps the sign, though the graph's shifts are logical.
// CHECK-LABEL: func @shift_right_signed
// CHECK: bitwise_not(%arg0)
// CHECK: select
func.func @shift_right_signed(%x: tensor<4xi8>, %s: tensor<4xi8>) -> tensor<4xi8> {
  %y = onnx.node "BitShift"(%x, %s) {since_version = 11 : i64,
      onnx_attributes = {direction = "RIGHT"}} : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// CHECK-LABEL: func @cast
// CHECK: adze.cast %arg0 {to = i64} : (tensor<4xf32>) -> tensor<4xi64>
func.func @cast(%x: tensor<4xf32>) -> tensor<4xi64> {
  %y = onnx.node "Cast"(%x) {since_version = 24 : i64, onnx_attributes = {to = 7 : i64}}
      : (tensor<4xf32>) -> tensor<4xi64>
  return %y : tensor<4xi64>
}

// Defaults of attributes are float32s, as attributes are.
// CHECK-LABEL: func @leaky_relu_f64
// CHECK: adze.constant dense<0.0099999997764825821> : tensor<f64>
func.func @leaky_relu_f64(%x: tensor<3xf64>) -> tensor<*xf64> {
  %y = onnx.node "LeakyRelu"(%x) {since_version = 16 : i64, onnx_attributes = {}}
      : (tensor<3xf64>) -> tensor<*xf64>
  return %y : tensor<*xf64>
}
