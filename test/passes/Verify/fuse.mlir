// RUN: adze-opt %s --split-input-file --verify-diagnostics --adze-verify-phase=phase=fuse

// Shapes, views and control flow stay in the entry function.
func.func @kept(%c: tensor<i1>, %x: tensor<?xf32>) -> tensor<?x1xf32> {
  %n = adze.shape_of %x : (tensor<?xf32>) -> tensor<1xi64>
  %one = adze.constant dense<1> : tensor<1xi64> : tensor<1xi64>
  %s = adze.concat %n, %one {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %0 = adze.if %c : (tensor<i1>) -> tensor<?xf32> {
    %1 = adze.fusion(%x) : (tensor<?xf32>) -> tensor<?xf32> {
    ^bb0(%a: tensor<?xf32>):
      %2 = adze.elementwise exp(%a) : (tensor<?xf32>) -> tensor<?xf32>
      adze.yield %2 : tensor<?xf32>
    }
    adze.yield %1 : tensor<?xf32>
  } else {
    adze.yield %x : tensor<?xf32>
  }
  %3 = adze.reshape %0, %s : (tensor<?xf32>, tensor<2xi64>) -> tensor<?x1xf32>
  return %3 : tensor<?x1xf32>
}

// -----

func.func @outside(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = adze.if %c : (tensor<i1>) -> tensor<4xf32> {
    // expected-error @+1 {{phase fuse left adze.elementwise outside every adze.fusion}}
    %1 = adze.elementwise exp(%x) : (tensor<4xf32>) -> tensor<4xf32>
    adze.yield %1 : tensor<4xf32>
  } else {
    adze.yield %x : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

func.func @nested(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = adze.fusion(%x) : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    // expected-error @+1 {{phase fuse left adze.fusion inside an adze.fusion}}
    %1 = adze.fusion(%a) : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%b: tensor<4xf32>):
      %2 = adze.elementwise exp(%b) : (tensor<4xf32>) -> tensor<4xf32>
      adze.yield %2 : tensor<4xf32>
    }
    adze.yield %1 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}
