// RUN: adze-opt %s --split-input-file --adze-expand-winograd | FileCheck %s
// RUN: adze-opt %s --split-input-file --adze-expand-winograd --adze-assign-schedule --adze-emit-nests --verify-diagnostics -o /dev/null

#x = affine_map<(n, h, w, o, a, b, i, j, c) -> (n, (h floordiv 4) * 4 + i, (w floordiv 4) * 4 + j, c)>
#u = affine_map<(n, h, w, o, a, b, i, j, c) -> (o floordiv 16, a, b, c, o mod 16)>
#ai = affine_map<(n, h, w, o, a, b, i, j, c) -> (a, i)>
#bj = affine_map<(n, h, w, o, a, b, i, j, c) -> (b, j)>
#ha = affine_map<(n, h, w, o, a, b, i, j, c) -> (h mod 4, a)>
#wb = affine_map<(n, h, w, o, a, b, i, j, c) -> (w mod 4, b)>
#y = affine_map<(n, h, w, o, a, b, i, j, c) -> (n, h, w, o)>
#id = affine_map<(n, h, w, o) -> (n, h, w, o)>
#bias = affine_map<(n, h, w, o) -> (o)>
#scalar = affine_map<(n, h, w, o) -> ()>
#kinds = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "reduction", "reduction"]

// Blocks of tiles: zeros around what is read, 36 inputs to 36 products, the
// products summed over channels, 36 sums to 16 results, bias and ReLU, and only
// then the results. The padded copy is not made.
module attributes {adze.target = {vector_bits = 512, vector_registers = 32, mask_bits = 8, l2_bytes = 1048576}} {
// CHECK-LABEL: func.func @padded
// CHECK-NOT: memref<1x18x18x16xf32>
// CHECK: scf.parallel (%[[N:.*]], %[[ROW:.*]], %[[COLUMN:.*]]) = {{.*}} step (%{{.*}}, %[[ROWS:.*]], %[[COLUMNS:.*]]) {
// CHECK: %[[PATCH:.*]] = memref.alloc() {{.*}} : memref<6x18x16xf32>
// CHECK: %[[PRODUCTS:.*]] = memref.alloc() {{.*}} : memref<36x8x16xf32>
// CHECK: scf.for
// CHECK: linalg.fill
// CHECK: linalg.copy
// CHECK: linalg.generic
// CHECK: arith.mulf %{{.*}}, %{{.*}} fastmath<contract>
// CHECK: memref.dealloc %[[PATCH]]
// CHECK: linalg.generic {{.*}}"parallel", "parallel", "parallel", "reduction"]} ins(%{{.*}}, %{{.*}} : {{.*}}, memref<1x36x16x16xf32>)
// CHECK: scf.for
// CHECK: linalg.generic
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : memref<1x4x16x16xf32, {{.*}}>)
// CHECK: arith.addf
// CHECK: linalg.copy ins(%{{.*}}) outs(%{{.*}} : memref<1x4x16x16xf32, strided<[4096, 256, 16, 1], offset: ?>>)
// CHECK-NOT: adze.winograd
func.func @padded(%x: memref<1x16x16x16xf32>, %u: memref<1x6x6x16x16xf32>, %in: memref<6x6xf32>, %out: memref<4x6xf32>, %b: memref<16xf32>, %y: memref<1x16x16x16xf32>) {
  %zero = arith.constant 0.0 : f32
  %p = memref.alloc() : memref<1x18x18x16xf32>
  linalg.fill ins(%zero : f32) outs(%p : memref<1x18x18x16xf32>)
  %inside = memref.subview %p[0, 1, 1, 0] [1, 16, 16, 16] [1, 1, 1, 1] : memref<1x18x18x16xf32> to memref<1x16x16x16xf32, strided<[5184, 288, 16, 1], offset: 304>>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x : memref<1x16x16x16xf32>) outs(%inside : memref<1x16x16x16xf32, strided<[5184, 288, 16, 1], offset: 304>>) {
  ^bb0(%e: f32, %o: f32):
    linalg.yield %e : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<1x16x16x16xf32>)
  linalg.generic {indexing_maps = [#x, #u, #ai, #bj, #ha, #wb, #y], iterator_types = #kinds} ins(%p, %u, %in, %in, %out, %out : memref<1x18x18x16xf32>, memref<1x6x6x16x16xf32>, memref<6x6xf32>, memref<6x6xf32>, memref<4x6xf32>, memref<4x6xf32>) outs(%y : memref<1x16x16x16xf32>) attrs = {adze.winograd} {
  ^bb0(%d: f32, %c: f32, %b1: f32, %b2: f32, %a1: f32, %a2: f32, %o: f32):
    %0 = arith.mulf %d, %b1 : f32
    %1 = arith.mulf %0, %b2 : f32
    %2 = arith.mulf %c, %a1 : f32
    %3 = arith.mulf %2, %a2 : f32
    %4 = arith.mulf %1, %3 fastmath<contract> : f32
    %5 = arith.addf %o, %4 fastmath<contract> : f32
    linalg.yield %5 : f32
  }
  linalg.generic {indexing_maps = [#bias, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%b : memref<16xf32>) outs(%y : memref<1x16x16x16xf32>) {
  ^bb0(%e: f32, %o: f32):
    %0 = arith.addf %o, %e : f32
    %1 = arith.maximumf %0, %zero : f32
    linalg.yield %1 : f32
  }
  memref.dealloc %p : memref<1x18x18x16xf32>
  return
}
}

