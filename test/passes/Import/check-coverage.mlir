// RUN: not adze-opt %s --onnx-check-coverage=format=text 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=ERROR --input-file=%t
// RUN: not adze-opt %s --onnx-check-coverage=format=json 2>%t | FileCheck %s --check-prefix=JSON
// RUN: not adze-opt %s --onnx-check-coverage=target=moon 2>&1 | FileCheck %s --check-prefix=TARGET

// All nodes that have no converter are in one table, with counts, the most
// frequent first; nodes that have one are not in it.

// CHECK: operator domain since dtype dynamic nodes first nodes; reason
// CHECK-NEXT: Magic my.ops 3 f32 no 2 'first', 'in body'; no converter
// CHECK-NEXT: Odd ai.onnx 1 ? yes 1 'odd'; no converter
// CHECK-NEXT: Magic my.ops 3 f32 yes 1 'dynamic'; no converter
// CHECK-NOT: Relu

// ERROR: error: ADZ0201: 3 operator forms, in 4 nodes, are not supported by target 'host'
// ERROR-NEXT: note: Magic (my.ops, since 3, f32): no converter; 2 nodes: 'first', 'in body'

// JSON: {"unsupported":[{"count":2,"domain":"my.ops","dtype":"f32","dynamic":false,
// JSON-SAME: "nodes":[{"graph":"g","index":0,"name":"first"},{"graph":"body","index":1,"name":"in body"}],"op":"Magic"

// TARGET: not supported by target 'moon'
func.func @main(%c: tensor<i1>, %x: tensor<2xf32>, %d: tensor<?xf32>) -> tensor<2xf32> {
  %0 = onnx.node "Magic"(%x) {domain = "my.ops", since_version = 3 : i64} : (tensor<2xf32>) -> tensor<2xf32> loc(fused<"Magic">["first"("g":0:0)])
  %1 = onnx.node "Relu"(%0) {since_version = 14 : i64} : (tensor<2xf32>) -> tensor<2xf32>
  %2 = onnx.node "Magic"(%d) {domain = "my.ops", since_version = 3 : i64} : (tensor<?xf32>) -> tensor<?xf32> loc(fused<"Magic">["dynamic"("g":2:0)])
  %3 = onnx.node "Odd"() {since_version = 1 : i64} : () -> !onnx.unknown loc(fused<"Odd">["odd"("g":3:0)])
  %4 = onnx.node "If"(%c) {since_version = 25 : i64, body_names = ["then_branch", "else_branch"]} bodies {
    %5 = onnx.node "Magic"(%1) {domain = "my.ops", since_version = 3 : i64} : (tensor<2xf32>) -> tensor<2xf32> loc(fused<"Magic">["in body"("body":1:0)])
    onnx.return %5 : tensor<2xf32>
  }, {
    onnx.return %1 : tensor<2xf32>
  } : (tensor<i1>) -> tensor<2xf32>
  return %4 : tensor<2xf32>
}
