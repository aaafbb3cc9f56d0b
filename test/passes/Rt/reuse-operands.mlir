// RUN: adze-opt %s --adze-reuse-operands --split-input-file | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#turned = affine_map<(d0, d1) -> (d1, d0)>
#column = affine_map<(d0, d1) -> (d1)>

func.func private @use(memref<8x8xf32>)

// Elementwise: each element is read where it is written.
func.func private @relu(%in: memref<8x8xf32>, %out: memref<8x8xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%in : memref<8x8xf32>) outs(%out : memref<8x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.maximumf %a, %zero : f32
    linalg.yield %0 : f32
  }
  return
}

// Reads elements that it has written before.
func.func private @transpose(%in: memref<8x8xf32>, %out: memref<8x8xf32>) {
  linalg.generic {indexing_maps = [#turned, #id], iterator_types = ["parallel", "parallel"]}
      ins(%in : memref<8x8xf32>) outs(%out : memref<8x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  }
  return
}

// Rows: the sums are complete before the first element of a row is written.
func.func private @center(%in: memref<8x8xf32>, %out: memref<8x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %sum = memref.alloc() : memref<8xf32>
  linalg.fill ins(%zero : f32) outs(%sum : memref<8xf32>)
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%in : memref<8x8xf32>) outs(%sum : memref<8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%in, %sum : memref<8x8xf32>, memref<8xf32>) outs(%out : memref<8x8xf32>) {
  ^bb0(%a: f32, %s: f32, %b: f32):
    %0 = arith.subf %a, %s : f32
    linalg.yield %0 : f32
  }
  memref.dealloc %sum : memref<8xf32>
  return
}

// The sum of another row is wanted: all must be read before any is written.
func.func private @crossed(%in: memref<8x8xf32>, %out: memref<8x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %sum = memref.alloc() : memref<8xf32>
  linalg.fill ins(%zero : f32) outs(%sum : memref<8xf32>)
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%in : memref<8x8xf32>) outs(%sum : memref<8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]}
      ins(%in, %sum : memref<8x8xf32>, memref<8xf32>) outs(%out : memref<8x8xf32>) {
  ^bb0(%a: f32, %s: f32, %b: f32):
    %0 = arith.subf %a, %s : f32
    linalg.yield %0 : f32
  }
  memref.dealloc %sum : memref<8xf32>
  return
}

// The operand is read again after the destination was written.
func.func private @again(%in: memref<8x8xf32>, %out: memref<8x8xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%in : memref<8x8xf32>) outs(%out : memref<8x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.mulf %a, %a : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%in : memref<8x8xf32>) outs(%out : memref<8x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
}

// What is read of the operand first is used last, when it is overwritten: the
// scheduler may compute it only there.
func.func private @late(%in: memref<8x8xf32>, %out: memref<8x8xf32>, %other: memref<8x8xf32>) {
  %copy = memref.alloc() : memref<8x8xf32>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%in : memref<8x8xf32>) outs(%copy : memref<8x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%in : memref<8x8xf32>) outs(%out : memref<8x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.mulf %a, %a : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%copy : memref<8x8xf32>) outs(%other : memref<8x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  }
  memref.dealloc %copy : memref<8x8xf32>
  return
}

// CHECK-LABEL: func.func @chain
// CHECK: %[[A:.*]] = memref.alloc() : memref<8x8xf32>
// CHECK-NEXT: call @use(%[[A]])
// CHECK-NEXT: call @relu(%[[A]], %[[A]])
// CHECK-NEXT: call @center(%[[A]], %[[A]])
// CHECK-NEXT: call @use(%[[A]])
// CHECK-NEXT: memref.dealloc %[[A]]
func.func @chain() attributes {adze.entry} {
  %a = memref.alloc() : memref<8x8xf32>
  call @use(%a) {adze.kernel = 0 : i32} : (memref<8x8xf32>) -> ()
  %b = memref.alloc() : memref<8x8xf32>
  call @relu(%a, %b) {adze.kernel = 1 : i32} : (memref<8x8xf32>, memref<8x8xf32>) -> ()
  memref.dealloc %a : memref<8x8xf32>
  %c = memref.alloc() : memref<8x8xf32>
  call @center(%b, %c) {adze.kernel = 2 : i32} : (memref<8x8xf32>, memref<8x8xf32>) -> ()
  memref.dealloc %b : memref<8x8xf32>
  call @use(%c) {adze.kernel = 3 : i32} : (memref<8x8xf32>) -> ()
  memref.dealloc %c : memref<8x8xf32>
  return
}

