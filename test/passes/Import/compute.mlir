// RUN: adze-opt %s --onnx-to-adze --canonicalize --cse | FileCheck %s

// CHECK-LABEL: func @conv_same_upper
// CHECK: adze.conv {{.*}}pads = array<i64: 0, 0, 1, 1>, strides = array<i64: 2, 2>
// CHECK-SAME: -> tensor<1x4x4x4xf32>
func.func @conv_same_upper(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<*xf32> {
  %y = onnx.node "Conv"(%x, %w) {since_version = 22 : i64, onnx_attributes = {
      auto_pad = "SAME_UPPER", strides = array<i64: 2, 2>}}
      : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// SAME of an extent known at run time only is padding by an op.
// CHECK-LABEL: func @conv_same_dynamic
// CHECK: %[[P:.+]] = adze.pad %arg0
// CHECK: adze.conv %[[P]], %arg1
func.func @conv_same_dynamic(%x: tensor<1x3x?x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<*xf32> {
  %y = onnx.node "Conv"(%x, %w) {since_version = 22 : i64, onnx_attributes = {
      auto_pad = "SAME_LOWER", strides = array<i64: 2, 2>}}
      : (tensor<1x3x?x8xf32>, tensor<4x3x3x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// Constant statistics become one scale and one shift a channel.
// CHECK-LABEL: func @batch_normalization
// CHECK-DAG: %[[SCALE:.+]] = adze.constant dense<{{.*}}0.99{{.*}}0.99{{.*}}> : tensor<2x1x1xf32>
// CHECK-DAG: %[[SHIFT:.+]] = adze.constant dense<{{.*}}5.000000e-01{{.*}}-0.74{{.*}}> : tensor<2x1x1xf32>
// CHECK: %[[M:.+]] = adze.elementwise mul(%arg0, %[[SCALE]])
// CHECK: adze.elementwise add(%[[M]], %[[SHIFT]])
func.func @batch_normalization(%x: tensor<?x2x4x4xf32>) -> tensor<*xf32> {
  %s = onnx.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = onnx.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %m = onnx.constant dense<[0.0, 1.0]> : tensor<2xf32>
  %v = onnx.constant dense<[1.0, 4.0]> : tensor<2xf32>
  %y = onnx.node "BatchNormalization"(%x, %s, %b, %m, %v) {since_version = 15 : i64}
      : (tensor<?x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: func @gemm
// CHECK: adze.matmul %arg0, %arg1 {{.*}}transpose_b = true{{.*}} -> tensor<?x8xf32>
// CHECK: adze.elementwise add
func.func @gemm(%a: tensor<?x4xf32>, %b: tensor<8x4xf32>, %c: tensor<8xf32>) -> tensor<*xf32> {
  %y = onnx.node "Gemm"(%a, %b, %c) {since_version = 13 : i64, onnx_attributes = {transB = 1 : i64}}
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: func @einsum
// CHECK: adze.matmul {{.*}} -> tensor<2x3x5xf32>
func.func @einsum(%a: tensor<2x3x4xf32>, %b: tensor<2x4x5xf32>) -> tensor<*xf32> {
  %y = onnx.node "Einsum"(%a, %b) {since_version = 12 : i64, onnx_attributes = {
      equation = "bij,bjk->bik"}} : (tensor<2x3x4xf32>, tensor<2x4x5xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// Before version 13 softmax sees two dimensions.
// CHECK-LABEL: func @softmax_flattened
// CHECK: adze.reshape {{.*}} -> tensor<2x12xf32>
// CHECK: adze.softmax {{.*}}axis = 1
// CHECK: adze.reshape {{.*}} -> tensor<2x3x4xf32>
func.func @softmax_flattened(%x: tensor<2x3x4xf32>) -> tensor<*xf32> {
  %y = onnx.node "Softmax"(%x) {since_version = 11 : i64} : (tensor<2x3x4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// Without zero points the product stays one of bytes.
// CHECK-LABEL: func @matmul_integer
// CHECK: adze.matmul %arg0, %arg1 {accumulator = i32{{.*}} : (tensor<3x4xui8>, tensor<4x5xi8>) -> tensor<3x5xi32>
func.func @matmul_integer(%a: tensor<3x4xui8>, %b: tensor<4x5xi8>) -> tensor<*xi32> {
  %y = onnx.node "MatMulInteger"(%a, %b) {since_version = 10 : i64}
      : (tensor<3x4xui8>, tensor<4x5xi8>) -> tensor<*xi32>
  return %y : tensor<*xi32>
}

// CHECK-LABEL: func @lstm_batch_first
// CHECK: adze.transpose %arg0 {perm = array<i64: 1, 0, 2>}
// CHECK: adze.recurrent
// CHECK: adze.transpose {{.*}}perm = array<i64: 2, 0, 1, 3>
func.func @lstm_batch_first(%x: tensor<2x?x3xf32>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>) -> tensor<*xf32> {
  %y, %h, %c = onnx.node "LSTM"(%x, %w, %r) {since_version = 22 : i64, onnx_attributes = {
      layout = 1 : i64, hidden_size = 4 : i64}}
      : (tensor<2x?x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %y : tensor<*xf32>
}
