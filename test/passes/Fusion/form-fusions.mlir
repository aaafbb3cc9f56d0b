// RUN: adze-opt %s --split-input-file --adze-form-fusions | FileCheck %s
// RUN: adze-opt %s --split-input-file --adze-form-fusions=max-ops=1 | FileCheck %s --check-prefix=ONE

// A matmul takes bias and activation as its epilogue, in any batch size.
// CHECK-LABEL: func.func @matmul_bias_relu
// CHECK: %[[R:.*]] = adze.fusion(%arg0, %arg1, %arg2) {reason = "matmul + add + max epilogue"}
// CHECK:   ^bb0(%[[A:.*]]: tensor<?x64xf32>, %[[B:.*]]: tensor<64x8xf32>, %[[C:.*]]: tensor<8xf32>):
// CHECK:   %[[ZERO:.*]] = adze.constant dense<0.000000e+00> : tensor<f32>
// CHECK:   %[[M:.*]] = adze.matmul %[[A]], %[[B]]
// CHECK:   %[[S:.*]] = adze.elementwise add(%[[M]], %[[C]])
// CHECK:   %[[X:.*]] = adze.elementwise max(%[[S]], %[[ZERO]])
// CHECK:   adze.yield %[[X]]
// CHECK: return %[[R]]
// ONE-LABEL: func.func @matmul_bias_relu
// ONE: {reason = "matmul"}
// ONE: {reason = "add"}
// ONE: {reason = "max"}
func.func @matmul_bias_relu(%a: tensor<?x64xf32>, %b: tensor<64x8xf32>, %c: tensor<8xf32>)
    -> tensor<?x8xf32> {
  %zero = adze.constant dense<0.0> : tensor<f32> : tensor<f32>
  %0 = adze.matmul %a, %b : (tensor<?x64xf32>, tensor<64x8xf32>) -> tensor<?x8xf32>
  %1 = adze.elementwise add(%0, %c) : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %2 = adze.elementwise max(%1, %zero) : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  return %2 : tensor<?x8xf32>
}

// -----

