// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-cuda-assign-tiles{chip=sm_90a products=tf32}),adze-cuda-tile-contractions{chip=sm_90a products=tf32})' | FileCheck %s
// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-cuda-assign-tiles{chip=sm_80 products=tf32}),adze-cuda-tile-contractions{chip=sm_80 products=tf32})' | FileCheck %s --check-prefix=OLD

// Large products of f16 copy their factors through tensor maps, which the host makes.
// CHECK-LABEL: gpu.func @half_tile_0
// CHECK-SAME: (%[[A:.*]]: !llvm.ptr, %[[B:.*]]: !llvm.ptr, %{{.*}}: !llvm.ptr<1>, %{{.*}}: i32)
// CHECK-SAME: adze.tensor_maps = array<i32: 0, 1>
// CHECK: nvvm.cp.async.bulk.tensor{{.*}}%[[A]]
// CHECK: wgmma.mma_async.sync.aligned.m64n{{.*}}k16.f32.f16.f16
// Four dimensions: a head's rows lie apart, and the sums go over heads and what they have.
// CHECK-LABEL: gpu.func @heads_tile_0
// CHECK: nvvm.cp.async.bulk.tensor{{.*}}box[%{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+}}]
// f32 is cut to tf32, where both factors lie along k.
// CHECK-LABEL: gpu.func @cut_tile_0
// CHECK: wgmma.mma_async.sync.aligned.m64n{{.*}}k8.f32.tf32.tf32
// CHECK-LABEL: gpu.func @across_tile_0
// CHECK-NOT: wgmma
// CHECK-LABEL: gpu.func @odd_tile_0
// CHECK-NOT: wgmma
// CHECK-LABEL: gpu.func @pieces_tile_0
// CHECK-LABEL: gpu.func @padded_tile_0
// CHECK-SAME: (%[[MAP:.*]]: !llvm.ptr, %[[A:.*]]: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>)
// CHECK-SAME: adze.tensor_maps = array<i32: 0>
// CHECK: nvvm.cp.async.bulk.tensor{{.*}}%[[MAP]]
// CHECK: nvvm.cp.async.shared.global
// CHECK: nvvm.fence.proxy
// CHECK: wgmma.mma_async.sync.aligned.m64n{{.*}}k16.f32.f16.f16

// CHECK-LABEL: func.func private @half
// CHECK: %[[ROWS:.*]] = arith.maxui %dim{{.*}}, %c1{{.*}} : index
// CHECK: %[[M:.*]] = adze_rt.tensor_map %arg0[%c0{{.*}}] extents(%c1024{{.*}}, %[[ROWS]]) strides(%c1024{{.*}}) box [64, 64] swizzle 128 : memref<?x1024xf16>
// CHECK: %[[N:.*]] = adze_rt.tensor_map %arg1[%c0{{.*}}] extents(%c2048{{.*}}, %c1024{{.*}}) strides(%c2048{{.*}}) box [64, 64] swizzle 128 : memref<1024x2048xf16>
// CHECK: adze_rt.device_launch @device::@half_tile_0 number 0 grid(%c132{{[_0-9]*}}, %c1{{[_0-9]*}}, %c1{{[_0-9]*}})
// CHECK-SAME: (%[[M]], %[[N]], %arg2, %{{.*}})
// CHECK-SAME: {adze.tile = "f16 64x64 maps 2 stages {{[0-9]}}"}
// CHECK-LABEL: func.func private @heads
// CHECK: adze_rt.tensor_map %arg0{{.*}} box [64, 128, 1, 1] swizzle 128
// CHECK: adze.tile = "f16 {{.*}} maps 2 stages {{[0-9]}}"
// A tile is two lines of an image, a part of k what lies side by side in a line.
// CHECK-LABEL: func.func private @window
// CHECK: adze_rt.tensor_map %arg0{{.*}} extents(%c384{{.*}} box [64, 64, 2, 1, 1] swizzle 128
// CHECK: adze.tile = "f16 {{.*}} maps 2 stages {{[0-9]}}"
// CHECK-LABEL: func.func private @cut
// CHECK: adze_rt.tensor_map %arg0{{.*}} box [32, {{[0-9]+}}] swizzle 128
// CHECK: adze_rt.tensor_map %arg1{{.*}} box [32, {{[0-9]+}}] swizzle 128
// CHECK: adze.tile = "tf32 {{.*}} maps 2 stages {{[0-9]}}"
// What has no map, or none that wgmma takes, goes another way, and says why.
// CHECK-LABEL: func.func private @across
// CHECK: adze.tile = "tf32 {{.*}} warp {{.*}}", adze.tile_refused = "tf32 {{[0-9x]+}} maps 2 stages {{[0-9]}}: wgmma transposes 16-bit factors only"
// CHECK-LABEL: func.func private @odd
// CHECK: adze.tile = "f16 {{.*}} warp {{.*}}", adze.tile_refused = "f16 {{.*}}: strides that are no multiple of 16 bytes"
// Where A alone has no map, threads copy it.
// CHECK-LABEL: func.func private @pieces
// CHECK: %[[MAP:.*]] = adze_rt.tensor_map %arg1
// CHECK-NOT: tensor_map
// CHECK: adze_rt.device_launch {{.*}}(%[[MAP]], %arg0, %arg2) {adze.tile = "f16 {{[0-9x]+}} maps 1 stages {{[0-9]}}", adze.tile_refused = "f16 {{.*}}: tiles that are no boxes"
// CHECK-LABEL: func.func private @apart
// CHECK: adze.tile_refused = "f16 {{.*}}: neither rows nor terms lie side by side"
// CHECK-LABEL: func.func private @shifted
// CHECK: adze.tile_refused = "f16 {{.*}}: an odd first address"
// CHECK-LABEL: func.func private @volume
// CHECK: adze.tile = "f16 {{[0-9x]+}} maps 1 stages {{[0-9]}}", adze.tile_refused = "f16 {{.*}}: too many dimensions"
// CHECK-LABEL: func.func private @padded
// CHECK: adze.tile = "f16 {{[0-9x]+}} maps 1 stages {{[0-9]}}", adze.tile_refused = "f16 {{.*}}: padding"

