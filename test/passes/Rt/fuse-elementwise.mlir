// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-fuse-elementwise),builtin.module(func.func(adze-fuse-elementwise)))' | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#id1 = affine_map<(i) -> (i)>

// CHECK-LABEL: func.func @chain
func.func @chain(%x: tensor<4x8xf32>, %e: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK-COUNT-1: linalg.generic
  // CHECK-NOT: linalg.generic
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.exp %a : f32
    linalg.yield %s : f32
  } -> tensor<4x8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.negf %a : f32
    linalg.yield %s : f32
  } -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// A row value finished in place is read by every column: it stays apart.
// CHECK-LABEL: func.func @in_place
func.func @in_place(%x: tensor<4x8xf32>, %r: tensor<4xf32>, %e: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK-COUNT-2: linalg.generic
  %0 = linalg.generic {indexing_maps = [#id1], iterator_types = ["parallel"]} outs(%r : tensor<4xf32>) {
  ^bb0(%o: f32):
    %s = math.sqrt %o : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %0 : tensor<4x8xf32>, tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.divf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
#turned = affine_map<(i, j) -> (j, i)>

// Matrix units read factors as they are, or transposed: the negation stays apart.
// CHECK-LABEL: func.func @factors
module @gpu attributes {adze.target = {simt_width = 32 : i64, score_depth = 256 : i64}} {
  func.func @factors(%x: tensor<8x8xf32>, %w: tensor<8x8xf32>, %e: tensor<8x8xf32>, %y: tensor<8x8xf32>) -> tensor<8x8xf32> {
    // CHECK: %[[A:.+]] = linalg.generic
    // CHECK: arith.negf
    // CHECK: linalg.generic
    // CHECK-SAME: ins(%[[A]], %{{.+}} :
    // CHECK: arith.mulf
    // CHECK-NOT: linalg.generic
    %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) {
    ^bb0(%in: f32, %o: f32):
      %s = arith.negf %in : f32
      linalg.yield %s : f32
    } -> tensor<8x8xf32>
    %1 = linalg.generic {indexing_maps = [#turned, #id], iterator_types = ["parallel", "parallel"]} ins(%w : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) {
    ^bb0(%in: f32, %o: f32):
      linalg.yield %in : f32
    } -> tensor<8x8xf32>
    %2 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]} ins(%0, %1 : tensor<8x8xf32>, tensor<8x8xf32>) outs(%y : tensor<8x8xf32>) {
    ^bb0(%l: f32, %r: f32, %o: f32):
      %p = arith.mulf %l, %r : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
    } -> tensor<8x8xf32>
    return %2 : tensor<8x8xf32>
  }
}
