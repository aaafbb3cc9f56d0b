// RUN: adze-opt %s --split-input-file --verify-diagnostics --adze-verify-phase=phase=kernel

func.func @main(%x: memref<4xf32>, %o: memref<4xf32>) attributes {adze.entry} {
  adze_rt.launch @kernel_0 kernel 0(%x, %o) : (memref<4xf32>, memref<4xf32>) -> ()
  return
}
func.func private @kernel_0(%x: memref<4xf32>, %o: memref<4xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : memref<4xf32>) outs(%o : memref<4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.negf %a : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// expected-error @+1 {{phase kernel left func.func with a tensor}}
func.func @tensor_argument(%x: tensor<4xf32>) attributes {adze.entry} {
  return
}

// -----

func.func @adze_op(%x: memref<4xf32>) attributes {adze.entry} {
  // expected-error @+1 {{phase kernel left adze.constant, no op on memory}}
  %0 = adze.constant dense<1.0> : tensor<4xf32> : tensor<4xf32>
  return
}

// -----

func.func @tensor_op(%n: index) attributes {adze.entry} {
  // expected-error @+1 {{phase kernel left tensor.empty, no op on memory}}
  %0 = tensor.empty(%n) : tensor<?xf32>
  return
}

// -----

func.func private @kernel_0(memref<4xf32>)
func.func @call(%x: memref<4xf32>) attributes {adze.entry} {
  // expected-error @+1 {{phase kernel left func.call, no launch}}
  call @kernel_0(%x) {adze.kernel = 0 : i32} : (memref<4xf32>) -> ()
  return
}

// -----

// expected-error @+1 {{phase kernel left 0 entry functions}}
module {
  func.func @not_marked() {
    return
  }
}
