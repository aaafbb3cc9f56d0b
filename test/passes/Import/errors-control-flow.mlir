// RUN: adze-opt %s --onnx-to-adze --split-input-file --verify-diagnostics

func.func @no_else(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: If: else_branch is missing}}
  %y = onnx.node "If"(%c) {since_version = 25 : i64, body_names = ["then_branch"]} bodies {
    onnx.return %x : tensor<4xf32>
  } : (tensor<i1>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @known_branch(%x: tensor<4xf32>) -> tensor<*xf32> {
  %c = onnx.constant dense<false> : tensor<i1>
  // expected-error @below {{ADZ0301: If: a branch is missing}}
  %y = onnx.node "If"(%c) {since_version = 25 : i64, body_names = ["then_branch"]} bodies {
    onnx.return %x : tensor<4xf32>
  } : (tensor<i1>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @outputs(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: If: its branches have different numbers of outputs}}
  %y = onnx.node "If"(%c) {since_version = 25 : i64, body_names = ["then_branch", "else_branch"]} bodies {
    onnx.return %x : tensor<4xf32>
  }, {
    onnx.return %x, %x : tensor<4xf32>, tensor<4xf32>
  } : (tensor<i1>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @no_body(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Loop: body is missing}}
  %y = onnx.node "Loop"(%n, %c, %x) {since_version = 25 : i64}
      : (tensor<i64>, tensor<i1>, tensor<4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @body_arguments(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Loop: its body does not fit its inputs}}
  %y = onnx.node "Loop"(%n, %c, %x) {since_version = 25 : i64, body_names = ["body"]} bodies {
  ^bb0(%i: tensor<i64>, %k: tensor<i1>):
    onnx.return %k, %x : tensor<i1>, tensor<4xf32>
  } : (tensor<i64>, tensor<i1>, tensor<4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @carried(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<4xf32>, %z: tensor<f32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: Loop is unsupported here, because its carried value 0 changes its rank or element type}}
  %y = onnx.node "Loop"(%n, %c, %x) {since_version = 25 : i64, body_names = ["body"]} bodies {
  ^bb0(%i: tensor<i64>, %k: tensor<i1>, %v: tensor<4xf32>):
    onnx.return %k, %z : tensor<i1>, tensor<f32>
  } : (tensor<i64>, tensor<i1>, tensor<4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @scan_inputs(%x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Scan: num_scan_inputs does not fit its inputs}}
  %y = onnx.node "Scan"(%x) {since_version = 25 : i64, onnx_attributes = {num_scan_inputs = 2 : i64}, body_names = ["body"]} bodies {
  ^bb0(%v: tensor<f32>):
    onnx.return %v : tensor<f32>
  } : (tensor<4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @scan_body(%x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Scan: its body does not fit its inputs}}
  %y = onnx.node "Scan"(%x) {since_version = 25 : i64, onnx_attributes = {num_scan_inputs = 1 : i64}, body_names = ["body"]} bodies {
  ^bb0(%v: tensor<f32>, %w: tensor<f32>):
    onnx.return %v : tensor<f32>
  } : (tensor<4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
