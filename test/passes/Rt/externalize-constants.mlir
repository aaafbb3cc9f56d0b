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

// A constant that only changes its layout is written in it: two panels of two
// rows of sixteen.
// CHECK-LABEL: func.func @panels
func.func @panels() -> tensor<2x20xi8, #adze.panels<16>> {
  // CHECK-NEXT: adze_rt.constant 192 size 64 : tensor<2x20xi8, #adze.panels<16>>
  %0 = adze.constant dense<[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
    [20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39]]> : tensor<2x20xi8> : tensor<2x20xi8>
  %1 = adze.relayout %0 {layout = #adze.panels<16>} : (tensor<2x20xi8>) -> tensor<2x20xi8, #adze.panels<16>>
  return %1 : tensor<2x20xi8, #adze.panels<16>>
}

// Nine weights of a 3x3 kernel as 36 coefficients, in panels.
// CHECK-LABEL: func.func @winograd
func.func @winograd() -> tensor<3x3x2x3xf32, #adze.panels<4, winograd = 4>> {
  // CHECK-NEXT: adze_rt.constant 256 size 1152 : tensor<3x3x2x3xf32, #adze.panels<4, winograd = 4>>
  %0 = adze.constant dense<1.0> : tensor<3x3x2x3xf32> : tensor<3x3x2x3xf32>
  %1 = adze.relayout %0 {layout = #adze.panels<4, winograd = 4>} : (tensor<3x3x2x3xf32>) -> tensor<3x3x2x3xf32, #adze.panels<4, winograd = 4>>
  return %1 : tensor<3x3x2x3xf32, #adze.panels<4, winograd = 4>>
}
