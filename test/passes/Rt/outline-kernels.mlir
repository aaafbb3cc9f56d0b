// RUN: adze-opt %s --adze-outline-kernels --split-input-file | FileCheck %s

// The caller computes the extents and owns the result.
// CHECK-LABEL: func.func @dynamic
// CHECK-SAME: %[[X:.*]]: tensor<?x8xf32>
func.func @dynamic(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK: %[[D:.*]] = tensor.dim %[[X]]
  // CHECK: %[[E:.*]] = tensor.empty(%[[D]]) : tensor<?x8xf32>
  // CHECK: call @kernel_0(%[[X]], %[[E]]) {adze.kernel = 0 : i32, adze.reason = "exp"}
  %y = adze.fusion (%x) {reason = "exp"} : (tensor<?x8xf32>) -> tensor<?x8xf32> {
  ^bb0(%a: tensor<?x8xf32>):
    %0 = adze.elementwise exp(%a) : (tensor<?x8xf32>) -> tensor<?x8xf32>
    %1 = adze.elementwise neg(%0) : (tensor<?x8xf32>) -> tensor<?x8xf32>
    adze.yield %1 : tensor<?x8xf32>
  }
  return %y : tensor<?x8xf32>
}
// CHECK: func.func private @kernel_0(%[[A:[a-z0-9]+]]: tensor<?x8xf32> {adze.dims = affine_map<{{.*}} -> (s0, 8)>}, %[[OUT:.*]]: tensor<?x8xf32>)
// CHECK: bufferization.materialize_in_destination %{{.*}} in %[[OUT]]

// -----

// Extents that depend on data: the kernel returns its own memory.
// CHECK-LABEL: func.func @data_dependent
func.func @data_dependent(%x: tensor<8xf32>) -> tensor<1x?xi64> {
  // CHECK-NOT: tensor.empty
  // CHECK: call @kernel_0(%{{.*}}) {{.*}} : (tensor<8xf32>) -> tensor<1x?xi64>
  %y = adze.fusion (%x) : (tensor<8xf32>) -> tensor<1x?xi64> {
  ^bb0(%a: tensor<8xf32>):
    %0 = adze.nonzero %a : (tensor<8xf32>) -> tensor<1x?xi64>
    adze.yield %0 : tensor<1x?xi64>
  }
  return %y : tensor<1x?xi64>
}
