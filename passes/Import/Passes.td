// From the onnx dialect to the adze dialect.
#ifndef ADZE_PASSES_IMPORT
#define ADZE_PASSES_IMPORT

include "mlir/Pass/PassBase.td"

def OnnxCheckCoverage : Pass<"onnx-check-coverage", "::mlir::ModuleOp"> {
  let summary = "List every onnx.node that adze does not take";
  let description = [{
    Asks the registry of converters about each node and reports all that it
    refuses in one error, one note for each (operator, domain, since-version,
    element type, dynamic) with a count and the first nodes. The module stays
    as it is. (No pass knows a target: `adze compile` asks the target's
    placement as well.)

    ```mlir
    %y = onnx.node "Magic"(%x) {since_version = 1 : i64} : (tensor<2xf32>) -> tensor<2xf32>
    ```
    gives
    ```
    error: ADZ0201: 1 operator form, in 1 node, is not supported by target 'host'
    note: Magic (ai.onnx, since 1, f32): no converter; 1 node: 'n0'
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"host\"", "target named in the message">,
    Option<"format", "format", "std::string", "\"\"",
           "also print the table to stdout: text or json">];
  let statistics = [Statistic<"numRows", "unsupported", "operator forms not supported">];
}

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
