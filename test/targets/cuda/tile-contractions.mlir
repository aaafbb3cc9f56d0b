// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-cuda-assign-tiles{chip=sm_80}),adze-cuda-tile-contractions{chip=sm_80})' | FileCheck %s
// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-cuda-assign-tiles{chip=sm_75}),adze-cuda-tile-contractions{chip=sm_75})' | FileCheck %s --check-prefixes=OLD,T4
// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-cuda-assign-tiles{chip=sm_70}),adze-cuda-tile-contractions{chip=sm_70})' | FileCheck %s --check-prefixes=OLD,V100
// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-cuda-assign-tiles{chip=sm_75 products=bf16}),adze-cuda-tile-contractions{chip=sm_75 products=bf16})' | FileCheck %s --check-prefix=OLD

// Float32 is for the ordinary cores where tensor cores have no TF32; so are sums of its products,
// rounded factors or not. Halves have matrix instructions, of each chip's own form.
// OLD-LABEL: gpu.func @matmul_tile_0
// OLD-NOT: mma.sync
// OLD: llvm.intr.fma
// OLD-LABEL: gpu.func @conv_tile_0
// OLD-NOT: mma.sync
// OLD: llvm.intr.fma
// OLD-LABEL: gpu.func @half_tile_0
// OLD-NOT: intr.fma
// T4: nvvm.mma.sync {{.*}}shape = #nvvm.shape<m = 16, n = 8, k = 8>
// V100: nvvm.mma.sync {{.*}}shape = #nvvm.shape<m = 8, n = 8, k = 4>
// OLD-LABEL: func.func private @matmul
// OLD: adze_rt.device_launch @device::@matmul_tile_0
// OLD-SAME: adze.tile = "f32 {{.*}} stages 2{{.*}} : memref<16384x64xf32>, memref<16384x384xf32>, memref<384x64xf32>, memref<64xf32>
// OLD-LABEL: func.func private @conv
// OLD: adze_rt.device_launch @device::@conv_tile_0
// OLD-LABEL: func.func private @long
// OLD: adze.tile = "f32 {{.*}} split
// OLD-LABEL: func.func private @dynamic
// OLD: adze.tile = "f32

// A matrix product with its bias: fill, sum and bias are one kernel.
// CHECK-LABEL: gpu.func @matmul_tile_0
// CHECK: nvvm.cp.async.shared.global
// CHECK: nvvm.mma.sync
// CHECK: gpu.return
// A convolution is one as well: rows are positions, and what lies outside of the image is zero.
// CHECK-LABEL: gpu.func @conv_tile_0
// CHECK: nvvm.mma.sync

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
#mn = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>

// CHECK-LABEL: func.func private @matmul
// CHECK-NOT: linalg
// CHECK: adze_rt.device_launch @device::@matmul_tile_0 number 0 grid(%c{{.*}}, %c1{{.*}}, %c1{{.*}}) block [{{.*}}] shared {{[0-9]+}}
// CHECK-SAME: {adze.tile = "tf32x3 {{.*}} : memref<16384x64xf32>, memref<16384x384xf32>, memref<384x64xf32>, memref<64xf32>
func.func private @matmul(%x: memref<16384x384xf32>, %w: memref<384x64xf32>, %bias: memref<64xf32>,
                          %y: memref<16384x64xf32>) attributes {adze.device} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<16384x64xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<16384x384xf32>, memref<384x64xf32>) outs(%y : memref<16384x64xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#n, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%bias : memref<64xf32>) outs(%y : memref<16384x64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %s = arith.addf %out, %in : f32
    linalg.yield %s : f32
  }
  return
}

