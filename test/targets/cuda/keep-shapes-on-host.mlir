// RUN: adze-opt %s --adze-cuda-keep-shapes-on-host | FileCheck %s

// Extents that the entry reads are made and kept by the host; constants are read from its
// own copy of the weights.
// CHECK-LABEL: func.func @main
// CHECK: %[[V:.*]] = memref.alloc() {adze.host_memory} : memref<4xi64>
// CHECK: %[[C:.*]] = adze_rt.constant 0 size 16 host : memref<2xi64>
// CHECK: adze_rt.launch @double_on_host kernel 0(%[[C]], %[[V]])
// CHECK: memref.load %[[V]]
// What a kernel reads outside of its loops it may take from there.
// CHECK: adze_rt.launch @crop kernel 1(%{{.*}}, %[[V]], %{{.*}})
// What the GPU computes with stays with it, with all that is made from it.
// CHECK: %[[W:.*]] = memref.view
// CHECK: adze_rt.launch @double kernel 2(%{{.*}}, %[[W]])
// CHECK: memref.load %[[W]]
func.func @main(%x: memref<16xf32>, %y: memref<16xf32>) attributes {adze.entry} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %arena = adze_rt.slab %c128 : memref<?xi8>
  %c = adze_rt.constant 0 size 16 : memref<2xi64>
  %v = memref.view %arena[%c64][] : memref<?xi8> to memref<4xi64>
  adze_rt.launch @double kernel 0(%c, %v) : (memref<2xi64>, memref<4xi64>) -> ()
  %e = memref.load %v[%c0] : memref<4xi64>
  adze_rt.launch @crop kernel 1(%x, %v, %y) : (memref<16xf32>, memref<4xi64>, memref<16xf32>) -> ()
  %w = memref.view %arena[%c0][] : memref<?xi8> to memref<4xi64>
  adze_rt.launch @double kernel 2(%c, %w) : (memref<2xi64>, memref<4xi64>) -> ()
  %f = memref.load %w[%c0] : memref<4xi64>
  adze_rt.launch @gather kernel 3(%x, %w, %y) : (memref<16xf32>, memref<4xi64>, memref<16xf32>) -> ()
  return
}

// CHECK: func.func private @double_on_host
// CHECK-SAME: adze.host_memory
// CHECK-LABEL: func.func private @double(
func.func private @double(%c: memref<2xi64>, %v: memref<4xi64>) {
  linalg.generic {indexing_maps = [affine_map<(d0) -> (d0 mod 2)>, affine_map<(d0) -> (d0)>],
                  iterator_types = ["parallel"]} ins(%c : memref<2xi64>) outs(%v : memref<4xi64>) {
  ^bb0(%in: i64, %out: i64):
    %s = arith.addi %in, %in : i64
    linalg.yield %s : i64
  }
  return
}

// CHECK-LABEL: func.func private @crop
// CHECK-SAME: memref<4xi64> {adze.host_memory}
func.func private @crop(%x: memref<16xf32>, %v: memref<4xi64>, %y: memref<16xf32>) {
  %c0 = arith.constant 0 : index
  %e = memref.load %v[%c0] : memref<4xi64>
  %n = arith.index_cast %e : i64 to index
  %from = memref.subview %x[0] [%n] [1] : memref<16xf32> to memref<?xf32, strided<[1]>>
  %to = memref.subview %y[0] [%n] [1] : memref<16xf32> to memref<?xf32, strided<[1]>>
  linalg.copy ins(%from : memref<?xf32, strided<[1]>>) outs(%to : memref<?xf32, strided<[1]>>)
  return
}

// CHECK-LABEL: func.func private @gather
// CHECK-NOT: adze.host_memory
func.func private @gather(%x: memref<16xf32>, %v: memref<4xi64>, %y: memref<16xf32>) {
  linalg.generic {indexing_maps = [affine_map<(d0) -> (d0 mod 4)>, affine_map<(d0) -> (d0)>],
                  iterator_types = ["parallel"]} ins(%v : memref<4xi64>) outs(%y : memref<16xf32>) {
  ^bb0(%in: i64, %out: f32):
    %i = arith.index_cast %in : i64 to index
    %e = memref.load %x[%i] : memref<16xf32>
    linalg.yield %e : f32
  }
  return
}
