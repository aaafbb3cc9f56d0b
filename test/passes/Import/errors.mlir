// RUN: adze-opt %s --onnx-to-adze --split-input-file --verify-diagnostics

func.func @no_converter(%x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: Frobnicate is unsupported here, because adze has no converter for version 1 of this operator}}
  %y = onnx.node "Frobnicate"(%x) {since_version = 1 : i64} : (tensor<4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// All nodes are tried; what depends on a failed one stays quiet.
func.func @all_errors(%x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Softmax: axis 7 is out of range for rank 1}}
  %y = onnx.node "Softmax"(%x) {since_version = 13 : i64, onnx_attributes = {axis = 7 : i64}}
      : (tensor<4xf32>) -> tensor<*xf32>
  %z = onnx.node "Relu"(%y) {since_version = 14 : i64} : (tensor<*xf32>) -> tensor<*xf32>
  // expected-error @below {{ADZ0301: Transpose: perm is no permutation of the input's axes}}
  %t = onnx.node "Transpose"(%x) {since_version = 25 : i64, onnx_attributes = {perm = array<i64: 1>}}
      : (tensor<4xf32>) -> tensor<*xf32>
  return %z : tensor<*xf32>
}

// -----

func.func @missing_input(%x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Add: input 1 is missing}}
  %y = onnx.node "Add"(%x) {since_version = 14 : i64} : (tensor<4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @shapes(%x: tensor<4xf32>, %z: tensor<3xf32>) -> tensor<*xf32> {
  // expected-error @below {{shapes do not broadcast}}
  %y = onnx.node "Add"(%x, %z) {since_version = 14 : i64} : (tensor<4xf32>, tensor<3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @branches(%c: tensor<i1>, %x: tensor<4xf32>, %z: tensor<f32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: If is unsupported here, because its branches give output 0 different ranks or element types}}
  %y = onnx.node "If"(%c) {since_version = 25 : i64, body_names = ["then_branch", "else_branch"]} bodies {
    onnx.return %x : tensor<4xf32>
  }, {
    onnx.return %z : tensor<f32>
  } : (tensor<i1>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @zero_step(%x: tensor<4xf32>) -> tensor<*xf32> {
  %a = onnx.constant dense<[0]> : tensor<1xi64>
  // expected-error @below {{ADZ0301: Slice: a step is 0}}
  %y = onnx.node "Slice"(%x, %a, %a, %a, %a) {since_version = 13 : i64}
      : (tensor<4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @extra_output(%x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: Relu is unsupported here, because its output 1 is not computed}}
  %y, %z = onnx.node "Relu"(%x) {since_version = 14 : i64} : (tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %z : tensor<*xf32>
}
