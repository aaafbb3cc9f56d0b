// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// The best k so far, in order: a better element moves the others down.
// CHECK-LABEL: func.func @topk
// CHECK: scf.for
// CHECK: %[[V:.*]] = tensor.extract %arg0
// CHECK: arith.cmpf ugt, %[[V]], %[[LAST:.*]] :
// CHECK: arith.cmpf ord, %[[LAST]], %[[LAST]]
// CHECK: scf.while
// CHECK: tensor.insert %[[V]]
func.func @topk(%x: tensor<3x9xf32>) -> (tensor<3x2xf32>, tensor<3x2xi64>) {
  %k = adze.constant dense<2> : tensor<i64> : tensor<i64>
  %0, %1 = adze.topk %x, %k {axis = 1 : i64, largest = true} : (tensor<3x9xf32>, tensor<i64>) -> (tensor<3x2xf32>, tensor<3x2xi64>)
  return %0, %1 : tensor<3x2xf32>, tensor<3x2xi64>
}

// -----

// Counted first, so that the result has its true size.
// CHECK-LABEL: func.func @nonzero
// CHECK: linalg.generic {{.*}}"reduction", "reduction"]
// CHECK: tensor.empty(%{{.*}}) : tensor<2x?xi64>
// CHECK: scf.for
// CHECK: scf.if
// CHECK-COUNT-2: tensor.insert
func.func @nonzero(%x: tensor<3x4xf32>) -> tensor<2x?xi64> {
  %0 = adze.nonzero %x : (tensor<3x4xf32>) -> tensor<2x?xi64>
  return %0 : tensor<2x?xi64>
}

// -----

// As many as were found are taken of a buffer for all.
// CHECK-LABEL: func.func @unique
// CHECK: %[[R:.*]]:{{.*}} = scf.for
// CHECK: tensor.extract_slice %{{.*}}[0] [%[[R]]#0] [1] : tensor<8xi64> to tensor<?xi64>
func.func @unique(%x: tensor<8xi64>) -> tensor<?xi64> {
  %0, %1, %2, %3 = adze.unique %x {sorted = true} : (tensor<8xi64>) -> (tensor<?xi64>, tensor<?xi64>, tensor<8xi64>, tensor<?xi64>)
  return %0 : tensor<?xi64>
}

// -----

// CHECK-LABEL: func.func @boxes
// CHECK: scf.for
// CHECK: scf.while
// CHECK: tensor.extract_slice {{.*}} to tensor<?x3xi64>
func.func @boxes(%b: tensor<1x6x4xf32>, %s: tensor<1x2x6xf32>, %n: tensor<i64>, %i: tensor<f32>, %t: tensor<f32>) -> tensor<?x3xi64> {
  %0 = adze.nms %b, %s, %n, %i, %t : (tensor<1x6x4xf32>, tensor<1x2x6xf32>, tensor<i64>, tensor<f32>, tensor<f32>) -> tensor<?x3xi64>
  return %0 : tensor<?x3xi64>
}
