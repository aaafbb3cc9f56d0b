// RUN: adze-opt %s | adze-opt | FileCheck %s
// RUN: adze-opt %s --mlir-print-op-generic | adze-opt | FileCheck %s

// CHECK-LABEL: module attributes
// CHECK-SAME: onnx.opsets = {ai.onnx = 28 : i64, com.microsoft = 1 : i64}
module attributes {onnx.opsets = {ai.onnx = 28 : i64, com.microsoft = 1 : i64},
                   onnx.original_opset = 11 : i64, onnx.ir_version = 8 : i64,
                   onnx.metadata = [["character", "a\0Ab"], ["", ""]]} {

// CHECK-LABEL: func @signature
// CHECK-SAME: tensor<?x3xf32> {onnx.dims = ["batch", ""], onnx.name = "x\00y", onnx.ranges = [array<i64: 1, 8>, array<i64: 3, 3>]}
// CHECK-SAME: -> (tensor<?x3xf32> {onnx.name = "y"})
func.func @signature(%x: tensor<?x3xf32> {onnx.name = "x\00y", onnx.dims = ["batch", ""],
                                          onnx.ranges = [array<i64: 1, 8>, array<i64: 3, 3>]})
    -> (tensor<?x3xf32> {onnx.name = "y"}) {
  return %x : tensor<?x3xf32>
}

// CHECK-LABEL: func @node
func.func @node(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<*xf32> {
  // CHECK: %[[NONE:.+]] = onnx.none : !onnx.none
  %none = onnx.none : !onnx.none
  // CHECK: onnx.node "Conv"(%{{.+}}, %{{.+}}, %[[NONE]]) {
  // CHECK-SAME: auto_pad = "NOTSET", group = 1 : i64, pads = array<i64: 0, 0, 0, 0>
  // CHECK-SAME: since_version = 22 : i64} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, !onnx.none) -> tensor<*xf32>
  %y = onnx.node "Conv"(%x, %w, %none) {since_version = 22 : i64,
      onnx_attributes = {group = 1 : i64, pads = array<i64: 0, 0, 0, 0>, auto_pad = "NOTSET"}}
      : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, !onnx.none) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: func @several_results_and_no_inputs
func.func @several_results_and_no_inputs() {
  // CHECK: onnx.node "Make"() {domain = "my.ops", since_version = 3 : i64} : () -> (!onnx.unknown, tensor<2x!onnx.string>)
  %a, %b = onnx.node "Make"() {since_version = 3 : i64, domain = "my.ops"}
      : () -> (!onnx.unknown, tensor<2x!onnx.string>)
  return
}

// CHECK-LABEL: func @constants
func.func @constants() {
  // CHECK: onnx.constant dense<[1, 2]> : tensor<2xui8>
  %a = onnx.constant dense<[1, 2]> : tensor<2xui8>
  // CHECK: onnx.constant dense<["ab", "\00"]> : tensor<2x!onnx.string>
  %b = onnx.constant dense<["ab", "\00"]> : tensor<2x!onnx.string>
  // CHECK: onnx.constant dense<5.000000e-01> : tensor<4xf8E4M3FN>
  %c = onnx.constant dense<0.5> : tensor<4xf8E4M3FN>
  // CHECK: onnx.constant dense_resource<weights> : tensor<2xf32>
  %d = onnx.constant dense_resource<weights> : tensor<2xf32>
  return
}

// CHECK-LABEL: func @containers
// CHECK-SAME: !onnx.seq<tensor<?xf32>>, %{{.+}}: !onnx.optional<!onnx.seq<tensor<*xi64>>>
func.func @containers(%a: !onnx.seq<tensor<?xf32>>, %b: !onnx.optional<!onnx.seq<tensor<*xi64>>>) {
  return
}

// CHECK-LABEL: func @bodies
func.func @bodies(%c: tensor<i1>, %x: tensor<2xf32>) -> tensor<2xf32> {
  // CHECK: onnx.node "If"(%{{.+}}) {body_names = ["then_branch", "else_branch"], since_version = 25 : i64} bodies {
  // CHECK:   onnx.return %{{.+}} : tensor<2xf32>
  // CHECK: }, {
  // CHECK:   onnx.node "Relu"
  %y = onnx.node "If"(%c) {since_version = 25 : i64, body_names = ["then_branch", "else_branch"]} bodies {
    onnx.return %x : tensor<2xf32>
  }, {
    %r = onnx.node "Relu"(%x) {since_version = 14 : i64} : (tensor<2xf32>) -> tensor<2xf32>
    onnx.return %r : tensor<2xf32>
  } : (tensor<i1>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// CHECK-LABEL: func @body_with_arguments
func.func @body_with_arguments(%n: tensor<i64>, %c: tensor<i1>) {
  // CHECK: bodies {
  // CHECK-NEXT: ^bb0(%{{.+}}: tensor<i64>, %[[C:.+]]: tensor<i1>):
  onnx.node "Loop"(%n, %c) {since_version = 25 : i64, body_names = ["body"]} bodies {
  ^bb0(%i: tensor<i64>, %k: tensor<i1>):
    onnx.return %k : tensor<i1>
  } : (tensor<i64>, tensor<i1>) -> ()
  return
}
}

{-#
  dialect_resources: { builtin: { weights: "0x040000000000803F00000040" } }
#-}
