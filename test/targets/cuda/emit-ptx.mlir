// RUN: adze-opt %s --pass-pipeline='builtin.module(adze-cuda-emit-ptx{chip=sm_90a})' --split-input-file --verify-diagnostics | FileCheck %s

// CHECK: module attributes
// CHECK-SAME: adze.device_kernels = [{name = "kernel_0", parameters = array<i32: 8, 4, 8>, threads = 128 : i32}]
// CHECK-SAME: .target sm_90a
// CHECK-NOT: gpu.module
gpu.module @device {
  gpu.func @kernel_0(%x: !llvm.ptr, %v: f32, %n: index) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    llvm.store %v, %x : f32, !llvm.ptr
    gpu.return
  }
}

// -----

// expected-error@+1 {{math.acosh has no PTX instruction}}
gpu.module @device {
  gpu.func @kernel_0(%x: !llvm.ptr, %v: f32) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %r = math.acosh %v : f32
    llvm.store %r, %x : f32, !llvm.ptr
    gpu.return
  }
}

// -----

// Each kernel says which nodes it is of: those of all functions that launch it, their names made harmless.
// CHECK: //#node conv, b{{\\\\}}x0a.version, c, d and 1 more\0A.visible .entry kernel_0(
module attributes {adze.kernels = [{function = "f", nodes = ["conv", "b\0A.version"]}, {function = "g", nodes = ["c", "conv", "d", "e"]}]} {
  gpu.module @device {
    gpu.func @kernel_0(%x: !llvm.ptr, %v: f32) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
      llvm.store %v, %x : f32, !llvm.ptr
      gpu.return
    }
  }
  func.func private @f(%x: memref<1xf32>, %v: f32) {
    %c1 = arith.constant 1 : index
    adze_rt.device_launch @device::@kernel_0 number 0 grid(%c1, %c1, %c1) block [128, 1, 1] shared 0(%x, %v) : memref<1xf32>, f32
    return
  }
  func.func private @g(%x: memref<1xf32>, %v: f32) {
    %c1 = arith.constant 1 : index
    adze_rt.device_launch @device::@kernel_0 number 0 grid(%c1, %c1, %c1) block [128, 1, 1] shared 0(%x, %v) : memref<1xf32>, f32
    return
  }
}
