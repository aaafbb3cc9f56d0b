// RUN: adze-opt %s --split-input-file --verify-diagnostics --adze-verify-phase=phase=layout

func.func @once(%x: tensor<2x3xf32>) -> tensor<3x2xf32> {
  %0 = adze.transpose %x {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// -----

func.func @twice(%x: tensor<2x3x4xf32>) -> tensor<3x4x2xf32> {
  %0 = adze.transpose %x {perm = array<i64: 0, 2, 1>} : (tensor<2x3x4xf32>) -> tensor<2x4x3xf32>
  // expected-error @+1 {{phase layout left adze.transpose of another}}
  %1 = adze.transpose %0 {perm = array<i64: 2, 1, 0>} : (tensor<2x4x3xf32>) -> tensor<3x4x2xf32>
  return %1 : tensor<3x4x2xf32>
}

// -----

func.func @onnx_op(%x: tensor<2xf32>) {
  // expected-error @+1 {{phase layout left onnx.node, no adze op}}
  onnx.node "Sink"(%x) {since_version = 1 : i64} : (tensor<2xf32>) -> ()
  return
}
