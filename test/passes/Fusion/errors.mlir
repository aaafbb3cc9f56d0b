// RUN: adze-opt %s --adze-form-fusions -verify-diagnostics

func.func @override(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{adze.fuse must be "alone" or "join"}}
  %0 = adze.elementwise exp(%x) {adze.fuse = "never"} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
