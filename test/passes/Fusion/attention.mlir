// RUN: adze-opt %s --split-input-file --adze-form-fusions=remarks=true | FileCheck %s

// Where threads are many and matrix units take scores through a softmax, attention is one kernel:
// heads are read and written through their transposes, the mask is added on the way. Of a score 16
// bytes are saved: neither it nor its softmax is written or read.
module attributes {adze.target = {simt_width = 32 : i64, threads = 110592 : i64, vector_bits = 128 : i64, launch_bytes = 5000000 : i64, score_depth = 256 : i64}} {
  // CHECK-LABEL: func.func @attention
  // CHECK: {as = "rows", {{.*}}bytes_saved = 16 : i64, op = "softmax"
  // CHECK-SAME: {as = "rows", {{.*}}bytes_saved = 16 : i64, op = "matmul"
  // CHECK-SAME: reason = "transpose + transpose + transpose + matmul + mul + add rows, softmax rows, matmul + 1 more epilogue"
  // CHECK-NOT: adze.fusion
  func.func @attention(%q: tensor<2x128x12x64xf32>, %k: tensor<2x128x12x64xf32>, %v: tensor<2x128x12x64xf32>, %mask: tensor<2x1x1x128xf32>) -> tensor<2x128x12x64xf32> {
    %c = adze.constant dense<0.125> : tensor<f32> : tensor<f32>
    %0 = adze.transpose %q {perm = array<i64: 0, 2, 1, 3>} : (tensor<2x128x12x64xf32>) -> tensor<2x12x128x64xf32>
    %1 = adze.transpose %k {perm = array<i64: 0, 2, 3, 1>} : (tensor<2x128x12x64xf32>) -> tensor<2x12x64x128xf32>
    %2 = adze.transpose %v {perm = array<i64: 0, 2, 1, 3>} : (tensor<2x128x12x64xf32>) -> tensor<2x12x128x64xf32>
    %3 = adze.matmul %0, %1 : (tensor<2x12x128x64xf32>, tensor<2x12x64x128xf32>) -> tensor<2x12x128x128xf32>
    %4 = adze.elementwise mul(%3, %c) : (tensor<2x12x128x128xf32>, tensor<f32>) -> tensor<2x12x128x128xf32>
    %5 = adze.elementwise add(%4, %mask) : (tensor<2x12x128x128xf32>, tensor<2x1x1x128xf32>) -> tensor<2x12x128x128xf32>
    %6 = adze.softmax %5 {axis = 3 : i64} : (tensor<2x12x128x128xf32>) -> tensor<2x12x128x128xf32>
    %7 = adze.matmul %6, %2 : (tensor<2x12x128x128xf32>, tensor<2x12x128x64xf32>) -> tensor<2x12x128x64xf32>
    %8 = adze.transpose %7 {perm = array<i64: 0, 2, 1, 3>} : (tensor<2x12x128x64xf32>) -> tensor<2x128x12x64xf32>
    return %8 : tensor<2x128x12x64xf32>
  }

  // Keys that are known at run time only, heads that share them, queries that are cleared.
  // CHECK-LABEL: func.func @shared
  // CHECK: reason = "matmul rows, softmax + select rows, matmul"
  // CHECK-NOT: adze.fusion
  func.func @shared(%q: tensor<3x2x4x64x32xf16>, %k: tensor<3x2x1x?x32xf16>, %v: tensor<3x2x1x?x32xf16>, %none: tensor<3x2x4x64x1xi1>) -> tensor<3x2x4x64x32xf16> {
    %c = adze.constant dense<0.0> : tensor<f16> : tensor<f16>
    %0 = adze.matmul %q, %k {transpose_b = true} : (tensor<3x2x4x64x32xf16>, tensor<3x2x1x?x32xf16>) -> tensor<3x2x4x64x?xf16>
    %1 = adze.softmax %0 {axis = 4 : i64} : (tensor<3x2x4x64x?xf16>) -> tensor<3x2x4x64x?xf16>
    %2 = adze.elementwise select(%none, %c, %1) : (tensor<3x2x4x64x1xi1>, tensor<f16>, tensor<3x2x4x64x?xf16>) -> tensor<3x2x4x64x?xf16>
    %3 = adze.matmul %2, %v : (tensor<3x2x4x64x?xf16>, tensor<3x2x1x?x32xf16>) -> tensor<3x2x4x64x32xf16>
    return %3 : tensor<3x2x4x64x32xf16>
  }

