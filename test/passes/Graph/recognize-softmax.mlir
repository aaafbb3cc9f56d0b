// RUN: adze-opt %s --split-input-file --adze-recognize-softmax | FileCheck %s

// CHECK-LABEL: func.func @softmax
// CHECK-NEXT: %[[Y:.*]] = adze.softmax %arg0 {axis = 1 : i64}
// CHECK-NEXT: return %[[Y]]
func.func @softmax(%x: tensor<?x9xf32>) -> tensor<?x9xf32> {
  %m = adze.reduce %x {kind = #adze<reduce_kind max>, axes = array<i64: 1>, keepdims = true} : (tensor<?x9xf32>) -> tensor<?x1xf32>
  %d = adze.elementwise sub(%x, %m) : (tensor<?x9xf32>, tensor<?x1xf32>) -> tensor<?x9xf32>
  %e = adze.elementwise exp(%d) : (tensor<?x9xf32>) -> tensor<?x9xf32>
  %s = adze.reduce %e {kind = #adze<reduce_kind sum>, axes = array<i64: 1>, keepdims = true} : (tensor<?x9xf32>) -> tensor<?x1xf32>
  %y = adze.elementwise div(%e, %s) : (tensor<?x9xf32>, tensor<?x1xf32>) -> tensor<?x9xf32>
  return %y : tensor<?x9xf32>
}

// -----

// CHECK-LABEL: func.func @log_softmax
// CHECK-NEXT: adze.softmax %arg0 {axis = 0 : i64, log = true}
func.func @log_softmax(%x: tensor<4x9xf32>) -> tensor<4x9xf32> {
  %m = adze.reduce %x {kind = #adze<reduce_kind max>, axes = array<i64: 0>, keepdims = true} : (tensor<4x9xf32>) -> tensor<1x9xf32>
  %d = adze.elementwise sub(%x, %m) : (tensor<4x9xf32>, tensor<1x9xf32>) -> tensor<4x9xf32>
  %e = adze.elementwise exp(%d) : (tensor<4x9xf32>) -> tensor<4x9xf32>
  %s = adze.reduce %e {kind = #adze<reduce_kind sum>, axes = array<i64: 0>, keepdims = true} : (tensor<4x9xf32>) -> tensor<1x9xf32>
  %l = adze.elementwise log(%s) : (tensor<1x9xf32>) -> tensor<1x9xf32>
  %y = adze.elementwise sub(%d, %l) : (tensor<4x9xf32>, tensor<1x9xf32>) -> tensor<4x9xf32>
  return %y : tensor<4x9xf32>
}

// -----

// Without the maximum large elements overflow; along another axis it is no softmax.
// CHECK-LABEL: func.func @others
// CHECK-NOT: adze.softmax
func.func @others(%x: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %e = adze.elementwise exp(%x) : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %s = adze.reduce %e {kind = #adze<reduce_kind sum>, axes = array<i64: 1>, keepdims = true} : (tensor<4x4xf32>) -> tensor<4x1xf32>
  %y = adze.elementwise div(%e, %s) : (tensor<4x4xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>
  %m = adze.reduce %x {kind = #adze<reduce_kind max>, axes = array<i64: 0>, keepdims = true} : (tensor<4x4xf32>) -> tensor<1x4xf32>
  %d = adze.elementwise sub(%x, %m) : (tensor<4x4xf32>, tensor<1x4xf32>) -> tensor<4x4xf32>
  %f = adze.elementwise exp(%d) : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %t = adze.reduce %f {kind = #adze<reduce_kind sum>, axes = array<i64: 1>, keepdims = true} : (tensor<4x4xf32>) -> tensor<4x1xf32>
  %z = adze.elementwise div(%f, %t) : (tensor<4x4xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>
  return %y, %z : tensor<4x4xf32>, tensor<4x4xf32>
}
