// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// Whole multiples repeat elements.
// CHECK-LABEL: func.func @repeat
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x4x2x4x2x3xf32>)
// CHECK: tensor.collapse_shape {{.*}} into tensor<1x8x8x3xf32>
func.func @repeat(%x: tensor<1x4x4x3xf32>) -> tensor<1x8x8x3xf32> {
  %s = adze.constant dense<[1, 8, 8, 3]> : tensor<4xi64> : tensor<4xi64>
  %f = adze.constant dense<[1.0, 2.0, 2.0, 1.0]> : tensor<4xf32> : tensor<4xf32>
  %0 = adze.resize %x, %s, %f {mode = "nearest", coordinate_mode = "asymmetric", nearest_mode = "floor"} : (tensor<1x4x4x3xf32>, tensor<4xi64>, tensor<4xf32>) -> tensor<1x8x8x3xf32>
  return %0 : tensor<1x8x8x3xf32>
}

// -----

// Indices and weights are computed once an axis, then every element reads them.
// CHECK-LABEL: func.func @linear
// CHECK-COUNT-4: linalg.generic {{.*}}iterator_types = ["parallel"]}
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]} ins(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<?xi64>, tensor<?xi64>, tensor<?xf32>, tensor<?xf32>)
// CHECK-COUNT-2: tensor.extract %arg0
func.func @linear(%x: tensor<?x3xf32>, %s: tensor<2xi64>, %f: tensor<2xf32>) -> tensor<?x3xf32> {
  %0 = adze.resize %x, %s, %f {mode = "linear", coordinate_mode = "half_pixel"} : (tensor<?x3xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}
