// RUN: adze-opt %s --adze-form-launches --mlir-print-local-scope | FileCheck %s

// Calls become launches in program order; one function may have several. A
// row's nodes are the ONNX nodes of the call's location; of a function's body the
// node that calls it.
// CHECK: module attributes {adze.kernels = [
// CHECK-SAME: {function = "kernel_0", nodes = ["a", "b"], reason = "max"},
// CHECK-SAME: {function = "kernel_0", nodes = ["c"], reason = ""},
// CHECK-SAME: {function = "kernel_0", nodes = ["caller"], reason = ""}]}
// CHECK-LABEL: func.func @main
// CHECK: adze_rt.launch @kernel_0 kernel 0(%arg0)
// CHECK: call @helper
// CHECK: adze_rt.launch @kernel_0 kernel 1(%arg0)
func.func private @kernel_0(memref<4xf32>)
func.func private @helper()
func.func @main(%x: memref<4xf32>) {
  call @kernel_0(%x) {adze.kernel = 0 : i32, adze.reason = "max"} : (memref<4xf32>) -> () loc(fused["a", "b", "a"])
  call @helper() : () -> ()
  call @kernel_0(%x) {adze.kernel = 1 : i32} : (memref<4xf32>) -> () loc("c")
  call @kernel_0(%x) {adze.kernel = 2 : i32} : (memref<4xf32>) -> () loc(callsite("body" at fused<"Gelu">["caller"("main":3:0)]))
  return
}
