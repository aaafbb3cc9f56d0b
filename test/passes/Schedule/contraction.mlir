// The scheduled code computes what the plain loops compute. All values are small
// integers, so that any order of summation gives the same floats.
// RUN: sed "s/MACHINE/%sse/" %s | adze-opt --linalg-generalize-named-ops %to-llvm | %run-llvm > %t.loops
// RUN: sed "s/MACHINE/%avx512/" %s | adze-opt --adze-assign-schedule --adze-emit-nests --adze-expand-math %to-llvm | %run-llvm > %t.avx512
// RUN: diff %t.loops %t.avx512
// RUN: sed "s/MACHINE/%sse/" %s | adze-opt --adze-assign-schedule --adze-emit-nests --adze-expand-math %to-llvm | %run-llvm > %t.sse
// RUN: diff %t.loops %t.sse
module attributes {adze.target = {MACHINE}} {
  func.func private @printMemrefF32(memref<*xf32>) attributes {llvm.emit_c_interface}
  func.func private @printMemrefI32(memref<*xi32>) attributes {llvm.emit_c_interface}
  func.func @dynamic(%A: memref<?x?xf32>, %B: memref<?x?xf32>, %bias: memref<?xf32>, %C: memref<?x?xf32>) {
    %init0 = arith.constant 0.0 : f32
    linalg.fill ins(%init0 : f32) outs(%C : memref<?x?xf32>)
    linalg.generic {indexing_maps = [affine_map<(m,n,k)->(m,k)>, affine_map<(m,n,k)->(k,n)>, affine_map<(m,n,k)->(m,n)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%A, %B : memref<?x?xf32>, memref<?x?xf32>) outs(%C : memref<?x?xf32>) {
      ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
    }
    linalg.generic {indexing_maps = [affine_map<(m,n)->(m,n)>, affine_map<(m,n)->(n)>, affine_map<(m,n)->(m,n)>], iterator_types = ["parallel", "parallel"]} ins(%C, %bias : memref<?x?xf32>, memref<?xf32>) outs(%C : memref<?x?xf32>) {
      ^bb0(%x: f32, %y: f32, %o: f32):
      %s = arith.addf %x, %y : f32
      %z0 = arith.constant 0.0 : f32
      %m = arith.maximumf %s, %z0 : f32
      linalg.yield %m : f32
    }
    return
  }
  func.func @fixed(%A: memref<13x33xf32>, %B: memref<33x40xf32>, %bias: memref<40xf32>, %C: memref<13x40xf32>) {
    %init0 = arith.constant 0.0 : f32
    linalg.fill ins(%init0 : f32) outs(%C : memref<13x40xf32>)
    linalg.generic {indexing_maps = [affine_map<(m,n,k)->(m,k)>, affine_map<(m,n,k)->(k,n)>, affine_map<(m,n,k)->(m,n)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%A, %B : memref<13x33xf32>, memref<33x40xf32>) outs(%C : memref<13x40xf32>) {
      ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
    }
    linalg.generic {indexing_maps = [affine_map<(m,n)->(m,n)>, affine_map<(m,n)->(n)>, affine_map<(m,n)->(m,n)>], iterator_types = ["parallel", "parallel"]} ins(%C, %bias : memref<13x40xf32>, memref<40xf32>) outs(%C : memref<13x40xf32>) {
      ^bb0(%x: f32, %y: f32, %o: f32):
      %s = arith.addf %x, %y : f32
      %z0 = arith.constant 0.0 : f32
      %m = arith.maximumf %s, %z0 : f32
      linalg.yield %m : f32
    }
    return
  }
  func.func @transposed(%A: memref<?x37xf32>, %B: memref<9x37xf32>, %bias: memref<9xf32>, %C: memref<?x9xf32>) {
    %init0 = arith.constant 0.0 : f32
    linalg.fill ins(%init0 : f32) outs(%C : memref<?x9xf32>)
    linalg.generic {indexing_maps = [affine_map<(m,n,k)->(m,k)>, affine_map<(m,n,k)->(n,k)>, affine_map<(m,n,k)->(m,n)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%A, %B : memref<?x37xf32>, memref<9x37xf32>) outs(%C : memref<?x9xf32>) {
      ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
    }
    linalg.generic {indexing_maps = [affine_map<(m,n)->(m,n)>, affine_map<(m,n)->(n)>, affine_map<(m,n)->(m,n)>], iterator_types = ["parallel", "parallel"]} ins(%C, %bias : memref<?x9xf32>, memref<9xf32>) outs(%C : memref<?x9xf32>) {
      ^bb0(%x: f32, %y: f32, %o: f32):
      %s = arith.addf %x, %y : f32
      %z0 = arith.constant 0.0 : f32
      %m = arith.maximumf %s, %z0 : f32
      linalg.yield %m : f32
    }
    return
  }
  func.func @vector(%A: memref<1x8xf32>, %B: memref<8x19xf32>, %bias: memref<19xf32>, %C: memref<1x19xf32>) {
    %init0 = arith.constant 0.0 : f32
    linalg.fill ins(%init0 : f32) outs(%C : memref<1x19xf32>)
    linalg.generic {indexing_maps = [affine_map<(m,n,k)->(m,k)>, affine_map<(m,n,k)->(k,n)>, affine_map<(m,n,k)->(m,n)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%A, %B : memref<1x8xf32>, memref<8x19xf32>) outs(%C : memref<1x19xf32>) {
      ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
    }
    linalg.generic {indexing_maps = [affine_map<(m,n)->(m,n)>, affine_map<(m,n)->(n)>, affine_map<(m,n)->(m,n)>], iterator_types = ["parallel", "parallel"]} ins(%C, %bias : memref<1x19xf32>, memref<19xf32>) outs(%C : memref<1x19xf32>) {
      ^bb0(%x: f32, %y: f32, %o: f32):
      %s = arith.addf %x, %y : f32
      %z0 = arith.constant 0.0 : f32
      %m = arith.maximumf %s, %z0 : f32
      linalg.yield %m : f32
    }
    return
  }
  func.func @bytes(%A: memref<?x?xi8>, %B: memref<?x?xi8>, %C: memref<?x?xi32>) {
    %init0 = arith.constant 0 : i32
    linalg.fill ins(%init0 : i32) outs(%C : memref<?x?xi32>)
    linalg.generic {indexing_maps = [affine_map<(m,n,k)->(m,k)>, affine_map<(m,n,k)->(k,n)>, affine_map<(m,n,k)->(m,n)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%A, %B : memref<?x?xi8>, memref<?x?xi8>) outs(%C : memref<?x?xi32>) {
      ^bb0(%a: i8, %b: i8, %c: i32):
      %x = arith.extsi %a : i8 to i32
      %y = arith.extsi %b : i8 to i32
      %p = arith.muli %x, %y : i32
      %s = arith.addi %c, %p : i32
      linalg.yield %s : i32
    }
    return
  }
  func.func @heads(%A: memref<?x?x?x8xf32>, %B: memref<?x?x?x8xf32>, %C: memref<?x?x?x?xf32>) {
    %init0 = arith.constant 0.0 : f32
    linalg.fill ins(%init0 : f32) outs(%C : memref<?x?x?x?xf32>)
    linalg.generic {indexing_maps = [affine_map<(b,h,m,n,k)->(b,m,h,k)>, affine_map<(b,h,m,n,k)->(b,n,h,k)>, affine_map<(b,h,m,n,k)->(b,h,m,n)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%A, %B : memref<?x?x?x8xf32>, memref<?x?x?x8xf32>) outs(%C : memref<?x?x?x?xf32>) {
      ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
    }
    return
  }
  func.func @main() {
    %m0 = memref.alloc() : memref<7x20xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m0 : memref<7x20xf32>) {
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
    %m0_c = memref.cast %m0 : memref<7x20xf32> to memref<?x?xf32>
    %m1 = memref.alloc() : memref<20x37xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m1 : memref<20x37xf32>) {
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
    %m1_c = memref.cast %m1 : memref<20x37xf32> to memref<?x?xf32>
    %m2 = memref.alloc() : memref<37xf32>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m2 : memref<37xf32>) {
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
    %m2_c = memref.cast %m2 : memref<37xf32> to memref<?xf32>
    %m3 = memref.alloc() : memref<7x37xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m3 : memref<7x37xf32>) {
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
    %m3_c = memref.cast %m3 : memref<7x37xf32> to memref<?x?xf32>
    call @dynamic(%m0_c, %m1_c, %m2_c, %m3_c) : (memref<?x?xf32>, memref<?x?xf32>, memref<?xf32>, memref<?x?xf32>) -> ()
    %m3_c_u = memref.cast %m3_c : memref<?x?xf32> to memref<*xf32>
    call @printMemrefF32(%m3_c_u) : (memref<*xf32>) -> ()
    %m4 = memref.alloc() : memref<13x33xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m4 : memref<13x33xf32>) {
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
    %m5 = memref.alloc() : memref<33x40xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m5 : memref<33x40xf32>) {
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
    %m6 = memref.alloc() : memref<40xf32>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m6 : memref<40xf32>) {
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
    %m7 = memref.alloc() : memref<13x40xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m7 : memref<13x40xf32>) {
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
    call @fixed(%m4, %m5, %m6, %m7) : (memref<13x33xf32>, memref<33x40xf32>, memref<40xf32>, memref<13x40xf32>) -> ()
    %m7_u = memref.cast %m7 : memref<13x40xf32> to memref<*xf32>
    call @printMemrefF32(%m7_u) : (memref<*xf32>) -> ()
    %m8 = memref.alloc() : memref<5x37xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m8 : memref<5x37xf32>) {
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
    %m8_c = memref.cast %m8 : memref<5x37xf32> to memref<?x37xf32>
    %m9 = memref.alloc() : memref<9x37xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m9 : memref<9x37xf32>) {
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
    %m10 = memref.alloc() : memref<9xf32>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m10 : memref<9xf32>) {
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
    %m11 = memref.alloc() : memref<5x9xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m11 : memref<5x9xf32>) {
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
    %m11_c = memref.cast %m11 : memref<5x9xf32> to memref<?x9xf32>
    call @transposed(%m8_c, %m9, %m10, %m11_c) : (memref<?x37xf32>, memref<9x37xf32>, memref<9xf32>, memref<?x9xf32>) -> ()
    %m11_c_u = memref.cast %m11_c : memref<?x9xf32> to memref<*xf32>
    call @printMemrefF32(%m11_c_u) : (memref<*xf32>) -> ()
    %m12 = memref.alloc() : memref<1x8xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m12 : memref<1x8xf32>) {
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
    %m13 = memref.alloc() : memref<8x19xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m13 : memref<8x19xf32>) {
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
    %m14 = memref.alloc() : memref<19xf32>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m14 : memref<19xf32>) {
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
    %m15 = memref.alloc() : memref<1x19xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m15 : memref<1x19xf32>) {
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
    call @vector(%m12, %m13, %m14, %m15) : (memref<1x8xf32>, memref<8x19xf32>, memref<19xf32>, memref<1x19xf32>) -> ()
    %m15_u = memref.cast %m15 : memref<1x19xf32> to memref<*xf32>
    call @printMemrefF32(%m15_u) : (memref<*xf32>) -> ()
    %m16 = memref.alloc() : memref<5x9xi8>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m16 : memref<5x9xi8>) {
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
    %m16_c = memref.cast %m16 : memref<5x9xi8> to memref<?x?xi8>
    %m17 = memref.alloc() : memref<9x21xi8>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m17 : memref<9x21xi8>) {
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
    %m17_c = memref.cast %m17 : memref<9x21xi8> to memref<?x?xi8>
    %m18 = memref.alloc() : memref<5x21xi32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m18 : memref<5x21xi32>) {
      ^bb0(%o: i32):
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
      %z = arith.constant 0 : i32
      %v = arith.addi %s, %z : i32
      linalg.yield %v : i32
    }
    %m18_c = memref.cast %m18 : memref<5x21xi32> to memref<?x?xi32>
    call @bytes(%m16_c, %m17_c, %m18_c) : (memref<?x?xi8>, memref<?x?xi8>, memref<?x?xi32>) -> ()
    %m18_c_u = memref.cast %m18_c : memref<?x?xi32> to memref<*xi32>
    call @printMemrefI32(%m18_c_u) : (memref<*xi32>) -> ()
    %m19 = memref.alloc() : memref<2x5x3x8xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m19 : memref<2x5x3x8xf32>) {
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
    %m19_c = memref.cast %m19 : memref<2x5x3x8xf32> to memref<?x?x?x8xf32>
    %m20 = memref.alloc() : memref<2x6x3x8xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m20 : memref<2x6x3x8xf32>) {
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
    %m20_c = memref.cast %m20 : memref<2x6x3x8xf32> to memref<?x?x?x8xf32>
    %m21 = memref.alloc() : memref<2x3x5x6xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m21 : memref<2x3x5x6xf32>) {
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
    %m21_c = memref.cast %m21 : memref<2x3x5x6xf32> to memref<?x?x?x?xf32>
    call @heads(%m19_c, %m20_c, %m21_c) : (memref<?x?x?x8xf32>, memref<?x?x?x8xf32>, memref<?x?x?x?xf32>) -> ()
    %m21_c_u = memref.cast %m21_c : memref<?x?x?x?xf32> to memref<*xf32>
    call @printMemrefF32(%m21_c_u) : (memref<*xf32>) -> ()
    return
  }
}
