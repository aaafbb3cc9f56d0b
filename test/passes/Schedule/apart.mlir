// RUN: adze-opt %s --adze-assign-schedule | FileCheck %s
// RUN: adze-opt %s --adze-assign-schedule --adze-emit-nests --verify-diagnostics -o /dev/null

// Lanes along the sum: an elementary function after it begins a unit of its
// own, where it has whole vectors; a cheap op stays with the sum.
// CHECK-LABEL: func.func @costly_epilogue
// CHECK: linalg.generic {{.*}}attrs = {adze.schedule = {{.*}}vector = 2
// CHECK-NOT: adze.apart
// CHECK: arith.maximumf
// CHECK: linalg.generic {{.*}}attrs = {adze.apart, adze.schedule
// CHECK: math.exp
module attributes {adze.target = {vector_bits = 256, vector_registers = 16, mask_bits = 32}} {
func.func @costly_epilogue(%a: memref<64x512xf32>, %b: memref<2x512xf32>, %y: memref<64x2xf32>, %zero: f32) {
  linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>, affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : memref<64x512xf32>, memref<2x512xf32>) outs(%y : memref<64x2xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} outs(%y : memref<64x2xf32>) {
  ^bb0(%o: f32):
    %s = arith.maximumf %o, %zero : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} outs(%y : memref<64x2xf32>) {
  ^bb0(%o: f32):
    %s = math.exp %o : f32
    linalg.yield %s : f32
  }
  return
}
// With lanes beside the sum a function stays with it, and looking at it leaves
// no trace in the schedule.
// CHECK-LABEL: func.func @whole_vectors
// CHECK: linalg.generic {{.*}}attrs = {adze.schedule = {collapse = {{.*}}vector = 1
// CHECK-NOT: adze.apart
// CHECK: math.exp
// CHECK: return
func.func @whole_vectors(%a: memref<4x16x64xf32>, %b: memref<64x32xf32>, %y: memref<4x16x32xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j, n, k) -> (i, j, k)>, affine_map<(i, j, n, k) -> (k, n)>, affine_map<(i, j, n, k) -> (i, j, n)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%a, %b : memref<4x16x64xf32>, memref<64x32xf32>) outs(%y : memref<4x16x32xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [affine_map<(i, j, n) -> (i, j, n)>], iterator_types = ["parallel", "parallel", "parallel"]} outs(%y : memref<4x16x32xf32>) {
  ^bb0(%o: f32):
    %s = math.exp %o : f32
    linalg.yield %s : f32
  }
  return
}
}
