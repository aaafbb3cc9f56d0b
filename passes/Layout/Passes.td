#ifndef ADZE_PASSES_LAYOUT
#define ADZE_PASSES_LAYOUT

include "mlir/Pass/PassBase.td"

def AssignLayout : Pass<"adze-assign-layout"> {
  let summary = "Gives convolutions and pooling channels-last data";
  let description = [{
    Every conv, conv_transpose and pool in NCHW order becomes NHWC, with a
    transpose of the data before and after it and of the weights ([O, C/g, K...]
    to [K..., C/g, O]; of conv_transpose [C, O/g, K...] to [K..., C, O/g]). `adze-propagate-transposes` removes most of them again,
    `adze-fold-constants` those of constants.

    Before:
    ```mlir
    %0 = adze.conv %x, %w {...} : (tensor<1x3x9x9xf32>, tensor<8x3x3x3xf32>) -> tensor<1x8x7x7xf32>
    ```
    After:
    ```mlir
    %a = adze.transpose %x {perm = array<i64: 0, 2, 3, 1>} : ...
    %b = adze.transpose %w {perm = array<i64: 2, 3, 1, 0>} : ...
    %c = adze.conv %a, %b {..., layout = #adze<layout nhwc>} : (...) -> tensor<1x7x7x8xf32>
    %0 = adze.transpose %c {perm = array<i64: 0, 3, 1, 2>} : ...
    ```
  }];
  let statistics = [Statistic<"numChanged", "changed", "Ops given another order of dimensions">];
  let dependentDialects = ["::adze::graph::AdzeDialect"];
}

def PropagateTransposes : Pass<"adze-propagate-transposes"> {
  let summary = "Moves transposes through ops until they cancel";
  let description = [{
    Transposes first sink through every op that can work on the transposed
    tensor (elementwise, casts, reductions, concat, pad, slice, resize, softmax
    and more, with axes renumbered), compose and cancel. Then those that move
    fewer elements, or vanish, higher up are hoisted. One that only moves
    dimensions of extent 1 becomes a reshape; one of a matmul operand's last two
    axes becomes its transpose flag. Costs are elements moved, a dynamic
    dimension counting as 64. Each phase is one walk over the ops.

    Before:
    ```mlir
    %1 = adze.transpose %0 {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x7x7x8xf32>) -> tensor<1x8x7x7xf32>
    %2 = adze.elementwise abs(%1) : (tensor<1x8x7x7xf32>) -> tensor<1x8x7x7xf32>
    %3 = adze.transpose %2 {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x8x7x7xf32>) -> tensor<1x7x7x8xf32>
    ```
    After:
    ```mlir
    %3 = adze.elementwise abs(%0) : (tensor<1x7x7x8xf32>) -> tensor<1x7x7x8xf32>
    ```
  }];
  let statistics = [
    Statistic<"numSunk", "sunk", "Ops that a transpose sank through">,
    Statistic<"numHoisted", "hoisted", "Ops that a transpose was hoisted over">,
    Statistic<"numLeft", "left", "Transposes left">];
  let dependentDialects = ["::adze::graph::AdzeDialect"];
}

def PackWeights : Pass<"adze-pack-weights"> {
  let summary = "Stores constant weights of contractions in panels";
  let description = [{
    A constant matrix, or the weights of an NHWC convolution of one group, gets
    the layout that its kernel reads in one run: panels of as many columns as a
    register tile takes, from the module's `adze.target`. The bytes change when
    the constant is written to the weights section. A 3x3 convolution of stride
    1 whose channels and size make it pay gets `winograd = 4` there as well.

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
    Statistic<"numWinograd", "winograd", "Convolutions turned to Winograd's filtering">];
  let dependentDialects = ["::adze::graph::AdzeDialect"];
}

#endif
