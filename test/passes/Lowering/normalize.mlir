// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// Largest, exponentials, their sum, quotient; the last over the exponentials.
// CHECK-LABEL: func.func @softmax
// CHECK: %[[MAX:.*]] = linalg.generic {{.*}}"reduction"]
// CHECK: arith.maximumf
// CHECK: %[[EXP:.*]] = linalg.generic {{.*}} ins(%arg0, %[[MAX]]
// CHECK: arith.subf
// CHECK: math.exp
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}}"reduction"]} ins(%[[EXP]]
// CHECK: linalg.generic {{.*}} ins(%[[SUM]] : tensor<?xf32>) outs(%[[EXP]]
// CHECK: arith.divf
func.func @softmax(%x: tensor<?x9xf32>) -> tensor<?x9xf32> {
  %0 = adze.softmax %x {axis = 1 : i64} : (tensor<?x9xf32>) -> tensor<?x9xf32>
  return %0 : tensor<?x9xf32>
}

// -----

// The logarithm subtracts, and keeps no exponentials.
// CHECK-LABEL: func.func @log_softmax
// CHECK: %[[D:.*]] = linalg.generic {{.*}} ins(%arg0, %{{.*}} : tensor<?x9xf32>, tensor<?xf32>)
// CHECK: linalg.generic {{.*}}"reduction"]} ins(%[[D]]
// CHECK: math.exp
// CHECK: linalg.generic {{.*}} outs(%[[D]]
// CHECK: math.log
// CHECK: arith.subf
func.func @log_softmax(%x: tensor<?x9xf32>) -> tensor<?x9xf32> {
  %0 = adze.softmax %x {axis = 1 : i64, log = true} : (tensor<?x9xf32>) -> tensor<?x9xf32>
  return %0 : tensor<?x9xf32>
}

// -----

// Layer normalisation: mean, mean square of the differences, one map with
// scale and bias.
// CHECK-LABEL: func.func @layer
// CHECK: linalg.generic {{.*}}"reduction"]
// CHECK: linalg.generic {{.*}}"reduction"]
// CHECK: %[[D:.*]] = arith.subf
// CHECK: arith.mulf %[[D]], %[[D]]
// CHECK: math.sqrt
// CHECK: linalg.generic {{.*}} ins(%arg0, %{{.*}}, %{{.*}}, %arg1, %arg2
func.func @layer(%x: tensor<?x9xf32>, %s: tensor<9xf32>, %b: tensor<9xf32>) -> tensor<?x9xf32> {
  %0 = adze.normalize %x, %s, %b {axes = array<i64: 1>, epsilon = 1.0e-5 : f32, center = true, operandSegmentSizes = array<i32: 1, 1, 1>} : (tensor<?x9xf32>, tensor<9xf32>, tensor<9xf32>) -> tensor<?x9xf32>
  return %0 : tensor<?x9xf32>
}

// -----

// Without a centre there is no mean; half precision computes in f32.
// CHECK-LABEL: func.func @rms
// CHECK: linalg.generic {{.*}}"reduction"]} ins(%arg0 : tensor<?x9xf16>) outs(%{{.*}} : tensor<?xf32>)
// CHECK: %[[X:.*]] = arith.extf
// CHECK: arith.mulf %[[X]], %[[X]]
// CHECK-NOT: "reduction"
// CHECK: arith.truncf {{.*}} : f32 to f16
func.func @rms(%x: tensor<?x9xf16>) -> tensor<?x9xf16> {
  %0 = adze.normalize %x {axes = array<i64: 1>, epsilon = 1.0e-5 : f32, center = false, operandSegmentSizes = array<i32: 1, 0, 0>} : (tensor<?x9xf16>) -> tensor<?x9xf16>
  return %0 : tensor<?x9xf16>
}
