// RUN: adze-opt %s --adze-count-work --split-input-file | FileCheck %s
// What a launch does, over the dynamic extents of its arguments.

// A matmul, its fill and its epilogue: 2 a point, then 1; the result is written
// before it is read, so it is not fetched.
// CHECK-LABEL: @matmul
// CHECK-SAME: adze.work = {flops = "e1 1032 *", read = "e0 256 * 2048 +", written = "e1 32 *"}
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
func.func private @matmul(%a: memref<?x64xf32>, %b: memref<64x8xf32>, %c: memref<?x8xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<?x8xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<?x64xf32>, memref<64x8xf32>) outs(%c : memref<?x8xf32>) {
  ^bb0(%x: f32, %y: f32, %s: f32):
    %p = arith.mulf %x, %y : f32
    %q = arith.addf %s, %p : f32
    linalg.yield %q : f32
  }
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%c : memref<?x8xf32>) {
  ^bb0(%s: f32):
    %q = math.exp %s : f32
    linalg.yield %q : f32
  }
  return
}
func.func @entry(%a: memref<?x64xf32>, %b: memref<64x8xf32>, %c: memref<?x8xf32>) {
  adze_rt.launch @matmul kernel 0 (%a, %b, %c) : (memref<?x64xf32>, memref<64x8xf32>, memref<?x8xf32>) -> ()
  return
}

// -----

// Static shapes are a number; a loop multiplies; what the kernel keeps to itself
// moves nothing; moves, selects and conversions count nothing.
// CHECK-LABEL: @loop
// CHECK-SAME: adze.work = {flops = "200", read = "400", written = "400"}
#id = affine_map<(i) -> (i)>
func.func private @loop(%a: memref<100xf32>, %c: memref<100xf32>) {
  %c0 = arith.constant 0 : index
  %c10 = arith.constant 10 : index
  %zero = arith.constant 0.0 : f32
  %own = memref.alloc() : memref<100xf32>
  linalg.fill ins(%zero : f32) outs(%own : memref<100xf32>)
  scf.for %i = %c0 to %c10 step %c10 {
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%a : memref<100xf32>) outs(%own : memref<100xf32>) {
    ^bb0(%x: f32, %s: f32):
      %less = arith.cmpf olt, %x, %zero : f32
      %y = arith.select %less, %zero, %x : f32
      %z = arith.addf %y, %s : f32
      linalg.yield %z : f32
    }
  }
  memref.copy %own, %c : memref<100xf32> to memref<100xf32>
  return
}
func.func @entry(%a: memref<100xf32>, %c: memref<100xf32>) {
  adze_rt.launch @loop kernel 0 (%a, %c) : (memref<100xf32>, memref<100xf32>) -> ()
  return
}

// -----

// Sizes of the kernel's own buffers follow from the arguments; a gather reads
// as much as it takes, at most all.
// CHECK-LABEL: @padded
// CHECK-SAME: flops = "e0 -1 + 2 / 0 max 3 *", read = "e0 4 * e2 8 * e1 min 4 * +", written = "e2 32 *"}
#row = affine_map<(i, j) -> (i)>
#id = affine_map<(i, j) -> (i, j)>
#half = affine_map<()[s] -> ((s - 1) floordiv 2)>
func.func private @padded(%x: memref<?xi32>, %table: memref<?xf32>, %out: memref<?x8xf32>) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?xi32>
  %h = affine.apply #half()[%n]
  %m = arith.maxsi %h, %c0 : index
  %own = memref.alloc(%m) : memref<?x3xf32>
  %one = arith.constant 1.0 : f32
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%own : memref<?x3xf32>) {
  ^bb0(%s: f32):
    %y = arith.addf %one, %one : f32
    linalg.yield %y : f32
  }
  linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<?xi32>) outs(%out : memref<?x8xf32>) {
  ^bb0(%i: i32, %s: f32):
    %at = arith.index_cast %i : i32 to index
    %y = memref.load %table[%at] : memref<?xf32>
    linalg.yield %y : f32
  }
  return
}
func.func @entry(%x: memref<?xi32>, %t: memref<?xf32>, %out: memref<?x8xf32>) {
  adze_rt.launch @padded kernel 0 (%x, %t, %out) : (memref<?xi32>, memref<?xf32>, memref<?x8xf32>) -> ()
  return
}

// -----

