// RUN: adze-opt %s --adze-order-kernels | FileCheck %s

// One large value at a time. The results stay what they were.
// CHECK-LABEL: func.func @pairs
// CHECK: %[[A:.*]] = adze.fusion(%arg0) {reason = "a"}
// CHECK: %[[C:.*]] = adze.fusion(%[[A]]) {reason = "c"}
// CHECK: %[[B:.*]] = adze.fusion(%arg0) {reason = "b"}
// CHECK: %[[D:.*]] = adze.fusion(%[[B]]) {reason = "d"}
// CHECK: return %[[C]], %[[D]]
func.func @pairs(%x: tensor<?x64xf32>) -> (tensor<?xf32>, tensor<?xf32>) attributes {adze.entry} {
  %a = adze.fusion(%x) {reason = "a"} : (tensor<?x64xf32>) -> tensor<?x64xf32> {
  ^bb0(%v: tensor<?x64xf32>):
    %0 = adze.elementwise neg(%v) : (tensor<?x64xf32>) -> tensor<?x64xf32>
    adze.yield %0 : tensor<?x64xf32>
  }
  %b = adze.fusion(%x) {reason = "b"} : (tensor<?x64xf32>) -> tensor<?x64xf32> {
  ^bb0(%v: tensor<?x64xf32>):
    %0 = adze.elementwise abs(%v) : (tensor<?x64xf32>) -> tensor<?x64xf32>
    adze.yield %0 : tensor<?x64xf32>
  }
  %c = adze.fusion(%a) {reason = "c"} : (tensor<?x64xf32>) -> tensor<?xf32> {
  ^bb0(%v: tensor<?x64xf32>):
    %0 = adze.reduce %v {kind = #adze<reduce_kind sum>, axes = array<i64: 1>, keepdims = false} : (tensor<?x64xf32>) -> tensor<?xf32>
    adze.yield %0 : tensor<?xf32>
  }
  %d = adze.fusion(%b) {reason = "d"} : (tensor<?x64xf32>) -> tensor<?xf32> {
  ^bb0(%v: tensor<?x64xf32>):
    %0 = adze.reduce %v {kind = #adze<reduce_kind sum>, axes = array<i64: 1>, keepdims = false} : (tensor<?x64xf32>) -> tensor<?xf32>
    adze.yield %0 : tensor<?xf32>
  }
  return %c, %d : tensor<?xf32>, tensor<?xf32>
}

// Nothing to gain: the order stays.
// CHECK-LABEL: func.func @same
// CHECK: {reason = "large"}
// CHECK: {reason = "small"}
func.func @same(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<f32>) attributes {adze.entry} {
  %a = adze.fusion(%x) {reason = "large"} : (tensor<8xf32>) -> tensor<8xf32> {
  ^bb0(%v: tensor<8xf32>):
    %0 = adze.elementwise neg(%v) : (tensor<8xf32>) -> tensor<8xf32>
    adze.yield %0 : tensor<8xf32>
  }
  %b = adze.fusion(%x) {reason = "small"} : (tensor<8xf32>) -> tensor<f32> {
  ^bb0(%v: tensor<8xf32>):
    %0 = adze.reduce %v {kind = #adze<reduce_kind sum>, axes = array<i64: 0>, keepdims = false} : (tensor<8xf32>) -> tensor<f32>
    adze.yield %0 : tensor<f32>
  }
  return %a, %b : tensor<8xf32>, tensor<f32>
}
