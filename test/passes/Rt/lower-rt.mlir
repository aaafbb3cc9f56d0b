// RUN: adze-opt %s --adze-lower-rt | FileCheck %s

// CHECK: llvm.mlir.global internal constant @adze_message_0("bad\00")

// Every function takes the context first; allocation is checked arithmetic
// and a call through it.
// CHECK-LABEL: func.func private @kernel
// CHECK-SAME: (%[[CTX:.*]]: !llvm.ptr, %[[C:.*]]: i1, %[[N:.*]]: index)
func.func private @kernel(%c: i1, %n: index) {
  // CHECK: cf.cond_br
  // CHECK: llvm.call %{{.*}}(%[[CTX]], %{{.*}}, %{{.*}}) : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr) -> ()
  adze_rt.check %c, "bad"
  // CHECK: llvm.intr.smul.with.overflow
  // CHECK: llvm.call %{{.*}}(%[[CTX]], %{{.*}}) : !llvm.ptr, (!llvm.ptr, i64) -> !llvm.ptr
  %m = memref.alloc(%n) : memref<?xf32>
  // CHECK: llvm.call %{{.*}}(%[[CTX]], %{{.*}}) : !llvm.ptr, (!llvm.ptr, !llvm.ptr) -> ()
  memref.dealloc %m : memref<?xf32>
  return
}

// CHECK-LABEL: func.func private @main
func.func @main(%x: memref<?xf32>) -> memref<?xf32> attributes {adze.entry} {
  return %x : memref<?xf32>
}

// CHECK-LABEL: func.func @adze_entry
// CHECK-SAME: (%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr) -> i32
// CHECK: call @main
