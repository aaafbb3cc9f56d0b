// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-apply-tuned))' --verify-diagnostics | FileCheck %s

// A schedule that was found takes the place of the decided one where its kernel
// is the one it was found for; one that the unit cannot follow is refused.
module attributes {
  adze.target = {vector_bits = 128, vector_registers = 16, mask_bits = 0},
  adze.tuned = {"dac0754ee8c69e45.0" = {loops = ["d0 by 8"], tile = array<i64: 2>, vector = 0 : i64, lanes = 4 : i64, grain = 1 : i64},
                "54c36b61c0481e4a.0" = {loops = ["d7 by 8"], tile = array<i64: 2>, vector = 0 : i64, lanes = 4 : i64, grain = 1 : i64}}} {
// CHECK-LABEL: func.func @found
// CHECK: adze.schedule = {{{.*}}loops = ["d0 by 8"]
func.func @found(%x: memref<64xf32>, %y: memref<64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%x : memref<64xf32>) outs(%y : memref<64xf32>) attrs = {adze.schedule = {loops = ["d0 by 16"], tile = array<i64: 4>, vector = 0 : i64, lanes = 4 : i64, grain = 1 : i64}} {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %a : f32
    linalg.yield %r : f32
  }
  return
}
// CHECK-LABEL: func.func @refused
// CHECK: adze.schedule = {{{.*}}loops = ["d0 by 16"]
func.func @refused(%x: memref<64xf32>, %y: memref<64xf32>) {
  // expected-remark @+1 {{the tuned schedule does not fit}}
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%x : memref<64xf32>) outs(%y : memref<64xf32>) attrs = {adze.schedule = {loops = ["d0 by 16"], tile = array<i64: 4>, vector = 0 : i64, lanes = 4 : i64, grain = 1 : i64}} {
  ^bb0(%a: f32, %o: f32):
    %r = arith.mulf %a, %a : f32
    linalg.yield %r : f32
  }
  return
}
// A kernel that was not searched keeps what was decided.
// CHECK-LABEL: func.func @other
// CHECK: adze.schedule = {{{.*}}loops = ["d0 by 16"]
func.func @other(%x: memref<64xf32>, %y: memref<64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%x : memref<64xf32>) outs(%y : memref<64xf32>) attrs = {adze.schedule = {loops = ["d0 by 16"], tile = array<i64: 4>, vector = 0 : i64, lanes = 4 : i64, grain = 1 : i64}} {
  ^bb0(%a: f32, %o: f32):
    %r = arith.subf %a, %a : f32
    linalg.yield %r : f32
  }
  return
}
}