// An operand that is read later, an argument, and kernels that prove nothing.
// CHECK-LABEL: func.func @kept
// CHECK-COUNT-7: memref.alloc()
// CHECK: return
func.func @kept(%x: memref<8x8xf32>) attributes {adze.entry} {
  %a = memref.alloc() : memref<8x8xf32>
  call @relu(%x, %a) {adze.kernel = 0 : i32} : (memref<8x8xf32>, memref<8x8xf32>) -> ()
  %b = memref.alloc() : memref<8x8xf32>
  call @relu(%a, %b) {adze.kernel = 1 : i32} : (memref<8x8xf32>, memref<8x8xf32>) -> ()
  call @use(%a) {adze.kernel = 2 : i32} : (memref<8x8xf32>) -> ()
  memref.dealloc %a : memref<8x8xf32>
  %c = memref.alloc() : memref<8x8xf32>
  call @transpose(%b, %c) {adze.kernel = 3 : i32} : (memref<8x8xf32>, memref<8x8xf32>) -> ()
  memref.dealloc %b : memref<8x8xf32>
  %d = memref.alloc() : memref<8x8xf32>
  call @crossed(%c, %d) {adze.kernel = 4 : i32} : (memref<8x8xf32>, memref<8x8xf32>) -> ()
  memref.dealloc %c : memref<8x8xf32>
  %e = memref.alloc() : memref<8x8xf32>
  call @again(%d, %e) {adze.kernel = 5 : i32} : (memref<8x8xf32>, memref<8x8xf32>) -> ()
  memref.dealloc %d : memref<8x8xf32>
  %f = memref.alloc() : memref<8x8xf32>
  %g = memref.alloc() : memref<8x8xf32>
  call @late(%e, %f, %g) {adze.kernel = 6 : i32} : (memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>) -> ()
  memref.dealloc %e : memref<8x8xf32>
  call @use(%f) {adze.kernel = 7 : i32} : (memref<8x8xf32>) -> ()
  call @use(%g) {adze.kernel = 8 : i32} : (memref<8x8xf32>) -> ()
  memref.dealloc %f : memref<8x8xf32>
  memref.dealloc %g : memref<8x8xf32>
  return
}

// -----

#map = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
func.func private @add(%x: memref<?x?xf32>, %y: memref<?x?xf32>, %out: memref<?x?xf32>) {
  linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : memref<?x?xf32>, memref<?x?xf32>) outs(%out : memref<?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
}

// Sums of rows, written to rows of any length.
func.func private @spread(%x: memref<?x?xf32>, %sum: memref<?xf32>, %out: memref<?x?xf32>) {
  linalg.generic {indexing_maps = [#map, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x?xf32>) outs(%sum : memref<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#row, #map], iterator_types = ["parallel", "parallel"]}
      ins(%sum : memref<?xf32>) outs(%out : memref<?x?xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  }
  return
}
func.func private @fill(memref<?x?xf32>)

// Dynamic: the kernel says that the extents are the same, or they may differ.
// Only one of two operands can be written over.
// CHECK-LABEL: func.func @dynamic
// CHECK: call @add(%[[A:.*]], %[[B:.*]], %[[A]])
// CHECK: %[[D:.*]] = memref.alloc
// CHECK: call @spread(%[[A]], %{{.*}}, %[[D]])
func.func @dynamic(%n: index, %m: index, %sum: memref<?xf32>) -> memref<?x?xf32> attributes {adze.entry} {
  %a = memref.alloc(%n, %n) : memref<?x?xf32>
  call @fill(%a) {adze.kernel = 0 : i32} : (memref<?x?xf32>) -> ()
  %b = memref.alloc(%n, %n) : memref<?x?xf32>
  call @fill(%b) {adze.kernel = 1 : i32} : (memref<?x?xf32>) -> ()
  %c = memref.alloc(%m, %m) : memref<?x?xf32>
  call @add(%a, %b, %c) {adze.kernel = 2 : i32} : (memref<?x?xf32>, memref<?x?xf32>, memref<?x?xf32>) -> ()
  memref.dealloc %a : memref<?x?xf32>
  memref.dealloc %b : memref<?x?xf32>
  %d = memref.alloc(%n, %m) : memref<?x?xf32>
  call @spread(%c, %sum, %d) {adze.kernel = 3 : i32} : (memref<?x?xf32>, memref<?xf32>, memref<?x?xf32>) -> ()
  memref.dealloc %c : memref<?x?xf32>
  return %d : memref<?x?xf32>
}
