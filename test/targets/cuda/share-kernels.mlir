// RUN: adze-opt %s --adze-cuda-share-kernels | FileCheck %s

// Kernels that differ in their names alone are one, and launches say which; numbers follow.
// CHECK: gpu.func @a_0
// CHECK-NOT: @b_0
// CHECK: gpu.func @value_0
// CHECK: gpu.func @threads_0
// CHECK-NOT: gpu.func @c_0
gpu.module @device {
  gpu.func @a_0(%x: !llvm.ptr, %v: f32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c = arith.constant 2.0 : f32
    %p = arith.mulf %v, %c : f32
    llvm.store %p, %x : f32, !llvm.ptr
    gpu.return
  }
  gpu.func @b_0(%y: !llvm.ptr, %w: f32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %two = arith.constant 2.0 : f32
    %q = arith.mulf %w, %two : f32
    llvm.store %q, %y : f32, !llvm.ptr
    gpu.return
  }
  // Another constant, another block: other kernels.
  gpu.func @value_0(%x: !llvm.ptr, %v: f32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c = arith.constant 3.0 : f32
    %p = arith.mulf %v, %c : f32
    llvm.store %p, %x : f32, !llvm.ptr
    gpu.return
  }
  gpu.func @threads_0(%x: !llvm.ptr, %v: f32) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c = arith.constant 2.0 : f32
    %p = arith.mulf %v, %c : f32
    llvm.store %p, %x : f32, !llvm.ptr
    gpu.return
  }
  gpu.func @c_0(%x: !llvm.ptr, %v: f32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c = arith.constant 2.0 : f32
    %p = arith.mulf %v, %c : f32
    llvm.store %p, %x : f32, !llvm.ptr
    gpu.return
  }
}

// CHECK-LABEL: func.func private @launches
// CHECK: device_launch @device::@a_0 number 0 {{.*}} block [32, 1, 1] {{.*}}memref<1xf32>
// CHECK: device_launch @device::@a_0 number 0 {{.*}} block [32, 1, 1] {{.*}}memref<2xf32>
// CHECK: device_launch @device::@value_0 number 1
// CHECK: device_launch @device::@threads_0 number 2
// CHECK: device_launch @device::@a_0 number 0 {{.*}}memref<3xf32>
func.func private @launches(%a: memref<1xf32>, %b: memref<2xf32>, %c: memref<3xf32>, %v: f32) attributes {adze.device} {
  %c1 = arith.constant 1 : index
  adze_rt.device_launch @device::@a_0 number 0 grid(%c1, %c1, %c1) block [32, 1, 1] shared 0(%a, %v) : memref<1xf32>, f32
  adze_rt.device_launch @device::@b_0 number 1 grid(%c1, %c1, %c1) block [32, 1, 1] shared 0(%b, %v) : memref<2xf32>, f32
  adze_rt.device_launch @device::@value_0 number 2 grid(%c1, %c1, %c1) block [32, 1, 1] shared 0(%b, %v) : memref<2xf32>, f32
  adze_rt.device_launch @device::@threads_0 number 3 grid(%c1, %c1, %c1) block [64, 1, 1] shared 0(%b, %v) : memref<2xf32>, f32
  adze_rt.device_launch @device::@c_0 number 4 grid(%c1, %c1, %c1) block [32, 1, 1] shared 0(%c, %v) : memref<3xf32>, f32
  return
}
