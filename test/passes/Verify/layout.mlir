// RUN: adze-opt %s --split-input-file --verify-diagnostics --adze-verify-phase=phase=layout

func.func @nhwc(%x: tensor<1x8x8x3xf32>) -> tensor<1x7x7x3xf32> {
  %0 = adze.pool %x {kind = #adze<pool_kind max>, kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, layout = #adze<layout nhwc>} : (tensor<1x8x8x3xf32>) -> tensor<1x7x7x3xf32>
  return %0 : tensor<1x7x7x3xf32>
}

// -----

func.func @nchw(%x: tensor<1x3x8x8xf32>) -> tensor<1x3x7x7xf32> {
  // expected-error @+1 {{phase layout left adze.pool in NCHW}}
  %0 = adze.pool %x {kind = #adze<pool_kind max>, kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x7x7xf32>
  return %0 : tensor<1x3x7x7xf32>
}

// -----

func.func @onnx_op(%x: tensor<2xf32>) {
  // expected-error @+1 {{phase layout left onnx.node, no adze op}}
  onnx.node "Sink"(%x) {since_version = 1 : i64} : (tensor<2xf32>) -> ()
  return
}
