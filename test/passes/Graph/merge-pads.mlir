// RUN: adze-opt %s --split-input-file --adze-merge-pads | FileCheck %s

// CHECK-LABEL: func.func @merge
// CHECK-NOT: adze.pad
// CHECK: adze.conv %arg0, %arg1 {{.*}}pads = array<i64: 1, 2, 4, 4>
func.func @merge(%x: tensor<?x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<?x4x11x12xf32> {
  %p = adze.constant dense<[0, 0, 1, 1, 0, 0, 4, 3]> : tensor<8xi64> : tensor<8xi64>
  %zero = adze.constant dense<0.0> : tensor<f32> : tensor<f32>
  %0 = adze.pad %x, %p, %zero : (tensor<?x3x8x8xf32>, tensor<8xi64>, tensor<f32>) -> tensor<?x3x13x12xf32>
  %1 = adze.conv %0, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 1>, dilations = array<i64: 1, 1>}
    : (tensor<?x3x13x12xf32>, tensor<4x3x3x3xf32>) -> tensor<?x4x11x12xf32>
  return %1 : tensor<?x4x11x12xf32>
}

// -----

// Channels, other numbers than zero, cropping and reflection are not the convolution's.
// CHECK-LABEL: func.func @others
// CHECK-COUNT-4: adze.pad
func.func @others(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %v: tensor<4x4x3x3xf32>)
    -> (tensor<1x4x6x6xf32>, tensor<1x4x7x6xf32>, tensor<1x4x5x6xf32>, tensor<1x4x7x6xf32>) {
  %c = adze.constant dense<[0, 1, 0, 0, 0, 0, 0, 0]> : tensor<8xi64> : tensor<8xi64>
  %r = adze.constant dense<[0, 0, 1, 0, 0, 0, 0, 0]> : tensor<8xi64> : tensor<8xi64>
  %n = adze.constant dense<[0, 0, -1, 0, 0, 0, 0, 0]> : tensor<8xi64> : tensor<8xi64>
  %zero = adze.constant dense<0.0> : tensor<f32> : tensor<f32>
  %one = adze.constant dense<1.0> : tensor<f32> : tensor<f32>
  %0 = adze.pad %x, %c, %zero : (tensor<1x3x8x8xf32>, tensor<8xi64>, tensor<f32>) -> tensor<1x4x8x8xf32>
  %1 = adze.pad %x, %r, %one : (tensor<1x3x8x8xf32>, tensor<8xi64>, tensor<f32>) -> tensor<1x3x9x8xf32>
  %2 = adze.pad %x, %n, %zero : (tensor<1x3x8x8xf32>, tensor<8xi64>, tensor<f32>) -> tensor<1x3x7x8xf32>
  %3 = adze.pad %x, %r, %zero {mode = #adze<pad_mode reflect>} : (tensor<1x3x8x8xf32>, tensor<8xi64>, tensor<f32>) -> tensor<1x3x9x8xf32>
  %4 = adze.conv %0, %v {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x6x6xf32>
  %5 = adze.conv %1, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x3x9x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x7x6xf32>
  %6 = adze.conv %2, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x3x7x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x5x6xf32>
  %7 = adze.conv %3, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x3x9x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x7x6xf32>
  return %4, %5, %6, %7 : tensor<1x4x6x6xf32>, tensor<1x4x7x6xf32>, tensor<1x4x5x6xf32>, tensor<1x4x7x6xf32>
}
