// What a schedule looks like, and the shape of the code that follows from it.
// RUN: adze-opt %s --adze-assign-schedule | FileCheck %s --check-prefix=PLAN
// RUN: adze-opt %s --adze-assign-schedule --adze-emit-nests --canonicalize --cse | FileCheck %s
// RUN: adze-opt %s --adze-assign-schedule --adze-emit-nests --verify-diagnostics -o /dev/null
module attributes {adze.target = {vector_bits = 256, vector_registers = 16, mask_bits = 32}} {
  // A contraction and its epilogue are one nest: registers until the last store.
  // PLAN-LABEL: @epilogue
  // PLAN: adze.schedule = {lanes = 8 : i64, loops = ["d1 by 16", "d0 by 6", "d2 by 1"], tile = array<i64: 6, 2, 1>, vector = 1 : i64}
  // CHECK-LABEL: func.func @epilogue
  // CHECK-NOT: linalg
  // CHECK: scf.for %{{.*}} = %c0 to %c12 step %c6
  // CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>,
  // CHECK-COUNT-12: arith.addf {{.*}} fastmath<contract> : vector<8xf32>
  // CHECK-NOT: arith.addf
  // CHECK: scf.yield
  // CHECK-COUNT-12: arith.maximumf
  // CHECK-COUNT-12: vector.store
  // CHECK-NOT: store
  // CHECK: return
  func.func @epilogue(%a: memref<12x20xf32>, %b: memref<20x16xf32>, %c: memref<12x16xf32>) {
    %zero = arith.constant 0.0 : f32
    linalg.fill ins(%zero : f32) outs(%c : memref<12x16xf32>)
    linalg.matmul ins(%a, %b : memref<12x20xf32>, memref<20x16xf32>) outs(%c : memref<12x16xf32>)
    linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        outs(%c : memref<12x16xf32>) {
    ^bb0(%x: f32):
      %r = arith.maximumf %x, %zero : f32
      linalg.yield %r : f32
    }
    return
  }

  // A person's schedule is taken as it is.
  // PLAN-LABEL: @by_hand
  // PLAN: loops = ["parallel d0 by 32", "d0 by 4"]
  // CHECK-LABEL: func.func @by_hand
  // CHECK: scf.parallel {{.*}} step (%c32)
  // CHECK: vector.load {{.*}} vector<2xf32>
  // CHECK: {adze.grain = 5 : i64}
  func.func @by_hand(%a: memref<64xf32>, %b: memref<64xf32>) {
    linalg.generic {adze.schedule = {loops = ["parallel d0 by 32", "d0 by 4"], tile = array<i64: 2>, vector = 0 : i64, lanes = 2 : i64, grain = 5 : i64},
        indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
        ins(%a : memref<64xf32>) outs(%b : memref<64xf32>) {
    ^bb0(%x: f32, %o: f32):
      %r = arith.negf %x : f32
      linalg.yield %r : f32
    }
    return
  }

  // Narrow elements have no masked loads on this machine: fewer lanes instead.
  // CHECK-LABEL: func.func @bytes
  // CHECK-NOT: mask
  // CHECK: vector<4xi8>
  // CHECK-NOT: mask
  // CHECK: return
  func.func @bytes(%a: memref<?xi8>, %b: memref<?xi8>) {
    linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
        ins(%a : memref<?xi8>) outs(%b : memref<?xi8>) {
    ^bb0(%x: i8, %o: i8):
      %r = arith.addi %x, %x : i8
      linalg.yield %r : i8
    }
    return
  }

  // A sum of integers along the lanes is one op (LLVM forgets terms of a sum by halves).
  // CHECK-LABEL: func.func @integer_dot
  // CHECK: vector.reduction <add>, {{.*}} : vector<8xi32> into i32
  // CHECK-NOT: vector.shuffle
  // CHECK: return
  func.func @integer_dot(%a: memref<16x64xi8>, %b: memref<64xi8>, %c: memref<16xi32>) {
    linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (k)>, affine_map<(i, k) -> (i)>],
        iterator_types = ["parallel", "reduction"]} ins(%a, %b : memref<16x64xi8>, memref<64xi8>) outs(%c : memref<16xi32>) {
    ^bb0(%x: i8, %y: i8, %o: i32):
      %l = arith.extsi %x : i8 to i32
      %r = arith.extui %y : i8 to i32
      %m = arith.muli %l, %r : i32
      %s = arith.addi %o, %m : i32
      linalg.yield %s : i32
    }
    return
  }

  // What is not linear stays linalg, and says so.
  // CHECK-LABEL: func.func @fallback
  // CHECK-SAME: attributes {adze.fallback = 1 : i64}
  // CHECK: linalg.generic
  func.func @fallback(%a: memref<64xf32>, %b: memref<64xf32>) {
    // expected-remark @below {{left to the loop fallback: an operand's map or layout is not linear}}
    linalg.generic {indexing_maps = [affine_map<(i) -> (i floordiv 2 + 3)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
        ins(%a : memref<64xf32>) outs(%b : memref<64xf32>) {
    ^bb0(%x: f32, %o: f32):
      linalg.yield %x : f32
    }
    return
  }

  // CHECK-LABEL: func.func @bad_schedule
  func.func @bad_schedule(%a: memref<64xf32>) {
    // expected-remark @below {{left to the loop fallback: the innermost loop of each dimension must step by its tile}}
    linalg.generic {adze.schedule = {loops = ["d0 by 3"], tile = array<i64: 2>},
        indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%a : memref<64xf32>) {
    ^bb0(%o: f32):
      linalg.yield %o : f32
    }
    return
  }
}
