#ifndef ADZE_PASSES_LAYOUT
#define ADZE_PASSES_LAYOUT

include "mlir/Pass/PassBase.td"

def AssignLayout : Pass<"adze-assign-layout"> {
  let summary = "Chooses the order of dimensions of every op by cost";
  let description = [{
    Convolutions and pooling in NCHW can work in NHWC, and ops around them
    (elementwise, casts, reductions, concat, pad, slice, resize, softmax and more,
    with axes renumbered) in either order; so can ops around a transpose of the
    model, before or after it. Which order each gets is an assignment over the
    block, of least cost in cycles: what an op takes in each order, and a
    transpose of each tensor that is read in another order than it is written
    in. With two orders an op that is a minimum cut, which is found exactly.
    docs/layout.md explains the costs. Transposes stand only where the assignment
    has them; one that only moves dimensions of extent 1 becomes a reshape, one
    of a matmul operand's last two axes its transpose flag, one of a constant is
    left to `adze-fold-constants`.

    `adze.order = "keep"` on an op pins the model's order, `"change"` the other.
    With `remarks`, the parent op of each block says in `adze.layout_remarks` what
    was chosen and what it costs.

    Before:
    ```mlir
    %0 = adze.conv %x, %w {...} : (tensor<1x32x9x9xf32>, tensor<64x32x3x3xf32>) -> tensor<1x64x7x7xf32>
    %1 = adze.elementwise max(%0, %zero) : (tensor<1x64x7x7xf32>, tensor<f32>) -> tensor<1x64x7x7xf32>
    ```
    After:
    ```mlir
    %a = adze.transpose %x {perm = array<i64: 0, 2, 3, 1>} : ...
    %b = adze.transpose %w {perm = array<i64: 2, 3, 1, 0>} : ...
    %0 = adze.conv %a, %b {..., layout = #adze<layout nhwc>} : (...) -> tensor<1x7x7x64xf32>
    %1 = adze.elementwise max(%0, %zero) : (tensor<1x7x7x64xf32>, tensor<f32>) -> tensor<1x7x7x64xf32>
    %2 = adze.transpose %1 {perm = array<i64: 0, 3, 1, 2>} : ...
    ```
  }];
  let options = [Option<"remarks", "remarks", "bool", "false", "Say why, in adze.layout_remarks">];
  let statistics = [
    Statistic<"numChanged", "changed", "Ops given another order of dimensions">,
    Statistic<"numLeft", "left", "Transposes left, constants aside">];
  let dependentDialects = ["::adze::graph::AdzeDialect"];
}

def PackWeights : Pass<"adze-pack-weights"> {
  let summary = "Lays out the right operands of contractions as their kernels read them";
  let description = [{
    A constant matrix, or the weights of an NHWC convolution of one group, gets
    the layout that its kernel reads in one run: panels of as many columns as a
    register tile takes, from the module's `adze.target`. The bytes change when
    the constant is written to the weights section. A 3x3 convolution of stride
    1 whose channels and size make it pay gets `winograd = 4` there as well. A
    transposed operand that is computed at run time is transposed first, where it
    meets more than a few rows.

    Before:
    ```mlir
    %0 = adze.matmul %a, %w : (tensor<?x64xf32>, tensor<64x96xf32>) -> tensor<?x96xf32>
    ```
    After:
    ```mlir
    %p = adze.relayout %w {layout = #adze.panels<32>} : (tensor<64x96xf32>) -> tensor<64x96xf32, #adze.panels<32>>
    %0 = adze.matmul %a, %p : (tensor<?x64xf32>, tensor<64x96xf32, #adze.panels<32>>) -> tensor<?x96xf32>
    ```
  }];
  let statistics = [
    Statistic<"numPacked", "packed", "Weights given panels">,
    Statistic<"numTurned", "turned", "Operands transposed at run time">,
    Statistic<"numWinograd", "winograd", "Convolutions turned to Winograd's filtering">];
  let dependentDialects = ["::adze::graph::AdzeDialect"];
}

#endif
