// From kernels on memrefs to kernels of a GPU and the host code that launches
// them. In pipeline order.
#ifndef ADZE_TARGETS_CUDA_PASSES
#define ADZE_TARGETS_CUDA_PASSES

include "mlir/Pass/PassBase.td"

def KeepShapesOnHost : Pass<"adze-cuda-keep-shapes-on-host", "::mlir::ModuleOp"> {
  let summary = "Let the host compute the small tensors that it reads itself";
  let description = [{
    Extents that depend on tensors (of Reshape, Slice, Resize and others) are read by
    the entry, element by element; each read of a GPU's memory would wait for the GPU.
    Tensors of up to 64 elements stay in host memory, with the kernels that make
    them, if kernels touch nothing else, or read them only outside of their loops.
    `adze.host_memory` marks such buffers, and arguments of kernels that are ones.
    ```mlir
    %v = memref.view %arena[%c64][] : memref<?xi8> to memref<4xi64>
    adze_rt.launch @kernel_3 kernel 3(%c, %v) : (memref<2xi64>, memref<4xi64>) -> ()
    %e = memref.load %v[%c0] : memref<4xi64>
    ```
    becomes
    ```mlir
    %v = memref.alloc() {adze.host_memory} : memref<4xi64>
    adze_rt.launch @kernel_3_on_host kernel 3(%c, %v) : (memref<2xi64>, memref<4xi64>) -> ()
    %e = memref.load %v[%c0] : memref<4xi64>
    ```
  }];
  let dependentDialects = ["::adze::rt::RtDialect", "::mlir::memref::MemRefDialect"];
  let statistics = [Statistic<"numBuffers", "buffers", "buffers that stay in host memory">,
                    Statistic<"numLaunches", "launches", "launches that the host runs">];
}

def PlaceKernels : Pass<"adze-cuda-place-kernels", "::mlir::ModuleOp"> {
  let summary = "Say of each kernel function whether the GPU or the host runs it";
  let description = [{
    The GPU takes a function whose work is linalg ops over bodies that PTX can
    express, in loops or not; and loops over single elements, as scatters are, that
    threads can share (`adze.threads` on the outermost). Any other (elements read and
    written one after the other, as NMS does; results whose size depends on data;
    functions without an instruction) is left to the host, with the reason:
    ```mlir
    func.func private @kernel_3(%in: memref<8xf32>, %out: memref<8xi64>) { ... }
    ```
    becomes
    ```mlir
    func.func private @kernel_3(%in: memref<8xf32>, %out: memref<8xi64>)
        attributes {adze.host = "writes elements one by one"} {
      %0 = adze_rt.to_host %in : memref<8xf32>
      %1 = memref.alloc() : memref<8xi64>  // only written
      call @kernel_3_host(%0, %1) : (memref<8xf32>, memref<8xi64>) -> ()
      adze_rt.to_device %1, %out : memref<8xi64>
      memref.dealloc %0 : memref<8xf32>
      memref.dealloc %1 : memref<8xi64>
      return
    }
    func.func private @kernel_3_host(...) attributes {adze.target = {...}} { ... }
    ```
    `adze.device` marks functions whose buffers are the GPU's: those it runs, those
    stubs, and the entry.
  }];
  let dependentDialects = ["::adze::rt::RtDialect", "::mlir::func::FuncDialect"];
  let statistics = [Statistic<"numDevice", "on-device", "functions that the GPU runs">,
                    Statistic<"numHost", "on-host", "functions left to the host">];
}

def AssignTiles : Pass<"adze-cuda-assign-tiles", "::mlir::func::FuncOp"> {
  let summary = "Decide which contractions become kernels of tiles, and by which";
  let description = [{
    A unit of passes/Schedule that is a product of matrices, large enough, gets the schedule that
    is best by a model of the device (targets/cuda/TileSchedule.h), as text on its reducing op:
    ```mlir
    linalg.generic {...} ins(%a, %b : ...) outs(%c : ...) attrs = {adze.tile = "tf32x3 64x64x32 warp 32x32 stages 3"}
    ```
    An op that has the attribute keeps it. Where the builder refuses the best of all, `adze.tile_refused`
    is that one, and why: "f16 128x256 maps 2 stages 4: padding".
  }];
  let options = [Option<"chip", "chip", "std::string", "\"sm_80\"", "the GPU, in LLVM's name">,
                 Option<"products", "products", "std::string", "\"f32\"",
                        "how factors may be rounded: f32, tf32, bf16, f16">];
  let statistics = [Statistic<"numTiles", "tiles", "contractions given to kernels of tiles">];
}

