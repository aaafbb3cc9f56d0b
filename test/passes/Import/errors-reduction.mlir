// RUN: adze-opt %s --onnx-to-adze --split-input-file --verify-diagnostics

func.func @run_time_axes(%x: tensor<4x4xf32>, %y: tensor<?xi64>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: ReduceSum is unsupported here, because the number of reduced axes is computed at run time}}
  %r0 = onnx.node "ReduceSum"(%x, %y) {since_version = 13 : i64, onnx_attributes = {keepdims = 0 : i64}}
      : (tensor<4x4xf32>, tensor<?xi64>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @integers(%x: tensor<4xi32>) -> tensor<*xi32> {
  // expected-error @below {{ADZ0202: ReduceLogSumExp is unsupported here, because its elements are integers}}
  %r0 = onnx.node "ReduceLogSumExp"(%x) {since_version = 18 : i64} : (tensor<4xi32>) -> tensor<*xi32>
  return %r0 : tensor<*xi32>
}

// -----

func.func @cumulative(%x: tensor<4xf32>) -> tensor<*xf32> {
  %y = onnx.constant dense<[0, 0]> : tensor<2xi64>
  // expected-error @below {{ADZ0301: CumSum: axis must be one number}}
  %r0 = onnx.node "CumSum"(%x, %y) {since_version = 14 : i64} : (tensor<4xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}