// The later of two producers takes a residual sum; both uses of a gated
// convolution are inside.
// CHECK-LABEL: func.func @residual
// CHECK: %[[A:.*]] = adze.fusion(%arg0, %arg1) {reason = "conv + sigmoid + mul epilogue"}
// CHECK: %[[B:.*]] = adze.fusion(%[[A]], %arg1) {reason = "conv + add epilogue"}
// CHECK: return %[[B]]
func.func @residual(%x: tensor<?x?x?x8xf32>, %w: tensor<3x3x8x8xf32>) -> tensor<?x?x?x8xf32> {
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>,
    dilations = array<i64: 1, 1>, layout = #adze<layout nhwc>}
    : (tensor<?x?x?x8xf32>, tensor<3x3x8x8xf32>) -> tensor<?x?x?x8xf32>
  %1 = adze.elementwise sigmoid(%0) : (tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32>
  %2 = adze.elementwise mul(%0, %1)
    : (tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32>
  %3 = adze.conv %2, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>,
    dilations = array<i64: 1, 1>, layout = #adze<layout nhwc>}
    : (tensor<?x?x?x8xf32>, tensor<3x3x8x8xf32>) -> tensor<?x?x?x8xf32>
  %4 = adze.elementwise add(%3, %2)
    : (tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32>
  return %4 : tensor<?x?x?x8xf32>
}

// -----

// An anchored group yields one value: what else is used outside cuts it.
// CHECK-LABEL: func.func @escaping_anchor
// CHECK: %[[M:.*]] = adze.fusion(%arg0, %arg1) {reason = "matmul"}
// CHECK: %[[E:.*]] = adze.fusion(%[[M]]) {reason = "exp"}
// CHECK: return %[[M]], %[[E]]
func.func @escaping_anchor(%a: tensor<4x4xf32>, %b: tensor<4x4xf32>)
    -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %0 = adze.matmul %a, %b : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = adze.elementwise exp(%0) : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return %0, %1 : tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

// An elementwise group may yield inner values as well.
// CHECK-LABEL: func.func @two_results
// CHECK: %[[R:.*]]:2 = adze.fusion(%arg0) {reason = "exp + neg chain"}
// CHECK: return %[[R]]#0, %[[R]]#1
func.func @two_results(%a: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = adze.elementwise exp(%a) : (tensor<4xf32>) -> tensor<4xf32>
  %1 = adze.elementwise neg(%0) : (tensor<4xf32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// Two dynamic extents may broadcast at run time: the sum is not an epilogue.
// CHECK-LABEL: func.func @unproven_shape
// CHECK: {reason = "matmul"}
// CHECK: {reason = "add + neg chain"}
func.func @unproven_shape(%a: tensor<?x4xf32>, %b: tensor<4x4xf32>, %c: tensor<?x4xf32>)
    -> tensor<?x4xf32> {
  %0 = adze.matmul %a, %b : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %1 = adze.elementwise add(%0, %c) : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %2 = adze.elementwise neg(%1) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %2 : tensor<?x4xf32>
}

// -----

// softmax takes a cheap private prologue and its consumer; an expensive
// prologue would be computed more than once.
// CHECK-LABEL: func.func @softmax
// CHECK: {reason = "mul + add prologue, softmax + neg epilogue"}
// CHECK: {reason = "tanh"}
// CHECK: {reason = "softmax"}
func.func @softmax(%x: tensor<4x9xf32>, %mask: tensor<9xf32>) -> (tensor<4x9xf32>, tensor<4x9xf32>) {
  %s = adze.constant dense<0.125> : tensor<f32> : tensor<f32>
  %0 = adze.elementwise mul(%x, %s) : (tensor<4x9xf32>, tensor<f32>) -> tensor<4x9xf32>
  %1 = adze.elementwise add(%0, %mask) : (tensor<4x9xf32>, tensor<9xf32>) -> tensor<4x9xf32>
  %2 = adze.softmax %1 {axis = 1 : i64} : (tensor<4x9xf32>) -> tensor<4x9xf32>
  %3 = adze.elementwise neg(%2) : (tensor<4x9xf32>) -> tensor<4x9xf32>
  %4 = adze.elementwise tanh(%x) : (tensor<4x9xf32>) -> tensor<4x9xf32>
  %5 = adze.softmax %4 {axis = 1 : i64} : (tensor<4x9xf32>) -> tensor<4x9xf32>
  return %3, %5 : tensor<4x9xf32>, tensor<4x9xf32>
}

// -----

// Rows divided by their norm: fusing around the reduction would close a cycle.
// CHECK-LABEL: func.func @no_cycle
// CHECK: %[[E:.*]] = adze.fusion(%arg0) {reason = "exp"}
// CHECK: %[[S:.*]] = adze.fusion(%[[E]]) {reason = "reduce + sqrt epilogue"}
// CHECK: %[[R:.*]] = adze.fusion(%[[E]], %[[S]]) {reason = "div"}
// CHECK: return %[[R]]
func.func @no_cycle(%x: tensor<4x9xf32>) -> tensor<4x9xf32> {
  %0 = adze.elementwise exp(%x) : (tensor<4x9xf32>) -> tensor<4x9xf32>
  %1 = adze.reduce %0 {kind = #adze<reduce_kind sum>, axes = array<i64: 1>, keepdims = true}
    : (tensor<4x9xf32>) -> tensor<4x1xf32>
  %2 = adze.elementwise sqrt(%1) : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %3 = adze.elementwise div(%0, %2) : (tensor<4x9xf32>, tensor<4x1xf32>) -> tensor<4x9xf32>
  return %3 : tensor<4x9xf32>
}

// -----

// Two private elementwise producers and their sum are one kernel, which comes
// where all its inputs are known.
// CHECK-LABEL: func.func @dag
// CHECK: adze.fusion(%arg0, %arg1) {reason = "exp + neg + add chain"}
func.func @dag(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  %0 = adze.elementwise exp(%a) : (tensor<4xf32>) -> tensor<4xf32>
  %1 = adze.elementwise neg(%b) : (tensor<4xf32>) -> tensor<4xf32>
  %2 = adze.elementwise add(%0, %1) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----

// Shape arithmetic and views stay in the entry function; what moves data is
// told its constants.
// CHECK-LABEL: func.func @shapes
// CHECK: %[[N:.*]] = adze.shape_of %arg0
// CHECK: %[[M:.*]] = adze.elementwise mul(%[[N]], %{{.*}}) : (tensor<2xi64>
// CHECK: %[[V:.*]] = adze.reshape %arg0, %[[M]]
// CHECK: adze.fusion(%[[V]]) {reason = "slice"}
// CHECK:   ^bb0(%[[X:.*]]: tensor<?x?xf32>):
// CHECK:   adze.constant dense<1> : tensor<2xi64>
// CHECK:   adze.slice %[[X]],
func.func @shapes(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %ones = adze.constant dense<1> : tensor<2xi64> : tensor<2xi64>
  %ends = adze.constant dense<[5, 9223372036854775807]> : tensor<2xi64> : tensor<2xi64>
  %0 = adze.shape_of %x : (tensor<?x?xf32>) -> tensor<2xi64>
  %1 = adze.elementwise mul(%0, %ones) : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
  %2 = adze.reshape %x, %1 : (tensor<?x?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  %3 = adze.slice %2, %ones, %ends, %ones
    : (tensor<?x?xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x?xf32>
  return %3 : tensor<?x?xf32>
}

// -----

// Bodies of control flow fuse by themselves, over values from outside too.
// CHECK-LABEL: func.func @branches
// CHECK: %[[E:.*]] = adze.fusion(%arg1) {reason = "exp"}
// CHECK: adze.if %arg0
// CHECK:   %[[T:.*]] = adze.fusion(%[[E]]) {reason = "neg + abs chain"}
// CHECK:   adze.yield %[[T]]
func.func @branches(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = adze.elementwise exp(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %1 = adze.if %c : (tensor<i1>) -> tensor<4xf32> {
    %2 = adze.elementwise neg(%0) : (tensor<4xf32>) -> tensor<4xf32>
    %3 = adze.elementwise abs(%2) : (tensor<4xf32>) -> tensor<4xf32>
    adze.yield %3 : tensor<4xf32>
  } else {
    adze.yield %0 : tensor<4xf32>
  }
  return %1 : tensor<4xf32>
}

// -----

// Elementwise ops read through a transpose.
// CHECK-LABEL: func.func @moves
// CHECK: adze.fusion(%arg0, %arg1) {reason = "transpose + add chain"}
// ONE-LABEL: func.func @moves
// ONE: {reason = "transpose"}
// ONE: {reason = "add"}
func.func @moves(%x: tensor<3x?xf32>, %y: tensor<3xf32>) -> tensor<?x3xf32> {
  %0 = adze.transpose %x {perm = array<i64: 1, 0>} : (tensor<3x?xf32>) -> tensor<?x3xf32>
  %1 = adze.elementwise add(%0, %y) : (tensor<?x3xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  return %1 : tensor<?x3xf32>
}

// -----

// A slice is taken again by each kernel that reads it.
// CHECK-LABEL: func.func @views
// CHECK: adze.fusion(%arg0, %arg1) {reason = "matmul + slice + add epilogue"}
// CHECK: adze.slice {{.*}} {adze.duplicated}
// CHECK: adze.fusion(%arg0) {reason = "slice + exp chain"}
func.func @views(%x: tensor<4x8xf32>, %w: tensor<8x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %zero = adze.constant dense<0> : tensor<2xi64> : tensor<2xi64>
  %ends = adze.constant dense<4> : tensor<2xi64> : tensor<2xi64>
  %one = adze.constant dense<1> : tensor<2xi64> : tensor<2xi64>
  %0 = adze.slice %x, %zero, %ends, %one : (tensor<4x8xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<4x4xf32>
  %1 = adze.matmul %x, %w : (tensor<4x8xf32>, tensor<8x4xf32>) -> tensor<4x4xf32>
  %2 = adze.elementwise add(%1, %0) : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %3 = adze.elementwise exp(%0) : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return %2, %3 : tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

// What a concat joins is computed in place; nothing follows it in the kernel.
// CHECK-LABEL: func.func @join
// CHECK: %[[C:.*]] = adze.fusion(%arg0) {reason = "exp + neg prologue, concat"}
// CHECK: adze.fusion(%[[C]]) {reason = "abs"}
func.func @join(%x: tensor<4x8xf32>) -> tensor<8x8xf32> {
  %0 = adze.elementwise exp(%x) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = adze.elementwise neg(%x) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = adze.concat %0, %1 {axis = 0 : i64} : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<8x8xf32>
  %3 = adze.elementwise abs(%2) : (tensor<8x8xf32>) -> tensor<8x8xf32>
  return %3 : tensor<8x8xf32>
}

// -----

// The attribute overrides the plan.
// CHECK-LABEL: func.func @overrides
// CHECK: {reason = "exp"}
// CHECK: {reason = "neg + abs chain"}
// CHECK: {reason = "tanh prologue, softmax"}
func.func @overrides(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %0 = adze.elementwise exp(%x) {adze.fuse = "alone"} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = adze.elementwise neg(%0) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = adze.elementwise abs(%1) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %3 = adze.elementwise tanh(%x) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %4 = adze.softmax %3 {axis = 1 : i64, adze.fuse = "join"} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return %2, %4 : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// The first n of 512 positions are n, or do not fit: sums of n rows with them
// have n rows, which go on together.
// CHECK-LABEL: func.func @positions
// CHECK: adze.fusion{{.*}} {reason = "matmul + add + add epilogue"}
// CHECK-LABEL: func.func @one_position
// CHECK: adze.fusion{{.*}} {reason = "matmul"}
func.func @positions(%x: tensor<?x8xf32>, %w: tensor<8x8xf32>, %table: tensor<512x8xf32>) -> tensor<?x8xf32> {
  %zero = adze.constant dense<0> : tensor<2xi64> : tensor<2xi64>
  %one = adze.constant dense<1> : tensor<2xi64> : tensor<2xi64>
  %eight = adze.constant dense<8> : tensor<1xi64> : tensor<1xi64>
  %shape = adze.shape_of %x : (tensor<?x8xf32>) -> tensor<2xi64>
  %s = adze.constant dense<0> : tensor<1xi64> : tensor<1xi64>
  %e = adze.constant dense<1> : tensor<1xi64> : tensor<1xi64>
  %n = adze.slice %shape, %s, %e, %e : (tensor<2xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %end = adze.concat %n, %eight {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %rows = adze.slice %table, %zero, %end, %one : (tensor<512x8xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x8xf32>
  %0 = adze.matmul %x, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %1 = adze.elementwise add(%0, %rows) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = adze.elementwise add(%1, %x) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %2 : tensor<?x8xf32>
}
func.func @one_position(%x: tensor<?x8xf32>, %w: tensor<8x8xf32>, %rows: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = adze.matmul %x, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %1 = adze.elementwise add(%0, %rows) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}