// OLD-NOT: tensor_map

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#bt = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>

// The rows are known at run time only.
func.func private @half(%x: memref<?x1024xf16>, %w: memref<1024x2048xf16>, %y: memref<?x2048xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<?x1024xf16>, memref<1024x2048xf16>) outs(%y : memref<?x2048xf32>) {
  ^bb0(%l: f16, %r: f16, %out: f32):
    %el = arith.extf %l : f16 to f32
    %er = arith.extf %r : f16 to f32
    %p = arith.mulf %el, %er : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

// Images, heads, rows, depth -> the rows of all images.
func.func private @heads(%x: memref<8x16x512x64xf16>, %w: memref<16x64x1024xf16>, %y: memref<8x512x1024xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [affine_map<(i, m, n, h, d) -> (i, h, m, d)>, affine_map<(i, m, n, h, d) -> (h, d, n)>, affine_map<(i, m, n, h, d) -> (i, m, n)>],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : memref<8x16x512x64xf16>, memref<16x64x1024xf16>) outs(%y : memref<8x512x1024xf32>) {
  ^bb0(%l: f16, %r: f16, %out: f32):
    %el = arith.extf %l : f16 to f32
    %er = arith.extf %r : f16 to f32
    %p = arith.mulf %el, %er : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

#image = affine_map<(n, h, w, f, r, s, c) -> (n, h + r, w + s, c)>
#filter = affine_map<(n, h, w, f, r, s, c) -> (r, s, c, f)>
#result = affine_map<(n, h, w, f, r, s, c) -> (n, h, w, f)>

func.func private @window(%x: memref<16x66x66x128xf16>, %w: memref<3x3x128x256xf16>, %y: memref<16x64x64x256xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [#image, #filter, #result],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : memref<16x66x66x128xf16>, memref<3x3x128x256xf16>) outs(%y : memref<16x64x64x256xf32>) {
  ^bb0(%l: f16, %r: f16, %out: f32):
    %el = arith.extf %l : f16 to f32
    %er = arith.extf %r : f16 to f32
    %p = arith.mulf %el, %er : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

func.func private @cut(%x: memref<4096x1024xf32>, %w: memref<2048x1024xf32>, %y: memref<4096x2048xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [#a, #bt, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<4096x1024xf32>, memref<2048x1024xf32>) outs(%y : memref<4096x2048xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

func.func private @across(%x: memref<4096x1024xf32>, %w: memref<1024x2048xf32>, %y: memref<4096x2048xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<4096x1024xf32>, memref<1024x2048xf32>) outs(%y : memref<4096x2048xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

// Rows of 1028 halves begin at odd addresses.
func.func private @odd(%x: memref<4096x1028xf16>, %w: memref<1028x2048xf16>, %y: memref<4096x2048xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<4096x1028xf16>, memref<1028x2048xf16>) outs(%y : memref<4096x2048xf32>) {
  ^bb0(%l: f16, %r: f16, %out: f32):
    %el = arith.extf %l : f16 to f32
    %er = arith.extf %r : f16 to f32
    %p = arith.mulf %el, %er : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

// A tile's rows are of two images.
func.func private @pieces(%x: memref<64x16x100x64xf16>, %w: memref<16x64x512xf16>, %y: memref<64x100x512xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [affine_map<(i, m, n, h, d) -> (i, h, m, d)>, affine_map<(i, m, n, h, d) -> (h, d, n)>, affine_map<(i, m, n, h, d) -> (i, m, n)>],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : memref<64x16x100x64xf16>, memref<16x64x512xf16>) outs(%y : memref<64x100x512xf32>) {
  ^bb0(%l: f16, %r: f16, %out: f32):
    %el = arith.extf %l : f16 to f32
    %er = arith.extf %r : f16 to f32
    %p = arith.mulf %el, %er : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

// Every second element.
func.func private @apart(%x: memref<4096x1024x2xf16>, %w: memref<1024x2048xf16>, %y: memref<4096x2048xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k, 1)>, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<4096x1024x2xf16>, memref<1024x2048xf16>) outs(%y : memref<4096x2048xf32>) {
  ^bb0(%l: f16, %r: f16, %out: f32):
    %el = arith.extf %l : f16 to f32
    %er = arith.extf %r : f16 to f32
    %p = arith.mulf %el, %er : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

func.func private @shifted(%x: memref<4096x1032xf16>, %w: memref<1024x2048xf16>, %y: memref<4096x2048xf32>) attributes {adze.device} {
  %rest = memref.subview %x[0, 4] [4096, 1024] [1, 1] : memref<4096x1032xf16> to memref<4096x1024xf16, strided<[1032, 1], offset: 4>>
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%rest, %w : memref<4096x1024xf16, strided<[1032, 1], offset: 4>>, memref<1024x2048xf16>) outs(%y : memref<4096x2048xf32>) {
  ^bb0(%l: f16, %r: f16, %out: f32):
    %el = arith.extf %l : f16 to f32
    %er = arith.extf %r : f16 to f32
    %p = arith.mulf %el, %er : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

func.func private @volume(%x: memref<2x18x18x18x128xf16>, %w: memref<3x3x3x128x256xf16>, %y: memref<2x16x16x16x256xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [affine_map<(n, i, h, w, f, q, r, s, c) -> (n, i + q, h + r, w + s, c)>,
                                   affine_map<(n, i, h, w, f, q, r, s, c) -> (q, r, s, c, f)>,
                                   affine_map<(n, i, h, w, f, q, r, s, c) -> (n, i, h, w, f)>],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "reduction"]}
      ins(%x, %w : memref<2x18x18x18x128xf16>, memref<3x3x3x128x256xf16>) outs(%y : memref<2x16x16x16x256xf32>) {
  ^bb0(%l: f16, %r: f16, %out: f32):
    %el = arith.extf %l : f16 to f32
    %er = arith.extf %r : f16 to f32
    %p = arith.mulf %el, %er : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

func.func private @padded(%x: memref<16x64x64x128xf16>, %w: memref<3x3x128x256xf16>, %y: memref<16x64x64x256xf32>) attributes {adze.device} {
  %zero = arith.constant 0.0 : f16
  %wide = memref.alloc() : memref<16x66x66x128xf16>
  linalg.fill ins(%zero : f16) outs(%wide : memref<16x66x66x128xf16>)
  %inside = memref.subview %wide[0, 1, 1, 0] [16, 64, 64, 128] [1, 1, 1, 1] : memref<16x66x66x128xf16> to memref<16x64x64x128xf16, strided<[557568, 8448, 128, 1], offset: 8576>>
  linalg.copy ins(%x : memref<16x64x64x128xf16>) outs(%inside : memref<16x64x64x128xf16, strided<[557568, 8448, 128, 1], offset: 8576>>)
  linalg.generic {indexing_maps = [#image, #filter, #result],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%wide, %w : memref<16x66x66x128xf16>, memref<3x3x128x256xf16>) outs(%y : memref<16x64x64x256xf32>) {
  ^bb0(%l: f16, %r: f16, %out: f32):
    %el = arith.extf %l : f16 to f32
    %er = arith.extf %r : f16 to f32
    %p = arith.mulf %el, %er : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  memref.dealloc %wide : memref<16x66x66x128xf16>
  return
}
