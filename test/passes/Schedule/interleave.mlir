// RUN: adze-opt %s --adze-assign-schedule --adze-emit-nests --canonicalize --cse | FileCheck %s

// Channels to the end: a vector of each of the three is read in a row, and
// what results is stored in a row too.
module attributes {adze.target = {vector_bits = 128, vector_registers = 32, mask_bits = 0}} {
// CHECK-LABEL: func.func @channels_last
// CHECK: %[[R:.*]] = vector.load
// CHECK: %[[G:.*]] = vector.load
// CHECK: %[[B:.*]] = vector.load
// CHECK: %[[RG:.*]] = vector.shuffle %[[R]], %[[G]] [0, 4, {{[0-9]+}}, 1]
// CHECK: %[[FIRST:.*]] = vector.shuffle %[[RG]], %[[B]] [0, 1, 4, 3]
// CHECK: vector.store %[[FIRST]]
// CHECK: vector.shuffle %[[R]], %[[G]] [5, {{[0-9]+}}, 2, 6]
// CHECK: vector.store
// CHECK: vector.shuffle %[[R]], %[[G]] [{{[0-9]+}}, 3, 7, {{[0-9]+}}]
// CHECK: vector.store
// CHECK-NOT: vector.scatter
// CHECK: return
func.func @channels_last(%x: memref<3x64xf32>, %y: memref<64x3xf32>) {
  linalg.generic {indexing_maps = [affine_map<(p, c) -> (c, p)>, affine_map<(p, c) -> (p, c)>], iterator_types = ["parallel", "parallel"]} ins(%x : memref<3x64xf32>) outs(%y : memref<64x3xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  return
}
}
