// The scheduled code computes what the plain loops compute. All values are small
// integers, so that any order of summation gives the same floats.
// RUN: sed "s/MACHINE/%sse/" %s | adze-opt --linalg-generalize-named-ops %to-llvm | %run-llvm > %t.loops
// RUN: sed "s/MACHINE/%avx512/" %s | adze-opt --adze-assign-schedule --adze-emit-nests --adze-expand-math %to-llvm | %run-llvm > %t.avx512
// RUN: diff %t.loops %t.avx512
// RUN: sed "s/MACHINE/%sse/" %s | adze-opt --adze-assign-schedule --adze-emit-nests --adze-expand-math %to-llvm | %run-llvm > %t.sse
// RUN: diff %t.loops %t.sse
module attributes {adze.target = {MACHINE}} {
  func.func private @printMemrefF32(memref<*xf32>) attributes {llvm.emit_c_interface}
  func.func @sliding(%I: memref<?x?x?x3xf32>, %W: memref<3x3x3x20xf32>, %bias: memref<20xf32>, %O: memref<?x?x?x20xf32>) {
    %init0 = arith.constant 0.0 : f32
    linalg.fill ins(%init0 : f32) outs(%O : memref<?x?x?x20xf32>)
    linalg.generic {indexing_maps = [affine_map<(n,h,w,f,kh,kw,c)->(n,1*h+kh,1*w+kw,c)>, affine_map<(n,h,w,f,kh,kw,c)->(kh,kw,c,f)>, affine_map<(n,h,w,f,kh,kw,c)->(n,h,w,f)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]} ins(%I, %W : memref<?x?x?x3xf32>, memref<3x3x3x20xf32>) outs(%O : memref<?x?x?x20xf32>) {
      ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
    }
    linalg.generic {indexing_maps = [affine_map<(n,h,w,f)->(n,h,w,f)>, affine_map<(n,h,w,f)->(f)>, affine_map<(n,h,w,f)->(n,h,w,f)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%O, %bias : memref<?x?x?x20xf32>, memref<20xf32>) outs(%O : memref<?x?x?x20xf32>) {
      ^bb0(%x: f32, %y: f32, %o: f32):
      %s = arith.addf %x, %y : f32
      %z0 = arith.constant 0.0 : f32
      %m = arith.maximumf %s, %z0 : f32
      linalg.yield %m : f32
    }
    return
  }
  func.func @strided(%I: memref<1x9x11x4xf32>, %W: memref<3x3x4x16xf32>, %bias: memref<16xf32>, %O: memref<1x4x5x16xf32>) {
    %init0 = arith.constant 0.0 : f32
    linalg.fill ins(%init0 : f32) outs(%O : memref<1x4x5x16xf32>)
    linalg.generic {indexing_maps = [affine_map<(n,h,w,f,kh,kw,c)->(n,2*h+kh,2*w+kw,c)>, affine_map<(n,h,w,f,kh,kw,c)->(kh,kw,c,f)>, affine_map<(n,h,w,f,kh,kw,c)->(n,h,w,f)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]} ins(%I, %W : memref<1x9x11x4xf32>, memref<3x3x4x16xf32>) outs(%O : memref<1x4x5x16xf32>) {
      ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
    }
    linalg.generic {indexing_maps = [affine_map<(n,h,w,f)->(n,h,w,f)>, affine_map<(n,h,w,f)->(f)>, affine_map<(n,h,w,f)->(n,h,w,f)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%O, %bias : memref<1x4x5x16xf32>, memref<16xf32>) outs(%O : memref<1x4x5x16xf32>) {
      ^bb0(%x: f32, %y: f32, %o: f32):
      %s = arith.addf %x, %y : f32
      %z0 = arith.constant 0.0 : f32
      %m = arith.maximumf %s, %z0 : f32
      linalg.yield %m : f32
    }
    return
  }
  func.func @packed(%I: memref<?x?x?x4xf32>, %W: memref<2x1x3x4x32xf32>, %bias: memref<40xf32>, %O: memref<?x?x?x40xf32>) {
    %init0 = arith.constant 0.0 : f32
    linalg.fill ins(%init0 : f32) outs(%O : memref<?x?x?x40xf32>)
    linalg.generic {indexing_maps = [affine_map<(n,h,w,f,kh,kw,c)->(n,1*h+kh,1*w+kw,c)>, affine_map<(n,h,w,f,kh,kw,c)->(f floordiv 32,kh,kw,c,f mod 32)>, affine_map<(n,h,w,f,kh,kw,c)->(n,h,w,f)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]} ins(%I, %W : memref<?x?x?x4xf32>, memref<2x1x3x4x32xf32>) outs(%O : memref<?x?x?x40xf32>) {
      ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
    }
    linalg.generic {indexing_maps = [affine_map<(n,h,w,f)->(n,h,w,f)>, affine_map<(n,h,w,f)->(f)>, affine_map<(n,h,w,f)->(n,h,w,f)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%O, %bias : memref<?x?x?x40xf32>, memref<40xf32>) outs(%O : memref<?x?x?x40xf32>) {
      ^bb0(%x: f32, %y: f32, %o: f32):
      %s = arith.addf %x, %y : f32
      %z0 = arith.constant 0.0 : f32
      %m = arith.maximumf %s, %z0 : f32
      linalg.yield %m : f32
    }
    return
  }
  func.func @depthwise(%I: memref<?x?x?x18xf32>, %W: memref<3x3x18xf32>, %bias: memref<18xf32>, %O: memref<?x?x?x18xf32>) {
    %init0 = arith.constant 0.0 : f32
    linalg.fill ins(%init0 : f32) outs(%O : memref<?x?x?x18xf32>)
    linalg.generic {indexing_maps = [affine_map<(n,h,w,c,kh,kw)->(n,1*h+kh,1*w+kw,c)>, affine_map<(n,h,w,c,kh,kw)->(kh,kw,c)>, affine_map<(n,h,w,c,kh,kw)->(n,h,w,c)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%I, %W : memref<?x?x?x18xf32>, memref<3x3x18xf32>) outs(%O : memref<?x?x?x18xf32>) {
      ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
    }
    linalg.generic {indexing_maps = [affine_map<(n,h,w,f)->(n,h,w,f)>, affine_map<(n,h,w,f)->(f)>, affine_map<(n,h,w,f)->(n,h,w,f)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%O, %bias : memref<?x?x?x18xf32>, memref<18xf32>) outs(%O : memref<?x?x?x18xf32>) {
      ^bb0(%x: f32, %y: f32, %o: f32):
      %s = arith.addf %x, %y : f32
      %z0 = arith.constant 0.0 : f32
      %m = arith.maximumf %s, %z0 : f32
      linalg.yield %m : f32
    }
    return
  }
  func.func @pool(%I: memref<?x?x?x6xf32>, %W: memref<3x3xf32>, %O: memref<?x?x?x6xf32>) {
    %init0 = arith.constant 0xFF800000 : f32
    linalg.fill ins(%init0 : f32) outs(%O : memref<?x?x?x6xf32>)
    linalg.generic {indexing_maps = [affine_map<(n,h,w,c,kh,kw)->(n,2*h+kh,2*w+kw,c)>, affine_map<(n,h,w,c,kh,kw)->(kh,kw)>, affine_map<(n,h,w,c,kh,kw)->(n,h,w,c)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%I, %W : memref<?x?x?x6xf32>, memref<3x3xf32>) outs(%O : memref<?x?x?x6xf32>) {
      ^bb0(%a: f32, %w: f32, %o: f32):
      %q = arith.maximumf %a, %o : f32
      linalg.yield %q : f32
    }
    return
  }
  func.func @main() {
    %m0 = memref.alloc() : memref<1x5x13x3xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m0 : memref<1x5x13x3xf32>) {
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
    %m0_c = memref.cast %m0 : memref<1x5x13x3xf32> to memref<?x?x?x3xf32>
    %m1 = memref.alloc() : memref<3x3x3x20xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m1 : memref<3x3x3x20xf32>) {
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
    %m2 = memref.alloc() : memref<20xf32>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m2 : memref<20xf32>) {
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
    %m3 = memref.alloc() : memref<1x3x11x20xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m3 : memref<1x3x11x20xf32>) {
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
    %m3_c = memref.cast %m3 : memref<1x3x11x20xf32> to memref<?x?x?x20xf32>
    call @sliding(%m0_c, %m1, %m2, %m3_c) : (memref<?x?x?x3xf32>, memref<3x3x3x20xf32>, memref<20xf32>, memref<?x?x?x20xf32>) -> ()
    %m3_c_u = memref.cast %m3_c : memref<?x?x?x20xf32> to memref<*xf32>
    call @printMemrefF32(%m3_c_u) : (memref<*xf32>) -> ()
    %m4 = memref.alloc() : memref<1x9x11x4xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m4 : memref<1x9x11x4xf32>) {
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
    %m5 = memref.alloc() : memref<3x3x4x16xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m5 : memref<3x3x4x16xf32>) {
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
    %m6 = memref.alloc() : memref<16xf32>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m6 : memref<16xf32>) {
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
    %m7 = memref.alloc() : memref<1x4x5x16xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m7 : memref<1x4x5x16xf32>) {
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
    call @strided(%m4, %m5, %m6, %m7) : (memref<1x9x11x4xf32>, memref<3x3x4x16xf32>, memref<16xf32>, memref<1x4x5x16xf32>) -> ()
    %m7_u = memref.cast %m7 : memref<1x4x5x16xf32> to memref<*xf32>
    call @printMemrefF32(%m7_u) : (memref<*xf32>) -> ()
    %m8 = memref.alloc() : memref<1x2x7x4xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m8 : memref<1x2x7x4xf32>) {
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
    %m8_c = memref.cast %m8 : memref<1x2x7x4xf32> to memref<?x?x?x4xf32>
    %m9 = memref.alloc() : memref<2x1x3x4x32xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3,d4)->(d0,d1,d2,d3,d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} outs(%m9 : memref<2x1x3x4x32xf32>) {
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
      %x4 = linalg.index 4 : index
      %c4 = arith.constant 11 : index
      %y4 = arith.muli %x4, %c4 : index
      %h4 = arith.addi %h3, %y4 : index
      %q = arith.constant 11 : index
      %r = arith.remui %h4, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 5 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m10 = memref.alloc() : memref<40xf32>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m10 : memref<40xf32>) {
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
    %m11 = memref.alloc() : memref<1x2x5x40xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m11 : memref<1x2x5x40xf32>) {
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
    %m11_c = memref.cast %m11 : memref<1x2x5x40xf32> to memref<?x?x?x40xf32>
    call @packed(%m8_c, %m9, %m10, %m11_c) : (memref<?x?x?x4xf32>, memref<2x1x3x4x32xf32>, memref<40xf32>, memref<?x?x?x40xf32>) -> ()
    %m11_c_u = memref.cast %m11_c : memref<?x?x?x40xf32> to memref<*xf32>
    call @printMemrefF32(%m11_c_u) : (memref<*xf32>) -> ()
    %m12 = memref.alloc() : memref<1x5x12x18xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m12 : memref<1x5x12x18xf32>) {
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
    %m12_c = memref.cast %m12 : memref<1x5x12x18xf32> to memref<?x?x?x18xf32>
    %m13 = memref.alloc() : memref<3x3x18xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2)->(d0,d1,d2)>], iterator_types = ["parallel", "parallel", "parallel"]} outs(%m13 : memref<3x3x18xf32>) {
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
      %q = arith.constant 11 : index
      %r = arith.remui %h2, %q : index
      %i = arith.index_cast %r : index to i32
      %five = arith.constant 5 : i32
      %s = arith.subi %i, %five : i32
      %v = arith.sitofp %s : i32 to f32
      linalg.yield %v : f32
    }
    %m14 = memref.alloc() : memref<18xf32>
    linalg.generic {indexing_maps = [affine_map<(d0)->(d0)>], iterator_types = ["parallel"]} outs(%m14 : memref<18xf32>) {
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
    %m15 = memref.alloc() : memref<1x3x10x18xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m15 : memref<1x3x10x18xf32>) {
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
    %m15_c = memref.cast %m15 : memref<1x3x10x18xf32> to memref<?x?x?x18xf32>
    call @depthwise(%m12_c, %m13, %m14, %m15_c) : (memref<?x?x?x18xf32>, memref<3x3x18xf32>, memref<18xf32>, memref<?x?x?x18xf32>) -> ()
    %m15_c_u = memref.cast %m15_c : memref<?x?x?x18xf32> to memref<*xf32>
    call @printMemrefF32(%m15_c_u) : (memref<*xf32>) -> ()
    %m16 = memref.alloc() : memref<1x7x9x6xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m16 : memref<1x7x9x6xf32>) {
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
    %m16_c = memref.cast %m16 : memref<1x7x9x6xf32> to memref<?x?x?x6xf32>
    %m17 = memref.alloc() : memref<3x3xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1)->(d0,d1)>], iterator_types = ["parallel", "parallel"]} outs(%m17 : memref<3x3xf32>) {
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
    %m18 = memref.alloc() : memref<1x3x4x6xf32>
    linalg.generic {indexing_maps = [affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%m18 : memref<1x3x4x6xf32>) {
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
    %m18_c = memref.cast %m18 : memref<1x3x4x6xf32> to memref<?x?x?x6xf32>
    call @pool(%m16_c, %m17, %m18_c) : (memref<?x?x?x6xf32>, memref<3x3xf32>, memref<?x?x?x6xf32>) -> ()
    %m18_c_u = memref.cast %m18_c : memref<?x?x?x6xf32> to memref<*xf32>
    call @printMemrefF32(%m18_c_u) : (memref<*xf32>) -> ()
    return
  }
}
