// RUN: adze-opt %s -split-input-file -verify-diagnostics

// Each result type is wrong on purpose: the error tells what was inferred.

func.func @broadcast_dynamic(%x: tensor<?x8x16xf32>, %y: tensor<4x1x?xf32>) {
  // expected-error @+2 {{inferred type(s) 'tensor<4x8x16xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.elementwise add(%x, %y) : (tensor<?x8x16xf32>, tensor<4x1x?xf32>) -> tensor<4x8x9xf32>
  return
}

// -----

func.func @broadcast_unknown(%x: tensor<?x8x16xf32>, %y: tensor<?x1x1xf32>) {
  // expected-error @+2 {{inferred type(s) 'tensor<?x8x16xi1>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.elementwise less(%x, %y) : (tensor<?x8x16xf32>, tensor<?x1x1xf32>) -> tensor<?x8x9xi1>
  return
}

// -----

func.func @range_ints() {
  %a = adze.constant dense<1> : tensor<i32> : tensor<i32>
  %b = adze.constant dense<12> : tensor<i32> : tensor<i32>
  %d = adze.constant dense<3> : tensor<i32> : tensor<i32>
  // expected-error @+2 {{inferred type(s) 'tensor<4xi32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.range %a, %b, %d : (tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<9xi32>
  return
}

// -----

func.func @range_floats() {
  %a = adze.constant dense<1.0> : tensor<f32> : tensor<f32>
  %b = adze.constant dense<0.0> : tensor<f32> : tensor<f32>
  %d = adze.constant dense<-0.4> : tensor<f32> : tensor<f32>
  // expected-error @+2 {{inferred type(s) 'tensor<3xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.range %a, %b, %d : (tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<9xf32>
  return
}

// -----

func.func @reshape_rest(%x: tensor<2x6xf32>) {
  %s = adze.constant dense<[4, -1]> : tensor<2xi64> : tensor<2xi64>
  // expected-error @+2 {{inferred type(s) 'tensor<4x3xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reshape %x, %s : (tensor<2x6xf32>, tensor<2xi64>) -> tensor<4x9xf32>
  return
}

// -----

