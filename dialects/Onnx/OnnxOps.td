// The onnx dialect: what the importer writes. Few ops and no knowledge of any
// ONNX operator; tables in passes/Import hold that.
#ifndef ADZE_DIALECTS_ONNX_OPS
#define ADZE_DIALECTS_ONNX_OPS

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Onnx_Dialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::adze::onnxir";
  let summary = "An ONNX graph as it was read";
  let description = [{
    A model is a module with one `func.func @main`. Its arguments and results
    carry `onnx.name` (the value's name, any bytes), `onnx.dims` (one string a
    dimension: its symbolic name or "") and, where a range was asked for,
    `onnx.ranges` ([lo, hi] pairs, one a dimension). The module carries
    `onnx.opsets` (dictionary from domain to version, "ai.onnx" for the default
    domain), `onnx.original_opset`, `onnx.ir_version`, `onnx.graph_name`,
    `onnx.producer_name`, `onnx.producer_version` and `onnx.metadata` (an array
    of [key, value] string pairs).

    Result types are hints from ONNX's shape inference: a value's true type may
    only be more exact. i1 is bool, ui8..ui64 are unsigned, i8..i64 signed.
  }];
  let useDefaultTypePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
}

class Onnx_Type<string name, string mnem> : TypeDef<Onnx_Dialect, name> { let mnemonic = mnem; }

def Onnx_StringType : Onnx_Type<"String", "string"> {
  let summary = "element type of a string tensor";
}
def Onnx_NoneType : Onnx_Type<"None", "none"> {
  let summary = "an optional input that is absent";
}
def Onnx_UnknownType : Onnx_Type<"Unknown", "unknown"> {
  let summary = "a value whose type could not be inferred, or has no counterpart here";
}
def Onnx_SequenceType : Onnx_Type<"Sequence", "seq"> {
  let summary = "ONNX sequence";
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
  let genVerifyDecl = 1;
}
def Onnx_OptionalType : Onnx_Type<"Optional", "optional"> {
  let summary = "ONNX optional";
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
  let genVerifyDecl = 1;
}

def Onnx_Value : Type<CPred<"::adze::onnxir::isValueType($_self)">,
    "a tensor, or a type of the onnx dialect">;

class Onnx_Op<string mnemonic, list<Trait> traits = []> : Op<Onnx_Dialect, mnemonic, traits>;

def Onnx_NodeOp : Onnx_Op<"node"> {
  let summary = "one ONNX node of any operator";
  let description = [{
    `since_version` is the operator's own since-version at the model's opset
    (the imported version for domains without schemas). Attributes map so:

    | ONNX | here |
    |---|---|
    | INT, INTS | `i64`, `array<i64: ...>` |
    | FLOAT, FLOATS | `f32`, `array<f32: ...>` |
    | STRING, STRINGS | string, array of strings |
    | TENSOR | elements attribute |
    | TENSORS | array of elements attributes |
    | TYPE_PROTO(S) | type, array of types |
    | GRAPH, GRAPHS | a region a graph, named in `body_names` |

    Subgraphs use values of the graphs around them directly.

    ```mlir
    %y = onnx.node "Conv"(%x, %w) {since_version = 22 : i64,
        onnx_attributes = {group = 1 : i64}} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x6x6xf32>
    ```
  }];
  let arguments = (ins
    StrAttr:$op_type,
    DefaultValuedStrAttr<StrAttr, "">:$domain,
    I64Attr:$since_version,
    OptionalAttr<DictionaryAttr>:$onnx_attributes,
    OptionalAttr<StrArrayAttr>:$body_names,
    Variadic<Onnx_Value>:$inputs);
  let results = (outs Variadic<Onnx_Value>:$outputs);
  let regions = (region VariadicRegion<SizedRegion<1>>:$bodies);
  let assemblyFormat = [{
    $op_type `(` $inputs `)` attr-dict (`bodies` $bodies^)? `:` functional-type($inputs, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The attribute `name` of the ONNX node; null where it is absent.
    ::mlir::Attribute onnxAttr(::llvm::StringRef name);
    /// The body named `name`; null where it is absent.
    ::mlir::Region *body(::llvm::StringRef name);
    /// Input `i` is given: in range, and no onnx.none.
    bool hasInput(unsigned i);
  }];
}

def Onnx_ConstantOp : Onnx_Op<"constant",
    [Pure, ConstantLike, DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "an initializer or the value of a Constant node";
  let description = [{
    Small tensors are dense, large ones dense_resource whose blob may point
    into the mapped model: its alignment is that of the file, so read elements
    through memcpy. Elements narrower than a byte take a byte each; bool takes
    a byte.
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Onnx_Value:$output);
  let assemblyFormat = "$value attr-dict";
  let hasFolder = 1;
}

def Onnx_NoneOp : Onnx_Op<"none", [Pure]> {
  let summary = "an optional input that is absent";
  let results = (outs Onnx_NoneType:$output);
  let assemblyFormat = "attr-dict `:` type($output)";
}

def Onnx_ReturnOp : Onnx_Op<"return", [Pure, Terminator, ParentOneOf<["NodeOp"]>]> {
  let summary = "ends a subgraph with its outputs";
  let arguments = (ins Variadic<Onnx_Value>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

#endif // ADZE_DIALECTS_ONNX_OPS
