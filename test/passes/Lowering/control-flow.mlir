// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @branch
// CHECK: %[[C:.*]] = arith.cmpi ne, %{{.*}}, %c0_i8
// CHECK: scf.if %[[C]] -> (tensor<4xf32>)
// CHECK: math.exp
// CHECK: else
// CHECK-NEXT: scf.yield %arg1
func.func @branch(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = adze.if %c : (tensor<i1>) -> tensor<4xf32> {
    %1 = adze.elementwise exp(%x) : (tensor<4xf32>) -> tensor<4xf32>
    adze.yield %1 : tensor<4xf32>
  } else {
    adze.yield %x : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

// A loop runs while the condition holds and trips are left.
// CHECK-LABEL: func.func @loop
// CHECK: %[[EMPTY:.*]] = tensor.empty() : tensor<0x4xf32>
// CHECK: scf.while
// CHECK: arith.cmpi slt
// CHECK: arith.andi
// CHECK: scf.condition
// CHECK: math.exp
// CHECK: tensor.insert_slice %{{.*}}[%{{.*}}, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<?x4xf32>
func.func @loop(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<4xf32>) -> (tensor<4xf32>, tensor<?x4xf32>) {
  %0:2 = adze.loop %n, %c, %x : (tensor<i64>, tensor<i1>, tensor<4xf32>) -> (tensor<4xf32>, tensor<?x4xf32>) {
  ^bb0(%i: tensor<i64>, %k: tensor<i1>, %v: tensor<4xf32>):
    %1 = adze.elementwise exp(%v) : (tensor<4xf32>) -> tensor<4xf32>
    adze.yield %k, %1, %v : tensor<i1>, tensor<4xf32>, tensor<4xf32>
  }
  return %0#0, %0#1 : tensor<4xf32>, tensor<?x4xf32>
}

// -----

// A scan output's buffer doubles when it is full, so that a long loop copies each
// row a few times and not at every step; in the end its first rows are the result.
// CHECK-LABEL: func.func @scan_rows
// CHECK: %[[L:.*]]:{{[0-9]+}} = scf.while
// CHECK: %[[FULL:.*]] = arith.cmpi eq, %[[I:.*]], %{{.*}} : index
// CHECK: %[[ROWS:.*]] = scf.if %[[FULL]] -> (tensor<?x4xf32>) {
// CHECK: %[[TWICE:.*]] = arith.muli %[[I]], %c2
// CHECK: arith.maxsi %[[TWICE]], %c8
// CHECK: tensor.insert_slice
// CHECK: } else {
// CHECK: tensor.insert_slice %{{.*}} into %[[ROWS]][%[[I]], 0] [1, 4] [1, 1]
// CHECK: tensor.extract_slice %[[L]]#{{[0-9]+}}[0, 0] [%[[L]]#0, 4] [1, 1]
func.func @scan_rows(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<4xf32>) -> tensor<?x4xf32> {
  %0:2 = adze.loop %n, %c, %x : (tensor<i64>, tensor<i1>, tensor<4xf32>) -> (tensor<4xf32>, tensor<?x4xf32>) {
  ^bb0(%i: tensor<i64>, %d: tensor<i1>, %v: tensor<4xf32>):
    adze.yield %d, %v, %v : tensor<i1>, tensor<4xf32>, tensor<4xf32>
  }
  return %0#1 : tensor<?x4xf32>
}
