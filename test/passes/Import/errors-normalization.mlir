// RUN: adze-opt %s --onnx-to-adze --split-input-file --verify-diagnostics

func.func @batch(%x: tensor<4xf32>, %y: tensor<4xf32>, %z: tensor<4xf32>, %u: tensor<4xf32>, %v: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: BatchNormalization: its input must have rank 2 or more}}
  %r0 = onnx.node "BatchNormalization"(%x, %y, %z, %u, %v) {since_version = 15 : i64}
      : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @groups(%x: tensor<1x4x8x8xf32>, %y: tensor<4xf32>, %z: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: GroupNormalization: num_groups must be positive}}
  %r0 = onnx.node "GroupNormalization"(%x, %y, %z) {since_version = 21 : i64, onnx_attributes = {num_groups = 0 : i64}}
      : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @lp(%x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: LpNormalization: p must be 1 or 2}}
  %r0 = onnx.node "LpNormalization"(%x) {since_version = 22 : i64, onnx_attributes = {p = 3 : i64}}
      : (tensor<4xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @lrn(%x: tensor<1x4x8x8xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: LRN: size must be positive}}
  %r0 = onnx.node "LRN"(%x) {since_version = 13 : i64, onnx_attributes = {size = 0 : i64}}
      : (tensor<1x4x8x8xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @dropout(%x: tensor<4xf32>, %y: tensor<f32>, %z: tensor<i1>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: Dropout is unsupported here, because training_mode is not false}}
  %r0 = onnx.node "Dropout"(%x, %y, %z) {since_version = 22 : i64}
      : (tensor<4xf32>, tensor<f32>, tensor<i1>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @integer_matmul(%x: tensor<4xui8>, %y: tensor<4x4xui8>) -> tensor<*xi32> {
  // expected-error @below {{ADZ0202: MatMulInteger is unsupported here, because an operand has rank 1}}
  %r0 = onnx.node "MatMulInteger"(%x, %y) {since_version = 10 : i64}
      : (tensor<4xui8>, tensor<4x4xui8>) -> tensor<*xi32>
  return %r0 : tensor<*xi32>
}

// -----

func.func @training(%x: tensor<f32>, %y: tensor<i64>, %z: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Momentum: its inputs do not come in groups of 3}}
  %r0 = onnx.node "Momentum"(%x, %y, %z) {domain = "ai.onnx.preview.training", since_version = 1 : i64, onnx_attributes = {alpha = 0.9 : f32, beta = 0.1 : f32, mode = "standard", norm_coefficient = 0.0 : f32}}
      : (tensor<f32>, tensor<i64>, tensor<4xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}
