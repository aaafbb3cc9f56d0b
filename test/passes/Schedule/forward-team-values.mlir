// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-forward-team-values))' | FileCheck %s

// The mean stays with the threads: neither stored nor read, and its buffer is gone.
// CHECK-LABEL: func.func @mean
// CHECK-NOT: memref.alloc
// CHECK: %[[S:.*]] = adze_rt.team_reduce
// CHECK: %[[M:.*]] = arith.divf %[[S]]
// CHECK-NOT: memref.load %{{.*}} : memref<8xf32>
// CHECK: arith.subf %{{.*}}, %[[M]]
func.func @mean(%x: memref<256xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %n = arith.constant 32.0 : f32
  %m = memref.alloc() : memref<2x4xf32>
  %flat = memref.collapse_shape %m [[0, 1]] : memref<2x4xf32> into memref<8xf32>
  scf.parallel (%row, %lane) = (%c0, %c0) to (%c8, %c32) step (%c1, %c1) {
    %base = arith.muli %row, %c32 : index
    %at = arith.addi %base, %lane : index
    %v = memref.load %x[%at] : memref<256xf32>
    %s = adze_rt.team_reduce "arith.addf" %v team 32 : f32
    %first = arith.cmpi eq, %lane, %c0 : index
    scf.if %first {
      memref.store %s, %flat[%row] : memref<8xf32>
    }
    adze_rt.team_barrier team 32
    scf.if %first {
      %sum = memref.load %flat[%row] : memref<8xf32>
      %mean = arith.divf %sum, %n : f32
      memref.store %mean, %flat[%row] : memref<8xf32>
    }
    adze_rt.team_barrier team 32
    %k = memref.load %flat[%row] : memref<8xf32>
    %d = arith.subf %v, %k : f32
    memref.store %d, %x[%at] : memref<256xf32>
  } {adze.team = 32 : i64}
  memref.dealloc %m : memref<2x4xf32>
  return
}

// Another write may be to the same place; another row is another place.
// CHECK-LABEL: func.func @overwritten
// CHECK: memref.load %{{.*}}[%{{.*}}] : memref<8xf32>
// CHECK: memref.load %{{.*}}[%{{.*}}] : memref<8xf32>
func.func @overwritten(%m: memref<8xf32>, %x: memref<256xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  scf.parallel (%row, %lane) = (%c0, %c0) to (%c8, %c32) step (%c1, %c1) {
    %v = memref.load %x[%lane] : memref<256xf32>
    %first = arith.cmpi eq, %lane, %c0 : index
    scf.if %first {
      memref.store %v, %m[%row] : memref<8xf32>
    }
    adze_rt.team_barrier team 32
    %other = memref.load %m[%c0] : memref<8xf32>
    memref.store %other, %m[%row] : memref<8xf32>
    %k = memref.load %m[%row] : memref<8xf32>
    memref.store %k, %x[%lane] : memref<256xf32>
  } {adze.team = 32 : i64}
  return
}
