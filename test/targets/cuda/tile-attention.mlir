// RUN: adze-opt %s --pass-pipeline='builtin.module(adze-cuda-tile-attention{chip=sm_80})' 2>&1 | FileCheck %s
// RUN: adze-opt %s --pass-pipeline='builtin.module(adze-cuda-tile-attention{chip=sm_90a},func.func(adze-cuda-assign-tiles{chip=sm_90a}),adze-cuda-tile-contractions{chip=sm_90a})' 2>/dev/null | FileCheck %s --check-prefix=ALL
// RUN: adze-opt %s --pass-pipeline='builtin.module(adze-cuda-tile-attention{chip=sm_80 products=tf32})' 2>/dev/null | FileCheck %s --check-prefix=TF32
// RUN: adze-opt %s --pass-pipeline='builtin.module(adze-cuda-tile-attention{chip=sm_75},func.func(adze-cuda-assign-tiles{chip=sm_75}),adze-cuda-tile-contractions{chip=sm_75})' 2>&1 | FileCheck %s --check-prefix=T4

// What is not attention in one kernel says why; adze-cuda-tile-contractions takes its products.
// CHECK: remark: attention is not one kernel: something else uses scores or weights
// CHECK: remark: attention is not one kernel: what happens to scores is more than a softmax
// CHECK: remark: attention is not one kernel: queries: it is not aligned to 4 bytes
// A T4 copies nothing in the background.
// T4-COUNT-3: remark: attention is not one kernel: the chip has no such kernel

// The copies of the next keys run while scores become weights.
// CHECK-LABEL: gpu.func @heads_attention_0
// CHECK: scf.for
// CHECK: nvvm.cp.async.shared.global
// CHECK: nvvm.mma.sync
// CHECK: ex2.approx.f32
// CHECK: nvvm.cp.async.wait.group 2
// CHECK: nvvm.mma.sync
// CHECK: scf.yield
// CHECK: gpu.return

#mask = affine_map<(d0, d1, d2, d3) -> (d0, 0, 0, d3)>

// Heads lie beside each other in queries, keys and values; a mask of keys, a scale.
// CHECK-LABEL: func.func private @heads
// CHECK-NOT: linalg
// CHECK-NOT: memref.alloc
// CHECK: adze_rt.device_launch @device::@heads_attention_0 number 0 grid(%c96{{.*}}, %c1{{.*}}, %c1{{.*}}) block [256, 1, 1] shared {{[0-9]+}}
// CHECK-SAME: {adze.tile = "tf32x3 attention 32 queries 128 keys warp 16 slices 4"} : memref<2x128x12x64xf32>, memref<2x128x12x64xf32>, memref<2x1x1x128xf32>, memref<2x128x12x64xf32>, memref<2x128x12x64xf32>
// TF32-LABEL: func.func private @heads
// TF32: adze.tile = "tf32 attention
// ALL-LABEL: func.func private @heads
// ALL: adze_rt.device_launch @device::@heads_attention_0
func.func private @heads(%q: memref<2x128x12x64xf32>, %k: memref<2x128x12x64xf32>, %v: memref<2x128x12x64xf32>, %mask: memref<2x1x1x128xf32>, %y: memref<2x128x12x64xf32>) attributes {adze.device} {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %s = memref.alloc() : memref<2x12x128x128xf32>
  %rows = memref.alloc() : memref<2x12x128xf32>
  linalg.fill ins(%zero : f32) outs(%s : memref<2x12x128x128xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d1, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d3, d1, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<2x128x12x64xf32>, memref<2x128x12x64xf32>) outs(%s : memref<2x12x128x128xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %x = arith.mulf %l, %r : f32
    %z = arith.addf %out, %x : f32
    linalg.yield %z : f32
  }
  linalg.generic {indexing_maps = [#mask, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%mask : memref<2x1x1x128xf32>) outs(%s : memref<2x12x128x128xf32>) {
  ^bb0(%in: f32, %out: f32):
    %scale = arith.constant 0.125 : f32
    %x = arith.mulf %out, %scale : f32
    %z = arith.addf %x, %in : f32
    linalg.yield %z : f32
  }
  linalg.fill ins(%least : f32) outs(%rows : memref<2x12x128xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%s : memref<2x12x128x128xf32>) outs(%rows : memref<2x12x128xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.maximumf %out, %in : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %rows : memref<2x12x128x128xf32>, memref<2x12x128xf32>) outs(%s : memref<2x12x128x128xf32>) {
  ^bb0(%in: f32, %most: f32, %out: f32):
    %x = arith.subf %in, %most : f32
    %z = math.exp %x : f32
    linalg.yield %z : f32
  }
  linalg.fill ins(%zero : f32) outs(%rows : memref<2x12x128xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%s : memref<2x12x128x128xf32>) outs(%rows : memref<2x12x128xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.addf %out, %in : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %rows : memref<2x12x128x128xf32>, memref<2x12x128xf32>) outs(%s : memref<2x12x128x128xf32>) {
  ^bb0(%in: f32, %sum: f32, %out: f32):
    %x = arith.divf %in, %sum : f32
    linalg.yield %x : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<2x128x12x64xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d4, d1, d3)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d1, d3)>],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%s, %v : memref<2x12x128x128xf32>, memref<2x128x12x64xf32>) outs(%y : memref<2x128x12x64xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %x = arith.mulf %l, %r : f32
    %z = arith.addf %out, %x : f32
    linalg.yield %z : f32
  }
  memref.dealloc %s : memref<2x12x128x128xf32>
  memref.dealloc %rows : memref<2x12x128xf32>
  return
}

