// RUN: adze-opt %s --adze-cuda-outline --canonicalize --split-input-file | FileCheck %s

// One iteration a thread; the last dimension's neighbours are neighbouring threads.
// CHECK-LABEL: gpu.module @device
// CHECK: gpu.func @kernel_0(%[[X:.*]]: !llvm.ptr, %[[Y:.*]]: !llvm.ptr) kernel
// CHECK-SAME: known_block_size = array<i32: 256, 1, 1>
// CHECK: gpu.block_id x
// CHECK: gpu.thread_id x
// CHECK: %[[IN:.*]] = arith.cmpi ult, %{{.*}}, %c1536_i32 : i32
// CHECK: scf.if %[[IN]]
// CHECK: arith.remui %{{.*}}, %c96_i32 : i32
// CHECK: arith.divui %{{.*}}, %c96_i32 : i32
// CHECK: vector.load
// CHECK: vector.store
// CHECK: gpu.return
// CHECK-LABEL: func.func private @kernel
// CHECK: adze_rt.device_launch @device::@kernel_0 number 0 grid(%c6, %c1, %c1) block [256, 1, 1] shared 0(%{{.*}}, %{{.*}}) : memref<6144xf32>, memref<6144xf32>
func.func private @kernel(%x: memref<6144xf32>, %y: memref<6144xf32>) attributes {adze.device} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  %c384 = arith.constant 384 : index
  scf.parallel (%i, %j) = (%c0, %c0) to (%c16, %c384) step (%c1, %c4) {
    %row = arith.muli %i, %c384 : index
    %at = arith.addi %row, %j : index
    %v = vector.load %x[%at] : memref<6144xf32>, vector<4xf32>
    vector.store %v, %y[%at] : memref<6144xf32>, vector<4xf32>
  }
  return
}

// -----

// Extents and strides that are not known are arguments; single elements are fetched.
// CHECK-LABEL: gpu.func @strided_0(%{{.*}}: !llvm.ptr, %{{.*}}: index, %{{.*}}: index, %{{.*}}: !llvm.ptr, %{{.*}}: index) kernel
// CHECK-LABEL: func.func private @strided
// CHECK-SAME: (%[[X:.*]]: memref<?x?xf32, strided<[?, 1], offset: ?>>, %[[N:.*]]: memref<1xindex>)
// CHECK-DAG: %[[E:.*]] = adze_rt.device_load %[[N]][%c0] : memref<1xindex> -> index
// CHECK-DAG: %[[M:.*]] = adze_rt.device_alloc() : memref<64xf32>
// CHECK: %{{.*}}, %{{.*}}, %[[S:.*]]:2, %[[T:.*]]:2 = memref.extract_strided_metadata %[[X]]
// CHECK: adze_rt.device_launch @device::@strided_0 {{.*}}(%[[X]], %[[S]]#0, %[[S]]#1, %[[T]]#0, %[[M]], %[[E]])
// CHECK: adze_rt.device_dealloc %[[M]]
func.func private @strided(%x: memref<?x?xf32, strided<[?, 1], offset: ?>>, %n: memref<1xindex>)
    attributes {adze.device} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %e = memref.load %n[%c0] : memref<1xindex>
  %m = memref.alloc() : memref<64xf32>
  scf.parallel (%i) = (%c0) to (%e) step (%c1) {
    memref.store %zero, %x[%i, %i] : memref<?x?xf32, strided<[?, 1], offset: ?>>
    memref.store %zero, %m[%i] : memref<64xf32>
  }
  memref.dealloc %m : memref<64xf32>
  return
}

// -----

// A team of one warp shuffles; its iterations share blocks.
// CHECK-LABEL: gpu.func @warp_0
// CHECK-SAME: known_block_size = array<i32: 256, 1, 1>
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK: nvvm.bar.warp.sync
// A larger team is a block: partial sums pass through shared memory.
// CHECK-LABEL: gpu.func @block_0
// CHECK-SAME: workgroup(%[[W:.*]] : memref<16xf32, #gpu.address_space<workgroup>>)
// CHECK-SAME: known_block_size = array<i32: 512, 1, 1>
// CHECK-NOT: scf.if %{{.*}} {{.*}}gpu.shuffle
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK: memref.store %{{.*}}, %[[W]]
// CHECK: gpu.barrier
// CHECK-COUNT-16: memref.load %[[W]]
// CHECK: gpu.barrier
// CHECK: adze_rt.device_launch @device::@block_0 number 1 grid(%c40, %c1, %c1) block [512, 1, 1]
func.func private @warp(%x: memref<1280xf32>, %y: memref<40xf32>) attributes {adze.device} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c40 = arith.constant 40 : index
  scf.parallel (%i, %lane) = (%c0, %c0) to (%c40, %c32) step (%c1, %c1) {
    %row = arith.muli %i, %c32 : index
    %at = arith.addi %row, %lane : index
    %v = memref.load %x[%at] : memref<1280xf32>
    %s = adze_rt.team_reduce "arith.addf" %v team 32 : f32
    memref.store %s, %y[%i] : memref<40xf32>
    adze_rt.team_barrier team 32
  } {adze.team = 32 : i64}
  return
}
func.func private @block(%x: memref<20480xf32>, %y: memref<40xf32>) attributes {adze.device} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c512 = arith.constant 512 : index
  %c40 = arith.constant 40 : index
  scf.parallel (%i, %lane) = (%c0, %c0) to (%c40, %c512) step (%c1, %c1) {
    %row = arith.muli %i, %c512 : index
    %at = arith.addi %row, %lane : index
    %v = memref.load %x[%at] : memref<20480xf32>
    %s = adze_rt.team_reduce "arith.addf" %v team 512 : f32
    memref.store %s, %y[%i] : memref<40xf32>
    adze_rt.team_barrier team 512
  } {adze.team = 512 : i64}
  return
}

// -----

// Single elements are sent one by one.
// CHECK-LABEL: func.func private @element
// CHECK: adze_rt.device_store %{{.*}}, %{{.*}}[%{{.*}}] : f32, memref<40xf32>
func.func private @element(%y: memref<40xf32>) attributes {adze.device} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  memref.store %zero, %y[%c0] : memref<40xf32>
  return
}

// -----

// A constant of the host's is one of the kernel's too, and what views it.
// CHECK-LABEL: gpu.module @device
// CHECK: memref.global "private" constant @table
// CHECK-LABEL: gpu.func @lookup_0(%{{.*}}: !llvm.ptr) kernel
// CHECK: memref.get_global @table
memref.global "private" constant @table : memref<1x4xf32> = dense<[[1.0, 2.0, 3.0, 4.0]]>
func.func private @lookup(%y: memref<4xf32>) attributes {adze.device} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %0 = memref.get_global @table : memref<1x4xf32>
  %flat = memref.collapse_shape %0 [[0, 1]] : memref<1x4xf32> into memref<4xf32>
  scf.parallel (%i) = (%c0) to (%c4) step (%c1) {
    %v = memref.load %flat[%i] : memref<4xf32>
    memref.store %v, %y[%i] : memref<4xf32>
  }
  return
}