def TileAttention : Pass<"adze-cuda-tile-attention", "::mlir::ModuleOp"> {
  let summary = "Give attention to tensor cores, with its scores in registers";
  let description = [{
    Scores of queries and keys, what happens to them point by point (a scale, a mask), their
    softmax and the sum of values become one kernel of targets/cuda/tile, which goes through
    the keys once. Operands are read where they lie: heads by their strides, keys that several
    heads share once for all of them.
    ```mlir
    linalg.generic ... ins(%q, %k) outs(%s)     // sums of products
    linalg.generic ... ins(%mask) outs(%s)      // scale and mask
    linalg.generic ... ins(%s) outs(%most)      // softmax: maximum, powers, sum, quotient
    ...
    linalg.generic ... ins(%s, %v) outs(%y)     // sums of products
    ```
    becomes
    ```mlir
    adze_rt.device_launch @device::@kernel_9_attention_0 number 0 grid(%c96, %c1, %c1) block [128, 1, 1]
      shared 67584 (%q, %k, %mask, %v, %y)
      {adze.tile = "tf32x3 attention 16 queries 128 keys warp 16 slices 4"} : ...
    ```
    Where the library has no such kernel a remark says why, and adze-cuda-tile-contractions
    takes the two contractions.
  }];
  let dependentDialects = ["::adze::rt::RtDialect", "::mlir::gpu::GPUDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
  let options = [Option<"chip", "chip", "std::string", "\"sm_80\"", "the GPU, in LLVM's name">,
                 Option<"products", "products", "std::string", "\"f32\"",
                        "how factors may be rounded: f32, or tf32, of which bf16 and f16 are content with less">];
  let statistics = [Statistic<"numTiled", "tiled", "attentions given to tensor cores">];
}

def TileContractions : Pass<"adze-cuda-tile-contractions", "::mlir::ModuleOp"> {
  let summary = "Turn contractions with a tile schedule into kernels of tiles";
  let description = [{
    A unit of passes/Schedule (contraction, what comes before and after it point by
    point) whose reducing op has `adze.tile` becomes one kernel of targets/cuda/tile: rows,
    columns and terms of the product are what its dimensions are to the two
    operands and the result, so that matrix products, batched or not, and
    convolutions are one case. Elements of f32 are multiplied as the sum of three
    products of TF32, or rounded where `products` allows it, by tensor cores; what these do not
    take, by the ordinary cores. A schedule that does not fit is refused with a remark, and the
    best guess taken. It stands on the launch:
    ```mlir
    adze_rt.device_launch @device::@kernel_5_tile_0 number 0 grid(%c24, %c1, %c1)
      block [128, 1, 1] shared 98304 (%a, %b, %c) {adze.tile = "tf32x3 64x64x32 warp 32x32 stages 3"} : ...
    ```
    with `adze.tile_refused`, if there is one. A kernel that copies its factors through tensor maps is
    given these in place of buffers:
    ```mlir
    %a = adze_rt.tensor_map %x[%c0] extents(%c1024, %m) strides(%c1024) box [64, 128] swizzle 128 : ...
    adze_rt.device_launch @device::@kernel_7_tile_0 number 0 grid(%c132, %c1, %c1)
      block [384, 1, 1] shared 197632 (%a, %b, %c) {adze.tile = "f16 128x256 maps 2 stages 4"} : ...
    ```
  }];
  let dependentDialects = ["::adze::rt::RtDialect", "::mlir::gpu::GPUDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
  let options = [Option<"chip", "chip", "std::string", "\"sm_80\"", "the GPU, in LLVM's name">,
                 Option<"products", "products", "std::string", "\"f32\"",
                        "how factors may be rounded: f32, tf32, bf16, f16">];
  let statistics = [Statistic<"numTiled", "tiled", "contractions given to kernels of tiles">];
}

def TileTransposes : Pass<"adze-cuda-tile-transposes", "::mlir::func::FuncOp"> {
  let summary = "Transpose through tiles in shared memory";
  let description = [{
    An elementwise op whose operand lies across its result would read or write one
    element of each sector. Instead the 256 threads of a block read a tile of 32 x 32
    elements row by row into shared memory, and write it row by row from its columns.
    ```mlir
    linalg.generic {indexing_maps = [(m, n) -> (n, m), (m, n) -> (m, n)], ...}
        ins(%x : memref<64x512xf32>) outs(%y : memref<512x64xf32>) { ... }
    ```
    becomes
    ```mlir
    scf.parallel (%m, %n, %lane) = (0, 0, 0) to (512, 64, 256) step (32, 32, 1) {
      %tile = memref.alloca() : memref<32x33xf32, #gpu.address_space<workgroup>>
      ...  // for four rows: %tile[row, column] = %x[%n + row, %m + column]
      adze_rt.team_barrier team 256
      ...  // for four rows: %y[%m + row, %n + column] = f(%tile[column, row])
    } {adze.team = 256}
    ```
    Both extents are at least 16, where they are known, and one of them is.
  }];
  let dependentDialects = ["::adze::rt::RtDialect", "::mlir::gpu::GPUDialect", "::mlir::scf::SCFDialect",
                           "::mlir::memref::MemRefDialect"];
  let statistics = [Statistic<"numTiled", "tiled", "ops that go through tiles">];
}

def ParallelLoops : Pass<"adze-cuda-parallel-loops", "::mlir::func::FuncOp"> {
  let summary = "Lower what no schedule took, on functions of the GPU, to parallel loops";
  let description = [{
    adze-emit-nests leaves accesses that are not linear in the loops' indices, and
    bodies with control flow. Each point of the parallel dimensions is then a
    thread's. Loops with `adze.threads` become a parallel loop around those that are not:
    ```mlir
    scf.for %i = %c0 to %c4 step %c1 {
      scf.for %j = %c0 to %c16 step %c1 { ... memref.store %v, %y[%row, %j] : memref<8x16xf32> }
    } {adze.threads}
    ```
    becomes
    ```mlir
    scf.parallel (%j) = (%c0) to (%c16) step (%c1) {
      scf.for %i = %c0 to %c4 step %c1 { ... memref.store %v, %y[%row, %j] : memref<8x16xf32> }
    }
    ```
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::affine::AffineDialect"];
}

def OutlineDevice : Pass<"adze-cuda-outline", "::mlir::ModuleOp"> {
  let summary = "Turn parallel loops of `adze.device` functions into GPU kernels";
  let description = [{
    ```mlir
    scf.parallel (%i, %j) = (%c0, %c0) to (%c128, %c384) step (%c2, %c4) { ... }
    ```
    becomes a kernel of module @device in which each thread runs one iteration,
    neighbours along the last dimension being neighbouring threads, and
    ```mlir
    adze_rt.device_launch @device::@kernel_1_0 number 0 grid(%c24, %c1, %c1) block [256, 1, 1]
      shared 0 (%a, %b) : memref<49152xf32>, memref<49152xf32>
    ```
    A buffer is passed as a pointer, with its dynamic extents and strides. Memory
    that the function allocates is the device's, single elements that it reads
    are fetched.
  }];
  let dependentDialects = ["::adze::rt::RtDialect", "::mlir::gpu::GPUDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::arith::ArithDialect"];
  let statistics = [Statistic<"numKernels", "kernels", "GPU kernels made">];
}

def ShareKernels : Pass<"adze-cuda-share-kernels", "::mlir::ModuleOp"> {
  let summary = "Make one kernel of those that are equal";
  let description = [{
    Kernels of the module @device that differ in nothing but their names, and in where they come
    from, are one: the first. Functions of kernels whose loops are the same in part leave them.
    ```mlir
    adze_rt.device_launch @device::@kernel_17_0 number 3 grid(...) block [256, 1, 1] shared 0 (%a)
    ```
    becomes, where @kernel_17_0 is what @kernel_14_0 is,
    ```mlir
    adze_rt.device_launch @device::@kernel_14_0 number 1 grid(...) block [256, 1, 1] shared 0 (%a)
    ```
  }];
  let statistics = [Statistic<"numShared", "shared", "kernels that another one stands for">];
}

def EmitPtx : Pass<"adze-cuda-emit-ptx", "::mlir::ModuleOp"> {
  let summary = "Turn the module of GPU kernels into PTX text, an attribute";
  let description = [{
    `adze.ptx` holds the text and `adze.device_kernels` what a launch has to know
    of each entry, in the order of their numbers; the module is gone then.
    ```mlir
    module attributes {adze.ptx = "//...", adze.device_kernels = [
        {name = "kernel_0_0", parameters = array<i32: 8, 8, 4>, threads = 256 : i32} ] }
    ```
    A comment `//#node conv1, relu1` before an entry names the ONNX nodes that it computes.
  }];
  let options = [Option<"chip", "chip", "std::string", "\"sm_80\"", "the GPU, in LLVM's name">];
}

#endif
