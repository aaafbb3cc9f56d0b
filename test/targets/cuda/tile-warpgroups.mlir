// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-cuda-assign-tiles{chip=sm_90a}),adze-cuda-tile-contractions{chip=sm_90a})' | FileCheck %s
// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-cuda-assign-tiles{chip=sm_90a products=tf32}),adze-cuda-tile-contractions{chip=sm_90a products=tf32})' | FileCheck %s --check-prefix=TF32

// A large product of f32 is one of Hopper's warpgroups.
// CHECK-LABEL: gpu.func @large_tile_0
// CHECK-SAME: known_block_size = array<i32: 384, 1, 1>
// CHECK: wgmma.mma_async.sync.aligned.m64n128k8.f32.tf32.tf32
// A small one is not.
// CHECK-LABEL: gpu.func @small_tile_0
// CHECK-NOT: wgmma
// CHECK: nvvm.mma.sync
// CHECK-NOT: wgmma
// CHECK-LABEL: func.func private @large
// CHECK: adze_rt.device_launch @device::@large_tile_0
// CHECK-SAME: block [384, 1, 1]
// CHECK-SAME: adze.tile = "tf32x3 128x128 warpgroups stages 3"
// CHECK-LABEL: func.func private @small
// CHECK: adze.tile = "tf32x3 {{.*}} warp {{.*}}"
// Cut to tf32 there is one product and nothing to split: what these kernels do. Those with tensor maps
// do not take such a factor.
// TF32-NOT: wgmma.mma_async

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

func.func private @large(%x: memref<2048x1024xf32>, %w: memref<1024x2048xf32>, %y: memref<2048x2048xf32>) attributes {adze.device} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<2048x2048xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<2048x1024xf32>, memref<1024x2048xf32>) outs(%y : memref<2048x2048xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

func.func private @small(%x: memref<64x64xf32>, %w: memref<64x64xf32>, %y: memref<64x64xf32>) attributes {adze.device} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<64x64xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<64x64xf32>, memref<64x64xf32>) outs(%y : memref<64x64xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}
