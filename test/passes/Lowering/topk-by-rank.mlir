// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse | FileCheck %s

// For a device of many threads: the rank of each element, then of each rank the
// element. Of equals the first has the lower rank; NaN is the largest number.
module attributes {adze.target = {simt_width = 32 : i64}} {
// CHECK-LABEL: func.func @topk
// CHECK-NOT: scf.
// CHECK: %[[RANKS:.*]] = linalg.generic {{.*}}["parallel", "parallel", "reduction"]} ins(%arg0, %arg0 : {{.*}} outs({{.*}} tensor<3x9xi32>)
// CHECK-NEXT: ^bb0(%[[MINE:.*]]: f32, %[[OTHER:.*]]: f32, %[[COUNT:.*]]: i32):
// CHECK-DAG: %[[I:.*]] = linalg.index 1
// CHECK-DAG: %[[J:.*]] = linalg.index 2
// CHECK-DAG: arith.cmpf ugt, %[[OTHER]], %[[MINE]]
// CHECK-DAG: arith.cmpf ord, %[[MINE]], %[[MINE]]
// CHECK-DAG: arith.cmpi slt, %[[J]], %[[I]]
// CHECK: arith.addi %[[COUNT]]
// CHECK: %[[PLACES:.*]] = linalg.generic {{.*}}["parallel", "parallel", "reduction"]} ins(%[[RANKS]] : {{.*}} outs({{.*}} tensor<3x2xi64>)
// CHECK: arith.cmpi eq
// CHECK: linalg.generic {{.*}} ins(%[[PLACES]]
// CHECK: tensor.extract %arg0
func.func @topk(%x: tensor<3x9xf32>) -> (tensor<3x2xf32>, tensor<3x2xi64>) {
  %k = adze.constant dense<2> : tensor<i64> : tensor<i64>
  %0, %1 = adze.topk %x, %k {axis = 1 : i64, largest = true} : (tensor<3x9xf32>, tensor<i64>) -> (tensor<3x2xf32>, tensor<3x2xi64>)
  return %0, %1 : tensor<3x2xf32>, tensor<3x2xi64>
}
}
