// RUN: adze-opt %s | adze-opt | FileCheck %s

// CHECK-LABEL: func.func @constant
func.func @constant() -> (tensor<4xf32>, memref<4xf32>) {
  // CHECK: adze_rt.constant 64 size 16 : tensor<4xf32>
  %0 = adze_rt.constant 64 size 16 : tensor<4xf32>
  // CHECK: adze_rt.constant 0 size 16 : memref<4xf32>
  %1 = adze_rt.constant 0 size 16 : memref<4xf32>
  return %0, %1 : tensor<4xf32>, memref<4xf32>
}

// CHECK-LABEL: func.func @check
func.func @check(%c: i1) {
  // CHECK: adze_rt.check %{{.*}}, "index out of range"
  adze_rt.check %c, "index out of range"
  return
}

// CHECK-LABEL: func.func @arena
func.func @arena(%a: index, %b: index) -> memref<?xi8> {
  // CHECK: adze_rt.plan %{{.*}}, %{{.*}} first [0, 1] last [2, 3]
  %bytes, %offsets:2 = adze_rt.plan %a, %b first [0, 1] last [2, 3] : (index, index) -> (index, index, index)
  // CHECK: adze_rt.slab %{{.*}} : memref<?xi8>
  %0 = adze_rt.slab %bytes : memref<?xi8>
  return %0 : memref<?xi8>
}

func.func private @kernel(memref<4xf32>)
func.func private @body(index, index, memref<4xf32>)

// CHECK-LABEL: func.func @calls
func.func @calls(%m: memref<4xf32>, %n: index) {
  // CHECK: adze_rt.launch @kernel kernel 3(%{{.*}}) : (memref<4xf32>) -> ()
  adze_rt.launch @kernel kernel 3(%m) : (memref<4xf32>) -> ()
  // CHECK: adze_rt.parallel_for @body count %{{.*}} grain 2(%{{.*}}) : memref<4xf32>
  adze_rt.parallel_for @body count %n grain 2(%m) : memref<4xf32>
  return
}

// CHECK-LABEL: func.func @team
func.func @team(%v: f32, %n: i32) -> (f32, i32) {
  // CHECK: adze_rt.team_reduce "arith.addf" %{{.*}} team 32 : f32
  %0 = adze_rt.team_reduce "arith.addf" %v team 32 : f32
  // CHECK: adze_rt.team_barrier team 256
  adze_rt.team_barrier team 256
  %1 = adze_rt.team_reduce "arith.maxsi" %n team 256 : i32
  return %0, %1 : f32, i32
}

// CHECK-LABEL: func.func @device
func.func @device(%n: index, %host: memref<?xf32>, %v: f32) {
  // CHECK: %[[M:.*]] = adze_rt.device_alloc(%{{.*}}) : memref<?xf32>
  %m = adze_rt.device_alloc(%n) : memref<?xf32>
  // CHECK: adze_rt.to_device %{{.*}}, %[[M]] : memref<?xf32>
  adze_rt.to_device %host, %m : memref<?xf32>
  // CHECK: adze_rt.device_launch @device::@k number 2 grid(%{{.*}}) block [256, 1, 1] shared 1024(%[[M]], %{{.*}}) : memref<?xf32>, index
  adze_rt.device_launch @device::@k number 2 grid(%n, %n, %n) block [256, 1, 1] shared 1024(%m, %n) : memref<?xf32>, index
  // CHECK: %[[MAP:.*]] = adze_rt.tensor_map %[[M]][%{{.*}}] extents(%{{.*}}, %{{.*}}) strides(%{{.*}}) box [64, 128] swizzle 128 : memref<?xf32>
  %map = adze_rt.tensor_map %m[%n] extents(%n, %n) strides(%n) box [64, 128] swizzle 128 : memref<?xf32>
  // CHECK: adze_rt.device_launch {{.*}}(%[[MAP]]) : !adze_rt.tensor_map
  adze_rt.device_launch @device::@k number 3 grid(%n, %n, %n) block [256, 1, 1] shared 1024(%map) : !adze_rt.tensor_map
  // CHECK: adze_rt.device_store %{{.*}}, %[[M]][%{{.*}}] : f32, memref<?xf32>
  adze_rt.device_store %v, %m[%n] : f32, memref<?xf32>
  // CHECK: adze_rt.device_load %[[M]][%{{.*}}] : memref<?xf32> -> f32
  %e = adze_rt.device_load %m[%n] : memref<?xf32> -> f32
  // CHECK: adze_rt.device_copy %[[M]], %[[M]] : memref<?xf32>, memref<?xf32>
  adze_rt.device_copy %m, %m : memref<?xf32>, memref<?xf32>
  // CHECK: adze_rt.to_host %[[M]] : memref<?xf32>
  %h = adze_rt.to_host %m : memref<?xf32>
  // CHECK: adze_rt.to_host %[[M]] gaps : memref<?xf32>
  %g = adze_rt.to_host %m gaps : memref<?xf32>
  // CHECK: adze_rt.device_dealloc %[[M]] : memref<?xf32>
  adze_rt.device_dealloc %m : memref<?xf32>
  return
}
