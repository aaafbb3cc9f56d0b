// RUN: adze-opt %s --adze-externalize-constants | FileCheck %s

// CHECK-LABEL: func.func @main
func.func @main() -> (tensor<32xf32>, tensor<32xf32>, tensor<20xi1>, tensor<2xi64>) {
  // CHECK: adze_rt.constant 0 size 128 : tensor<32xf32>
  %0 = adze.constant dense<1.0> : tensor<32xf32> : tensor<32xf32>
  // Equal contents are stored once.
  // CHECK: adze_rt.constant 0 size 128 : tensor<32xf32>
  %1 = adze.constant dense<1.0> : tensor<32xf32> : tensor<32xf32>
  // Bools take a byte each, offsets are aligned.
  // CHECK: adze_rt.constant 128 size 20 : tensor<20xi1>
  %2 = adze.constant dense<true> : tensor<20xi1> : tensor<20xi1>
  // Small constants stay: shape arithmetic folds them.
  // CHECK: adze.constant dense<[1, 2]>
  %3 = adze.constant dense<[1, 2]> : tensor<2xi64> : tensor<2xi64>
  return %0, %1, %2, %3 : tensor<32xf32>, tensor<32xf32>, tensor<20xi1>, tensor<2xi64>
}
