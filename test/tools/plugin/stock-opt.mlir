// The passes and dialects load into stock mlir-opt.
// RUN: %llvm-libs/../bin/mlir-opt --load-dialect-plugin=%build/lib/AdzePlugin.so --load-pass-plugin=%build/lib/AdzePlugin.so --pass-pipeline='builtin.module(adze-fold-constants,adze-form-fusions)' %s | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK: adze.fusion(%arg0)
// CHECK: adze.elementwise exp
func.func @main(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = adze.elementwise exp(%x) : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}