// Four heads share keys, of which only the run knows how many there are: their queries are rows of
// one batch. Queries with %none get zeros.
// CHECK-LABEL: func.func private @shared
// CHECK-NOT: linalg
// CHECK-NOT: memref.alloc
// CHECK: %[[N:.*]] = memref.dim
// CHECK: %[[I:.*]] = arith.index_cast %[[N]] : index to i32
// CHECK: adze_rt.check %{{.*}}, "attention is too large for a GPU" {code = 7 : i32}
// CHECK: adze_rt.device_launch @device::@shared_attention_0 number 0 grid(%c96{{.*}}, %c1{{.*}}, %c1{{.*}}) block [{{[0-9]+}}, 1, 1]
// CHECK-SAME: adze.tile = "f16 attention 16 queries {{.*}} slices
func.func private @shared(%q: memref<3x2x4x64x32xf16>, %k: memref<3x2x?x32xf16>, %v: memref<3x2x?x32xf16>, %none: memref<3x2x4x64x1xi1>, %y: memref<3x2x4x64x32xf32>) attributes {adze.device} {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %c2 = arith.constant 2 : index
  %n = memref.dim %k, %c2 : memref<3x2x?x32xf16>
  %s = memref.alloc(%n) : memref<3x2x4x64x?xf32>
  %rows = memref.alloc() : memref<3x2x4x64xf32>
  %p = memref.alloc(%n) : memref<3x2x4x64x?xf16>
  linalg.fill ins(%zero : f32) outs(%s : memref<3x2x4x64x?xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d5)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d5)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4)>],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<3x2x4x64x32xf16>, memref<3x2x?x32xf16>) outs(%s : memref<3x2x4x64x?xf32>) {
  ^bb0(%l: f16, %r: f16, %out: f32):
    %a = arith.extf %l : f16 to f32
    %b = arith.extf %r : f16 to f32
    %x = arith.mulf %a, %b : f32
    %z = arith.addf %out, %x : f32
    linalg.yield %z : f32
  }
  linalg.fill ins(%least : f32) outs(%rows : memref<3x2x4x64xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%s : memref<3x2x4x64x?xf32>) outs(%rows : memref<3x2x4x64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.maximumf %out, %in : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %rows : memref<3x2x4x64x?xf32>, memref<3x2x4x64xf32>) outs(%s : memref<3x2x4x64x?xf32>) {
  ^bb0(%in: f32, %most: f32, %out: f32):
    %x = arith.subf %in, %most : f32
    %z = math.exp %x : f32
    linalg.yield %z : f32
  }
  linalg.fill ins(%zero : f32) outs(%rows : memref<3x2x4x64xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%s : memref<3x2x4x64x?xf32>) outs(%rows : memref<3x2x4x64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.addf %out, %in : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, 0)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %rows, %none : memref<3x2x4x64x?xf32>, memref<3x2x4x64xf32>, memref<3x2x4x64x1xi1>) outs(%p : memref<3x2x4x64x?xf16>) {
  ^bb0(%in: f32, %sum: f32, %cleared: i1, %out: f16):
    %x = arith.divf %in, %sum : f32
    %kept = arith.select %cleared, %zero, %x : f32
    %h = arith.truncf %kept : f32 to f16
    linalg.yield %h : f16
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<3x2x4x64x32xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d5)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d5, d4)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4)>],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%p, %v : memref<3x2x4x64x?xf16>, memref<3x2x?x32xf16>) outs(%y : memref<3x2x4x64x32xf32>) {
  ^bb0(%l: f16, %r: f16, %out: f32):
    %a = arith.extf %l : f16 to f32
    %b = arith.extf %r : f16 to f32
    %x = arith.mulf %a, %b : f32
    %z = arith.addf %out, %x : f32
    linalg.yield %z : f32
  }
  memref.dealloc %p : memref<3x2x4x64x?xf16>
  memref.dealloc %s : memref<3x2x4x64x?xf32>
  memref.dealloc %rows : memref<3x2x4x64xf32>
  return
}

