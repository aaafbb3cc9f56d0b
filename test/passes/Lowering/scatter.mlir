// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// Updates run in order over a copy of x and join what is there.
// CHECK-LABEL: func.func @elements
// CHECK: adze_rt.check %{{.*}}, "an index is out of range"
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %arg0)
// CHECK: %[[U:.*]] = tensor.extract %arg2
// CHECK: %[[OLD:.*]] = tensor.extract %[[Y:.*]][%[[I:.*]], %[[J:.*]]]
// CHECK: %[[NEW:.*]] = arith.addf %[[OLD]], %[[U]]
// CHECK: tensor.insert %[[NEW]] into %[[Y]][%[[I]], %[[J]]]
func.func @elements(%x: tensor<3x4xf32>, %i: tensor<2x4xi64>, %u: tensor<2x4xf32>) -> tensor<3x4xf32> {
  %0 = adze.scatter_elements %x, %i, %u {axis = 0 : i64, reduction = #adze<scatter_reduction add>} : (tensor<3x4xf32>, tensor<2x4xi64>, tensor<2x4xf32>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// -----

// CHECK-LABEL: func.func @slices
// CHECK: adze_rt.check %{{.*}}, "an index is out of range"
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %arg0)
// CHECK: tensor.extract %arg1[%{{.*}}, %c0]
// CHECK: %[[U:.*]] = tensor.extract %arg2
// CHECK-NEXT: tensor.insert %[[U]]
func.func @slices(%x: tensor<3x4xf32>, %i: tensor<2x1xi64>, %u: tensor<2x4xf32>) -> tensor<3x4xf32> {
  %0 = adze.scatter_nd %x, %i, %u : (tensor<3x4xf32>, tensor<2x1xi64>, tensor<2x4xf32>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}
