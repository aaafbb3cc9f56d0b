// RUN: adze-opt %s --split-input-file --adze-form-fusions=remarks=true | FileCheck %s

// Scores, their softmax and the sum of values go through the kernel together by
// blocks of rows; 8 bytes of a score stay in the cache, of 64 keys and as many
// values what 31 blocks more read again is taken off: 64 * 4 * 31 / 2048 = 4.
module attributes {adze.target = {vector_bits = 512 : i64, l2_bytes = 1048576 : i64}} {
  // CHECK-LABEL: func.func @attention
  // CHECK: {as = "epilogue", {{.*}}op = "mul"
  // CHECK-SAME: {as = "rows", {{.*}}bytes_saved = 4 : i64, op = "softmax"
  // CHECK-SAME: {as = "rows", {{.*}}bytes_saved = 4 : i64, op = "matmul"
  // CHECK-SAME: reason = "matmul + mul rows, softmax rows, matmul + max epilogue"
  func.func @attention(%q: tensor<8x2048x64xf32>, %k: tensor<8x64x2048xf32>, %v: tensor<8x2048x64xf32>) -> tensor<8x2048x64xf32> {
    %c = adze.constant dense<0.125> : tensor<f32> : tensor<f32>
    %0 = adze.matmul %q, %k : (tensor<8x2048x64xf32>, tensor<8x64x2048xf32>) -> tensor<8x2048x2048xf32>
    %1 = adze.elementwise mul(%0, %c) : (tensor<8x2048x2048xf32>, tensor<f32>) -> tensor<8x2048x2048xf32>
    %2 = adze.softmax %1 {axis = 2 : i64} : (tensor<8x2048x2048xf32>) -> tensor<8x2048x2048xf32>
    %3 = adze.matmul %2, %v : (tensor<8x2048x2048xf32>, tensor<8x2048x64xf32>) -> tensor<8x2048x64xf32>
    %4 = adze.elementwise max(%3, %c) : (tensor<8x2048x64xf32>, tensor<f32>) -> tensor<8x2048x64xf32>
    return %4 : tensor<8x2048x64xf32>
  }

  // Of unknown length too, where batches are surely the same.
  // CHECK-LABEL: func.func @dynamic
  // CHECK: reason = "matmul rows, softmax rows, matmul"
  func.func @dynamic(%q: tensor<?x8x?x32xf32>, %k: tensor<1x8x32x?xf32>, %v: tensor<1x8x?x32xf32>) -> tensor<?x8x?x32xf32> {
    %0 = adze.matmul %q, %k : (tensor<?x8x?x32xf32>, tensor<1x8x32x?xf32>) -> tensor<?x8x?x?xf32>
    %1 = adze.softmax %0 {axis = 3 : i64} : (tensor<?x8x?x?xf32>) -> tensor<?x8x?x?xf32>
    %2 = adze.matmul %1, %v : (tensor<?x8x?x?xf32>, tensor<1x8x?x32xf32>) -> tensor<?x8x?x32xf32>
    return %2 : tensor<?x8x?x32xf32>
  }

  // CHECK-LABEL: func.func @other_batches
  // CHECK: why = "its rows are not surely the kernel's"
  func.func @other_batches(%q: tensor<?x64x32xf32>, %k: tensor<?x32x64xf32>, %v: tensor<?x64x32xf32>) -> tensor<?x64x32xf32> {
    %0 = adze.matmul %q, %k : (tensor<?x64x32xf32>, tensor<?x32x64xf32>) -> tensor<?x64x64xf32>
    %1 = adze.softmax %0 {axis = 2 : i64} : (tensor<?x64x64xf32>) -> tensor<?x64x64xf32>
    %2 = adze.matmul %1, %v : (tensor<?x64x64xf32>, tensor<?x64x32xf32>) -> tensor<?x64x32xf32>
    return %2 : tensor<?x64x32xf32>
  }

  // Along the rows, of the other operand, and of a value that is read elsewhere.
  // CHECK-LABEL: func.func @columns
  // CHECK: why = "both have loops of their own"
  func.func @columns(%q: tensor<8x512x32xf32>, %k: tensor<8x32x512xf32>) -> tensor<8x512x512xf32> {
    %0 = adze.matmul %q, %k : (tensor<8x512x32xf32>, tensor<8x32x512xf32>) -> tensor<8x512x512xf32>
    %1 = adze.softmax %0 {axis = 1 : i64} : (tensor<8x512x512xf32>) -> tensor<8x512x512xf32>
    return %1 : tensor<8x512x512xf32>
  }
  // CHECK-LABEL: func.func @second_operand
  // CHECK: why = "both have loops of their own"
  func.func @second_operand(%q: tensor<8x512x32xf32>, %k: tensor<8x32x512xf32>, %v: tensor<8x32x512xf32>) -> tensor<8x32x512xf32> {
    %0 = adze.matmul %q, %k : (tensor<8x512x32xf32>, tensor<8x32x512xf32>) -> tensor<8x512x512xf32>
    %1 = adze.matmul %v, %0 : (tensor<8x32x512xf32>, tensor<8x512x512xf32>) -> tensor<8x32x512xf32>
    return %1 : tensor<8x32x512xf32>
  }
  // CHECK-LABEL: func.func @read_elsewhere
  // CHECK: why = "the value is used elsewhere too"
  func.func @read_elsewhere(%q: tensor<8x512x32xf32>, %k: tensor<8x32x512xf32>) -> (tensor<8x512x512xf32>, tensor<8x512x512xf32>) {
    %0 = adze.matmul %q, %k : (tensor<8x512x32xf32>, tensor<8x32x512xf32>) -> tensor<8x512x512xf32>
    %1 = adze.softmax %0 {axis = 2 : i64} : (tensor<8x512x512xf32>) -> tensor<8x512x512xf32>
    return %0, %1 : tensor<8x512x512xf32>, tensor<8x512x512xf32>
  }

