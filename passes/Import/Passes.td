// From the onnx dialect to the adze dialect.
#ifndef ADZE_PASSES_IMPORT
#define ADZE_PASSES_IMPORT

include "mlir/Pass/PassBase.td"

def OnnxToAdze : Pass<"onnx-to-adze", "::mlir::ModuleOp"> {
  let summary = "Convert every onnx.* op to adze ops";
  let description = [{
    Walks each graph in order and builds adze ops with types of their own:
    ONNX's shape inference is a hint, taken only for a rank that nothing else
    gives. Ops of constants fold as they are built, so that axes, shapes and
    slices which the model computes are known to the converters.

    ```mlir
    %y = onnx.node "Relu"(%x) {since_version = 14 : i64} : (tensor<?xf32>) -> tensor<?xf32>
    ```
    becomes
    ```mlir
    %zero = adze.constant dense<0.0> : tensor<f32>
    %y = adze.elementwise max(%x, %zero) : (tensor<?xf32>, tensor<f32>) -> tensor<?xf32>
    ```

    A node that has no converter, or of which the converter cannot handle the
    case, is reported at its location as "ADZ0202: unsupported, because ...";
    one that breaks ONNX's rules as "ADZ0301: ...". All nodes are tried.
  }];
  let dependentDialects = ["::adze::graph::AdzeDialect", "::mlir::func::FuncDialect"];
  let statistics = [
    Statistic<"numNodes", "nodes", "ONNX nodes converted">,
    Statistic<"numFoldedBytes", "folded-bytes", "bytes of constants made by folding">];
}

#endif
