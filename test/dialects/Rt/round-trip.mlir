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
