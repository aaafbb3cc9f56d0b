// RUN: adze-opt %s --adze-plan-memory --split-input-file | FileCheck %s

func.func private @use(memref<16xf32>, memref<16xf32>)

// Two buffers that are never alive together share an offset. The plan names the
// kernel that fills each.
// CHECK: module attributes {adze.memory_plan = {buffers = array<i64: 0, 3, 0, 64, 0, 2, 5, 64, 64, -1, 4, 7, 0, 64, 1>, bytes = 128 : i64, peak = 128 : i64}}
// CHECK-LABEL: func.func @static
func.func @static(%x: memref<16xf32>) -> memref<16xf32> attributes {adze.entry} {
  // CHECK: adze_rt.slab %{{.*}} : memref<?xi8>
  // CHECK-COUNT-3: memref.view
  // CHECK-NOT: memref.alloc
  // CHECK-NOT: memref.dealloc
  %a = memref.alloc() : memref<16xf32>
  call @use(%x, %a) {adze.kernel = 0 : i32} : (memref<16xf32>, memref<16xf32>) -> ()
  %b = memref.alloc() : memref<16xf32>
  memref.dealloc %a : memref<16xf32>
  %c = memref.alloc() : memref<16xf32>
  memref.dealloc %b : memref<16xf32>
  call @use(%x, %c) {adze.kernel = 1 : i32} : (memref<16xf32>, memref<16xf32>) -> ()
  return %c : memref<16xf32>
}

// -----

func.func private @use(memref<?xf32>)

// Sizes that follow from the inputs' extents are placed by the runtime.
// CHECK-LABEL: func.func @dynamic
func.func @dynamic(%x: memref<?xf32>) attributes {adze.entry} {
  // CHECK: %[[D:.*]] = memref.dim
  // CHECK: arith.mulsi_extended
  // CHECK: %[[BYTES:.*]], %[[OFFSET:.*]] = adze_rt.plan
  // CHECK: %[[ARENA:.*]] = adze_rt.slab %[[BYTES]]
  // CHECK: memref.view %[[ARENA]][%[[OFFSET]]][%[[D]]] : memref<?xi8> to memref<?xf32>
  call @use(%x) : (memref<?xf32>) -> ()
  %c0 = arith.constant 0 : index
  %d = memref.dim %x, %c0 : memref<?xf32>
  %a = memref.alloc(%d) : memref<?xf32>
  call @use(%a) : (memref<?xf32>) -> ()
  memref.dealloc %a : memref<?xf32>
  return
}

// -----

// A size read from memory stays with the allocator.
// CHECK-LABEL: func.func @data_dependent
func.func @data_dependent(%x: memref<1xindex>) attributes {adze.entry} {
  // CHECK-NOT: adze_rt.slab
  // CHECK: memref.alloc
  %c0 = arith.constant 0 : index
  %d = memref.load %x[%c0] : memref<1xindex>
  %a = memref.alloc(%d) : memref<?xf32>
  memref.dealloc %a : memref<?xf32>
  return
}
