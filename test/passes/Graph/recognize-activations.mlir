// RUN: adze-opt %s --split-input-file --adze-recognize-activations | FileCheck %s

// CHECK-LABEL: func.func @hard_swish
// CHECK: %[[A:.*]] = adze.elementwise add(%arg0,
// CHECK: %[[B:.*]] = adze.elementwise max(%[[A]],
// CHECK: %[[C:.*]] = adze.elementwise min(%[[B]],
// CHECK: %[[SIXTH:.*]] = adze.constant dense<0.166666672> : tensor<f32>
// CHECK: %[[D:.*]] = adze.elementwise mul(%[[C]], %[[SIXTH]])
// CHECK: %[[Y:.*]] = adze.elementwise mul(%arg0, %[[D]])
// CHECK-NEXT: return %[[Y]]
func.func @hard_swish(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %zero = adze.constant dense<0.0> : tensor<f32> : tensor<f32>
  %three = adze.constant dense<3.0> : tensor<f32> : tensor<f32>
  %six = adze.constant dense<6.0> : tensor<1xf32> : tensor<1xf32>
  %a = adze.elementwise add(%x, %three) : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %c = adze.elementwise max(%a, %zero) : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %d = adze.elementwise min(%c, %six) : (tensor<?x8xf32>, tensor<1xf32>) -> tensor<?x8xf32>
  %m = adze.elementwise mul(%x, %d) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = adze.elementwise div(%m, %six) : (tensor<?x8xf32>, tensor<1xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// The division may come first, and stand alone.
// CHECK-LABEL: func.func @hard_sigmoid_times
// CHECK-NOT: adze.elementwise div
// CHECK: %[[G:.*]] = adze.elementwise mul(%[[C:.*]], %{{.*}}) : (tensor<4xf32>, tensor<f32>)
// CHECK: %[[Y:.*]] = adze.elementwise mul(%arg0, %[[G]])
// CHECK: return %[[Y]]
func.func @hard_sigmoid_times(%x: tensor<4xf32>) -> tensor<4xf32> {
  %zero = adze.constant dense<0.0> : tensor<f32> : tensor<f32>
  %three = adze.constant dense<3.0> : tensor<f32> : tensor<f32>
  %six = adze.constant dense<6.0> : tensor<f32> : tensor<f32>
  %a = adze.elementwise add(%three, %x) : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %c = adze.elementwise min(%a, %six) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %d = adze.elementwise max(%c, %zero) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %m = adze.elementwise div(%d, %six) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %y = adze.elementwise mul(%m, %x) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// Other limits and divisors are no hard sigmoid.
// CHECK-LABEL: func.func @no_hard_sigmoid
// CHECK: adze.elementwise div
// CHECK: adze.elementwise div
func.func @no_hard_sigmoid(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %zero = adze.constant dense<0.0> : tensor<f32> : tensor<f32>
  %three = adze.constant dense<3.0> : tensor<f32> : tensor<f32>
  %five = adze.constant dense<5.0> : tensor<f32> : tensor<f32>
  %six = adze.constant dense<6.0> : tensor<f32> : tensor<f32>
  %a = adze.elementwise add(%x, %three) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %c = adze.elementwise max(%a, %zero) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %d = adze.elementwise min(%c, %five) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %y = adze.elementwise div(%d, %six) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %e = adze.elementwise min(%c, %six) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %z = adze.elementwise div(%e, %five) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %y, %z : tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @gelu_erf
// CHECK: %[[S:.*]] = adze.constant dense<0.707106769> : tensor<f32>
// CHECK: %[[Z:.*]] = adze.elementwise mul(%arg0, %[[S]])
// CHECK: %[[E:.*]] = adze.elementwise erf(%[[Z]])
// CHECK-NOT: adze.elementwise div
// CHECK-DAG: %[[H:.*]] = adze.elementwise mul(%arg0,
// CHECK-DAG: %[[G:.*]] = adze.elementwise add(%[[E]],
// CHECK: adze.elementwise mul(%[[H]], %[[G]])
func.func @gelu_erf(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %half = adze.constant dense<0.5> : tensor<f32> : tensor<f32>
  %one = adze.constant dense<1.0> : tensor<f32> : tensor<f32>
  %root = adze.constant dense<1.41421354> : tensor<f32> : tensor<f32>
  %a = adze.elementwise div(%x, %root) : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %e = adze.elementwise erf(%a) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %g = adze.elementwise add(%e, %one) : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %m = adze.elementwise mul(%x, %g) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = adze.elementwise mul(%m, %half) : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// x^3 by pow, or by products.
// CHECK-LABEL: func.func @gelu_tanh
// CHECK-NOT: tanh
// CHECK: %[[Q:.*]] = adze.elementwise mul(%arg0, %arg0)
// CHECK: %[[T:.*]] = adze.elementwise mul(%[[Q]], %{{.*}})
// CHECK: %[[U:.*]] = adze.elementwise add(%[[T]], %{{.*}})
// CHECK: %[[Z:.*]] = adze.elementwise mul(%arg0, %[[U]])
// CHECK: %[[S:.*]] = adze.elementwise sigmoid(%[[Z]])
// CHECK: %[[Y:.*]] = adze.elementwise mul(%arg0, %[[S]])
// CHECK-NEXT: return %[[Y]]
func.func @gelu_tanh(%x: tensor<8xf32>) -> tensor<8xf32> {
  %half = adze.constant dense<0.5> : tensor<f32> : tensor<f32>
  %one = adze.constant dense<1.0> : tensor<f32> : tensor<f32>
  %three = adze.constant dense<3.0> : tensor<f32> : tensor<f32>
  %c = adze.constant dense<0.044715> : tensor<f32> : tensor<f32>
  %k = adze.constant dense<0.797884583> : tensor<f32> : tensor<f32>
  %p = adze.elementwise pow(%x, %three) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %q = adze.elementwise mul(%p, %c) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %s = adze.elementwise add(%x, %q) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %z = adze.elementwise mul(%s, %k) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %t = adze.elementwise tanh(%z) : (tensor<8xf32>) -> tensor<8xf32>
  %g = adze.elementwise add(%t, %one) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %h = adze.elementwise mul(%x, %half) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %y = adze.elementwise mul(%h, %g) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// -----

// CHECK-LABEL: func.func @silu
// CHECK: %[[S:.*]] = adze.elementwise sigmoid(%arg0)
// CHECK: %[[Y:.*]] = adze.elementwise mul(%arg0, %[[S]])
// CHECK: %[[T:.*]] = adze.elementwise sigmoid(%arg0)
// CHECK: return %[[Y]], %[[T]]
func.func @silu(%x: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>) {
  %one = adze.constant dense<1.0> : tensor<f32> : tensor<f32>
  %n = adze.elementwise neg(%x) : (tensor<?xf32>) -> tensor<?xf32>
  %e = adze.elementwise exp(%n) : (tensor<?xf32>) -> tensor<?xf32>
  %d = adze.elementwise add(%e, %one) : (tensor<?xf32>, tensor<f32>) -> tensor<?xf32>
  %y = adze.elementwise div(%x, %d) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %z = adze.elementwise div(%one, %d) : (tensor<f32>, tensor<?xf32>) -> tensor<?xf32>
  return %y, %z : tensor<?xf32>, tensor<?xf32>
}

// -----

// The ONNX nodes of all that went are named by what came.
// RUN: adze-opt %s --split-input-file --adze-recognize-activations --mlir-print-debuginfo | FileCheck %s --check-prefix=LOC
// LOC-DAG: #[[EXP:.*]] = loc("exp")
// LOC-DAG: #[[DIV:.*]] = loc("div")
// LOC-DAG: #[[NEG:.*]] = loc("neg")
// LOC-DAG: #[[ADD:.*]] = loc("add")
// LOC: loc(fused[#[[DIV]], #[[ADD]], #[[EXP]], #[[NEG]]])
func.func @locations(%x: tensor<4xf32>) -> tensor<4xf32> {
  %one = adze.constant dense<1.0> : tensor<f32> : tensor<f32>
  %n = adze.elementwise neg(%x) : (tensor<4xf32>) -> tensor<4xf32> loc("neg")
  %e = adze.elementwise exp(%n) : (tensor<4xf32>) -> tensor<4xf32> loc("exp")
  %d = adze.elementwise add(%e, %one) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32> loc("add")
  %y = adze.elementwise div(%one, %d) : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32> loc("div")
  return %y : tensor<4xf32>
}
