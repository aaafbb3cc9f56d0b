// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// Dimensions of 1 that stay are a view of the sums.
// CHECK-LABEL: func.func @sum
// CHECK: linalg.generic {{.*}}"parallel", "reduction", "parallel"]
// CHECK: arith.addf
// CHECK: tensor.expand_shape {{.*}} into tensor<?x1x8xf32>
func.func @sum(%x: tensor<?x4x8xf32>) -> tensor<?x1x8xf32> {
  %0 = adze.reduce %x {kind = #adze<reduce_kind sum>, axes = array<i64: 1>, keepdims = true} : (tensor<?x4x8xf32>) -> tensor<?x1x8xf32>
  return %0 : tensor<?x1x8xf32>
}

// -----

// A mean of half precision sums, divides and rounds once.
// CHECK-LABEL: func.func @mean
// CHECK: arith.extf
// CHECK: arith.addf {{.*}} : f32
// CHECK: %[[Q:.*]] = arith.divf {{.*}} : f32
// CHECK: arith.truncf %[[Q]] : f32 to f16
func.func @mean(%x: tensor<?x4xf16>) -> tensor<?xf16> {
  %0 = adze.reduce %x {kind = #adze<reduce_kind mean>, axes = array<i64: 1>, keepdims = false} : (tensor<?x4xf16>) -> tensor<?xf16>
  return %0 : tensor<?xf16>
}

// -----

// The largest of bools is their "or"; none of them gives false.
// CHECK-LABEL: func.func @any
// CHECK: linalg.fill ins(%c0_i8
// CHECK: arith.maxui
func.func @any(%x: tensor<3x4xi1>) -> tensor<3xi1> {
  %0 = adze.reduce %x {kind = #adze<reduce_kind max>, axes = array<i64: 1>, keepdims = false} : (tensor<3x4xi1>) -> tensor<3xi1>
  return %0 : tensor<3xi1>
}

// -----

// The extreme's index; NaN is the largest and the first of equals stays.
// CHECK-LABEL: func.func @arg_max
// CHECK: %[[BEST:.*]]:2 = linalg.generic {{.*}}"reduction"]
// CHECK: arith.cmpf ogt
// CHECK: arith.cmpf uno
// CHECK: return %[[BEST]]#1 : tensor<3xi64>
func.func @arg_max(%x: tensor<3x4xf32>) -> tensor<3xi64> {
  %0 = adze.arg_reduce %x {kind = #adze<arg_kind max>, axis = 1 : i64, keepdims = false} : (tensor<3x4xf32>) -> tensor<3xi64>
  return %0 : tensor<3xi64>
}

// -----

// Running sums go slice by slice along the axis; an exclusive one is stored
// before it is added to.
// CHECK-LABEL: func.func @running
// CHECK: scf.for
// CHECK: tensor.extract_slice %arg0[0, %{{.*}}] [3, 1]
// CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: f32, %[[SUM:.*]]: f32):
// CHECK: %[[NEXT:.*]] = arith.addf %[[SUM]]
// CHECK: linalg.yield %[[SUM]], %[[NEXT]]
func.func @running(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %0 = adze.cumulative %x {kind = #adze<reduce_kind sum>, axis = 1 : i64, exclusive = true} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}
