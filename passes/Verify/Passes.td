// Passes that check and change nothing.
#ifndef ADZE_PASSES_VERIFY
#define ADZE_PASSES_VERIFY

include "mlir/Pass/PassBase.td"

def VerifyPhase : Pass<"adze-verify-phase", "::mlir::ModuleOp"> {
  let summary = "Check that the module is what a phase promises to leave";
  let description = [{
    | phase | contract |
    |---|---|
    | import, check | onnx ops only |
    | graph, precision, quantize | adze ops only, no type of the onnx dialect |
    | layout | the same, and no transpose of another |
    | fuse | the same, and every compute op in exactly one adze.fusion |
    | kernel | one entry; memory instead of tensors, adze_rt instead of adze |
    | schedule | the same, and no linalg op or parallel loop left |

    An op that breaks the contract is an error at its location:
    ```mlir
    %0 = adze.elementwise exp(%x) : (tensor<4xf32>) -> tensor<4xf32>
    ```
    after `fuse` gives "phase fuse left adze.elementwise outside every adze.fusion".
  }];
  let options = [Option<"phase", "phase", "std::string", "\"\"", "The phase that ran last">];
}

#endif
