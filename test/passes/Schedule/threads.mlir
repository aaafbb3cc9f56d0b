// RUN: adze-opt %s --adze-assign-schedule | FileCheck %s --check-prefix=PLAN
// RUN: adze-opt %s --adze-assign-schedule --adze-emit-nests | FileCheck %s

// Machines of many threads share out every parallel loop.
module attributes {adze.target = {simt_width = 32, threads = 1024, vector_bits = 128}} {

// PLAN-LABEL: @pointwise
// PLAN: loops = ["parallel d0 by 4"]
// CHECK-LABEL: @pointwise
// CHECK: scf.parallel
func.func @pointwise(%x: memref<8x64xf32>, %y: memref<8x64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                  iterator_types = ["parallel", "parallel"]} ins(%x : memref<8x64xf32>) outs(%y : memref<8x64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %s = arith.addf %in, %in : f32
    linalg.yield %s : f32
  }
  return
}

// Enough results for all threads: each takes as many as share reads.
// PLAN-LABEL: @product
// PLAN: loops = ["parallel d0 by 4", "parallel d1 by 8", "d2 by 1"]
func.func @product(%x: memref<256x64xf32>, %w: memref<64x128xf32>, %y: memref<256x128xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                                   affine_map<(m, n, k) -> (m, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<256x64xf32>, memref<64x128xf32>) outs(%y : memref<256x128xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

// Rows that are too few for all threads are a team's: each thread has a part of the row,
// and what the units pass on is there after a barrier.
// PLAN-LABEL: @normalize
// PLAN: team = 32
// CHECK-LABEL: @normalize
// CHECK: scf.parallel (%[[ROW:.*]], %[[LANE:.*]]) = (%{{.*}}) to (%{{.*}}, %c32{{.*}})
// CHECK: %[[FIRST:.*]] = arith.muli %[[LANE]], %c4
// CHECK: scf.for %{{.*}} = %[[FIRST]] to %{{.*}} step %c128
// CHECK: adze_rt.team_reduce "arith.addf" %{{.*}} team 32 : f32
// CHECK: %[[IS0:.*]] = arith.cmpi eq, %[[LANE]], %c0
// CHECK: scf.if %[[IS0]]
// CHECK: adze_rt.team_barrier team 32
// CHECK: scf.for %{{.*}} step %c128
// CHECK: adze.team = 32
func.func @normalize(%x: memref<6x256xf32>, %y: memref<6x256xf32>) {
  %zero = arith.constant 0.0 : f32
  %sum = memref.alloc() : memref<6xf32>
  linalg.fill ins(%zero : f32) outs(%sum : memref<6xf32>)
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                  iterator_types = ["parallel", "reduction"]} ins(%x : memref<6x256xf32>) outs(%sum : memref<6xf32>) {
  ^bb0(%in: f32, %out: f32):
    %s = arith.addf %out, %in : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x, %sum : memref<6x256xf32>, memref<6xf32>) outs(%y : memref<6x256xf32>) {
  ^bb0(%in: f32, %total: f32, %out: f32):
    %s = arith.divf %in, %total : f32
    linalg.yield %s : f32
  }
  memref.dealloc %sum : memref<6xf32>
  return
}
}
