// RUN: adze-opt %s --split-input-file --adze-fold-constants | FileCheck %s

// CHECK-LABEL: func.func @transpose
// CHECK: adze.constant dense<{{\[\[1, 4\], \[2, 5\], \[3, 6\]\]}}> : tensor<3x2xi32>
// CHECK-NOT: adze.transpose
func.func @transpose() -> tensor<3x2xi32> {
  %x = adze.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi32> : tensor<2x3xi32>
  %0 = adze.transpose %x {perm = array<i64: 1, 0>} : (tensor<2x3xi32>) -> tensor<3x2xi32>
  return %0 : tensor<3x2xi32>
}

// -----

// Known integers of a shape that is not known as a whole.
// CHECK-LABEL: func.func @known
// CHECK: adze.constant dense<8> : tensor<1xi64>
func.func @known(%x: tensor<?x8xf32>) -> tensor<1xi64> {
  %one = adze.constant dense<1> : tensor<1xi64> : tensor<1xi64>
  %0 = adze.shape_of %x : (tensor<?x8xf32>) -> tensor<2xi64>
  %1 = adze.gather %0, %one {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>) -> tensor<1xi64>
  return %1 : tensor<1xi64>
}

// -----

// Filling the artifact with an expanded scalar is not worth it.
// CHECK-LABEL: func.func @expanded
// CHECK: adze.expand
func.func @expanded() -> tensor<1000x1000xf32> {
  %x = adze.constant dense<1.0> : tensor<f32> : tensor<f32>
  %s = adze.constant dense<1000> : tensor<2xi64> : tensor<2xi64>
  %0 = adze.expand %x, %s : (tensor<f32>, tensor<2xi64>) -> tensor<1000x1000xf32>
  return %0 : tensor<1000x1000xf32>
}

// -----

// What the reference evaluates; splats stay splats.
// CHECK-LABEL: func.func @evaluated
// CHECK-DAG: adze.constant dense<[3.000000e+00, 5.000000e+00]> : tensor<2xf32>
// CHECK-DAG: adze.constant dense<2.000000e+00> : tensor<300x7xf32>
// CHECK-NOT: adze.elementwise
func.func @evaluated() -> (tensor<2xf32>, tensor<300x7xf32>) {
  %x = adze.constant dense<[1.0, 2.0]> : tensor<2xf32> : tensor<2xf32>
  %y = adze.constant dense<[2.0, 3.0]> : tensor<2xf32> : tensor<2xf32>
  %z = adze.constant dense<2.0> : tensor<7x300xf32> : tensor<7x300xf32>
  %0 = adze.elementwise add(%x, %y) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %1 = adze.transpose %z {perm = array<i64: 1, 0>} : (tensor<7x300xf32>) -> tensor<300x7xf32>
  return %0, %1 : tensor<2xf32>, tensor<300x7xf32>
}
