// RUN: adze-opt %s --split-input-file --adze-recognize-normalize | FileCheck %s

// CHECK-LABEL: func.func @layer_norm
// CHECK-NOT: adze.reduce
// CHECK: %[[N:.*]] = adze.normalize %arg0, %arg1, %arg2
// CHECK-SAME: axes = array<i64: 2>, center = true, epsilon = 9.99999974E-6 : f32
// CHECK-NEXT: return %[[N]]
func.func @layer_norm(%x: tensor<?x5x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<?x5x8xf32> {
  %two = adze.constant dense<2.0> : tensor<f32> : tensor<f32>
  %eps = adze.constant dense<1.0e-5> : tensor<f32> : tensor<f32>
  %m = adze.reduce %x {kind = #adze<reduce_kind mean>, axes = array<i64: 2>, keepdims = true}
    : (tensor<?x5x8xf32>) -> tensor<?x5x1xf32>
  %d = adze.elementwise sub(%x, %m) : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %q = adze.elementwise pow(%d, %two) : (tensor<?x5x8xf32>, tensor<f32>) -> tensor<?x5x8xf32>
  %v = adze.reduce %q {kind = #adze<reduce_kind mean>, axes = array<i64: 2>, keepdims = true}
    : (tensor<?x5x8xf32>) -> tensor<?x5x1xf32>
  %e = adze.elementwise add(%v, %eps) : (tensor<?x5x1xf32>, tensor<f32>) -> tensor<?x5x1xf32>
  %s = adze.elementwise sqrt(%e) : (tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %n = adze.elementwise div(%d, %s) : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %t = adze.elementwise mul(%g, %n) : (tensor<8xf32>, tensor<?x5x8xf32>) -> tensor<?x5x8xf32>
  %y = adze.elementwise add(%t, %b) : (tensor<?x5x8xf32>, tensor<8xf32>) -> tensor<?x5x8xf32>
  return %y : tensor<?x5x8xf32>
}

// -----

// CHECK-LABEL: func.func @rms_norm
// CHECK-NOT: adze.reduce
// CHECK: adze.normalize %arg0 {axes = array<i64: 1>, center = false
func.func @rms_norm(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %one = adze.constant dense<1.0> : tensor<f32> : tensor<f32>
  %eps = adze.constant dense<1.0e-5> : tensor<f32> : tensor<f32>
  %q = adze.elementwise mul(%x, %x) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %v = adze.reduce %q {kind = #adze<reduce_kind mean>, axes = array<i64: 1>, keepdims = true}
    : (tensor<4x8xf32>) -> tensor<4x1xf32>
  %e = adze.elementwise add(%eps, %v) : (tensor<f32>, tensor<4x1xf32>) -> tensor<4x1xf32>
  %s = adze.elementwise sqrt(%e) : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %r = adze.elementwise div(%one, %s) : (tensor<f32>, tensor<4x1xf32>) -> tensor<4x1xf32>
  %n = adze.elementwise mul(%x, %r) : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  return %n : tensor<4x8xf32>
}

// -----

// A sum instead of a mean, and the square of something else, are no
// normalisation.
// CHECK-LABEL: func.func @others
// CHECK-NOT: adze.normalize
func.func @others(%x: tensor<4x8xf32>, %z: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %eps = adze.constant dense<1.0e-5> : tensor<f32> : tensor<f32>
  %q = adze.elementwise mul(%x, %x) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %v = adze.reduce %q {kind = #adze<reduce_kind sum>, axes = array<i64: 1>, keepdims = true}
    : (tensor<4x8xf32>) -> tensor<4x1xf32>
  %e = adze.elementwise add(%v, %eps) : (tensor<4x1xf32>, tensor<f32>) -> tensor<4x1xf32>
  %s = adze.elementwise sqrt(%e) : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %n = adze.elementwise div(%x, %s) : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  %w = adze.reduce %q {kind = #adze<reduce_kind mean>, axes = array<i64: 1>, keepdims = true}
    : (tensor<4x8xf32>) -> tensor<4x1xf32>
  %f = adze.elementwise add(%w, %eps) : (tensor<4x1xf32>, tensor<f32>) -> tensor<4x1xf32>
  %t = adze.elementwise sqrt(%f) : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %o = adze.elementwise div(%z, %t) : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  return %n, %o : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// A bias that enlarges x does not join.
// CHECK-LABEL: func.func @large_bias
// CHECK: adze.normalize %arg0 {
// CHECK: adze.elementwise add
func.func @large_bias(%x: tensor<1x8xf32>, %b: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %n = adze.normalize %x {axes = array<i64: 1>, epsilon = 1.0e-5 : f32, center = true,
    operandSegmentSizes = array<i32: 1, 0, 0>} : (tensor<1x8xf32>) -> tensor<1x8xf32>
  %y = adze.elementwise add(%n, %b) : (tensor<1x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
