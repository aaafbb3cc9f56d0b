// RUN: adze-opt %s --adze-outline-kernels --split-input-file | FileCheck %s

// The caller computes the extents and owns the result.
// CHECK-LABEL: func.func @dynamic
// CHECK-SAME: %[[X:.*]]: tensor<?x8xf32>
func.func @dynamic(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK: %[[D:.*]] = tensor.dim %[[X]]
  // CHECK: %[[E:.*]] = bufferization.alloc_tensor(%[[D]]) : tensor<?x8xf32>
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
  // CHECK-NOT: alloc_tensor
  // CHECK: call @kernel_0(%{{.*}}) {{.*}} : (tensor<8xf32>) -> tensor<1x?xi64>
  %y = adze.fusion (%x) : (tensor<8xf32>) -> tensor<1x?xi64> {
  ^bb0(%a: tensor<8xf32>):
    %0 = adze.nonzero %a : (tensor<8xf32>) -> tensor<1x?xi64>
    adze.yield %0 : tensor<1x?xi64>
  }
  return %y : tensor<1x?xi64>
}

// -----

// Kernels that know the same of their arguments are told it in the same words,
// whatever stands before them.
// CHECK-LABEL: func.func @numbered_by_use
// CHECK: func.func private @kernel_0(%{{.*}}: tensor<?x?xf32> {adze.dims = [[DIMS:affine_map<.*>]]}, %{{.*}}: tensor<?x?xf32>)
// CHECK: func.func private @kernel_1(%{{.*}}: tensor<?x?xf32> {adze.dims = [[DIMS]]}, %{{.*}}: tensor<?x?xf32>)
func.func @numbered_by_use(%x: tensor<?x?xf32>, %z: tensor<?x?xf32>) -> (tensor<?x?xf32>, tensor<?x?xf32>) {
  %y = adze.fusion (%x) : (tensor<?x?xf32>) -> tensor<?x?xf32> {
  ^bb0(%a: tensor<?x?xf32>):
    %0 = adze.elementwise exp(%a) : (tensor<?x?xf32>) -> tensor<?x?xf32>
    adze.yield %0 : tensor<?x?xf32>
  }
  %w = adze.fusion (%z) : (tensor<?x?xf32>) -> tensor<?x?xf32> {
  ^bb0(%a: tensor<?x?xf32>):
    %0 = adze.elementwise exp(%a) : (tensor<?x?xf32>) -> tensor<?x?xf32>
    adze.yield %0 : tensor<?x?xf32>
  }
  return %y, %w : tensor<?x?xf32>, tensor<?x?xf32>
}
