// RUN: adze-opt %s --adze-cuda-place-kernels | FileCheck %s

func.func @main(%m: memref<8x16xf32>, %at: memref<4xi64>, %v: memref<8xf32>, %w: memref<128x128xf32>,
                %l: memref<128xf32>, %k: memref<128xf32>, %n: memref<?x16xf32>, %o: memref<16xf32>, %p: memref<2000x16xf32>) attributes {adze.entry} {
  adze_rt.launch @scatter kernel 0(%m, %at, %m) : (memref<8x16xf32>, memref<4xi64>, memref<8x16xf32>) -> ()
  adze_rt.launch @few kernel 1(%v) : (memref<8xf32>) -> ()
  adze_rt.launch @crossed kernel 2(%w) : (memref<128x128xf32>) -> ()
  adze_rt.launch @viewed kernel 3(%l) : (memref<128xf32>) -> ()
  adze_rt.launch @unknown kernel 4(%n, %o) : (memref<?x16xf32>, memref<16xf32>) -> ()
  adze_rt.launch @long kernel 6(%p, %o) : (memref<2000x16xf32>, memref<16xf32>) -> ()
  adze_rt.launch @carried kernel 5(%l, %k) : (memref<128xf32>, memref<128xf32>) -> ()
  return
}

// Loops over elements that no other iteration touches are shared out to threads,
// with steps that are few and known for each.
// CHECK-LABEL: func.func private @scatter(
// CHECK-SAME: attributes {adze.device} {
// CHECK: } {adze.threads}
func.func private @scatter(%x: memref<8x16xf32>, %at: memref<4xi64>, %y: memref<8x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  scf.for %i = %c0 to %c4 step %c1 {
    scf.for %j = %c0 to %c16 step %c1 {
      %a = memref.load %at[%i] : memref<4xi64>
      %row = arith.index_cast %a : i64 to index
      %v = memref.load %x[%i, %j] : memref<8x16xf32>
      %old = memref.load %y[%row, %j] : memref<8x16xf32>
      %s = arith.addf %old, %v : f32
      memref.store %s, %y[%row, %j] : memref<8x16xf32>
    }
  }
  return
}

// An unknown number of steps is a thread's too.
// CHECK-LABEL: func.func private @unknown(
// CHECK-SAME: attributes {adze.device} {
func.func private @unknown(%x: memref<?x16xf32>, %y: memref<16xf32>) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?x16xf32>
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  scf.for %i = %c0 to %n step %c1 {
    scf.for %j = %c0 to %c16 step %c1 {
      %v = memref.load %x[%i, %j] : memref<?x16xf32>
      memref.store %v, %y[%j] : memref<16xf32>
    }
  }
  return
}

// A few steps are one thread's.
// CHECK-LABEL: func.func private @few(
// CHECK-SAME: attributes {adze.device} {
// CHECK: } {adze.threads}
func.func private @few(%y: memref<8xf32>) {
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c1 to %c8 step %c1 {
    %p = arith.subi %i, %c1 : index
    %before = memref.load %y[%p] : memref<8xf32>
    %v = memref.load %y[%i] : memref<8xf32>
    %s = arith.addf %before, %v : f32
    memref.store %s, %y[%i] : memref<8xf32>
  }
  return
}

// Another dimension in another access, a view of the same, many steps, values from
// step to step: not shared out.
// CHECK-LABEL: func.func private @crossed(
// CHECK-SAME: adze.host = "reads or writes elements one by one"
func.func private @crossed(%y: memref<128x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  scf.for %i = %c0 to %c128 step %c1 {
    %v = memref.load %y[%c0, %i] : memref<128x128xf32>
    memref.store %v, %y[%i, %c1] : memref<128x128xf32>
  }
  return
}

// CHECK-LABEL: func.func private @viewed(
// CHECK-SAME: adze.host = "reads or writes elements one by one"
func.func private @viewed(%y: memref<128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c127 = arith.constant 127 : index
  %rest = memref.subview %y[1] [127] [1] : memref<128xf32> to memref<127xf32, strided<[1], offset: 1>>
  scf.for %i = %c0 to %c127 step %c1 {
    %v = memref.load %y[%i] : memref<128xf32>
    memref.store %v, %rest[%i] : memref<127xf32, strided<[1], offset: 1>>
  }
  return
}

// CHECK-LABEL: func.func private @long(
// CHECK-SAME: adze.host = "reads or writes elements one by one"
func.func private @long(%x: memref<2000x16xf32>, %y: memref<16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c2000 = arith.constant 2000 : index
  scf.for %i = %c0 to %c2000 step %c1 {
    scf.for %j = %c0 to %c16 step %c1 {
      %v = memref.load %x[%i, %j] : memref<2000x16xf32>
      memref.store %v, %y[%j] : memref<16xf32>
    }
  }
  return
}

// CHECK-LABEL: func.func private @carried(
// CHECK-SAME: adze.host = "passes values from one element to the next"
func.func private @carried(%x: memref<128xf32>, %y: memref<128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  %zero = arith.constant 0.0 : f32
  %sum = scf.for %i = %c0 to %c128 step %c1 iter_args(%s = %zero) -> f32 {
    %v = memref.load %x[%i] : memref<128xf32>
    %t = arith.addf %s, %v : f32
    memref.store %t, %y[%i] : memref<128xf32>
    scf.yield %t : f32
  }
  return
}
