// RUN: adze-opt %s --onnx-to-adze --canonicalize --cse | FileCheck %s

// The branch not taken is not there.
// CHECK-LABEL: func @if_known
// CHECK-NOT: adze.if
// CHECK: adze.elementwise neg
func.func @if_known(%x: tensor<4xf32>) -> tensor<*xf32> {
  %c = onnx.constant dense<true> : tensor<i1>
  %y = onnx.node "If"(%c) {since_version = 25 : i64, body_names = ["then_branch", "else_branch"]} bodies {
    %a = onnx.node "Neg"(%x) {since_version = 13 : i64} : (tensor<4xf32>) -> tensor<4xf32>
    onnx.return %a : tensor<4xf32>
  }, {
    %b = onnx.node "Exp"(%x) {since_version = 13 : i64} : (tensor<4xf32>) -> tensor<4xf32>
    onnx.return %b : tensor<4xf32>
  } : (tensor<i1>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// Extents that differ between the branches become dynamic.
// CHECK-LABEL: func @if_joined
// CHECK: adze.if %arg0 : (tensor<i1>) -> tensor<?xf32>
func.func @if_joined(%c: tensor<i1>, %x: tensor<4xf32>, %z: tensor<5xf32>) -> tensor<*xf32> {
  %y = onnx.node "If"(%c) {since_version = 25 : i64, body_names = ["then_branch", "else_branch"]} bodies {
    onnx.return %x : tensor<4xf32>
  }, {
    onnx.return %z : tensor<5xf32>
  } : (tensor<i1>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// A carried value that grows has a dynamic extent; a counted loop's scan has
// the trip count as its extent.
// CHECK-LABEL: func @loop_grows
// CHECK: adze.loop {{.*}} -> (tensor<?xf32>, tensor<3x1xf32>)
func.func @loop_grows(%x: tensor<1xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %n = onnx.constant dense<3> : tensor<i64>
  %t = onnx.constant dense<true> : tensor<i1>
  %y, %s = onnx.node "Loop"(%n, %t, %x) {since_version = 25 : i64, body_names = ["body"]} bodies {
  ^bb0(%i: tensor<i64>, %cond: tensor<i1>, %v: tensor<*xf32>):
    %w = onnx.node "Concat"(%v, %x) {since_version = 13 : i64, onnx_attributes = {axis = 0 : i64}}
        : (tensor<*xf32>, tensor<1xf32>) -> tensor<*xf32>
    onnx.return %cond, %w, %x : tensor<i1>, tensor<*xf32>, tensor<1xf32>
  } : (tensor<i64>, tensor<i1>, tensor<1xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %y, %s : tensor<*xf32>, tensor<*xf32>
}
