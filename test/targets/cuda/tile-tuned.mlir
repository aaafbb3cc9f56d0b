// RUN: adze-opt %s --verify-diagnostics --pass-pipeline='builtin.module(func.func(adze-apply-tuned),adze-cuda-tile-contractions{chip=sm_80})' | FileCheck %s

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

module attributes {adze.tuned = {"608be4500cb0d717.0" = "tf32x3 64x32x32 warp 32x32 stages 2",
                              "74139aa3b5272bb7.0" = {tile = 1 : i64}}} {
// A schedule that was found takes the place of the decided one.
// CHECK-LABEL: func.func private @found
// CHECK: device_launch {{.*}}adze.tile = "tf32x3 64x32x32 warp 32x32 stages 2"
func.func private @found(%x: memref<768x64xf32>, %w: memref<64x64xf32>, %y: memref<768x64xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<768x64xf32>, memref<64x64xf32>) outs(%y : memref<768x64xf32>)
      attrs = {adze.tile = "tf32x3 32x32x32 warp 32x32 stages 3"} {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

// With one that is none, the decided one stays.
// CHECK-LABEL: func.func private @nonsense
// CHECK: device_launch {{.*}}adze.tile = "tf32x3 32x32x32 warp 32x32 stages 3"
func.func private @nonsense(%x: memref<512x64xf32>, %w: memref<64x64xf32>, %y: memref<512x64xf32>) attributes {adze.device} {
  // expected-remark @+1 {{the tuned schedule does not fit: it is no text}}
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<512x64xf32>, memref<64x64xf32>) outs(%y : memref<512x64xf32>)
      attrs = {adze.tile = "tf32x3 32x32x32 warp 32x32 stages 3"} {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

// In place of one that the kernel cannot take stands the best guess.
// CHECK-LABEL: func.func private @unfit
// CHECK: device_launch {{.*}}adze.tile = "tf32x3 {{[0-9]}}
func.func private @unfit(%x: memref<256x64xf32>, %w: memref<64x64xf32>, %y: memref<256x64xf32>) attributes {adze.device} {
  // expected-remark @+1 {{the tile schedule does not fit: factors are not multiplied so}}
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<256x64xf32>, memref<64x64xf32>) outs(%y : memref<256x64xf32>)
      attrs = {adze.tile = "f16 128x32x32 warp 32x32 stages 2"} {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}
}
