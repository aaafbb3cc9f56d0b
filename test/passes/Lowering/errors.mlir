// RUN: adze-opt %s --adze-to-linalg --split-input-file --verify-diagnostics

// What has no code is named; the compiler makes ADZ0203 of it.
func.func @antialias(%x: tensor<8xf32>, %s: tensor<1xi64>, %f: tensor<1xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{failed to legalize operation 'adze.resize'}}
  %0 = adze.resize %x, %s, %f {mode = "linear", coordinate_mode = "half_pixel", antialias = true} : (tensor<8xf32>, tensor<1xi64>, tensor<1xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @unique_rows(%x: tensor<8x2xi64>) -> tensor<?x2xi64> {
  // expected-error @+1 {{failed to legalize operation 'adze.unique'}}
  %0, %1, %2, %3 = adze.unique %x {axis = 0 : i64, sorted = true} : (tensor<8x2xi64>) -> (tensor<?x2xi64>, tensor<?xi64>, tensor<8xi64>, tensor<?xi64>)
  return %0 : tensor<?x2xi64>
}
