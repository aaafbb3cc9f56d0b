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

// -----

func.func @kernel_shape(%x: tensor<1x4x8x8xf32>, %w: tensor<4x4x3x3xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Conv: kernel_shape is not that of its weight}}
  %y = onnx.node "Conv"(%x, %w) {since_version = 22 : i64, onnx_attributes = {kernel_shape = array<i64: 5, 5>}}
      : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @constant_index(%x: tensor<2x3xf32>, %u: tensor<1xf32>) -> tensor<*xf32> {
  %i = onnx.constant dense<[-3]> : tensor<1xi64>
  // expected-error @below {{ADZ0301: Gather: index -3 is out of range for extent 2}}
  %y = onnx.node "Gather"(%x, %i) {since_version = 13 : i64}
      : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<*xf32>
  %e = onnx.constant dense<[[0, 3]]> : tensor<1x2xi64>
  // expected-error @below {{ADZ0301: GatherElements: index 3 is out of range for extent 3}}
  %z = onnx.node "GatherElements"(%x, %e) {since_version = 13 : i64, onnx_attributes = {axis = 1 : i64}}
      : (tensor<2x3xf32>, tensor<1x2xi64>) -> tensor<*xf32>
  // expected-error @below {{ADZ0301: ScatterND: index 3 is out of range for extent 3}}
  %s = onnx.node "ScatterND"(%x, %e, %u) {since_version = 18 : i64}
      : (tensor<2x3xf32>, tensor<1x2xi64>, tensor<1xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @resize_scale(%x: tensor<1x1x4x4xf32>) -> tensor<*xf32> {
  %none = onnx.none : !onnx.none
  %s = onnx.constant dense<[1.0, 1.0, 0.0, 2.0]> : tensor<4xf32>
  // expected-error @below {{ADZ0301: Resize: a scale is not positive and finite}}
  %y = onnx.node "Resize"(%x, %none, %s) {since_version = 19 : i64}
      : (tensor<1x1x4x4xf32>, !onnx.none, tensor<4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @hidden_size(%x: tensor<5x1x4xf32>, %w: tensor<1x0x4xf32>, %r: tensor<1x0x0xf32>,
                       %v: tensor<1x12x4xf32>, %q: tensor<1x12x3xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: LSTM: hidden_size must be positive}}
  %y:3 = onnx.node "LSTM"(%x, %w, %r) {since_version = 22 : i64, onnx_attributes = {hidden_size = 0 : i64}}
      : (tensor<5x1x4xf32>, tensor<1x0x4xf32>, tensor<1x0x0xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  // expected-error @below {{ADZ0301: LSTM: hidden_size is 4, but r has 3 columns}}
  %z:3 = onnx.node "LSTM"(%x, %v, %q) {since_version = 22 : i64, onnx_attributes = {hidden_size = 4 : i64}}
      : (tensor<5x1x4xf32>, tensor<1x12x4xf32>, tensor<1x12x3xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %y#0 : tensor<*xf32>
}