// Where there are more queries than warps at once, warps share copies of keys, not queries.
// CHECK-LABEL: func.func private @many
// CHECK: adze_rt.device_launch @device::@many_attention_0 number 0 grid(%c{{.*}}) block [{{[0-9]+}}, 1, 1]
// CHECK-SAME: adze.tile = "tf32x3 attention {{64|128}} queries
func.func private @many(%q: memref<64x1024x64xf32>, %k: memref<64x1024x64xf32>, %v: memref<64x1024x64xf32>, %y: memref<64x1024x64xf32>) attributes {adze.device} {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %s = memref.alloc() : memref<64x1024x1024xf32>
  %rows = memref.alloc() : memref<64x1024xf32>
  linalg.fill ins(%zero : f32) outs(%s : memref<64x1024x1024xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<64x1024x64xf32>, memref<64x1024x64xf32>) outs(%s : memref<64x1024x1024xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %x = arith.mulf %l, %r : f32
    %z = arith.addf %out, %x : f32
    linalg.yield %z : f32
  }
  linalg.fill ins(%least : f32) outs(%rows : memref<64x1024xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%s : memref<64x1024x1024xf32>) outs(%rows : memref<64x1024xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.maximumf %out, %in : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %rows : memref<64x1024x1024xf32>, memref<64x1024xf32>) outs(%s : memref<64x1024x1024xf32>) {
  ^bb0(%in: f32, %most: f32, %out: f32):
    %x = arith.subf %in, %most : f32
    %z = math.exp %x : f32
    linalg.yield %z : f32
  }
  linalg.fill ins(%zero : f32) outs(%rows : memref<64x1024xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%s : memref<64x1024x1024xf32>) outs(%rows : memref<64x1024xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.addf %out, %in : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %rows : memref<64x1024x1024xf32>, memref<64x1024xf32>) outs(%s : memref<64x1024x1024xf32>) {
  ^bb0(%in: f32, %sum: f32, %out: f32):
    %x = arith.divf %in, %sum : f32
    linalg.yield %x : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<64x1024x64xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d3, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%s, %v : memref<64x1024x1024xf32>, memref<64x1024x64xf32>) outs(%y : memref<64x1024x64xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %x = arith.mulf %l, %r : f32
    %z = arith.addf %out, %x : f32
    linalg.yield %z : f32
  }
  memref.dealloc %s : memref<64x1024x1024xf32>
  memref.dealloc %rows : memref<64x1024xf32>
  return
}

// Scores are a result too.
// CHECK-LABEL: func.func private @scores_used
// CHECK-NOT: device_launch
// ALL-LABEL: func.func private @scores_used
// ALL: adze_rt.device_launch @device::@scores_used_tile_0
// ALL: adze_rt.device_launch @device::@scores_used_tile_1
func.func private @scores_used(%q: memref<512x64xf32>, %k: memref<512x64xf32>, %v: memref<512x64xf32>, %s: memref<512x512xf32>, %y: memref<512x64xf32>) attributes {adze.device} {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %rows = memref.alloc() : memref<512xf32>
  linalg.fill ins(%zero : f32) outs(%s : memref<512x512xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<512x64xf32>, memref<512x64xf32>) outs(%s : memref<512x512xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %x = arith.mulf %l, %r : f32
    %z = arith.addf %out, %x : f32
    linalg.yield %z : f32
  }
  linalg.fill ins(%least : f32) outs(%rows : memref<512xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]}
      ins(%s : memref<512x512xf32>) outs(%rows : memref<512xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.maximumf %out, %in : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      ins(%s, %rows : memref<512x512xf32>, memref<512xf32>) outs(%s : memref<512x512xf32>) {
  ^bb0(%in: f32, %most: f32, %out: f32):
    %x = arith.subf %in, %most : f32
    %z = math.exp %x : f32
    linalg.yield %z : f32
  }
  linalg.fill ins(%zero : f32) outs(%rows : memref<512xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]}
      ins(%s : memref<512x512xf32>) outs(%rows : memref<512xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.addf %out, %in : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      ins(%s, %rows : memref<512x512xf32>, memref<512xf32>) outs(%s : memref<512x512xf32>) {
  ^bb0(%in: f32, %sum: f32, %out: f32):
    %x = arith.divf %in, %sum : f32
    linalg.yield %x : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<512x64xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%s, %v : memref<512x512xf32>, memref<512x64xf32>) outs(%y : memref<512x64xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %x = arith.mulf %l, %r : f32
    %z = arith.addf %out, %x : f32
    linalg.yield %z : f32
  }
  memref.dealloc %rows : memref<512xf32>
  return
}

