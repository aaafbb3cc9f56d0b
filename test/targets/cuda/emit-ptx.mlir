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