  // One head of 16 queries leaves all of the machine idle but for one warp, for 65536 keys.
  // CHECK-LABEL: func.func @few_rows
  // CHECK: why = "too few rows at once to go through so many columns one after the other"
  // CHECK-LABEL: func.func @wanted
  // CHECK: reason = "matmul rows, softmax rows, matmul"
  func.func @few_rows(%q: tensor<16x64xf32>, %k: tensor<65536x64xf32>, %v: tensor<65536x64xf32>) -> tensor<16x64xf32> {
    %0 = adze.matmul %q, %k {transpose_b = true} : (tensor<16x64xf32>, tensor<65536x64xf32>) -> tensor<16x65536xf32>
    %1 = adze.softmax %0 {axis = 1 : i64} : (tensor<16x65536xf32>) -> tensor<16x65536xf32>
    %2 = adze.matmul %1, %v : (tensor<16x65536xf32>, tensor<65536x64xf32>) -> tensor<16x64xf32>
    return %2 : tensor<16x64xf32>
  }
  func.func @wanted(%q: tensor<16x64xf32>, %k: tensor<65536x64xf32>, %v: tensor<65536x64xf32>) -> tensor<16x64xf32> {
    %0 = adze.matmul %q, %k {transpose_b = true} : (tensor<16x64xf32>, tensor<65536x64xf32>) -> tensor<16x65536xf32>
    %1 = adze.softmax %0 {axis = 1 : i64, adze.fuse = "join"} : (tensor<16x65536xf32>) -> tensor<16x65536xf32>
    %2 = adze.matmul %1, %v : (tensor<16x65536xf32>, tensor<65536x64xf32>) -> tensor<16x64xf32>
    return %2 : tensor<16x64xf32>
  }

  // CHECK-LABEL: func.func @deep
  // CHECK: why = "its depth is not known to be within 256"
  func.func @deep(%q: tensor<512x512xf32>, %k: tensor<512x512xf32>, %v: tensor<512x64xf32>) -> tensor<512x64xf32> {
    %0 = adze.matmul %q, %k {transpose_b = true} : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
    %1 = adze.softmax %0 {axis = 1 : i64} : (tensor<512x512xf32>) -> tensor<512x512xf32>
    %2 = adze.matmul %1, %v : (tensor<512x512xf32>, tensor<512x64xf32>) -> tensor<512x64xf32>
    return %2 : tensor<512x64xf32>
  }

  // CHECK-LABEL: func.func @columns_of_keys
  // CHECK: why = "a key's elements do not lie side by side"
  func.func @columns_of_keys(%q: tensor<512x64xf32>, %k: tensor<64x512xf32>, %v: tensor<512x64xf32>) -> tensor<512x64xf32> {
    %0 = adze.matmul %q, %k : (tensor<512x64xf32>, tensor<64x512xf32>) -> tensor<512x512xf32>
    %1 = adze.softmax %0 {axis = 1 : i64} : (tensor<512x512xf32>) -> tensor<512x512xf32>
    %2 = adze.matmul %1, %v : (tensor<512x512xf32>, tensor<512x64xf32>) -> tensor<512x64xf32>
    return %2 : tensor<512x64xf32>
  }

