// RUN: adze-opt %s --split-input-file --adze-block-rows | FileCheck %s
// RUN: adze-opt %s --split-input-file --adze-block-rows --adze-assign-schedule --adze-emit-nests --verify-diagnostics | FileCheck %s --check-prefix=NESTS

#mk = affine_map<(h, m, n, k) -> (h, m, k)>
#kn = affine_map<(h, m, n, k) -> (h, k, n)>
#mn = affine_map<(h, m, n, k) -> (h, m, n)>
#id = affine_map<(h, m, n) -> (h, m, n)>
#row = affine_map<(h, m, n) -> (h, m)>
#par = ["parallel", "parallel", "parallel"]
#sum = ["parallel", "parallel", "parallel", "reduction"]
#last = ["parallel", "parallel", "reduction"]

// Queries times keys, their maximum, exponentials, times values: 96 of 960 rows of
// one head at a time. Scores and maxima of those are all there is in memory, and
// inside a task there are no tasks.
module attributes {adze.target = {vector_bits = 512, vector_registers = 32, mask_bits = 8, l2_bytes = 1048576}} {
// CHECK-LABEL: func.func @attention
// CHECK-NOT: memref.alloc
// CHECK-DAG: %[[ROWS:.*]] = arith.constant 96 : index
// CHECK: scf.parallel (%[[H:.*]], %[[M:.*]]) = {{.*}} to (%{{.*}}, %{{.*}}) step (%{{.*}}, %[[ROWS]]) {
// CHECK: %[[S:.*]] = memref.alloc() {{.*}} : memref<1x96x256xf32>
// CHECK: linalg.generic {{.*}} outs(%[[S]] :
// CHECK: %[[Q:.*]] = memref.subview %arg0[%[[H]], %[[M]], 0] [1, 96, 64]
// CHECK: %[[K:.*]] = memref.subview %arg1[%[[H]], 0, 0] [1, 64, 256]
// CHECK: linalg.generic {{.*}} ins(%[[Q]], %[[K]] : {{.*}} outs(%[[S]] :
// CHECK: %[[MAX:.*]] = memref.alloc() {{.*}} : memref<1x96xf32>
// CHECK: linalg.generic {{.*}} ins(%[[S]] : {{.*}} outs(%[[MAX]] :
// CHECK: linalg.generic {{.*}} ins(%[[MAX]] : {{.*}} outs(%[[S]] :
// CHECK: %[[Y:.*]] = memref.subview %arg3[%[[H]], %[[M]], 0] [1, 96, 64]
// CHECK: %[[V:.*]] = memref.subview %arg2[%[[H]], 0, 0] [1, 256, 64]
// CHECK: linalg.generic {{.*}} ins(%[[S]], %[[V]] : {{.*}} outs(%[[Y]] :
// CHECK: memref.dealloc %[[MAX]]
// CHECK: memref.dealloc %[[S]]
// NESTS-LABEL: func.func @attention
// NESTS: scf.parallel
// NESTS-NOT: scf.parallel
// NESTS-NOT: linalg.generic
// NESTS: return
func.func @attention(%q: memref<8x960x64xf32>, %k: memref<8x64x256xf32>, %v: memref<8x256x64xf32>, %y: memref<8x960x64xf32>) {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %s = memref.alloc() : memref<8x960x256xf32>
  linalg.fill ins(%zero : f32) outs(%s : memref<8x960x256xf32>)
  linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = #sum} ins(%q, %k : memref<8x960x64xf32>, memref<8x64x256xf32>) outs(%s : memref<8x960x256xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.mulf %a, %b fastmath<contract> : f32
    %1 = arith.addf %o, %0 fastmath<contract> : f32
    linalg.yield %1 : f32
  }
  %max = memref.alloc() : memref<8x960xf32>
  linalg.fill ins(%low : f32) outs(%max : memref<8x960xf32>)
  linalg.generic {indexing_maps = [#id, #row], iterator_types = #last} ins(%s : memref<8x960x256xf32>) outs(%max : memref<8x960xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.maximumf %o, %a fastmath<nnan,nsz> : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#row, #id], iterator_types = #par} ins(%max : memref<8x960xf32>) outs(%s : memref<8x960x256xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.subf %o, %a : f32
    %1 = math.exp %0 : f32
    linalg.yield %1 : f32
  }
  memref.dealloc %max : memref<8x960xf32>
  linalg.fill ins(%zero : f32) outs(%y : memref<8x960x64xf32>)
  linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = #sum} ins(%s, %v : memref<8x960x256xf32>, memref<8x256x64xf32>) outs(%y : memref<8x960x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.mulf %a, %b fastmath<contract> : f32
    %1 = arith.addf %o, %0 fastmath<contract> : f32
    linalg.yield %1 : f32
  }
  memref.dealloc %s : memref<8x960x256xf32>
  return
}
}

