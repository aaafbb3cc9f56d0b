// RUN: adze-opt %s --adze-cuda-place-kernels | FileCheck %s

// The entry's buffers are the GPU's.
// CHECK-LABEL: func.func @main
// CHECK-SAME: attributes {adze.device, adze.entry}
func.func @main(%x: memref<8xf32>, %y: memref<8xf32>, %n: memref<8xi64>) attributes {adze.entry} {
  adze_rt.launch @pointwise kernel 0(%x, %y) : (memref<8xf32>, memref<8xf32>) -> ()
  adze_rt.launch @one_by_one kernel 1(%x, %n) : (memref<8xf32>, memref<8xi64>) -> ()
  adze_rt.launch @gamma kernel 2(%x, %y) : (memref<8xf32>, memref<8xf32>) -> ()
  %z = adze_rt.launch @own_memory kernel 3(%x) : (memref<8xf32>) -> memref<?xf32>
  memref.dealloc %z : memref<?xf32>
  adze_rt.launch @decides kernel 4(%x, %y) : (memref<8xf32>, memref<8xf32>) -> ()
  return
}

// CHECK-LABEL: func.func private @pointwise
// CHECK-SAME: attributes {adze.device}
func.func private @pointwise(%x: memref<8xf32>, %y: memref<8xf32>) {
  linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                  iterator_types = ["parallel"]} ins(%x : memref<8xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %e = math.exp %in : f32
    linalg.yield %e : f32
  }
  return
}

// What reads and writes elements one after the other stays on the host, between copies; what it
// does not write is not copied back.
// CHECK: func.func private @one_by_one_host
// CHECK-SAME: adze.target = {
// CHECK-LABEL: func.func private @one_by_one(
// CHECK-SAME: %[[X:.*]]: memref<8xf32>, %[[N:.*]]: memref<8xi64>) attributes {adze.device, adze.host = "reads or writes elements one by one"}
// CHECK-NEXT: %[[HX:.*]] = adze_rt.to_host %[[X]]
// CHECK-NEXT: %[[HN:.*]] = memref.alloc() : memref<8xi64>
// CHECK-NEXT: call @one_by_one_host(%[[HX]], %[[HN]])
// CHECK-NEXT: adze_rt.to_device %[[HN]], %[[N]]
// CHECK-NEXT: memref.dealloc %[[HX]]
// CHECK-NEXT: memref.dealloc %[[HN]]
// CHECK-NEXT: return
func.func private @one_by_one(%x: memref<8xf32>, %n: memref<8xi64>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c65 = arith.constant 65 : index
  scf.for %i = %c0 to %c65 step %c1 {
    %v = memref.load %x[%c1] : memref<8xf32>
    %r = arith.fptosi %v : f32 to i64
    memref.store %r, %n[%c0] : memref<8xi64>
  }
  return
}

// CHECK-LABEL: func.func private @gamma(
// CHECK-SAME: adze.host = "math.acosh has no code for a GPU"
func.func private @gamma(%x: memref<8xf32>, %y: memref<8xf32>) {
  linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                  iterator_types = ["parallel"]} ins(%x : memref<8xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %e = math.acosh %in : f32
    linalg.yield %e : f32
  }
  return
}

// A result of its own moves to device memory.
// CHECK-LABEL: func.func private @own_memory(
// CHECK-SAME: adze.host = "its results' extents depend on data"
// CHECK: %[[R:.*]] = call @own_memory_host
// CHECK: %[[D:.*]] = memref.dim %[[R]]
// CHECK: %[[M:.*]] = adze_rt.device_alloc(%[[D]]) : memref<?xf32>
// CHECK: adze_rt.to_device %[[R]], %[[M]]
// CHECK: memref.dealloc %[[R]]
// CHECK: return %[[M]]
func.func private @own_memory(%x: memref<8xf32>) -> memref<?xf32> {
  %c3 = arith.constant 3 : index
  %m = memref.alloc(%c3) : memref<?xf32>
  return %m : memref<?xf32>
}

// Flags that host code keeps for itself do not make a kernel the host's.
// CHECK-LABEL: func.func private @decides
// CHECK-SAME: attributes {adze.device}
func.func private @decides(%x: memref<8xf32>, %y: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  %true = arith.constant true
  %flags = memref.alloc() : memref<1xi1>
  memref.store %true, %flags[%c0] : memref<1xi1>
  %flag = memref.load %flags[%c0] : memref<1xi1>
  scf.if %flag {
    linalg.copy ins(%x : memref<8xf32>) outs(%y : memref<8xf32>)
  }
  memref.dealloc %flags : memref<1xi1>
  return
}
