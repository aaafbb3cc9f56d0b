// RUN: adze-opt %s --split-input-file --adze-assign-schedule --adze-emit-nests --canonicalize --cse | FileCheck %s
// RUN: adze-opt %s --split-input-file --adze-assign-schedule | FileCheck %s --check-prefix=PLAN

// The reader of a padded copy reads the source: rows of the window end where
// the source does, columns look at their bounds where a tile may cross them.
// Neither the copy nor what filled it is left.
module attributes {adze.target = {vector_bits = 512, vector_registers = 32, mask_bits = 8}} {
// CHECK-LABEL: func.func @depthwise
// CHECK: %[[ROW:.*]] = memref.alloca() {alignment = 64 : i64} : memref<32xf32>
// CHECK-NOT: memref.alloc()
// CHECK: scf.if
// CHECK: %[[FIRST:.*]] = arith.maxsi
// CHECK: %[[LAST:.*]] = arith.minsi
// CHECK: scf.for {{.*}} = %[[FIRST]] to %[[LAST]]
// CHECK-NOT: arith.select
// CHECK: } else {
// CHECK: arith.cmpi ult
// CHECK: arith.select {{.*}} : memref<
// CHECK-NOT: memref.dealloc
// CHECK: return
func.func @depthwise(%x: memref<1x64x64x32xf32>, %w: memref<3x3x32xf32>, %y: memref<1x64x64x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %p = memref.alloc() : memref<1x66x66x32xf32>
  linalg.fill ins(%zero : f32) outs(%p : memref<1x66x66x32xf32>)
  %inside = memref.subview %p[0, 1, 1, 0] [1, 64, 64, 32] [1, 1, 1, 1] : memref<1x66x66x32xf32> to memref<1x64x64x32xf32, strided<[139392, 2112, 32, 1], offset: 2144>>
  linalg.generic {indexing_maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>, affine_map<(a, b, c, d) -> (a, b, c, d)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x : memref<1x64x64x32xf32>) outs(%inside : memref<1x64x64x32xf32, strided<[139392, 2112, 32, 1], offset: 2144>>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<1x64x64x32xf32>)
  linalg.generic {indexing_maps = [affine_map<(n, h, w, c, k, l) -> (n, h + k, w + l, c)>, affine_map<(n, h, w, c, k, l) -> (k, l, c)>, affine_map<(n, h, w, c, k, l) -> (n, h, w, c)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%p, %w : memref<1x66x66x32xf32>, memref<3x3x32xf32>) outs(%y : memref<1x64x64x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b fastmath<contract> : f32
    %s = arith.addf %o, %m fastmath<contract> : f32
    linalg.yield %s : f32
  }
  memref.dealloc %p : memref<1x66x66x32xf32>
  return
}
}

// -----

// A copy stays where rows are short, as here, or where its source changes.
module attributes {adze.target = {vector_bits = 512, vector_registers = 32, mask_bits = 8}} {
// CHECK-LABEL: func.func @short_rows
// CHECK: memref.alloc()
func.func @short_rows(%x: memref<8x3xf32>, %w: memref<3xf32>, %y: memref<8x3xf32>) {
  %zero = arith.constant 0.0 : f32
  %p = memref.alloc() : memref<10x3xf32>
  linalg.fill ins(%zero : f32) outs(%p : memref<10x3xf32>)
  %inside = memref.subview %p[1, 0] [8, 3] [1, 1] : memref<10x3xf32> to memref<8x3xf32, strided<[3, 1], offset: 3>>
  linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]} ins(%x : memref<8x3xf32>) outs(%inside : memref<8x3xf32, strided<[3, 1], offset: 3>>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  linalg.generic {indexing_maps = [affine_map<(a, b, k) -> (a + k, b)>, affine_map<(a, b, k) -> (k)>, affine_map<(a, b, k) -> (a, b)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%p, %w : memref<10x3xf32>, memref<3xf32>) outs(%y : memref<8x3xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.maximumf %o, %a : f32
    linalg.yield %s : f32
  }
  memref.dealloc %p : memref<10x3xf32>
  return
}
}

// -----

module attributes {adze.target = {vector_bits = 512, vector_registers = 32, mask_bits = 8}} {
// CHECK-LABEL: func.func @source_changes
// CHECK: memref.alloc()
func.func @source_changes(%x: memref<8x32xf32>, %w: memref<3xf32>, %y: memref<8x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %p = memref.alloc() : memref<10x32xf32>
  linalg.fill ins(%zero : f32) outs(%p : memref<10x32xf32>)
  %inside = memref.subview %p[1, 0] [8, 32] [1, 1] : memref<10x32xf32> to memref<8x32xf32, strided<[32, 1], offset: 32>>
  linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]} ins(%x : memref<8x32xf32>) outs(%inside : memref<8x32xf32, strided<[32, 1], offset: 32>>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  linalg.fill ins(%zero : f32) outs(%x : memref<8x32xf32>)
  linalg.generic {indexing_maps = [affine_map<(a, b, k) -> (a + k, b)>, affine_map<(a, b, k) -> (k)>, affine_map<(a, b, k) -> (a, b)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%p, %w : memref<10x32xf32>, memref<3xf32>) outs(%y : memref<8x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.maximumf %o, %a : f32
    linalg.yield %s : f32
  }
  memref.dealloc %p : memref<10x32xf32>
  return
}
}

// -----

// Rows of tiles that look at their bounds stay rows: (w, c) is not one loop,
// though no column is padded.
module attributes {adze.target = {vector_bits = 512, vector_registers = 32, mask_bits = 8}} {
// PLAN-LABEL: func.func @columns_whole
// PLAN-NOT: collapse
// PLAN: adze.schedule = {lanes = 16 : i64, loops = ["d0 by 1", "d2 by 32", "d1 by 14", "d3 by 1"]
func.func @columns_whole(%x: memref<14x14x32xf32>, %k: memref<5xf32>, %y: memref<12x14x32xf32>) {
  %low = arith.constant 0xFF800000 : f32
  %p = memref.alloc() : memref<16x14x32xf32>
  linalg.fill ins(%low : f32) outs(%p : memref<16x14x32xf32>)
  %inside = memref.subview %p[2, 0, 0] [14, 14, 32] [1, 1, 1] : memref<16x14x32xf32> to memref<14x14x32xf32, strided<[448, 32, 1], offset: 896>>
  linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (a, b, c)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : memref<14x14x32xf32>) outs(%inside : memref<14x14x32xf32, strided<[448, 32, 1], offset: 896>>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  linalg.fill ins(%low : f32) outs(%y : memref<12x14x32xf32>)
  linalg.generic {indexing_maps = [affine_map<(h, w, c, k) -> (h + k, w, c)>, affine_map<(h, w, c, k) -> (k)>, affine_map<(h, w, c, k) -> (h, w, c)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%p, %k : memref<16x14x32xf32>, memref<5xf32>) outs(%y : memref<12x14x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.maximumf %o, %a : f32
    linalg.yield %s : f32
  }
  memref.dealloc %p : memref<16x14x32xf32>
  return
}
}