// Powers of two.
// CHECK-LABEL: func.func private @no_softmax
// CHECK-NOT: device_launch
func.func private @no_softmax(%q: memref<512x64xf32>, %k: memref<512x64xf32>, %v: memref<512x64xf32>, %y: memref<512x64xf32>) attributes {adze.device} {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %s = memref.alloc() : memref<512x512xf32>
  %rows = memref.alloc() : memref<512xf32>
  linalg.fill ins(%zero : f32) outs(%s : memref<512x512xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<512x64xf32>, memref<512x64xf32>) outs(%s : memref<512x512xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %x = arith.mulf %l, %r : f32
    %z = arith.addf %out, %x : f32
    linalg.yield %z : f32
  }
  linalg.fill ins(%least : f32) outs(%rows : memref<512xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]}
      ins(%s : memref<512x512xf32>) outs(%rows : memref<512xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.maximumf %out, %in : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      ins(%s, %rows : memref<512x512xf32>, memref<512xf32>) outs(%s : memref<512x512xf32>) {
  ^bb0(%in: f32, %most: f32, %out: f32):
    %x = arith.subf %in, %most : f32
    %z = math.exp2 %x : f32
    linalg.yield %z : f32
  }
  linalg.fill ins(%zero : f32) outs(%rows : memref<512xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]}
      ins(%s : memref<512x512xf32>) outs(%rows : memref<512xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.addf %out, %in : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      ins(%s, %rows : memref<512x512xf32>, memref<512xf32>) outs(%s : memref<512x512xf32>) {
  ^bb0(%in: f32, %sum: f32, %out: f32):
    %x = arith.divf %in, %sum : f32
    linalg.yield %x : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<512x64xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%s, %v : memref<512x512xf32>, memref<512x64xf32>) outs(%y : memref<512x64xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %x = arith.mulf %l, %r : f32
    %z = arith.addf %out, %x : f32
    linalg.yield %z : f32
  }
  memref.dealloc %s : memref<512x512xf32>
  memref.dealloc %rows : memref<512xf32>
  return
}

// Rows of 15 halves begin in the midst of a word.
// CHECK-LABEL: func.func private @odd
// CHECK-NOT: device_launch
func.func private @odd(%q: memref<512x15xf16>, %k: memref<512x15xf16>, %v: memref<512x64xf16>, %y: memref<512x64xf32>) attributes {adze.device} {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %s = memref.alloc() : memref<512x512xf32>
  %rows = memref.alloc() : memref<512xf32>
  %p = memref.alloc() : memref<512x512xf16>
  linalg.fill ins(%zero : f32) outs(%s : memref<512x512xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<512x15xf16>, memref<512x15xf16>) outs(%s : memref<512x512xf32>) {
  ^bb0(%l: f16, %r: f16, %out: f32):
    %a = arith.extf %l : f16 to f32
    %b = arith.extf %r : f16 to f32
    %x = arith.mulf %a, %b : f32
    %z = arith.addf %out, %x : f32
    linalg.yield %z : f32
  }
  linalg.fill ins(%least : f32) outs(%rows : memref<512xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]}
      ins(%s : memref<512x512xf32>) outs(%rows : memref<512xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.maximumf %out, %in : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      ins(%s, %rows : memref<512x512xf32>, memref<512xf32>) outs(%s : memref<512x512xf32>) {
  ^bb0(%in: f32, %most: f32, %out: f32):
    %x = arith.subf %in, %most : f32
    %z = math.exp %x : f32
    linalg.yield %z : f32
  }
  linalg.fill ins(%zero : f32) outs(%rows : memref<512xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]}
      ins(%s : memref<512x512xf32>) outs(%rows : memref<512xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.addf %out, %in : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      ins(%s, %rows : memref<512x512xf32>, memref<512xf32>) outs(%p : memref<512x512xf16>) {
  ^bb0(%in: f32, %sum: f32, %out: f16):
    %x = arith.divf %in, %sum : f32
    %h = arith.truncf %x : f32 to f16
    linalg.yield %h : f16
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<512x64xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%p, %v : memref<512x512xf16>, memref<512x64xf16>) outs(%y : memref<512x64xf32>) {
  ^bb0(%l: f16, %r: f16, %out: f32):
    %a = arith.extf %l : f16 to f32
    %b = arith.extf %r : f16 to f32
    %x = arith.mulf %a, %b : f32
    %z = arith.addf %out, %x : f32
    linalg.yield %z : f32
  }
  memref.dealloc %p : memref<512x512xf16>
  memref.dealloc %s : memref<512x512xf32>
  memref.dealloc %rows : memref<512xf32>
  return
}
