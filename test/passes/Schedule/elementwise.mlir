// The scheduled code computes what the plain loops compute. All values are small
// integers, so that any order of summation gives the same floats.
// RUN: sed "s/MACHINE/%sse/" %s | adze-opt --linalg-generalize-named-ops %to-llvm | %run-llvm > %t.loops
// RUN: sed "s/MACHINE/%avx512/" %s | adze-opt --adze-assign-schedule --adze-emit-nests --adze-expand-math %to-llvm | %run-llvm > %t.avx512
// RUN: diff %t.loops %t.avx512
// RUN: sed "s/MACHINE/%sse/" %s | adze-opt --adze-assign-schedule --adze-emit-nests --adze-expand-math %to-llvm | %run-llvm > %t.sse
// RUN: diff %t.loops %t.sse
module attributes {adze.target = {MACHINE}} {
  func.func private @printMemrefF32(memref<*xf32>) attributes {llvm.emit_c_interface}
  func.func private @printMemrefF64(memref<*xf64>) attributes {llvm.emit_c_interface}
  func.func private @printMemrefI32(memref<*xi32>) attributes {llvm.emit_c_interface}
  func.func @broadcast(%A: memref<?x?x?x?xf32>, %B: memref<?xf32>, %C: memref<?x?x?x?xf32>) {
    linalg.generic {indexing_maps = [affine_map<(a,b,c,d)->(a,b,c,d)>, affine_map<(a,b,c,d)->(b)>, affine_map<(a,b,c,d)->(a,b,c,d)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%A, %B : memref<?x?x?x?xf32>, memref<?xf32>) outs(%C : memref<?x?x?x?xf32>) {
      ^bb0(%a: f32, %b: f32, %o: f32):
      %q = arith.mulf %a, %b : f32
      linalg.yield %q : f32
    }
    return
  }
  func.func @flip_layout(%A: memref<?x?x?x?xf32>, %C: memref<?x?x?x?xf32>) {
    linalg.generic {indexing_maps = [affine_map<(a,b,c,d)->(a,d,b,c)>, affine_map<(a,b,c,d)->(a,b,c,d)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%A : memref<?x?x?x?xf32>) outs(%C : memref<?x?x?x?xf32>) {
      ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
    }
    return
  }
  func.func @gather_rows(%T: memref<?x?xf32>, %X: memref<?xi64>, %C: memref<?x?xf32>) {
    linalg.generic {indexing_maps = [affine_map<(r,c)->(r)>, affine_map<(r,c)->(r,c)>], iterator_types = ["parallel", "parallel"]} ins(%X : memref<?xi64>) outs(%C : memref<?x?xf32>) {
      ^bb0(%i: i64, %o: f32):
      %r = arith.index_cast %i : i64 to index
      %j = linalg.index 1 : index
      %v = memref.load %T[%r, %j] : memref<?x?xf32>
      linalg.yield %v : f32
    }
    return
  }
  func.func @gather_elements(%T: memref<?x?xf32>, %X: memref<?x?xi64>, %C: memref<?x?xf32>) {
    linalg.generic {indexing_maps = [affine_map<(r,c)->(r,c)>, affine_map<(r,c)->(r,c)>], iterator_types = ["parallel", "parallel"]} ins(%X : memref<?x?xi64>) outs(%C : memref<?x?xf32>) {
      ^bb0(%i: i64, %o: f32):
      %r = arith.index_cast %i : i64 to index
      %j = linalg.index 0 : index
      %v = memref.load %T[%j, %r] : memref<?x?xf32>
      linalg.yield %v : f32
    }
    return
  }
  func.func @divide(%A: memref<?xi32>, %B: memref<?xi32>, %C: memref<?xi32>) {
    linalg.generic {indexing_maps = [affine_map<(a)->(a)>, affine_map<(a)->(a)>, affine_map<(a)->(a)>], iterator_types = ["parallel"]} ins(%A, %B : memref<?xi32>, memref<?xi32>) outs(%C : memref<?xi32>) {
      ^bb0(%a: i32, %b: i32, %o: i32):
      %q = arith.divsi %a, %b : i32
      linalg.yield %q : i32
    }
    return
  }
  func.func @compare(%A: memref<?x?xf32>, %B: memref<?x?xf32>, %C: memref<?x?xi8>) {
    linalg.generic {indexing_maps = [affine_map<(a,b)->(a,b)>, affine_map<(a,b)->(b,a)>, affine_map<(a,b)->(a,b)>], iterator_types = ["parallel", "parallel"]} ins(%A, %B : memref<?x?xf32>, memref<?x?xf32>) outs(%C : memref<?x?xi8>) {
      ^bb0(%a: f32, %b: f32, %o: i8):
      %q = arith.cmpf olt, %a, %b : f32
      %r = arith.extui %q : i1 to i8
      linalg.yield %r : i8
    }
    return
  }
  func.func @doubles(%A: memref<?x?xf64>, %C: memref<?x?xf64>) {
    linalg.generic {indexing_maps = [affine_map<(a,b)->(b,a)>, affine_map<(a,b)->(a,b)>], iterator_types = ["parallel", "parallel"]} ins(%A : memref<?x?xf64>) outs(%C : memref<?x?xf64>) {
      ^bb0(%a: f64, %o: f64):
      %q = arith.addf %a, %a : f64
      linalg.yield %q : f64
    }
    return
  }
  func.func @main() {
    %m0 = memref.alloc() : memref<2x3x2x9xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m0 : memref<2x3x2x9xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %x1 = linalg.index 1 : index
      %c1 = arith.constant 3 : index
      %y1 = arith.muli %x1, %c1 : index
      %h1 = arith.addi %h0, %y1 : index
      %x2 = linalg.index 2 : index
      %c2 = arith.constant 7 : index
      %y2 = arith.muli %x2, %c2 : index
      %h2 = arith.addi %h1, %y2 : index
      %x3 = linalg.index 3 : index
      %c3 = arith.constant 5 : index
      %y3 = arith.muli %x3, %c3 : index
      %h3 = arith.addi %h2, %y3 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h3, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 5 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m0_c = memref.cast %m0 : memref<2x3x2x9xf32> to memref<?x?x?x?xf32>
    %m1 = memref.alloc() : memref<3xf32>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m1 : memref<3xf32>) {
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
    %m1_c = memref.cast %m1 : memref<3xf32> to memref<?xf32>
    %m2 = memref.alloc() : memref<2x3x2x9xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m2 : memref<2x3x2x9xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %x1 = linalg.index 1 : index
      %c1 = arith.constant 3 : index
      %y1 = arith.muli %x1, %c1 : index
      %h1 = arith.addi %h0, %y1 : index
      %x2 = linalg.index 2 : index
      %c2 = arith.constant 7 : index
      %y2 = arith.muli %x2, %c2 : index
      %h2 = arith.addi %h1, %y2 : index
      %x3 = linalg.index 3 : index
      %c3 = arith.constant 5 : index
      %y3 = arith.muli %x3, %c3 : index
      %h3 = arith.addi %h2, %y3 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h3, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 5 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m2_c = memref.cast %m2 : memref<2x3x2x9xf32> to memref<?x?x?x?xf32>
    call @broadcast(%m0_c, %m1_c, %m2_c) : (memref<?x?x?x?xf32>, memref<?xf32>, memref<?x?x?x?xf32>) -> ()
    %m2_c_u = memref.cast %m2_c : memref<?x?x?x?xf32> to memref<*xf32>
    call @printMemrefF32(%m2_c_u) : (memref<*xf32>) -> ()
    %m3 = memref.alloc() : memref<1x19x2x17xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m3 : memref<1x19x2x17xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %x1 = linalg.index 1 : index
      %c1 = arith.constant 3 : index
      %y1 = arith.muli %x1, %c1 : index
      %h1 = arith.addi %h0, %y1 : index
      %x2 = linalg.index 2 : index
      %c2 = arith.constant 7 : index
      %y2 = arith.muli %x2, %c2 : index
      %h2 = arith.addi %h1, %y2 : index
      %x3 = linalg.index 3 : index
      %c3 = arith.constant 5 : index
      %y3 = arith.muli %x3, %c3 : index
      %h3 = arith.addi %h2, %y3 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h3, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 5 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m3_c = memref.cast %m3 : memref<1x19x2x17xf32> to memref<?x?x?x?xf32>
    %m4 = memref.alloc() : memref<1x2x17x19xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m4 : memref<1x2x17x19xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %x1 = linalg.index 1 : index
      %c1 = arith.constant 3 : index
      %y1 = arith.muli %x1, %c1 : index
      %h1 = arith.addi %h0, %y1 : index
      %x2 = linalg.index 2 : index
      %c2 = arith.constant 7 : index
      %y2 = arith.muli %x2, %c2 : index
      %h2 = arith.addi %h1, %y2 : index
      %x3 = linalg.index 3 : index
      %c3 = arith.constant 5 : index
      %y3 = arith.muli %x3, %c3 : index
      %h3 = arith.addi %h2, %y3 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h3, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 5 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m4_c = memref.cast %m4 : memref<1x2x17x19xf32> to memref<?x?x?x?xf32>
    call @flip_layout(%m3_c, %m4_c) : (memref<?x?x?x?xf32>, memref<?x?x?x?xf32>) -> ()
    %m4_c_u = memref.cast %m4_c : memref<?x?x?x?xf32> to memref<*xf32>
    call @printMemrefF32(%m4_c_u) : (memref<*xf32>) -> ()
    %m5 = memref.alloc() : memref<11x18xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m5 : memref<11x18xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %x1 = linalg.index 1 : index
      %c1 = arith.constant 3 : index
      %y1 = arith.muli %x1, %c1 : index
      %h1 = arith.addi %h0, %y1 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h1, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 0 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m5_c = memref.cast %m5 : memref<11x18xf32> to memref<?x?xf32>
    %m6 = memref.alloc() : memref<5xi64>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m6 : memref<5xi64>) {
      ^bb0(%o: i64):
      %h0 = linalg.index 0 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h0, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 0 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.extsi %s : i32 to i64
      linalg.yield %v : i64
    }
    %m6_c = memref.cast %m6 : memref<5xi64> to memref<?xi64>
    %m7 = memref.alloc() : memref<5x18xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m7 : memref<5x18xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %x1 = linalg.index 1 : index
      %c1 = arith.constant 3 : index
      %y1 = arith.muli %x1, %c1 : index
      %h1 = arith.addi %h0, %y1 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h1, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 0 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m7_c = memref.cast %m7 : memref<5x18xf32> to memref<?x?xf32>
    call @gather_rows(%m5_c, %m6_c, %m7_c) : (memref<?x?xf32>, memref<?xi64>, memref<?x?xf32>) -> ()
    %m7_c_u = memref.cast %m7_c : memref<?x?xf32> to memref<*xf32>
    call @printMemrefF32(%m7_c_u) : (memref<*xf32>) -> ()
    %m8 = memref.alloc() : memref<4x11xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m8 : memref<4x11xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %x1 = linalg.index 1 : index
      %c1 = arith.constant 3 : index
      %y1 = arith.muli %x1, %c1 : index
      %h1 = arith.addi %h0, %y1 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h1, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 0 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m8_c = memref.cast %m8 : memref<4x11xf32> to memref<?x?xf32>
    %m9 = memref.alloc() : memref<4x19xi64>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m9 : memref<4x19xi64>) {
      ^bb0(%o: i64):
      %h0 = linalg.index 0 : index
      %x1 = linalg.index 1 : index
      %c1 = arith.constant 3 : index
      %y1 = arith.muli %x1, %c1 : index
      %h1 = arith.addi %h0, %y1 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h1, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 0 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.extsi %s : i32 to i64
      linalg.yield %v : i64
    }
    %m9_c = memref.cast %m9 : memref<4x19xi64> to memref<?x?xi64>
    %m10 = memref.alloc() : memref<4x19xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m10 : memref<4x19xf32>) {
      ^bb0(%o: f32):
      %h0 = linalg.index 0 : index
      %x1 = linalg.index 1 : index
      %c1 = arith.constant 3 : index
      %y1 = arith.muli %x1, %c1 : index
      %h1 = arith.addi %h0, %y1 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h1, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 0 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m10_c = memref.cast %m10 : memref<4x19xf32> to memref<?x?xf32>
    call @gather_elements(%m8_c, %m9_c, %m10_c) : (memref<?x?xf32>, memref<?x?xi64>, memref<?x?xf32>) -> ()
    %m10_c_u = memref.cast %m10_c : memref<?x?xf32> to memref<*xf32>
    call @printMemrefF32(%m10_c_u) : (memref<*xf32>) -> ()
    %m11 = memref.alloc() : memref<21xi32>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m11 : memref<21xi32>) {
      ^bb0(%o: i32):
      %h0 = linalg.index 0 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h0, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 0 : i32
      %s = arith.subi %i, %five : i32
      %one = arith.constant 1 : i32
      %s1 = arith.addi %s, %one : i32
      %z = arith.constant 0 : i32
      %v = arith.addi %s1, %z : i32
      linalg.yield %v : i32
    }
    %m11_c = memref.cast %m11 : memref<21xi32> to memref<?xi32>
    %m12 = memref.alloc() : memref<21xi32>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m12 : memref<21xi32>) {
      ^bb0(%o: i32):
      %h0 = linalg.index 0 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h0, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 0 : i32
      %s = arith.subi %i, %five : i32
      %one = arith.constant 1 : i32
      %s1 = arith.addi %s, %one : i32
      %z = arith.constant 0 : i32
      %v = arith.addi %s1, %z : i32
      linalg.yield %v : i32
    }
    %m12_c = memref.cast %m12 : memref<21xi32> to memref<?xi32>
    %m13 = memref.alloc() : memref<21xi32>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m13 : memref<21xi32>) {
      ^bb0(%o: i32):
      %h0 = linalg.index 0 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h0, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 0 : i32
      %s = arith.subi %i, %five : i32
      %one = arith.constant 1 : i32
      %s1 = arith.addi %s, %one : i32
      %z = arith.constant 0 : i32
      %v = arith.addi %s1, %z : i32
      linalg.yield %v : i32
    }
    %m13_c = memref.cast %m13 : memref<21xi32> to memref<?xi32>
    call @divide(%m11_c, %m12_c, %m13_c) : (memref<?xi32>, memref<?xi32>, memref<?xi32>) -> ()
    %m13_c_u = memref.cast %m13_c : memref<?xi32> to memref<*xi32>
    call @printMemrefI32(%m13_c_u) : (memref<*xi32>) -> ()
    %m14 = memref.alloc() : memref<3x5xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m14 : memref<3x5xf32>) {
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
    %m14_c = memref.cast %m14 : memref<3x5xf32> to memref<?x?xf32>
    %m15 = memref.alloc() : memref<5x3xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m15 : memref<5x3xf32>) {
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
    %m15_c = memref.cast %m15 : memref<5x3xf32> to memref<?x?xf32>
    %m16 = memref.alloc() : memref<3x5xi8>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m16 : memref<3x5xi8>) {
      ^bb0(%o: i8):
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
      %v = arith.trunci %s : i32 to i8
      linalg.yield %v : i8
    }
    %m16_c = memref.cast %m16 : memref<3x5xi8> to memref<?x?xi8>
    call @compare(%m14_c, %m15_c, %m16_c) : (memref<?x?xf32>, memref<?x?xf32>, memref<?x?xi8>) -> ()
    %m16_c_w = memref.alloc() : memref<3x5xi32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>, affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} ins(%m16_c : memref<?x?xi8>) outs(%m16_c_w : memref<3x5xi32>) {
      ^bb0(%a: i8, %o: i32):
      %v = arith.extsi %a : i8 to i32
      linalg.yield %v : i32
    }
    %m16_c_w_u = memref.cast %m16_c_w : memref<3x5xi32> to memref<*xi32>
    call @printMemrefI32(%m16_c_w_u) : (memref<*xi32>) -> ()
    %m17 = memref.alloc() : memref<3x10xf64>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m17 : memref<3x10xf64>) {
      ^bb0(%o: f64):
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
      %v = arith.sitofp %s : i32 to f64
      linalg.yield %v : f64
    }
    %m17_c = memref.cast %m17 : memref<3x10xf64> to memref<?x?xf64>
    %m18 = memref.alloc() : memref<10x3xf64>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m18 : memref<10x3xf64>) {
      ^bb0(%o: f64):
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
      %v = arith.sitofp %s : i32 to f64
      linalg.yield %v : f64
    }
    %m18_c = memref.cast %m18 : memref<10x3xf64> to memref<?x?xf64>
    call @doubles(%m17_c, %m18_c) : (memref<?x?xf64>, memref<?x?xf64>) -> ()
    %m18_c_u = memref.cast %m18_c : memref<?x?xf64> to memref<*xf64>
    call @printMemrefF64(%m18_c_u) : (memref<*xf64>) -> ()
    return
  }
}
