// RUN: adze-opt %s --split-input-file --verify-diagnostics --adze-verify-phase=phase=graph
// RUN: adze-opt %s --split-input-file --verify-diagnostics --adze-verify-phase=phase=precision
// RUN: adze-opt %s --split-input-file --verify-diagnostics --adze-verify-phase=phase=quantize

func.func @kept(%x: tensor<2xf32> {onnx.name = "x"}) -> tensor<2xf32> {
  %0 = adze.elementwise exp(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @onnx_op(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error-re @+1 {{{{phase .* left onnx.node, no adze op}}}}
  %0 = onnx.node "Relu"(%x) {since_version = 14 : i64} : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

// expected-error-re @+1 {{{{phase .* left func.func with a type of the onnx dialect}}}}
func.func @onnx_type(%x: tensor<2x!onnx.string>) {
  return
}

// -----

func.func @later_op(%x: tensor<2xf32>) {
  // expected-error-re @+1 {{{{phase .* left arith.constant, no adze op}}}}
  %0 = arith.constant 1.0 : f32
  return
}
