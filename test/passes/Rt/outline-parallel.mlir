// RUN: adze-opt %s --adze-outline-parallel | FileCheck %s

// CHECK-LABEL: func.func private @kernel
// CHECK: adze_rt.parallel_for @kernel_task_0 count %{{.*}} grain 4(%{{.*}}) : memref<?xf32>, index
// CHECK-NOT: scf.parallel
// CHECK: func.func private @kernel_task_0(%[[BEGIN:.*]]: index, %[[END:.*]]: index, %[[M:.*]]: memref<?xf32>
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]]
// CHECK: memref.store %{{.*}}, %[[M]]
func.func private @kernel(%m: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %f = arith.constant 1.0 : f32
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %f, %m[%i] : memref<?xf32>
    scf.reduce
  } {adze.grain = 4 : i64}
  return
}
