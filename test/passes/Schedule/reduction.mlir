// The scheduled code computes what the plain loops compute. All values are small
// integers, so that any order of summation gives the same floats.
// RUN: sed "s/MACHINE/%sse/" %s | adze-opt --linalg-generalize-named-ops %to-llvm | %run-llvm > %t.loops
// RUN: sed "s/MACHINE/%avx512/" %s | adze-opt --adze-assign-schedule --adze-emit-nests --adze-expand-math %to-llvm | %run-llvm > %t.avx512
// RUN: diff %t.loops %t.avx512
// RUN: sed "s/MACHINE/%sse/" %s | adze-opt --adze-assign-schedule --adze-emit-nests --adze-expand-math %to-llvm | %run-llvm > %t.sse
// RUN: diff %t.loops %t.sse
module attributes {adze.target = {MACHINE}} {
  func.func private @printMemrefF32(memref<*xf32>) attributes {llvm.emit_c_interface}
  func.func private @printMemrefI64(memref<*xi64>) attributes {llvm.emit_c_interface}
  func.func @rows(%A: memref<?x?xf32>, %C: memref<?xf32>) {
    %init0 = arith.constant 0.0 : f32
    linalg.fill ins(%init0 : f32) outs(%C : memref<?xf32>)
    linalg.generic {indexing_maps = [affine_map<(r,c)->(r,c)>, affine_map<(r,c)->(r)>], iterator_types = ["parallel", "reduction"]} ins(%A : memref<?x?xf32>) outs(%C : memref<?xf32>) {
      ^bb0(%a: f32, %o: f32):
      %q = arith.addf %a, %o : f32
      linalg.yield %q : f32
    }
    return
  }
  func.func @columns(%A: memref<?x?xf32>, %C: memref<?xf32>) {
    %init0 = arith.constant 0.0 : f32
    linalg.fill ins(%init0 : f32) outs(%C : memref<?xf32>)
    linalg.generic {indexing_maps = [affine_map<(r,c)->(r,c)>, affine_map<(r,c)->(c)>], iterator_types = ["reduction", "parallel"]} ins(%A : memref<?x?xf32>) outs(%C : memref<?xf32>) {
      ^bb0(%a: f32, %o: f32):
      %q = arith.addf %a, %o : f32
      linalg.yield %q : f32
    }
    return
  }
  func.func @argmax(%A: memref<?x?xf32>, %M: memref<?xf32>, %I: memref<?xi64>) {
    %init0 = arith.constant 0xFF800000 : f32
    linalg.fill ins(%init0 : f32) outs(%M : memref<?xf32>)
    %init1 = arith.constant 0 : i64
    linalg.fill ins(%init1 : i64) outs(%I : memref<?xi64>)
    linalg.generic {indexing_maps = [affine_map<(r,c)->(r,c)>, affine_map<(r,c)->(r)>, affine_map<(r,c)->(r)>], iterator_types = ["parallel", "reduction"]} ins(%A : memref<?x?xf32>) outs(%M, %I : memref<?xf32>, memref<?xi64>) {
      ^bb0(%a: f32, %m: f32, %i: i64):
      %x = linalg.index 1 : index
      %xi = arith.index_cast %x : index to i64
      %g = arith.cmpf ogt, %a, %m : f32
      %nm = arith.select %g, %a, %m : f32
      %ni = arith.select %g, %xi, %i : i64
      linalg.yield %nm, %ni : f32, i64
    }
    return
  }
  func.func @centre(%X: memref<?x?xf32>, %Y: memref<?x?xf32>, %S: memref<?xf32>) {
    %c0 = arith.constant 0 : index
    %n = memref.dim %X, %c0 : memref<?x?xf32>
    %m = memref.alloc(%n) : memref<?xf32>
    %init0 = arith.constant 0xFF800000 : f32
    linalg.fill ins(%init0 : f32) outs(%m : memref<?xf32>)
    linalg.generic {indexing_maps = [affine_map<(r,c)->(r,c)>, affine_map<(r,c)->(r)>], iterator_types = ["parallel", "reduction"]} ins(%X : memref<?x?xf32>) outs(%m : memref<?xf32>) {
      ^bb0(%a: f32, %o: f32):
      %q = arith.maximumf %a, %o : f32
      linalg.yield %q : f32
    }
    linalg.generic {indexing_maps = [affine_map<(r,c)->(r,c)>, affine_map<(r,c)->(r)>, affine_map<(r,c)->(r,c)>], iterator_types = ["parallel", "parallel"]} ins(%X, %m : memref<?x?xf32>, memref<?xf32>) outs(%Y : memref<?x?xf32>) {
      ^bb0(%a: f32, %b: f32, %o: f32):
      %q = arith.subf %a, %b : f32
      linalg.yield %q : f32
    }
    %init1 = arith.constant 0.0 : f32
    linalg.fill ins(%init1 : f32) outs(%S : memref<?xf32>)
    linalg.generic {indexing_maps = [affine_map<(r,c)->(r,c)>, affine_map<(r,c)->(r)>], iterator_types = ["parallel", "reduction"]} ins(%Y : memref<?x?xf32>) outs(%S : memref<?xf32>) {
      ^bb0(%a: f32, %o: f32):
      %q = arith.addf %a, %o : f32
      linalg.yield %q : f32
    }
    memref.dealloc %m : memref<?xf32>
    return
  }
  func.func @main() {
    %m0 = memref.alloc() : memref<5x71xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m0 : memref<5x71xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %x1 = linalg.index 1 : index
      %c1 = arith.constant 3 : index
      %y1 = arith.muli %x1, %c1 : index
      %h1 = arith.addi %h0, %y1 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h1, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 5 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m0_c = memref.cast %m0 : memref<5x71xf32> to memref<?x?xf32>
    %m1 = memref.alloc() : memref<5xf32>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m1 : memref<5xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h0, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 5 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m1_c = memref.cast %m1 : memref<5xf32> to memref<?xf32>
    call @rows(%m0_c, %m1_c) : (memref<?x?xf32>, memref<?xf32>) -> ()
    %m1_c_u = memref.cast %m1_c : memref<?xf32> to memref<*xf32>
    call @printMemrefF32(%m1_c_u) : (memref<*xf32>) -> ()
    %m2 = memref.alloc() : memref<5x71xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m2 : memref<5x71xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %x1 = linalg.index 1 : index
      %c1 = arith.constant 3 : index
      %y1 = arith.muli %x1, %c1 : index
      %h1 = arith.addi %h0, %y1 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h1, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 5 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m2_c = memref.cast %m2 : memref<5x71xf32> to memref<?x?xf32>
    %m3 = memref.alloc() : memref<71xf32>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m3 : memref<71xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h0, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 5 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m3_c = memref.cast %m3 : memref<71xf32> to memref<?xf32>
    call @columns(%m2_c, %m3_c) : (memref<?x?xf32>, memref<?xf32>) -> ()
    %m3_c_u = memref.cast %m3_c : memref<?xf32> to memref<*xf32>
    call @printMemrefF32(%m3_c_u) : (memref<*xf32>) -> ()
    %m4 = memref.alloc() : memref<4x23xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m4 : memref<4x23xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %x1 = linalg.index 1 : index
      %c1 = arith.constant 3 : index
      %y1 = arith.muli %x1, %c1 : index
      %h1 = arith.addi %h0, %y1 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h1, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 5 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m4_c = memref.cast %m4 : memref<4x23xf32> to memref<?x?xf32>
    %m5 = memref.alloc() : memref<4xf32>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m5 : memref<4xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h0, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 5 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m5_c = memref.cast %m5 : memref<4xf32> to memref<?xf32>
    %m6 = memref.alloc() : memref<4xi64>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m6 : memref<4xi64>) {
      ^bb0(%o: i64):
      %h0 = linalg.index 0 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h0, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 5 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.extsi %s : i32 to i64
      linalg.yield %v : i64
    }
    %m6_c = memref.cast %m6 : memref<4xi64> to memref<?xi64>
    call @argmax(%m4_c, %m5_c, %m6_c) : (memref<?x?xf32>, memref<?xf32>, memref<?xi64>) -> ()
    %m5_c_u = memref.cast %m5_c : memref<?xf32> to memref<*xf32>
    call @printMemrefF32(%m5_c_u) : (memref<*xf32>) -> ()
    %m6_c_u = memref.cast %m6_c : memref<?xi64> to memref<*xi64>
    call @printMemrefI64(%m6_c_u) : (memref<*xi64>) -> ()
    %m7 = memref.alloc() : memref<6x37xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m7 : memref<6x37xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %x1 = linalg.index 1 : index
      %c1 = arith.constant 3 : index
      %y1 = arith.muli %x1, %c1 : index
      %h1 = arith.addi %h0, %y1 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h1, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 5 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m7_c = memref.cast %m7 : memref<6x37xf32> to memref<?x?xf32>
    %m8 = memref.alloc() : memref<6x37xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m8 : memref<6x37xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %x1 = linalg.index 1 : index
      %c1 = arith.constant 3 : index
      %y1 = arith.muli %x1, %c1 : index
      %h1 = arith.addi %h0, %y1 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h1, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 5 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m8_c = memref.cast %m8 : memref<6x37xf32> to memref<?x?xf32>
    %m9 = memref.alloc() : memref<6xf32>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m9 : memref<6xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h0, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 5 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m9_c = memref.cast %m9 : memref<6xf32> to memref<?xf32>
    call @centre(%m7_c, %m8_c, %m9_c) : (memref<?x?xf32>, memref<?x?xf32>, memref<?xf32>) -> ()
    %m8_c_u = memref.cast %m8_c : memref<?x?xf32> to memref<*xf32>
    call @printMemrefF32(%m8_c_u) : (memref<*xf32>) -> ()
    %m9_c_u = memref.cast %m9_c : memref<?xf32> to memref<*xf32>
    call @printMemrefF32(%m9_c_u) : (memref<*xf32>) -> ()
    return
  }
}