  // CHECK-LABEL: func.func @columns_of_values
  // CHECK: why = "a value's elements do not lie side by side"
  func.func @columns_of_values(%q: tensor<512x64xf32>, %k: tensor<512x64xf32>, %v: tensor<64x512xf32>) -> tensor<512x64xf32> {
    %0 = adze.matmul %q, %k {transpose_b = true} : (tensor<512x64xf32>, tensor<512x64xf32>) -> tensor<512x512xf32>
    %1 = adze.softmax %0 {axis = 1 : i64} : (tensor<512x512xf32>) -> tensor<512x512xf32>
    %2 = adze.matmul %1, %v {transpose_b = true} : (tensor<512x512xf32>, tensor<64x512xf32>) -> tensor<512x64xf32>
    return %2 : tensor<512x64xf32>
  }

  // Rows of 15 halves begin in the midst of a word.
  // CHECK-LABEL: func.func @odd
  // CHECK: why = "its rows are no whole words"
  func.func @odd(%q: tensor<512x15xf16>, %k: tensor<512x15xf16>, %v: tensor<512x64xf16>) -> tensor<512x64xf16> {
    %0 = adze.matmul %q, %k {transpose_b = true} : (tensor<512x15xf16>, tensor<512x15xf16>) -> tensor<512x512xf16>
    %1 = adze.softmax %0 {axis = 1 : i64} : (tensor<512x512xf16>) -> tensor<512x512xf16>
    %2 = adze.matmul %1, %v : (tensor<512x512xf16>, tensor<512x64xf16>) -> tensor<512x64xf16>
    return %2 : tensor<512x64xf16>
  }

  // CHECK-LABEL: func.func @types
  // CHECK: why = "factors are of several types"
  // CHECK-LABEL: func.func @doubles
  // CHECK: why = "matrix units do not multiply its factors"
  func.func @types(%q: tensor<512x64xf16>, %k: tensor<512x64xf16>, %v: tensor<512x64xf32>) -> tensor<512x64xf32> {
    %0 = adze.matmul %q, %k {transpose_b = true} : (tensor<512x64xf16>, tensor<512x64xf16>) -> tensor<512x512xf16>
    %1 = adze.cast %0 {to = f32} : (tensor<512x512xf16>) -> tensor<512x512xf32>
    %2 = adze.softmax %1 {axis = 1 : i64} : (tensor<512x512xf32>) -> tensor<512x512xf32>
    %3 = adze.matmul %2, %v : (tensor<512x512xf32>, tensor<512x64xf32>) -> tensor<512x64xf32>
    return %3 : tensor<512x64xf32>
  }
  func.func @doubles(%q: tensor<512x64xf64>, %k: tensor<512x64xf64>, %v: tensor<512x64xf64>) -> tensor<512x64xf64> {
    %0 = adze.matmul %q, %k {transpose_b = true} : (tensor<512x64xf64>, tensor<512x64xf64>) -> tensor<512x512xf64>
    %1 = adze.softmax %0 {axis = 1 : i64} : (tensor<512x512xf64>) -> tensor<512x512xf64>
    %2 = adze.matmul %1, %v : (tensor<512x512xf64>, tensor<512x64xf64>) -> tensor<512x64xf64>
    return %2 : tensor<512x64xf64>
  }

