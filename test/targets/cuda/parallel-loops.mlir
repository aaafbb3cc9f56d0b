// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-cuda-parallel-loops))' | FileCheck %s

#id = affine_map<(d0) -> (d0)>
#none = affine_map<(d0) -> ()>

// CHECK-LABEL: func.func private @gather
// CHECK: scf.parallel
// CHECK: memref.load
func.func private @gather(%x: memref<8xf32>, %y: memref<8xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [affine_map<(d0) -> (d0 mod 3)>, #id], iterator_types = ["parallel"]}
      ins(%x : memref<8xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  }
  return
}

// One thread sums up what has no parallel dimension.
// CHECK-LABEL: func.func private @total
// CHECK: scf.parallel (%{{.*}}) = (%c0{{.*}}) to (%c1{{.*}}) step (%c1{{.*}})
// CHECK: scf.for
func.func private @total(%x: memref<8xf32>, %y: memref<f32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%x : memref<8xf32>) outs(%y : memref<f32>) {
  ^bb0(%in: f32, %out: f32):
    %s = arith.addf %out, %in : f32
    linalg.yield %s : f32
  }
  return
}

// Parallel loops go around the others of their nest.
// CHECK-LABEL: func.func private @scatter
// CHECK: scf.parallel (%[[J:.*]]) = (%c0{{.*}}) to (%c16{{.*}}) step (%c1{{.*}}) {
// CHECK-NEXT: scf.for %[[I:.*]] = %c0{{.*}} to %c4{{.*}} step %c1{{.*}} {
// CHECK-NEXT: memref.load %{{.*}}[%[[I]]] : memref<4xi64>
// CHECK: memref.store %{{.*}}, %{{.*}}[%{{.*}}, %[[J]]] : memref<8x16xf32>
func.func private @scatter(%x: memref<4x16xf32>, %at: memref<4xi64>, %y: memref<8x16xf32>) attributes {adze.device} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  scf.for %i = %c0 to %c4 step %c1 {
    scf.for %j = %c0 to %c16 step %c1 {
      %a = memref.load %at[%i] : memref<4xi64>
      %row = arith.index_cast %a : i64 to index
      %v = memref.load %x[%i, %j] : memref<4x16xf32>
      memref.store %v, %y[%row, %j] : memref<8x16xf32>
    }
  } {adze.threads}
  return
}

// CHECK-LABEL: func.func private @few
// CHECK: scf.parallel (%{{.*}}) = (%c0{{.*}}) to (%c1{{.*}}) step (%c1{{.*}}) {
// CHECK-NEXT: scf.for
func.func private @few(%at: memref<4xi64>, %y: memref<8xf32>) attributes {adze.device} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c4 step %c1 {
    %a = memref.load %at[%i] : memref<4xi64>
    %row = arith.index_cast %a : i64 to index
    memref.store %zero, %y[%row] : memref<8xf32>
  } {adze.threads}
  return
}

// The host's functions are left alone.
// CHECK-LABEL: func.func private @host
// CHECK: linalg.generic
func.func private @host(%x: memref<8xf32>) {
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%x : memref<8xf32>) {
  ^bb0(%out: f32):
    linalg.yield %out : f32
  }
  return
}
