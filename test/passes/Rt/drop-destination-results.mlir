// RUN: adze-opt %s --adze-drop-destination-results --adze-form-launches | FileCheck %s

// CHECK: module attributes {adze.kernels = [{function = "kernel_0", nodes = ["relu"], reason = "max"}]}
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%{{.*}}: memref<4xf32>, %[[OUT:.*]]: memref<4xf32>)
func.func @main(%x: memref<4xf32>, %o: memref<4xf32>) -> memref<4xf32> {
  // CHECK: adze_rt.launch @kernel_0 kernel 0(%{{.*}}, %[[OUT]]) : (memref<4xf32>, memref<4xf32>) -> ()
  %0 = call @kernel_0(%x, %o) {adze.kernel = 0 : i32, adze.reason = "max"} : (memref<4xf32>, memref<4xf32>) -> memref<4xf32> loc("relu")
  // CHECK: return %[[OUT]]
  return %0 : memref<4xf32>
}
// CHECK: func.func private @kernel_0(%{{.*}}: memref<4xf32>, %{{.*}}: memref<4xf32>) {
func.func private @kernel_0(%x: memref<4xf32>, %o: memref<4xf32>) -> memref<4xf32> {
  memref.copy %x, %o : memref<4xf32> to memref<4xf32>
  return %o : memref<4xf32>
}
