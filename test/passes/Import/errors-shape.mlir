// RUN: adze-opt %s --onnx-to-adze --split-input-file --verify-diagnostics

func.func @reshape(%x: tensor<4xf32>, %y: tensor<?xi64>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: Reshape is unsupported here, because the length of its shape is computed at run time}}
  %r0 = onnx.node "Reshape"(%x, %y) {since_version = 25 : i64} : (tensor<4xf32>, tensor<?xi64>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @flatten(%x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Flatten: axis is out of range}}
  %r0 = onnx.node "Flatten"(%x) {since_version = 25 : i64, onnx_attributes = {axis = 3 : i64}}
      : (tensor<4xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @squeeze_run_time(%x: tensor<4x4xf32>, %y: tensor<?xi64>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: Squeeze is unsupported here, because axes are computed at run time}}
  %r0 = onnx.node "Squeeze"(%x, %y) {since_version = 25 : i64} : (tensor<4x4xf32>, tensor<?xi64>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @squeeze_dynamic(%x: tensor<?xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: Squeeze is unsupported here, because no axes are given and axis 0 is dynamic}}
  %r0 = onnx.node "Squeeze"(%x) {since_version = 25 : i64} : (tensor<?xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @squeeze_extent(%x: tensor<4xf32>) -> tensor<*xf32> {
  %y = onnx.constant dense<[0]> : tensor<1xi64>
  // expected-error @below {{ADZ0301: Squeeze: axis 0 has extent 4}}
  %r0 = onnx.node "Squeeze"(%x, %y) {since_version = 25 : i64} : (tensor<4xf32>, tensor<1xi64>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @unsqueeze_run_time(%x: tensor<4xf32>, %y: tensor<?xi64>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: Unsqueeze is unsupported here, because the number of its axes is computed at run time}}
  %r0 = onnx.node "Unsqueeze"(%x, %y) {since_version = 25 : i64} : (tensor<4xf32>, tensor<?xi64>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @unsqueeze_missing(%x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Unsqueeze: axes are missing}}
  %r0 = onnx.node "Unsqueeze"(%x) {since_version = 11 : i64} : (tensor<4xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @expand(%x: tensor<4xf32>, %y: tensor<?xi64>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: Expand is unsupported here, because the length of its shape is computed at run time}}
  %r0 = onnx.node "Expand"(%x, %y) {since_version = 13 : i64} : (tensor<4xf32>, tensor<?xi64>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @text_constant() -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: Constant is unsupported here, because its value is a string or a sparse tensor}}
  %r0 = onnx.node "Constant"() {since_version = 25 : i64, onnx_attributes = {value_string = "a"}}
      : () -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @dft(%x: tensor<1x8x3xf32>) -> tensor<*xf32> {
  %y = onnx.none : !onnx.none
  %z = onnx.constant dense<1> : tensor<i64>
  // expected-error @below {{ADZ0301: DFT: its input must end in an axis of 1 or 2 elements, which is not transformed}}
  %r0 = onnx.node "DFT"(%x, %y, %z) {since_version = 20 : i64}
      : (tensor<1x8x3xf32>, !onnx.none, tensor<i64>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @dft_inverse(%x: tensor<1x8x2xf32>) -> tensor<*xf32> {
  %y = onnx.none : !onnx.none
  %z = onnx.constant dense<1> : tensor<i64>
  // expected-error @below {{ADZ0202: DFT is unsupported here, because it is inverse and onesided}}
  %r0 = onnx.node "DFT"(%x, %y, %z) {since_version = 20 : i64, onnx_attributes = {inverse = 1 : i64, onesided = 1 : i64}}
      : (tensor<1x8x2xf32>, !onnx.none, tensor<i64>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}
