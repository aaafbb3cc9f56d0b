// RUN: adze-opt %s --adze-trace-shapes --cse | FileCheck %s

// Extents of arguments and constants, neighbours together.
// CHECK-LABEL: func.func @traced
// CHECK: %[[SHAPE:.*]] = adze.shape_of %arg0 : (tensor<?x?x8xf32>) -> tensor<3xi64>
// CHECK: %[[ROWS:.*]] = adze.gather %[[SHAPE]], %{{.*}} {axis = 0 : i64} : (tensor<3xi64>, tensor<2xi64>) -> tensor<2xi64>
// CHECK: %[[FOUR:.*]] = adze.constant dense<4>
// CHECK: %[[ALL:.*]] = adze.concat %[[ROWS]], %[[FOUR]]
// CHECK: return %[[ALL]]
func.func @traced(%x: tensor<?x?x8xf32>, %w: tensor<8x4xf32>) -> tensor<3xi64> {
  %0 = adze.matmul %x, %w : (tensor<?x?x8xf32>, tensor<8x4xf32>) -> tensor<?x?x4xf32>
  %1 = adze.shape_of %0 : (tensor<?x?x4xf32>) -> tensor<3xi64>
  return %1 : tensor<3xi64>
}

// Two extents that may be broadcast are not known.
// CHECK-LABEL: func.func @unknown
// CHECK: %[[S:.*]] = adze.elementwise add
// CHECK: adze.shape_of %[[S]]
func.func @unknown(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<1xi64> {
  %0 = adze.elementwise add(%x, %y) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %1 = adze.shape_of %0 : (tensor<?xf32>) -> tensor<1xi64>
  return %1 : tensor<1xi64>
}
