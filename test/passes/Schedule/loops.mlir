// The order of loops and the choice of rows.
// RUN: adze-opt %s --adze-assign-schedule | FileCheck %s

module attributes {adze.target = {vector_bits = 512, vector_registers = 32, mask_bits = 8}} {

// Depthwise: nothing is read again for another block of channels, so memory is
// walked in its own order, channels inside heights; rows are widths, not the
// batch, which may turn out to be one. The window stays in loops.
// CHECK-LABEL: func.func @depthwise
// CHECK: loops = ["parallel d0 by 1", "parallel d1 by 1", "d3 by 64", "d2 by 6", "d4 by 1", "d5 by 1"], tile = array<i64: 1, 1, 6, 4, 1, 1>, vector = 3
func.func @depthwise(%x: memref<?x50x50x192xf32>, %w: memref<3x3x192xf32>, %y: memref<?x48x48x192xf32>) {
  linalg.generic {indexing_maps = [affine_map<(n, h, w, c, k, l) -> (n, h + k, w + l, c)>, affine_map<(n, h, w, c, k, l) -> (k, l, c)>, affine_map<(n, h, w, c, k, l) -> (n, h, w, c)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%x, %w : memref<?x50x50x192xf32>, memref<3x3x192xf32>) outs(%y : memref<?x48x48x192xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b fastmath<contract> : f32
    %s = arith.addf %o, %m fastmath<contract> : f32
    linalg.yield %s : f32
  }
  return
}

// A matrix product: a block of columns comes before the rows that share it.
// CHECK-LABEL: func.func @matmul
// CHECK: loops = ["parallel d1 by 64", "parallel d0 by 6", "d2 by 1"]
func.func @matmul(%a: memref<?x256xf32>, %b: memref<256x512xf32>, %y: memref<?x512xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : memref<?x256xf32>, memref<256x512xf32>) outs(%y : memref<?x512xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %m = arith.mulf %l, %r fastmath<contract> : f32
    %s = arith.addf %o, %m fastmath<contract> : f32
    linalg.yield %s : f32
  }
  return
}
}
