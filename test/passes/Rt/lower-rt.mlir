// RUN: adze-opt %s --adze-lower-rt | FileCheck %s

// CHECK: llvm.mlir.global internal constant @adze_message_0("bad\00")

// Every function takes the context first; allocation is checked arithmetic
// and a call through it.
// CHECK-LABEL: func.func private @kernel
// CHECK-SAME: (%[[CTX:.*]]: !llvm.ptr, %[[C:.*]]: i1, %[[N:.*]]: index)
func.func private @kernel(%c: i1, %n: index) {
  // CHECK: cf.cond_br
  // CHECK: llvm.call %{{.*}}(%[[CTX]], %{{.*}}, %{{.*}}) : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr) -> ()
  adze_rt.check %c, "bad"
  // CHECK: llvm.intr.smul.with.overflow
  // CHECK: llvm.call %{{.*}}(%[[CTX]], %{{.*}}) : !llvm.ptr, (!llvm.ptr, i64) -> !llvm.ptr
  %m = memref.alloc(%n) : memref<?xf32>
  // CHECK: llvm.call %{{.*}}(%[[CTX]], %{{.*}}) : !llvm.ptr, (!llvm.ptr, !llvm.ptr) -> ()
  memref.dealloc %m : memref<?xf32>
  return
}

// Work on a device: addresses and extents are computed here, memory is never read.
// CHECK-LABEL: func.func private @device
// CHECK-SAME: (%[[CTX:.*]]: !llvm.ptr, %{{.*}}: memref<?xf32>, %[[N:.*]]: index)
func.func private @device(%m: memref<?xf32>, %n: index) -> f32 {
  // Grid and block, values, and pointers to them.
  // CHECK-DAG: llvm.alloca %{{.*}} x i32
  // CHECK-DAG: llvm.alloca %{{.*}} x i64
  // CHECK-DAG: llvm.alloca %{{.*}} x !llvm.ptr
  // CHECK: llvm.call %{{.*}}(%[[CTX]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr, i32, !llvm.ptr) -> ()
  adze_rt.device_launch @device::@k number 2 grid(%n, %n, %n) block [256, 1, 1] shared 1024(%m, %n) : memref<?xf32>, index
  // The runtime makes a tensor map in memory of the function; a launch points to it.
  // CHECK: llvm.call %{{.*}}(%[[CTX]], %[[MAP:.*]], %{{.*}}, %{{.*}}) : !llvm.ptr, (!llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr) -> ()
  // CHECK: %[[CAST:.*]] = builtin.unrealized_conversion_cast %[[MAP]] : !llvm.ptr to !adze_rt.tensor_map
  // CHECK: %[[SAME:.*]] = builtin.unrealized_conversion_cast %[[CAST]] : !adze_rt.tensor_map to !llvm.ptr
  // CHECK: llvm.store %[[SAME]], %{{.*}} : !llvm.ptr, !llvm.ptr
  %map = adze_rt.tensor_map %m[%n] extents(%n, %n) strides(%n) box [64, 128] swizzle 128 : memref<?xf32>
  adze_rt.device_launch @device::@k number 3 grid(%n, %n, %n) block [256, 1, 1] shared 1024(%map) : !adze_rt.tensor_map
  // CHECK: llvm.call %{{.*}}(%[[CTX]], %[[TO:.*]], %{{.*}}, %{{.*}}) : !llvm.ptr, (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64) -> ()
  // CHECK: llvm.load %[[TO]] : !llvm.ptr -> f32
  %e = adze_rt.device_load %m[%n] : memref<?xf32> -> f32
  return %e : f32
}

// The entry takes and gives descriptors through pointers.
// CHECK-LABEL: func.func @adze_entry
// CHECK-SAME: (%[[CTX:.*]]: !llvm.ptr, %[[IN:.*]]: !llvm.ptr, %[[OUT:.*]]: !llvm.ptr) -> i32
func.func @main(%x: memref<?xf32>, %y: memref<4xf32>) -> (memref<4xf32>, memref<?xf32>)
    attributes {adze.entry} {
  // CHECK-DAG: %[[I0:.*]] = llvm.getelementptr %[[IN]][0]
  // CHECK-DAG: %[[P0:.*]] = llvm.load %[[I0]] : !llvm.ptr -> !llvm.ptr
  // CHECK-DAG: %[[X:.*]] = llvm.load %[[P0]] : !llvm.ptr -> !llvm.struct
  // CHECK-DAG: %[[O1:.*]] = llvm.getelementptr %[[OUT]][8]
  // CHECK-DAG: %[[P1:.*]] = llvm.load %[[O1]] : !llvm.ptr -> !llvm.ptr
  // CHECK: llvm.store %{{.*}}, %[[P1]] : !llvm.struct
  // CHECK: return %{{.*}} : i32
  return %y, %x : memref<4xf32>, memref<?xf32>
}

// Weights lie further than a constant index reaches.
// CHECK-LABEL: func.func private @far
// CHECK: %[[AT:.*]] = llvm.mlir.constant(300000000 : i64) : i64
// CHECK: llvm.getelementptr %{{.*}}[%[[AT]]] : (!llvm.ptr, i64) -> !llvm.ptr, i8
func.func private @far() -> memref<4xf32> {
  %w = adze_rt.constant 300000000 size 16 : memref<4xf32>
  return %w : memref<4xf32>
}
