// RUN: adze-opt %s --onnx-to-adze --split-input-file --verify-diagnostics

func.func @batch_axes(%x: tensor<4x4xf32>, %y: tensor<4x4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: FusedMatMul is unsupported here, because it transposes batch axes}}
  %r0 = onnx.node "FusedMatMul"(%x, %y) {domain = "com.microsoft", since_version = 1 : i64, onnx_attributes = {transBatchA = 1 : i64}}
      : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @activation(%x: tensor<1x4x8x8xf32>, %y: tensor<4x4x1x1xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: FusedConv is unsupported here, because it fuses the activation Gelu}}
  %r0 = onnx.node "FusedConv"(%x, %y) {domain = "com.microsoft", since_version = 1 : i64, onnx_attributes = {activation = "Gelu", kernel_shape = array<i64: 1, 1>}}
      : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @bits(%x: tensor<4x4xf32>, %y: tensor<4x1x1xui8>, %z: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: MatMulNBits is unsupported here, because its weight has 3 bits}}
  %r0 = onnx.node "MatMulNBits"(%x, %y, %z) {domain = "com.microsoft", since_version = 1 : i64, onnx_attributes = {bits = 3 : i64, K = 4 : i64, N = 4 : i64, block_size = 16 : i64}}
      : (tensor<4x4xf32>, tensor<4x1x1xui8>, tensor<4xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @block(%x: tensor<4x4xf32>, %y: tensor<4x1x1xui8>, %z: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: MatMulNBits: K, N and block_size must be positive}}
  %r0 = onnx.node "MatMulNBits"(%x, %y, %z) {domain = "com.microsoft", since_version = 1 : i64, onnx_attributes = {bits = 4 : i64, K = 4 : i64, N = 4 : i64, block_size = 0 : i64}}
      : (tensor<4x4xf32>, tensor<4x1x1xui8>, tensor<4xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @reordered(%x: tensor<4x4xf32>, %y: tensor<4x1x8xui8>, %z: tensor<4xf32>, %v: tensor<4xi32>) -> tensor<*xf32> {
  %u = onnx.none : !onnx.none
  // expected-error @below {{ADZ0202: MatMulNBits is unsupported here, because it reorders its groups by g_idx}}
  %r0 = onnx.node "MatMulNBits"(%x, %y, %z, %u, %v) {domain = "com.microsoft", since_version = 1 : i64, onnx_attributes = {bits = 4 : i64, K = 4 : i64, N = 4 : i64, block_size = 16 : i64}}
      : (tensor<4x4xf32>, tensor<4x1x8xui8>, tensor<4xf32>, !onnx.none, tensor<4xi32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @scalar_sum(%x: tensor<f32>, %y: tensor<f32>, %z: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: SkipLayerNormalization: its input has rank 0}}
  %r0 = onnx.node "SkipLayerNormalization"(%x, %y, %z) {domain = "com.microsoft", since_version = 1 : i64}
      : (tensor<f32>, tensor<f32>, tensor<4xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @statistics(%x: tensor<4x4xf32>, %y: tensor<4x4xf32>, %z: tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  // expected-error @below {{ADZ0202: SkipLayerNormalization is unsupported here, because it returns its statistics}}
  %r0, %r1 = onnx.node "SkipLayerNormalization"(%x, %y, %z) {domain = "com.microsoft", since_version = 1 : i64}
      : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %r0, %r1 : tensor<*xf32>, tensor<*xf32>
}

// -----

func.func @concat(%x: tensor<f32>, %y: tensor<ui8>) -> tensor<*xui8> {
  // expected-error @below {{ADZ0301: QLinearConcat: it has no inputs}}
  %r0 = onnx.node "QLinearConcat"(%x, %y) {domain = "com.microsoft", since_version = 1 : i64}
      : (tensor<f32>, tensor<ui8>) -> tensor<*xui8>
  return %r0 : tensor<*xui8>
}
