// RUN: adze-opt %s --split-input-file --verify-diagnostics --adze-verify-phase=phase=import
// RUN: not adze-opt %s --adze-verify-phase=phase=nowhere 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: there is no contract of a phase 'nowhere'

// An imported module is onnx ops alone.
func.func @imported(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = onnx.node "Relu"(%x) {since_version = 14 : i64} : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @converted_too_soon(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{phase import left adze.elementwise, no onnx op}}
  %0 = adze.elementwise exp(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
