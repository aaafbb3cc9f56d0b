// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-cuda-assign-tiles{chip=sm_80}))' | FileCheck %s
// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-cuda-assign-tiles{chip=sm_75}))' | FileCheck %s --check-prefix=T4
// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-cuda-assign-tiles{chip=sm_89}))' | FileCheck %s --check-prefix=L4
// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-cuda-assign-tiles{chip=sm_80 products=tf32}))' | FileCheck %s --check-prefix=TF32

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// A product of matrices, large enough: for tensor cores, or for the ordinary ones where those have
// nothing for its type, or take longer.
// CHECK-LABEL: func.func private @decided
// CHECK: linalg.generic {{.*}}adze.tile = "tf32x3 {{[0-9]+x[0-9]+x[0-9]+}} warp {{[0-9]+x[0-9]+}} stages {{[0-9]}}
// T4-LABEL: func.func private @decided
// T4: linalg.generic {{.*}}adze.tile = "f32 {{[0-9]+x[0-9]+x[0-9]+}} warp {{[0-9]+x[0-9]+}} stages 2
// L4-LABEL: func.func private @decided
// L4: adze.tile = "f32 {{.*}} stages 3
// TF32-LABEL: func.func private @decided
// TF32: adze.tile = "tf32 {{[0-9]}}
func.func private @decided(%x: memref<256x64xf32>, %w: memref<64x64xf32>, %y: memref<256x64xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<256x64xf32>, memref<64x64xf32>) outs(%y : memref<256x64xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

// CHECK-LABEL: func.func private @small
// CHECK-NOT: adze.tile
// T4-LABEL: func.func private @small
// T4-NOT: adze.tile
// T4-LABEL: func.func private @kept
func.func private @small(%x: memref<8x64xf32>, %w: memref<64x64xf32>, %y: memref<8x64xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<8x64xf32>, memref<64x64xf32>) outs(%y : memref<8x64xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}

// What stands there stays.
// CHECK-LABEL: func.func private @kept
// CHECK: adze.tile = "tf32x3 32x32x32 warp 32x32 stages 3"
func.func private @kept(%x: memref<256x64xf32>, %w: memref<64x128xf32>, %y: memref<256x128xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<256x64xf32>, memref<64x128xf32>) outs(%y : memref<256x128xf32>)
      attrs = {adze.tile = "tf32x3 32x32x32 warp 32x32 stages 3"} {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  }
  return
}
