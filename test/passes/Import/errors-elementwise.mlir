// RUN: adze-opt %s --onnx-to-adze --split-input-file --verify-diagnostics

func.func @alpha(%x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Celu: alpha is 0}}
  %r0 = onnx.node "Celu"(%x) {since_version = 12 : i64, onnx_attributes = {alpha = 0.0 : f32}}
      : (tensor<4xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @direction(%x: tensor<4xui8>, %y: tensor<4xui8>) -> tensor<*xui8> {
  // expected-error @below {{ADZ0301: BitShift: direction must be LEFT or RIGHT}}
  %r0 = onnx.node "BitShift"(%x, %y) {since_version = 11 : i64, onnx_attributes = {direction = "UP"}}
      : (tensor<4xui8>, tensor<4xui8>) -> tensor<*xui8>
  return %r0 : tensor<*xui8>
}

// -----

func.func @einsum(%x: tensor<4x4xf32>, %y: tensor<4x4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Einsum: its equation does not fit its operands}}
  %r0 = onnx.node "Einsum"(%x, %y) {since_version = 12 : i64, onnx_attributes = {equation = "ij->i"}}
      : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @matmul_scalar(%x: tensor<4xf32>, %y: tensor<f32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: MatMul: an operand has rank 0}}
  %r0 = onnx.node "MatMul"(%x, %y) {since_version = 13 : i64} : (tensor<4xf32>, tensor<f32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @gemm(%x: tensor<4x4xf32>, %y: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Gemm: its operands must have rank 2}}
  %r0 = onnx.node "Gemm"(%x, %y) {since_version = 13 : i64} : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @eye(%x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: EyeLike: its input must have rank 2}}
  %r0 = onnx.node "EyeLike"(%x) {since_version = 22 : i64} : (tensor<4xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}