// CHECK-LABEL: func.func private @conv
// CHECK-NOT: linalg
// CHECK: adze_rt.device_launch @device::@conv_tile_0
// CHECK-SAME: : memref<1x16x16x64xf32>, memref<1x16x16x32xf32>, memref<3x3x32x64xf32>
func.func private @conv(%x: memref<1x16x16x32xf32>, %w: memref<3x3x32x64xf32>,
                        %y: memref<1x16x16x64xf32>) attributes {adze.device} {
  %zero = arith.constant 0.0 : f32
  %padded = memref.alloc() : memref<1x18x18x32xf32>
  linalg.fill ins(%zero : f32) outs(%padded : memref<1x18x18x32xf32>)
  %inside = memref.subview %padded[0, 1, 1, 0] [1, 16, 16, 32] [1, 1, 1, 1] : memref<1x18x18x32xf32> to memref<1x16x16x32xf32, strided<[10368, 576, 32, 1], offset: 608>>
  linalg.copy ins(%x : memref<1x16x16x32xf32>) outs(%inside : memref<1x16x16x32xf32, strided<[10368, 576, 32, 1], offset: 608>>)
  linalg.fill ins(%zero : f32) outs(%y : memref<1x16x16x64xf32>)
  linalg.generic {indexing_maps = [affine_map<(n, h, w, f, r, s, c) -> (n, h + r, w + s, c)>,
                                   affine_map<(n, h, w, f, r, s, c) -> (r, s, c, f)>,
                                   affine_map<(n, h, w, f, r, s, c) -> (n, h, w, f)>],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%padded, %w : memref<1x18x18x32xf32>, memref<3x3x32x64xf32>) outs(%y : memref<1x16x16x64xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  memref.dealloc %padded : memref<1x18x18x32xf32>
  return
}

// Too few rows for a tile, and a sum that is none of products.
// CHECK-LABEL: func.func private @small
// CHECK: linalg.generic
// CHECK: linalg.generic
// CHECK-NOT: device_launch
func.func private @small(%x: memref<4x384xf32>, %w: memref<384x64xf32>, %y: memref<4x64xf32>)
    attributes {adze.device} {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<4x384xf32>, memref<384x64xf32>) outs(%y : memref<4x64xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<4x384xf32>, memref<384x64xf32>) outs(%y : memref<4x64xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.addf %l, %r : f32
    %s = arith.maximumf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

// Too few tiles for all multiprocessors: parts of long sums, by another kernel added up.
// CHECK-LABEL: func.func private @long
// CHECK: %[[PARTS:.*]] = memref.alloc() : memref<[[N:[0-9]+]]x64x64xf32>
// CHECK: adze_rt.device_launch @device::@long_tile_0
// CHECK-SAME: split [[N]]"} : memref<64x8192xf32>, memref<8192x64xf32>, memref<[[N]]x64x64xf32>
// CHECK-NEXT: linalg.generic
// CHECK-SAME: ins(%[[PARTS]] :
func.func private @long(%x: memref<64x8192xf32>, %w: memref<8192x64xf32>, %y: memref<64x64xf32>)
    attributes {adze.device} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<64x64xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<64x8192xf32>, memref<8192x64xf32>) outs(%y : memref<64x64xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

// So with rows that are known at run time only: blocks take equal shares of all there is to do.
// CHECK-LABEL: func.func private @shares
// CHECK: %[[SUMS:.*]] = memref.alloc() : memref<{{[0-9]+}}xf32>
// CHECK: %[[COUNTERS:.*]] = memref.alloc() : memref<[[BLOCKS:[0-9]+]]xi32>
// CHECK: linalg.fill ins(%c0_i32 : i32) outs(%[[COUNTERS]] :
// CHECK: adze_rt.device_launch @device::@shares_tile_0 number 0 grid(%c[[BLOCKS]],
// CHECK-SAME: (%arg2, %arg0, %arg1, %[[SUMS]], %[[COUNTERS]], %{{.*}}) {adze.tile = "tf32x3 {{.*}} stream [[BLOCKS]]"
// CHECK: memref.dealloc %[[SUMS]]
// CHECK: memref.dealloc %[[COUNTERS]]
func.func private @shares(%x: memref<?x8192xf32>, %w: memref<8192x64xf32>, %y: memref<?x64xf32>)
    attributes {adze.device} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<?x64xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<?x8192xf32>, memref<8192x64xf32>) outs(%y : memref<?x64xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

// Rows that are known at run time only: their number is an argument, checked to fit 32 bits.
// CHECK-LABEL: func.func private @dynamic
// CHECK: %[[D:.*]] = memref.dim
// CHECK: %[[N:.*]] = arith.index_cast %[[D]] : index to i32
// CHECK: adze_rt.check %{{.*}}, "a product is too large for a GPU" {code = 7 : i32}
// CHECK: arith.ceildivui %[[D]], %{{.*}} : index
// CHECK: adze_rt.device_launch @device::@dynamic_tile_0 number 0 grid(%{{.*}}, %{{.*}}, %{{.*}})
// CHECK-SAME: : memref<?x64xf32>, memref<?x384xf32>, memref<384x64xf32>, i32
func.func private @dynamic(%x: memref<?x384xf32>, %w: memref<384x64xf32>, %y: memref<?x64xf32>)
    attributes {adze.device} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<?x64xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<?x384xf32>, memref<384x64xf32>) outs(%y : memref<?x64xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

// Factors of half precision are multiplied as they are; sums are f32.
// CHECK-LABEL: func.func private @half
// CHECK: adze_rt.device_launch @device::@half_tile_0
// CHECK-SAME: adze.tile = "f16
// OLD-LABEL: func.func private @half
// OLD: adze.tile = "f16
func.func private @half(%x: memref<16384x384xf16>, %w: memref<384x64xf16>, %y: memref<16384x64xf32>)
    attributes {adze.device} {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<16384x384xf16>, memref<384x64xf16>) outs(%y : memref<16384x64xf32>) {
  ^bb0(%l: f16, %r: f16, %out: f32):
    %lw = arith.extf %l : f16 to f32
    %rw = arith.extf %r : f16 to f32
    %p = arith.mulf %lw, %rw : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}
