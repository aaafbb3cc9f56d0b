// RUN: adze-opt %s --split-input-file --verify-diagnostics --adze-verify-phase=phase=schedule

func.func @main(%x: memref<4xf32>, %o: memref<4xf32>) attributes {adze.entry} {
  adze_rt.launch @kernel_0 kernel 0(%x, %o) : (memref<4xf32>, memref<4xf32>) -> ()
  return
}
func.func private @kernel_0(%x: memref<4xf32>, %o: memref<4xf32>) {
  %c0 = arith.constant 0 : index
  %0 = vector.load %x[%c0] : memref<4xf32>, vector<4xf32>
  %1 = arith.negf %0 : vector<4xf32>
  vector.store %1, %o[%c0] : memref<4xf32>, vector<4xf32>
  return
}

// -----

func.func @linalg_left(%o: memref<4xf32>) attributes {adze.entry} {
  %zero = arith.constant 0.0 : f32
  // expected-error @+1 {{phase schedule left linalg.fill, no loop}}
  linalg.fill ins(%zero : f32) outs(%o : memref<4xf32>)
  return
}

// -----

func.func @parallel_left(%n: index) attributes {adze.entry} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{phase schedule left scf.parallel, no task of its own}}
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
  }
  return
}
