// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// Indices are checked once; the copy wraps negative ones and stays in range.
// CHECK-LABEL: func.func @slices
// CHECK: %[[N:.*]] = tensor.dim %arg0
// CHECK: linalg.generic {{.*}}iterator_types = ["reduction"]} ins(%arg1
// CHECK: adze_rt.check %{{.*}}, "an index is out of range"
// CHECK: linalg.generic {{.*}} ins(%arg1
// CHECK: %[[W:.*]] = arith.addi %{{.*}}, %[[N]]
// CHECK: arith.select %{{.*}}, %[[W]],
// CHECK: arith.minsi
// CHECK: %[[I:.*]] = arith.maxsi
// CHECK: tensor.extract %arg0[%[[I]], %{{.*}}]
func.func @slices(%x: tensor<?x4xf32>, %i: tensor<3xi64>) -> tensor<3x4xf32> {
  %0 = adze.gather %x, %i {axis = 0 : i64} : (tensor<?x4xf32>, tensor<3xi64>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// -----

// CHECK-LABEL: func.func @elements
// CHECK: adze_rt.check %{{.*}}, "an index is out of range"
// CHECK: linalg.generic {{.*}} ins(%arg1 : tensor<2x4xi32>)
// CHECK: %[[D:.*]] = linalg.index 1
// CHECK: tensor.extract %arg0[%{{.*}}, %[[D]]]
func.func @elements(%x: tensor<3x4xf32>, %i: tensor<2x4xi32>) -> tensor<2x4xf32> {
  %0 = adze.gather_elements %x, %i {axis = 0 : i64} : (tensor<3x4xf32>, tensor<2x4xi32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

// Each index of a tuple has its own extent.
// CHECK-LABEL: func.func @tuples
// CHECK: arith.select %{{.*}}, %c4, %c3
// CHECK: adze_rt.check %{{.*}}, "an index is out of range"
// CHECK: tensor.extract %arg1[%{{.*}}, %c0]
// CHECK: tensor.extract %arg1[%{{.*}}, %c1]
// CHECK: tensor.extract %arg0[%{{.*}}, %{{.*}}, %{{.*}}] : tensor<3x4x5xf32>
func.func @tuples(%x: tensor<3x4x5xf32>, %i: tensor<6x2xi64>) -> tensor<6x5xf32> {
  %0 = adze.gather_nd %x, %i : (tensor<3x4x5xf32>, tensor<6x2xi64>) -> tensor<6x5xf32>
  return %0 : tensor<6x5xf32>
}

// -----

// An index that names no place is off everywhere.
// CHECK-LABEL: func.func @one_hot
// CHECK-NOT: adze_rt.check
// CHECK: %[[HOT:.*]] = arith.cmpi eq
// CHECK: arith.select %[[HOT]], %{{.*}}, %{{.*}} : f32
func.func @one_hot(%i: tensor<4xi64>, %d: tensor<i64>, %v: tensor<2xf32>) -> tensor<4x?xf32> {
  %0 = adze.one_hot %i, %d, %v {axis = 1 : i64} : (tensor<4xi64>, tensor<i64>, tensor<2xf32>) -> tensor<4x?xf32>
  return %0 : tensor<4x?xf32>
}

// -----

// What lies behind a sequence's end stays; a length beyond the axis is cut.
// CHECK-LABEL: func.func @reverse
// CHECK: %[[L:.*]] = arith.minsi %{{.*}}, %c5
// CHECK: %[[IN:.*]] = arith.cmpi slt, %[[T:.*]], %[[L]]
// CHECK: arith.select %[[IN]], %{{.*}}, %[[T]]
func.func @reverse(%x: tensor<5x3x2xf32>, %l: tensor<3xi64>) -> tensor<5x3x2xf32> {
  %0 = adze.reverse_sequence %x, %l {batch_axis = 1 : i64, time_axis = 0 : i64} : (tensor<5x3x2xf32>, tensor<3xi64>) -> tensor<5x3x2xf32>
  return %0 : tensor<5x3x2xf32>
}