// -----

// Sizes that are known at run time: so is how many rows fit, the last block is
// shorter, and rows of the result that lie elsewhere in it are written there.
#qk = affine_map<(m, n, k) -> (m, k)>
#kn2 = affine_map<(m, n, k) -> (k, n)>
#out = affine_map<(m, n, k) -> (m, n)>
#turned = affine_map<(m, n, k) -> (n, m)>
#sum2 = ["parallel", "parallel", "reduction"]
module attributes {adze.target = {vector_bits = 512, vector_registers = 32, mask_bits = 8, l2_bytes = 1048576}} {
// CHECK-LABEL: func.func @dynamic
// CHECK: %[[N:.*]] = memref.dim %arg1
// CHECK: arith.muli %[[N]], %{{.*}}
// CHECK: arith.floordivsi
// CHECK: scf.parallel (%[[M:.*]]) = {{.*}} step (%[[ROWS:.*]]) {
// CHECK: %[[SIZE:.*]] = arith.minsi
// CHECK: memref.subview %arg0[%[[M]], 0] [%[[SIZE]], %{{.*}}]
// CHECK: %[[BLOCK:.*]] = memref.alloc(%[[ROWS]], %[[N]])
// CHECK: %[[S:.*]] = memref.subview %[[BLOCK]][0, 0] [%[[SIZE]], %[[N]]]
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %arg1 : {{.*}} outs(%[[S]] :
// CHECK: %[[Y:.*]] = memref.subview %arg3[0, %[[M]]] [%{{.*}}, %[[SIZE]]]
// CHECK: linalg.generic {{.*}} ins(%[[S]], %arg2 : {{.*}} outs(%[[Y]] :
// NESTS-LABEL: func.func @dynamic
// NESTS-NOT: linalg.generic
// NESTS: return
func.func @dynamic(%a: memref<?x?xf32>, %b: memref<?x?xf32>, %c: memref<?x?xf32>, %y: memref<?x?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = memref.dim %a, %c0 : memref<?x?xf32>
  %n = memref.dim %b, %c1 : memref<?x?xf32>
  %s = memref.alloc(%m, %n) : memref<?x?xf32>
  linalg.generic {indexing_maps = [#qk, #kn2, #out], iterator_types = #sum2} ins(%a, %b : memref<?x?xf32>, memref<?x?xf32>) outs(%s : memref<?x?xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.mulf %p, %q fastmath<contract> : f32
    %1 = arith.addf %o, %0 fastmath<contract> : f32
    linalg.yield %1 : f32
  }
  linalg.generic {indexing_maps = [#qk, #kn2, #turned], iterator_types = #sum2} ins(%s, %c : memref<?x?xf32>, memref<?x?xf32>) outs(%y : memref<?x?xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.mulf %p, %q fastmath<contract> : f32
    %1 = arith.addf %o, %0 fastmath<contract> : f32
    linalg.yield %1 : f32
  }
  memref.dealloc %s : memref<?x?xf32>
  return
}
}

// -----

// What is not: rows that meet all others, rows that a body counts, results under
// two names; and one contraction with its epilogue, which passes nothing on.
#qk = affine_map<(m, n, k) -> (m, k)>
#kn2 = affine_map<(m, n, k) -> (k, n)>
#nk = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
#id2 = affine_map<(m, n) -> (m, n)>
#sum2 = ["parallel", "parallel", "reduction"]
#par2 = ["parallel", "parallel"]
// CHECK-NOT: scf.parallel
// NESTS-LABEL: func.func @over_rows
func.func @over_rows(%a: memref<64x64xf32>, %b: memref<64x64xf32>, %y: memref<64x64xf32>) {
  %s = memref.alloc() : memref<64x64xf32>
  linalg.generic {indexing_maps = [#qk, #kn2, #out], iterator_types = #sum2} ins(%a, %b : memref<64x64xf32>, memref<64x64xf32>) outs(%s : memref<64x64xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.mulf %p, %q fastmath<contract> : f32
    %1 = arith.addf %o, %0 fastmath<contract> : f32
    linalg.yield %1 : f32
  }
  linalg.generic {indexing_maps = [#qk, #nk, #out], iterator_types = #sum2} ins(%s, %s : memref<64x64xf32>, memref<64x64xf32>) outs(%y : memref<64x64xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.mulf %p, %q fastmath<contract> : f32
    %1 = arith.addf %o, %0 fastmath<contract> : f32
    linalg.yield %1 : f32
  }
  memref.dealloc %s : memref<64x64xf32>
  return
}
func.func @counted(%a: memref<64x64xf32>, %b: memref<64x64xf32>, %y: memref<64x64xf32>) {
  %s = memref.alloc() : memref<64x64xf32>
  linalg.generic {indexing_maps = [#qk, #kn2, #out], iterator_types = #sum2} ins(%a, %b : memref<64x64xf32>, memref<64x64xf32>) outs(%s : memref<64x64xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.mulf %p, %q fastmath<contract> : f32
    %1 = arith.addf %o, %0 fastmath<contract> : f32
    linalg.yield %1 : f32
  }
  linalg.generic {indexing_maps = [#id2], iterator_types = #par2} outs(%s : memref<64x64xf32>) {
  ^bb0(%o: f32):
    %0 = linalg.index 0 : index
    %1 = arith.index_cast %0 : index to i32
    %2 = arith.sitofp %1 : i32 to f32
    %3 = arith.addf %o, %2 : f32
    linalg.yield %3 : f32
  }
  linalg.generic {indexing_maps = [#qk, #kn2, #out], iterator_types = #sum2} ins(%s, %b : memref<64x64xf32>, memref<64x64xf32>) outs(%y : memref<64x64xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.mulf %p, %q fastmath<contract> : f32
    %1 = arith.addf %o, %0 fastmath<contract> : f32
    linalg.yield %1 : f32
  }
  memref.dealloc %s : memref<64x64xf32>
  return
}
func.func @aliased(%a: memref<64x64xf32>, %b: memref<64x64xf32>, %y: memref<64x64xf32>) {
  %s = memref.alloc() : memref<64x64xf32>
  %t = memref.cast %s : memref<64x64xf32> to memref<?x64xf32>
  linalg.generic {indexing_maps = [#qk, #kn2, #out], iterator_types = #sum2} ins(%a, %b : memref<64x64xf32>, memref<64x64xf32>) outs(%s : memref<64x64xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.mulf %p, %q fastmath<contract> : f32
    %1 = arith.addf %o, %0 fastmath<contract> : f32
    linalg.yield %1 : f32
  }
  linalg.generic {indexing_maps = [#qk, #nk, #out], iterator_types = #sum2} ins(%s, %t : memref<64x64xf32>, memref<?x64xf32>) outs(%y : memref<64x64xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.mulf %p, %q fastmath<contract> : f32
    %1 = arith.addf %o, %0 fastmath<contract> : f32
    linalg.yield %1 : f32
  }
  memref.dealloc %s : memref<64x64xf32>
  return
}
func.func @alone(%a: memref<64x64xf32>, %b: memref<64x64xf32>, %y: memref<64x64xf32>) {
  linalg.generic {indexing_maps = [#qk, #kn2, #out], iterator_types = #sum2} ins(%a, %b : memref<64x64xf32>, memref<64x64xf32>) outs(%y : memref<64x64xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %0 = arith.mulf %p, %q fastmath<contract> : f32
    %1 = arith.addf %o, %0 fastmath<contract> : f32
    linalg.yield %1 : f32
  }
  linalg.generic {indexing_maps = [#id2], iterator_types = #par2} outs(%y : memref<64x64xf32>) {
  ^bb0(%o: f32):
    %0 = math.exp %o : f32
    linalg.yield %0 : f32
  }
  return
}