  // The softmax is a result as well, its logarithm is taken, weights are changed key by key: no
  // matmul takes it up from registers.
  // CHECK-LABEL: func.func @weights_used
  // CHECK: why = "no matmul alone sums up its rows"
  // CHECK-LABEL: func.func @logarithm
  // CHECK: why = "it is a logarithm"
  // CHECK-LABEL: func.func @changed
  // CHECK: why = "no matmul alone sums up its rows"
  func.func @weights_used(%q: tensor<512x64xf32>, %k: tensor<512x64xf32>, %v: tensor<512x64xf32>) -> (tensor<512x64xf32>, tensor<512x512xf32>) {
    %0 = adze.matmul %q, %k {transpose_b = true} : (tensor<512x64xf32>, tensor<512x64xf32>) -> tensor<512x512xf32>
    %1 = adze.softmax %0 {axis = 1 : i64} : (tensor<512x512xf32>) -> tensor<512x512xf32>
    %2 = adze.matmul %1, %v : (tensor<512x512xf32>, tensor<512x64xf32>) -> tensor<512x64xf32>
    return %2, %1 : tensor<512x64xf32>, tensor<512x512xf32>
  }
  func.func @logarithm(%q: tensor<512x64xf32>, %k: tensor<512x64xf32>, %v: tensor<512x64xf32>) -> tensor<512x64xf32> {
    %0 = adze.matmul %q, %k {transpose_b = true} : (tensor<512x64xf32>, tensor<512x64xf32>) -> tensor<512x512xf32>
    %1 = adze.softmax %0 {axis = 1 : i64, log = true} : (tensor<512x512xf32>) -> tensor<512x512xf32>
    %2 = adze.matmul %1, %v : (tensor<512x512xf32>, tensor<512x64xf32>) -> tensor<512x64xf32>
    return %2 : tensor<512x64xf32>
  }
  func.func @changed(%q: tensor<512x64xf32>, %k: tensor<512x64xf32>, %v: tensor<512x64xf32>, %mask: tensor<512x512xf32>) -> tensor<512x64xf32> {
    %0 = adze.matmul %q, %k {transpose_b = true} : (tensor<512x64xf32>, tensor<512x64xf32>) -> tensor<512x512xf32>
    %1 = adze.softmax %0 {axis = 1 : i64} : (tensor<512x512xf32>) -> tensor<512x512xf32>
    %2 = adze.elementwise mul(%1, %mask) : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
    %3 = adze.matmul %2, %v : (tensor<512x512xf32>, tensor<512x64xf32>) -> tensor<512x64xf32>
    return %3 : tensor<512x64xf32>
  }

  // CHECK-LABEL: func.func @more_rows
  // CHECK: why = "its rows are not surely the matmuls'"
  func.func @more_rows(%q: tensor<1x512x64xf32>, %k: tensor<1x512x64xf32>, %v: tensor<8x512x64xf32>) -> tensor<8x512x64xf32> {
    %0 = adze.matmul %q, %k {transpose_b = true} : (tensor<1x512x64xf32>, tensor<1x512x64xf32>) -> tensor<1x512x512xf32>
    %1 = adze.softmax %0 {axis = 2 : i64} : (tensor<1x512x512xf32>) -> tensor<1x512x512xf32>
    %2 = adze.matmul %1, %v : (tensor<1x512x512xf32>, tensor<8x512x64xf32>) -> tensor<8x512x64xf32>
    return %2 : tensor<8x512x64xf32>
  }

  // Other matmuls do not read through transposes.
  // CHECK-LABEL: func.func @plain
  // CHECK: why = "matmul reads this operand from memory"
  func.func @plain(%x: tensor<128x12x64xf32>, %w: tensor<12x64x64xf32>) -> tensor<12x128x64xf32> {
    %0 = adze.transpose %x {perm = array<i64: 1, 0, 2>} : (tensor<128x12x64xf32>) -> tensor<12x128x64xf32>
    %1 = adze.matmul %0, %w : (tensor<12x128x64xf32>, tensor<12x64x64xf32>) -> tensor<12x128x64xf32>
    return %1 : tensor<12x128x64xf32>
  }
}

// -----

// The device has no such kernel.
module attributes {adze.target = {simt_width = 32 : i64, threads = 40960 : i64, vector_bits = 128 : i64}} {
  // CHECK-LABEL: func.func @old_device
  // CHECK: why = "threads of the device pass no rows on"
  func.func @old_device(%q: tensor<512x64xf32>, %k: tensor<512x64xf32>, %v: tensor<512x64xf32>) -> tensor<512x64xf32> {
    %0 = adze.matmul %q, %k {transpose_b = true} : (tensor<512x64xf32>, tensor<512x64xf32>) -> tensor<512x512xf32>
    %1 = adze.softmax %0 {axis = 1 : i64} : (tensor<512x512xf32>) -> tensor<512x512xf32>
    %2 = adze.matmul %1, %v : (tensor<512x512xf32>, tensor<512x64xf32>) -> tensor<512x64xf32>
    return %2 : tensor<512x64xf32>
  }
}
