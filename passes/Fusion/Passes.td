#ifndef ADZE_PASSES_FUSION
#define ADZE_PASSES_FUSION

include "mlir/Pass/PassBase.td"

def FormFusions : Pass<"adze-form-fusions"> {
  let summary = "Groups ops into adze.fusion, one future kernel each";
  let description = [{
    Every compute op of functions and of the bodies of adze.if and adze.loop
    ends in exactly one adze.fusion. What an op may be in a kernel it says
    through FusibleOpInterface: elementwise ops of one shape join, and follow an
    anchor (convolution, matmul, pooling, reduction, softmax, normalisation) as
    its epilogue; the latter three take a private elementwise prologue where
    that moves fewer bytes than the steps done again are worth; a transpose
    or slice begins a kernel whose elementwise ops read through it; concat
    lets what it joins be computed in place. Nothing is computed twice but slices,
    which are views. Constants, shape_of, reshape,
    control flow and the arithmetic of integer tensors of rank <= 1 and at most
    16 elements stay where they are: the entry function does them. Equal shapes
    are proven with symbolic extents, dynamic dimensions included.

    `adze.fuse = "alone"` on an op makes it a kernel of its own, `"join"` lets it
    in where the cost would not. With `remarks`, each fusion says in `adze.remarks`
    why it is what it is; docs/fusion.md explains the cost and the remarks.

    Before:
    ```mlir
    %0 = adze.matmul %a, %b : (tensor<?x64xf32>, tensor<64x8xf32>) -> tensor<?x8xf32>
    %1 = adze.elementwise add(%0, %c) : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
    ```
    After:
    ```mlir
    %1 = adze.fusion(%a, %b, %c) {reason = "matmul + add epilogue"} : (...) -> tensor<?x8xf32> {
    ^bb0(%x: tensor<?x64xf32>, %y: tensor<64x8xf32>, %z: tensor<8xf32>):
      %2 = adze.matmul %x, %y : ...
      %3 = adze.elementwise add(%2, %z) : ...
      adze.yield %3 : tensor<?x8xf32>
    }
    ```
  }];
  let options = [Option<"maxOps", "max-ops", "unsigned", "64", "Most ops in one fusion">,
    Option<"remarks", "remarks", "bool", "false", "Say why, in adze.remarks">];
  let statistics = [
    Statistic<"numFusions", "fusions", "Fusions formed">,
    Statistic<"numFused", "fused-ops", "Ops that share a fusion with another">,
    Statistic<"numDuplicated", "duplicated", "Views taken again for another kernel">];
  let dependentDialects = ["::adze::graph::AdzeDialect"];
}

#endif