  // A block would read weights of 1 MB again, and one row is one block only.
  // CHECK-LABEL: func.func @weights
  // CHECK: why = "each block of rows would read operands again:
  // CHECK-LABEL: func.func @wanted
  // CHECK: reason = "matmul rows, softmax"
  // CHECK-LABEL: func.func @one_row
  // CHECK: why = "there would be too few blocks of rows to share out"
  func.func @weights(%x: tensor<4096x512xf32>, %w: tensor<512x512xf32>) -> tensor<4096x512xf32> {
    %0 = adze.matmul %x, %w : (tensor<4096x512xf32>, tensor<512x512xf32>) -> tensor<4096x512xf32>
    %1 = adze.softmax %0 {axis = 1 : i64} : (tensor<4096x512xf32>) -> tensor<4096x512xf32>
    return %1 : tensor<4096x512xf32>
  }
  func.func @wanted(%x: tensor<4096x512xf32>, %w: tensor<512x512xf32>) -> tensor<4096x512xf32> {
    %0 = adze.matmul %x, %w : (tensor<4096x512xf32>, tensor<512x512xf32>) -> tensor<4096x512xf32>
    %1 = adze.softmax %0 {axis = 1 : i64, adze.fuse = "join"} : (tensor<4096x512xf32>) -> tensor<4096x512xf32>
    return %1 : tensor<4096x512xf32>
  }
  func.func @one_row(%x: tensor<1x16xf32>, %w: tensor<16x512xf32>) -> tensor<1x512xf32> {
    %0 = adze.matmul %x, %w : (tensor<1x16xf32>, tensor<16x512xf32>) -> tensor<1x512xf32>
    %1 = adze.softmax %0 {axis = 1 : i64} : (tensor<1x512xf32>) -> tensor<1x512xf32>
    return %1 : tensor<1x512xf32>
  }
}

// -----

// Transposes that leave rows of elements whole are read and written through; that
// of the keys gathers, so it is a kernel of its own.
module attributes {adze.target = {vector_bits = 512 : i64, l2_bytes = 1048576 : i64}} {
  // CHECK-LABEL: func.func @heads
  // CHECK: reason = "transpose"
  // CHECK: reason = "transpose + transpose + matmul rows, softmax rows, matmul + transpose + add epilogue"
  func.func @heads(%q: tensor<1x256x8x32xf32>, %k: tensor<1x256x8x32xf32>, %v: tensor<1x256x8x32xf32>, %r: tensor<1x256x8x32xf32>) -> tensor<1x256x8x32xf32> {
    %0 = adze.transpose %q {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x256x8x32xf32>) -> tensor<1x8x256x32xf32>
    %1 = adze.transpose %k {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x256x8x32xf32>) -> tensor<1x8x32x256xf32>
    %2 = adze.transpose %v {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x256x8x32xf32>) -> tensor<1x8x256x32xf32>
    %3 = adze.matmul %0, %1 : (tensor<1x8x256x32xf32>, tensor<1x8x32x256xf32>) -> tensor<1x8x256x256xf32>
    %4 = adze.softmax %3 {axis = 3 : i64} : (tensor<1x8x256x256xf32>) -> tensor<1x8x256x256xf32>
    %5 = adze.matmul %4, %2 : (tensor<1x8x256x256xf32>, tensor<1x8x256x32xf32>) -> tensor<1x8x256x32xf32>
    %6 = adze.transpose %5 {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x8x256x32xf32>) -> tensor<1x256x8x32xf32>
    %7 = adze.elementwise add(%6, %r) : (tensor<1x256x8x32xf32>, tensor<1x256x8x32xf32>) -> tensor<1x256x8x32xf32>
    return %7 : tensor<1x256x8x32xf32>
  }

  // A transpose that is read twice is made once; behind a convolution none is
  // written through.
  // CHECK-LABEL: func.func @shared
  // CHECK: reason = "transpose"
  // CHECK: reason = "matmul"
  // CHECK: reason = "matmul"
  func.func @shared(%x: tensor<4x8x16xf32>, %a: tensor<8x4x8xf32>) -> (tensor<8x8x16xf32>, tensor<8x8x16xf32>) {
    %0 = adze.transpose %x {perm = array<i64: 1, 0, 2>} : (tensor<4x8x16xf32>) -> tensor<8x4x16xf32>
    %w = adze.elementwise neg(%a) : (tensor<8x4x8xf32>) -> tensor<8x4x8xf32>
    %1 = adze.matmul %w, %0 {transpose_a = true} : (tensor<8x4x8xf32>, tensor<8x4x16xf32>) -> tensor<8x8x16xf32>
    %2 = adze.matmul %a, %0 {transpose_a = true} : (tensor<8x4x8xf32>, tensor<8x4x16xf32>) -> tensor<8x8x16xf32>
    return %1, %2 : tensor<8x8x16xf32>, tensor<8x8x16xf32>
  }
}