func.func @reshape_symbolic(%x: tensor<?x8x16xf32>) {
  %shape = adze.shape_of %x : (tensor<?x8x16xf32>) -> tensor<3xi64>
  %zero = adze.constant dense<0> : tensor<1xi64> : tensor<1xi64>
  %rest = adze.constant dense<-1> : tensor<1xi64> : tensor<1xi64>
  %n = adze.gather %shape, %zero {axis = 0 : i64} : (tensor<3xi64>, tensor<1xi64>) -> tensor<1xi64>
  %s = adze.concat %n, %rest {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  // expected-error @+2 {{inferred type(s) 'tensor<?x128xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reshape %x, %s : (tensor<?x8x16xf32>, tensor<2xi64>) -> tensor<?x9xf32>
  return
}

// -----

func.func @reshape_symbolic_through(%x: tensor<?x8x16xf32>) {
  %k = adze.constant dense<0.0> : tensor<f32> : tensor<f32>
  %relu = adze.elementwise max(%x, %k) : (tensor<?x8x16xf32>, tensor<f32>) -> tensor<?x8x16xf32>
  %shape = adze.shape_of %relu : (tensor<?x8x16xf32>) -> tensor<3xi64>
  %zero = adze.constant dense<0> : tensor<1xi64> : tensor<1xi64>
  %rest = adze.constant dense<-1> : tensor<1xi64> : tensor<1xi64>
  %n = adze.gather %shape, %zero {axis = 0 : i64} : (tensor<3xi64>, tensor<1xi64>) -> tensor<1xi64>
  %s = adze.concat %n, %rest {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  // expected-error @+2 {{inferred type(s) 'tensor<?x128xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reshape %x, %s : (tensor<?x8x16xf32>, tensor<2xi64>) -> tensor<?x9xf32>
  return
}

// -----

func.func @expand_arithmetic(%x: tensor<?x8x16xf32>, %y: tensor<1x1xf32>) {
  %shape = adze.shape_of %x : (tensor<?x8x16xf32>) -> tensor<3xi64>
  %one = adze.constant dense<1> : tensor<1xi64> : tensor<1xi64>
  %max = adze.constant dense<3> : tensor<1xi64> : tensor<1xi64>
  %hw = adze.slice %shape, %one, %max, %one : (tensor<3xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %two = adze.constant dense<2> : tensor<i64> : tensor<i64>
  %double = adze.elementwise mul(%hw, %two) : (tensor<2xi64>, tensor<i64>) -> tensor<2xi64>
  %small = adze.cast %double {to = i32} : (tensor<2xi64>) -> tensor<2xi32>
  %s = adze.cast %small {to = i64} : (tensor<2xi32>) -> tensor<2xi64>
  // expected-error @+2 {{inferred type(s) 'tensor<16x32xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.expand %y, %s : (tensor<1x1xf32>, tensor<2xi64>) -> tensor<9x9xf32>
  return
}

// -----

func.func @expand_keeps_static(%x: tensor<1x3xf32>, %s: tensor<2xi64>) {
  // expected-error @+2 {{inferred type(s) 'tensor<?x3xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.expand %x, %s : (tensor<1x3xf32>, tensor<2xi64>) -> tensor<?x9xf32>
  return
}

// -----

func.func @slice_bounds(%x: tensor<10x10x?x10xf32>) {
  %s = adze.constant dense<[2, -3, 0, -1]> : tensor<4xi64> : tensor<4xi64>
  %e = adze.constant dense<[7, -9223372036854775808, 9223372036854775807, -100]> : tensor<4xi64> : tensor<4xi64>
  %t = adze.constant dense<[2, -2, 1, -1]> : tensor<4xi64> : tensor<4xi64>
  // expected-error @+2 {{inferred type(s) 'tensor<3x4x?x10xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.slice %x, %s, %e, %t : (tensor<10x10x?x10xf32>, tensor<4xi64>, tensor<4xi64>, tensor<4xi64>) -> tensor<3x4x?x9xf32>
  return
}

// -----

func.func @pad_sides(%x: tensor<?x3xf32>, %v: tensor<f32>) {
  %p = adze.constant dense<[1, 2, 0, -1]> : tensor<4xi64> : tensor<4xi64>
  // expected-error @+2 {{inferred type(s) 'tensor<?x4xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.pad %x, %p, %v : (tensor<?x3xf32>, tensor<4xi64>, tensor<f32>) -> tensor<?x9xf32>
  return
}

// -----

func.func @tile_repeats(%x: tensor<?x3xf32>) {
  %r = adze.constant dense<2> : tensor<2xi64> : tensor<2xi64>
  // expected-error @+2 {{inferred type(s) 'tensor<?x6xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.tile %x, %r : (tensor<?x3xf32>, tensor<2xi64>) -> tensor<?x9xf32>
  return
}

// -----

func.func @concat_sum(%x: tensor<2x?xf32>, %y: tensor<3x4xf32>) {
  // expected-error @+2 {{inferred type(s) 'tensor<5x4xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.concat %x, %y {axis = 0 : i64} : (tensor<2x?xf32>, tensor<3x4xf32>) -> tensor<9x4xf32>
  return
}

// -----

func.func @gather_shape(%x: tensor<?x8x16xf32>, %i: tensor<2x?xi32>) {
  // expected-error @+2 {{inferred type(s) 'tensor<?x2x?x16xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.gather %x, %i {axis = 1 : i64} : (tensor<?x8x16xf32>, tensor<2x?xi32>) -> tensor<?x2x?x9xf32>
  return
}

// -----

func.func @gather_nd_shape(%x: tensor<?x8x16xf32>, %i: tensor<4x5x1xi64>) {
  // expected-error @+2 {{inferred type(s) 'tensor<4x5x16xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.gather_nd %x, %i {batch_dims = 1 : i64} : (tensor<?x8x16xf32>, tensor<4x5x1xi64>) -> tensor<4x5x9xf32>
  return
}

// -----

func.func @one_hot_depth(%i: tensor<2x3xi64>, %v: tensor<2xf32>) {
  %d = adze.constant dense<5> : tensor<i64> : tensor<i64>
  // expected-error @+2 {{inferred type(s) 'tensor<2x5x3xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.one_hot %i, %d, %v {axis = 1 : i64} : (tensor<2x3xi64>, tensor<i64>, tensor<2xf32>) -> tensor<2x9x3xf32>
  return
}

// -----

func.func @reduce_dropped(%x: tensor<?x8x16xf32>) {
  // expected-error @+2 {{inferred type(s) 'tensor<8xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reduce %x {kind = #adze<reduce_kind mean>, axes = array<i64: 0, 2>, keepdims = false} : (tensor<?x8x16xf32>) -> tensor<9xf32>
  return
}

// -----

func.func @arg_kept(%x: tensor<?x8x16xf32>) {
  // expected-error @+2 {{inferred type(s) 'tensor<?x8x1xi64>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.arg_reduce %x {kind = #adze<arg_kind max>, axis = 2 : i64, keepdims = true} : (tensor<?x8x16xf32>) -> tensor<?x8x9xi64>
  return
}

// -----

func.func @topk_known(%x: tensor<?x8x16xf32>) {
  %k = adze.constant dense<5> : tensor<i64> : tensor<i64>
  // expected-error @+2 {{inferred type(s) 'tensor<?x8x5xf32>', 'tensor<?x8x5xi64>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0:2 = adze.topk %x, %k {axis = 2 : i64, largest = true} : (tensor<?x8x16xf32>, tensor<i64>) -> (tensor<?x8x9xf32>, tensor<?x8x9xi64>)
  return
}

// -----

func.func @unique_flat(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{inferred type(s) 'tensor<?xf32>', 'tensor<?xi64>', 'tensor<6xi64>', 'tensor<?xi64>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0:4 = adze.unique %x {sorted = true} : (tensor<2x3xf32>) -> (tensor<?xf32>, tensor<?xi64>, tensor<9xi64>, tensor<?xi64>)
  return
}

// -----

func.func @matmul_batch(%a: tensor<?x1x4x8xf32>, %b: tensor<5x6x8xf32>) {
  // expected-error @+2 {{inferred type(s) 'tensor<?x5x4x6xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.matmul %a, %b {transpose_b = true} : (tensor<?x1x4x8xf32>, tensor<5x6x8xf32>) -> tensor<?x5x4x9xf32>
  return
}

// -----

func.func @matmul_accumulator(%a: tensor<4x8xui8>, %b: tensor<8x6xi8>) {
  // expected-error @+2 {{inferred type(s) 'tensor<4x6xi32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.matmul %a, %b {accumulator = i32} : (tensor<4x8xui8>, tensor<8x6xi8>) -> tensor<4x9xi32>
  return
}

// -----

func.func @conv_extents(%x: tensor<?x4x9x?xf32>, %w: tensor<6x2x3x3xf32>) {
  // expected-error @+2 {{inferred type(s) 'tensor<?x6x5x?xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 2, 1>, pads = array<i64: 1, 0, 1, 0>, dilations = array<i64: 1, 2>, groups = 2 : i64} : (tensor<?x4x9x?xf32>, tensor<6x2x3x3xf32>) -> tensor<?x6x9x?xf32>
  return
}

// -----

func.func @conv_nhwc(%x: tensor<1x9x8x4xf32>, %w: tensor<3x3x4x6xf32>) {
  // expected-error @+2 {{inferred type(s) 'tensor<1x5x4x6xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 2, 1>, pads = array<i64: 1, 0, 1, 0>, dilations = array<i64: 1, 2>, layout = #adze<layout nhwc>} : (tensor<1x9x8x4xf32>, tensor<3x3x4x6xf32>) -> tensor<1x5x4x9xf32>
  return
}

// -----

func.func @conv_transpose_extents(%x: tensor<1x4x5x5xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error @+2 {{inferred type(s) 'tensor<1x6x10x9xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv_transpose %x, %w {strides = array<i64: 2, 1>, pads = array<i64: 1, 0, 1, 0>, dilations = array<i64: 1, 2>, output_padding = array<i64: 1, 0>, groups = 2 : i64} : (tensor<1x4x5x5xf32>, tensor<4x3x3x3xf32>) -> tensor<1x6x10x8xf32>
  return
}

// -----

func.func @pool_ceil(%x: tensor<1x4x5xf32>) {
  // expected-error @+2 {{inferred type(s) 'tensor<1x4x3xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.pool %x {kind = #adze<pool_kind max>, kernel = array<i64: 2>, strides = array<i64: 2>, dilations = array<i64: 1>, ceil_mode = true, pads = array<i64: 0, 0>} : (tensor<1x4x5xf32>) -> tensor<1x4x9xf32>
  return
}

// -----

func.func @pool_ceil_starts_inside(%x: tensor<1x4x4xf32>) {
  // expected-error @+2 {{inferred type(s) 'tensor<1x4x2xf32>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.pool %x {kind = #adze<pool_kind max>, kernel = array<i64: 2>, strides = array<i64: 2>, dilations = array<i64: 1>, ceil_mode = true, pads = array<i64: 0, 1>} : (tensor<1x4x4xf32>) -> tensor<1x4x3xf32>
  return
}

// -----

func.func @quantize_type(%x: tensor<?x3xf32>, %s: tensor<f32>, %z: tensor<ui8>) {
  // expected-error @+2 {{inferred type(s) 'tensor<?x3xui8>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.quantize %x, %s, %z : (tensor<?x3xf32>, tensor<f32>, tensor<ui8>) -> tensor<?x9xui8>
  return
}

// -----

func.func @dequantize_type(%x: tensor<?x3xi8>, %s: tensor<f16>, %z: tensor<i8>) {
  // expected-error @+2 {{inferred type(s) 'tensor<?x3xf16>' are incompatible}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.dequantize %x, %s, %z : (tensor<?x3xi8>, tensor<f16>, tensor<i8>) -> tensor<?x9xf16>
  return
}