// -----

#x = affine_map<(n, h, w, o, a, b, i, j, c) -> (n, (h floordiv 4) * 4 + i, (w floordiv 4) * 4 + j, c)>
#u = affine_map<(n, h, w, o, a, b, i, j, c) -> (o floordiv 16, a, b, c, o mod 16)>
#ai = affine_map<(n, h, w, o, a, b, i, j, c) -> (a, i)>
#bj = affine_map<(n, h, w, o, a, b, i, j, c) -> (b, j)>
#ha = affine_map<(n, h, w, o, a, b, i, j, c) -> (h mod 4, a)>
#wb = affine_map<(n, h, w, o, a, b, i, j, c) -> (w mod 4, b)>
#y = affine_map<(n, h, w, o, a, b, i, j, c) -> (n, h, w, o)>
#id = affine_map<(n, h, w, o) -> (n, h, w, o)>
#next = affine_map<(n, h, w, o) -> (n, h, w, 15 - o)>

// Extents known at run time, a last tile that is cut off; an op that reads
// other points of the results stays behind the loop.
module attributes {adze.target = {vector_bits = 512, vector_registers = 32, mask_bits = 8, l2_bytes = 1048576}} {
// CHECK-LABEL: func.func @dynamic
// CHECK: scf.parallel
// CHECK: arith.minsi
// CHECK: linalg.copy ins(%{{.*}} : memref<1x?x?x16xf32, {{.*}}) outs(%{{.*}} : memref<1x?x?x16xf32, {{.*}})
// CHECK: scf.reduce
// CHECK: linalg.generic {{.*}} ins(%arg3 : memref<?x?x?x16xf32>) outs(%arg4 : memref<?x?x?x16xf32>)
func.func @dynamic(%p: memref<?x?x?x16xf32>, %u: memref<1x6x6x16x16xf32>, %m: memref<6x6xf32>, %y: memref<?x?x?x16xf32>, %z: memref<?x?x?x16xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<?x?x?x16xf32>)
  linalg.generic {indexing_maps = [#x, #u, #ai, #bj, #ha, #wb, #y], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "reduction", "reduction"]} ins(%p, %u, %m, %m, %m, %m : memref<?x?x?x16xf32>, memref<1x6x6x16x16xf32>, memref<6x6xf32>, memref<6x6xf32>, memref<6x6xf32>, memref<6x6xf32>) outs(%y : memref<?x?x?x16xf32>) attrs = {adze.winograd} {
  ^bb0(%d: f32, %c: f32, %b1: f32, %b2: f32, %a1: f32, %a2: f32, %o: f32):
    %0 = arith.mulf %d, %b1 : f32
    %1 = arith.mulf %0, %b2 : f32
    %2 = arith.mulf %c, %a1 : f32
    %3 = arith.mulf %2, %a2 : f32
    %4 = arith.mulf %1, %3 fastmath<contract> : f32
    %5 = arith.addf %o, %4 fastmath<contract> : f32
    linalg.yield %5 : f32
  }
  linalg.generic {indexing_maps = [#next, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%y : memref<?x?x?x16xf32>) outs(%z : memref<?x?x?x16xf32>) {
  ^bb0(%e: f32, %o: f32):
    %0 = math.exp %e : f32
    linalg.yield %0 : f32
  }
  return
}
}
