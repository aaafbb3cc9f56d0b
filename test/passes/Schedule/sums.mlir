// Long sums are sums of sums: 6400 times 0.1 is 639.991 when one term is added after the other.
// RUN: sed "s/MACHINE/%avx512/" %s | adze-opt --adze-assign-schedule --adze-emit-nests --adze-expand-math %to-llvm | %run-llvm | FileCheck %s
// RUN: sed "s/MACHINE/%sse/" %s | adze-opt --adze-assign-schedule --adze-emit-nests --adze-expand-math %to-llvm | %run-llvm | FileCheck %s
module attributes {adze.target = {MACHINE}} {
  func.func private @printMemrefF32(memref<*xf32>) attributes {llvm.emit_c_interface}

  func.func @columns(%a: memref<?x?x3xf32>, %sums: memref<3xf32>) {
    %zero = arith.constant 0.0 : f32
    linalg.fill ins(%zero : f32) outs(%sums : memref<3xf32>)
    linalg.generic {indexing_maps = [affine_map<(h, w, c) -> (h, w, c)>, affine_map<(h, w, c) -> (c)>],
                    iterator_types = ["reduction", "reduction", "parallel"]}
        ins(%a : memref<?x?x3xf32>) outs(%sums : memref<3xf32>) {
    ^bb0(%x: f32, %sum: f32):
      %next = arith.addf %x, %sum : f32
      linalg.yield %next : f32
    }
    return
  }

  // CHECK: [640.00{{.}}, 640.00{{.}}, 640.00{{.}}]
  func.func @main() {
    %tenth = arith.constant 0.1 : f32
    %a = memref.alloc() : memref<64x100x3xf32>
    linalg.fill ins(%tenth : f32) outs(%a : memref<64x100x3xf32>)
    %sums = memref.alloc() : memref<3xf32>
    %free = memref.cast %a : memref<64x100x3xf32> to memref<?x?x3xf32>
    call @columns(%free, %sums) : (memref<?x?x3xf32>, memref<3xf32>) -> ()
    %shown = memref.cast %sums : memref<3xf32> to memref<*xf32>
    call @printMemrefF32(%shown) : (memref<*xf32>) -> ()
    return
  }
}
