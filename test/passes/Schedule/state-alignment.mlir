// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-state-alignment))' | FileCheck %s

// Loop steps, products with known factors and sums say what an index is a multiple of.
// CHECK-LABEL: func.func @rows
func.func @rows(%x: memref<4096xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c24 = arith.constant 24 : index
  %c30 = arith.constant 30 : index
  scf.parallel (%i, %j) = (%c0, %c0) to (%n, %c24) step (%c1, %c4) {
    %row = arith.muli %i, %c24 : index
    %at = arith.addi %row, %j : index
    // CHECK: vector.load %{{.*}} {alignment = 16 : i64} : memref<4096xf32>, vector<4xf32>
    %v = vector.load %x[%at] : memref<4096xf32>, vector<4xf32>
    // CHECK: vector.store %{{.*}} {alignment = 16 : i64} : memref<4096xf32>, vector<4xf32>
    vector.store %v, %x[%at] : memref<4096xf32>, vector<4xf32>
    %odd = arith.muli %i, %c30 : index
    %at2 = arith.addi %odd, %j : index
    // CHECK: vector.load %{{.*}} {alignment = 8 : i64} : memref<4096xf32>, vector<4xf32>
    %v2 = vector.load %x[%at2] : memref<4096xf32>, vector<4xf32>
    %at3 = arith.addi %at, %i : index
    // CHECK: vector.load %{{[^{]*}} : memref<4096xf32>, vector<4xf32>
    %v3 = vector.load %x[%at3] : memref<4096xf32>, vector<4xf32>
  }
  return
}

// Views have the alignment of what they are cut from, and of where.
// CHECK-LABEL: func.func @views
func.func @views(%x: memref<8x64xf32>, %arena: memref<?xi8>, %off: index) {
  %c0 = arith.constant 0 : index
  %c96 = arith.constant 96 : index
  %flat = memref.collapse_shape %x [[0, 1]] : memref<8x64xf32> into memref<512xf32>
  // CHECK: vector.load {{.*}} {alignment = 32 : i64} : memref<512xf32>, vector<8xf32>
  %0 = vector.load %flat[%c0] : memref<512xf32>, vector<8xf32>
  %view = memref.view %arena[%c96][] : memref<?xi8> to memref<64xf32>
  // CHECK: vector.load {{.*}} {alignment = 32 : i64} : memref<64xf32>, vector<16xf32>
  %1 = vector.load %view[%c0] : memref<64xf32>, vector<16xf32>
  %cut = memref.reinterpret_cast %flat to offset: [%off], sizes: [64], strides: [1] : memref<512xf32> to memref<64xf32, strided<[1], offset: ?>>
  // CHECK: vector.load %{{[^{]*}} : memref<64xf32, strided<[1], offset: ?>>, vector<4xf32>
  %2 = vector.load %cut[%c0] : memref<64xf32, strided<[1], offset: ?>>, vector<4xf32>
  return
}
