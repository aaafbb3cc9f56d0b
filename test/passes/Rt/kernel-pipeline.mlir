// RUN: adze-opt %s --adze-kernel-pipeline | FileCheck %s

// Kernels that differ in nothing but their arguments are one function, and
// each destination is a buffer of its own until the plan places it.
// CHECK-LABEL: func.func @entry
// CHECK: adze_rt.launch @kernel_0 kernel 0(
// CHECK: adze_rt.launch @kernel_0 kernel 1(
// CHECK: adze_rt.launch @kernel_0 kernel 2(
// CHECK: func.func private @kernel_0
// CHECK-NOT: func.func
func.func @entry(%x: tensor<?x8xf32>, %z: tensor<?x8xf32>) -> tensor<?x8xf32> attributes {adze.entry} {
  %0 = adze.fusion (%x) : (tensor<?x8xf32>) -> tensor<?x8xf32> {
  ^bb0(%a: tensor<?x8xf32>):
    %1 = adze.elementwise exp(%a) : (tensor<?x8xf32>) -> tensor<?x8xf32>
    adze.yield %1 : tensor<?x8xf32>
  }
  %2 = adze.fusion (%0) : (tensor<?x8xf32>) -> tensor<?x8xf32> {
  ^bb0(%a: tensor<?x8xf32>):
    %1 = adze.elementwise exp(%a) : (tensor<?x8xf32>) -> tensor<?x8xf32>
    adze.yield %1 : tensor<?x8xf32>
  }
  %3 = adze.fusion (%2) : (tensor<?x8xf32>) -> tensor<?x8xf32> {
  ^bb0(%a: tensor<?x8xf32>):
    %1 = adze.elementwise exp(%a) : (tensor<?x8xf32>) -> tensor<?x8xf32>
    adze.yield %1 : tensor<?x8xf32>
  }
  return %3 : tensor<?x8xf32>
}
