// More kernels than one part takes are compiled at once; the text is one all the same.
// RUN: adze-opt %s --pass-pipeline='builtin.module(adze-cuda-emit-ptx)' | tr '\\' '\n' | FileCheck %s

// CHECK-COUNT-1: .version
// CHECK-NOT: .version
// CHECK: .visible .entry k0(
// CHECK: .visible .entry k7(
// CHECK-NOT: .version
// CHECK: .visible .entry k8(
gpu.module @device {
  gpu.func @k0(%x: !llvm.ptr, %v: f32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    llvm.store %v, %x : f32, !llvm.ptr
    gpu.return
  }
  gpu.func @k1(%x: !llvm.ptr, %v: f32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    llvm.store %v, %x : f32, !llvm.ptr
    gpu.return
  }
  gpu.func @k2(%x: !llvm.ptr, %v: f32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    llvm.store %v, %x : f32, !llvm.ptr
    gpu.return
  }
  gpu.func @k3(%x: !llvm.ptr, %v: f32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    llvm.store %v, %x : f32, !llvm.ptr
    gpu.return
  }
  gpu.func @k4(%x: !llvm.ptr, %v: f32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    llvm.store %v, %x : f32, !llvm.ptr
    gpu.return
  }
  gpu.func @k5(%x: !llvm.ptr, %v: f32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    llvm.store %v, %x : f32, !llvm.ptr
    gpu.return
  }
  gpu.func @k6(%x: !llvm.ptr, %v: f32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    llvm.store %v, %x : f32, !llvm.ptr
    gpu.return
  }
  gpu.func @k7(%x: !llvm.ptr, %v: f32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    llvm.store %v, %x : f32, !llvm.ptr
    gpu.return
  }
  gpu.func @k8(%x: !llvm.ptr, %v: f32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    llvm.store %v, %x : f32, !llvm.ptr
    gpu.return
  }
}
