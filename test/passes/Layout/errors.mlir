// RUN: adze-opt %s --split-input-file --verify-diagnostics --adze-assign-layout

func.func @pin(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{adze.order must be "keep" or "change"}}
  %0 = adze.elementwise abs(%x) {adze.order = "nchw"} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @pin_of_another_type(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{adze.order must be "keep" or "change"}}
  %0 = adze.elementwise abs(%x) {adze.order = 1 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