// How often a loop runs that the data ends is not known; nor is a number beyond
// 64 bits. Functions that are no kernels get nothing.
// CHECK-LABEL: @unknown
// CHECK-SAME: adze.work = {flops = "", read = "e0 4 *", written = "e0 4 *"}
// CHECK-LABEL: @large
// CHECK-SAME: adze.work = {flops = "", read = "", written = "4"}
// CHECK-LABEL: @entry
// CHECK-NOT: adze.work
#id = affine_map<(i, j) -> (i, j)>
func.func private @unknown(%x: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  scf.while : () -> () {
    %v = memref.load %x[%c0] : memref<?xf32>
    %more = arith.cmpf olt, %v, %one : f32
    scf.condition(%more)
  } do {
    %v = memref.load %x[%c0] : memref<?xf32>
    %w = arith.addf %v, %one : f32
    memref.store %w, %x[%c0] : memref<?xf32>
    scf.yield
  }
  return
}
func.func private @large(%x: memref<4294967296x4294967296xf32>, %y: memref<f32>) {
  linalg.generic {indexing_maps = [#id, affine_map<(i, j) -> ()>], iterator_types = ["reduction", "reduction"]}
      ins(%x : memref<4294967296x4294967296xf32>) outs(%y : memref<f32>) {
  ^bb0(%v: f32, %s: f32):
    %w = arith.addf %v, %s : f32
    linalg.yield %w : f32
  }
  return
}
func.func @entry(%x: memref<?xf32>, %y: memref<4294967296x4294967296xf32>, %z: memref<f32>) {
  adze_rt.launch @unknown kernel 0 (%x) : (memref<?xf32>) -> ()
  adze_rt.launch @large kernel 1 (%y, %z) : (memref<4294967296x4294967296xf32>, memref<f32>) -> ()
  return
}

// -----

// A convolution by Winograd's filtering counts as the sum that it stands for:
// 16 x 16 x 8 results of 3 x 3 x 4 products.
// CHECK-LABEL: @winograd
// CHECK-SAME: flops = "147456"
#x = affine_map<(n, h, w, o, a, b, i, j, c) -> (n, (h floordiv 4) * 4 + i, (w floordiv 4) * 4 + j, c)>
#u = affine_map<(n, h, w, o, a, b, i, j, c) -> (o floordiv 8, a, b, c, o mod 8)>
#ai = affine_map<(n, h, w, o, a, b, i, j, c) -> (a, i)>
#bj = affine_map<(n, h, w, o, a, b, i, j, c) -> (b, j)>
#ha = affine_map<(n, h, w, o, a, b, i, j, c) -> (h mod 4, a)>
#wb = affine_map<(n, h, w, o, a, b, i, j, c) -> (w mod 4, b)>
#y = affine_map<(n, h, w, o, a, b, i, j, c) -> (n, h, w, o)>
func.func private @winograd(%x: memref<1x18x18x4xf32>, %u: memref<1x6x6x4x8xf32>, %in: memref<6x6xf32>, %out: memref<4x6xf32>, %y: memref<1x16x16x8xf32>) {
  linalg.generic {indexing_maps = [#x, #u, #ai, #bj, #ha, #wb, #y], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "reduction", "reduction"]} ins(%x, %u, %in, %in, %out, %out : memref<1x18x18x4xf32>, memref<1x6x6x4x8xf32>, memref<6x6xf32>, memref<6x6xf32>, memref<4x6xf32>, memref<4x6xf32>) outs(%y : memref<1x16x16x8xf32>) attrs = {adze.winograd} {
  ^bb0(%d: f32, %c: f32, %b1: f32, %b2: f32, %a1: f32, %a2: f32, %o: f32):
    %0 = arith.mulf %d, %c : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  }
  return
}
func.func @entry(%x: memref<1x18x18x4xf32>, %u: memref<1x6x6x4x8xf32>, %in: memref<6x6xf32>, %out: memref<4x6xf32>, %y: memref<1x16x16x8xf32>) {
  adze_rt.launch @winograd kernel 0 (%x, %u, %in, %out, %y) : (memref<1x18x18x4xf32>, memref<1x6x6x4x8xf32>, memref<6x6xf32>, memref<4x6xf32>, memref<1x16x16x8xf32>) -> ()
  return
}

// -----

// Extents that broadcast: a copy is made only where they differ; a loop whose
// length the data decides and a function that do no arithmetic count none.
// CHECK-LABEL: @broadcast
// CHECK-SAME: adze.work = {flops = "e2", read = "e1 4 * e1 e0 broadcast 2 * e0 min 4 * + 8 +", written = "e2 4 * 8 +"}
#id = affine_map<(i) -> (i)>
func.func private @broadcast(%x: memref<?xf32>, %y: memref<?xf32>, %z: memref<?xf32>, %i: memref<index>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %m = memref.dim %y, %c0 : memref<?xf32>
  %one = arith.cmpi eq, %m, %c1 : index
  %size = arith.select %one, %n, %m : index
  %differs = arith.cmpi ne, %n, %size : index
  %a = scf.if %differs -> (memref<?xf32>) {
    %own = memref.alloc(%size) : memref<?xf32>
    linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%own : memref<?xf32>) {
    ^bb0(%s: f32):
      %v = memref.load %x[%c0] : memref<?xf32>
      linalg.yield %v : f32
    }
    scf.yield %own : memref<?xf32>
  } else {
    scf.yield %x : memref<?xf32>
  }
  linalg.generic {indexing_maps = [#id, affine_map<(i) -> (0)>, #id], iterator_types = ["parallel"]}
      ins(%a, %y : memref<?xf32>, memref<?xf32>) outs(%z : memref<?xf32>) {
  ^bb0(%v: f32, %w: f32, %s: f32):
    %u = arith.addf %v, %w : f32
    linalg.yield %u : f32
  }
  func.call @helper(%i) : (memref<index>) -> ()
  %end = memref.load %i[] : memref<index>
  scf.for %k = %c0 to %end step %c1 {
    %v = arith.addi %k, %k : index
  }
  return
}
func.func private @helper(%i: memref<index>) {
  return
}
func.func @entry(%x: memref<?xf32>, %y: memref<?xf32>, %z: memref<?xf32>, %i: memref<index>) {
  adze_rt.launch @broadcast kernel 0 (%x, %y, %z, %i) : (memref<?xf32>, memref<?xf32>, memref<?xf32>, memref<index>) -> ()
  return
}
