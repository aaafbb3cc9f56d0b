// The adze (graph) dialect, its enums and its op base classes.
#ifndef ADZE_DIALECTS_GRAPH_BASE
#define ADZE_DIALECTS_GRAPH_BASE

include "mlir/IR/OpBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/TensorEncoding.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/Graph/GraphInterfaces.td"

def Adze_Dialect : Dialect {
  let name = "adze";
  let cppNamespace = "::adze::graph";
  let summary = "Opset-free tensor graph: ranked, value-semantic, dynamic dimensions";
  let description = [{
    Every op takes and returns ranked tensors by value. Dimensions may be
    dynamic anywhere. i1 is bool; ui8..ui64 are unsigned, i8..i64 signed.
    Shapes, indices and counts that are data are tensor<..xi64>. Semantics are
    those of the newest ONNX op of the same name unless the op says otherwise;
    lib/Reference evaluates each op and is the oracle.
  }];
  let hasConstantMaterializer = 1;
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect"];
}

class Adze_I32Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::adze::graph";
  let genSpecializedAttr = 0;
}
class Adze_EnumAttr<EnumAttrInfo info, string mnemonic> : EnumAttr<Adze_Dialect, info, mnemonic>;

// The scalar functions of adze.elementwise. dialects/Graph/Elementwise.cpp
// holds one row a function: arity, operand and result types.
def Adze_ElementwiseFn : Adze_I32Enum<"ElementwiseFn", "scalar function", [
  I32EnumAttrCase<"Abs", 0, "abs">, I32EnumAttrCase<"Neg", 1, "neg">,
  I32EnumAttrCase<"Ceil", 2, "ceil">, I32EnumAttrCase<"Floor", 3, "floor">,
  I32EnumAttrCase<"RoundEven", 4, "round_even">, I32EnumAttrCase<"Sqrt", 5, "sqrt">,
  I32EnumAttrCase<"Rsqrt", 6, "rsqrt">, I32EnumAttrCase<"Exp", 7, "exp">,
  I32EnumAttrCase<"Log", 8, "log">, I32EnumAttrCase<"Sin", 9, "sin">,
  I32EnumAttrCase<"Cos", 10, "cos">, I32EnumAttrCase<"Tan", 11, "tan">,
  I32EnumAttrCase<"Asin", 12, "asin">, I32EnumAttrCase<"Acos", 13, "acos">,
  I32EnumAttrCase<"Atan", 14, "atan">, I32EnumAttrCase<"Sinh", 15, "sinh">,
  I32EnumAttrCase<"Cosh", 16, "cosh">, I32EnumAttrCase<"Tanh", 17, "tanh">,
  I32EnumAttrCase<"Asinh", 18, "asinh">, I32EnumAttrCase<"Acosh", 19, "acosh">,
  I32EnumAttrCase<"Atanh", 20, "atanh">, I32EnumAttrCase<"Erf", 21, "erf">,
  I32EnumAttrCase<"Sigmoid", 22, "sigmoid">, I32EnumAttrCase<"Sign", 23, "sign">,
  I32EnumAttrCase<"Not", 24, "not">, I32EnumAttrCase<"BitwiseNot", 25, "bitwise_not">,
  I32EnumAttrCase<"IsNaN", 26, "isnan">, I32EnumAttrCase<"IsInf", 27, "isinf">,
  I32EnumAttrCase<"Add", 40, "add">, I32EnumAttrCase<"Sub", 41, "sub">,
  I32EnumAttrCase<"Mul", 42, "mul">, I32EnumAttrCase<"Div", 43, "div">,
  I32EnumAttrCase<"Pow", 44, "pow">, I32EnumAttrCase<"Mod", 45, "mod">,
  I32EnumAttrCase<"FMod", 46, "fmod">, I32EnumAttrCase<"Min", 47, "min">,
  I32EnumAttrCase<"Max", 48, "max">, I32EnumAttrCase<"And", 49, "and">,
  I32EnumAttrCase<"Or", 50, "or">, I32EnumAttrCase<"Xor", 51, "xor">,
  I32EnumAttrCase<"BitwiseAnd", 52, "bitwise_and">, I32EnumAttrCase<"BitwiseOr", 53, "bitwise_or">,
  I32EnumAttrCase<"BitwiseXor", 54, "bitwise_xor">, I32EnumAttrCase<"ShiftLeft", 55, "shift_left">,
  I32EnumAttrCase<"ShiftRight", 56, "shift_right">, I32EnumAttrCase<"Equal", 57, "equal">,
  I32EnumAttrCase<"Less", 58, "less">, I32EnumAttrCase<"LessEqual", 59, "less_equal">,
  I32EnumAttrCase<"Greater", 60, "greater">, I32EnumAttrCase<"GreaterEqual", 61, "greater_equal">,
  I32EnumAttrCase<"Select", 70, "select">]>;
def Adze_ElementwiseFnAttr : Adze_EnumAttr<Adze_ElementwiseFn, "fn">;

def Adze_ReduceKind : Adze_I32Enum<"ReduceKind", "reduction", [
  I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Prod", 1, "prod">,
  I32EnumAttrCase<"Max", 2, "max">, I32EnumAttrCase<"Min", 3, "min">,
  I32EnumAttrCase<"Mean", 4, "mean">]>;
def Adze_ReduceKindAttr : Adze_EnumAttr<Adze_ReduceKind, "reduce_kind">;

def Adze_ArgKind : Adze_I32Enum<"ArgKind", "arg reduction", [
  I32EnumAttrCase<"Max", 0, "max">, I32EnumAttrCase<"Min", 1, "min">]>;
def Adze_ArgKindAttr : Adze_EnumAttr<Adze_ArgKind, "arg_kind">;

def Adze_PoolKind : Adze_I32Enum<"PoolKind", "pooling", [
  I32EnumAttrCase<"Max", 0, "max">, I32EnumAttrCase<"Average", 1, "average">,
  I32EnumAttrCase<"Lp", 2, "lp">]>;
def Adze_PoolKindAttr : Adze_EnumAttr<Adze_PoolKind, "pool_kind">;

def Adze_PadMode : Adze_I32Enum<"PadMode", "padding", [
  I32EnumAttrCase<"Constant", 0, "constant">, I32EnumAttrCase<"Reflect", 1, "reflect">,
  I32EnumAttrCase<"Edge", 2, "edge">, I32EnumAttrCase<"Wrap", 3, "wrap">]>;
def Adze_PadModeAttr : Adze_EnumAttr<Adze_PadMode, "pad_mode">;

def Adze_ScatterReduction : Adze_I32Enum<"ScatterReduction", "how a scattered update joins", [
  I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"Add", 1, "add">,
  I32EnumAttrCase<"Mul", 2, "mul">, I32EnumAttrCase<"Max", 3, "max">,
  I32EnumAttrCase<"Min", 4, "min">]>;
def Adze_ScatterReductionAttr : Adze_EnumAttr<Adze_ScatterReduction, "scatter_reduction">;

def Adze_RecurrentKind : Adze_I32Enum<"RecurrentKind", "recurrent cell", [
  I32EnumAttrCase<"RNN", 0, "rnn">, I32EnumAttrCase<"GRU", 1, "gru">,
  I32EnumAttrCase<"LSTM", 2, "lstm">]>;
def Adze_RecurrentKindAttr : Adze_EnumAttr<Adze_RecurrentKind, "recurrent_kind">;

// Where channels stand in the data operand of windowed ops: NCHW keeps
// [N, C, spatial...], NHWC [N, spatial..., C]. The result has the same order.
// Convolution weights are [O, C/g, K...] for NCHW and [K..., C/g, O] for NHWC.
def Adze_DataLayout : Adze_I32Enum<"DataLayout", "order of a windowed op's dimensions", [
  I32EnumAttrCase<"NCHW", 0, "nchw">, I32EnumAttrCase<"NHWC", 1, "nhwc">]>;
def Adze_DataLayoutAttr : Adze_EnumAttr<Adze_DataLayout, "layout">;

// A layout is the encoding of a tensor type: it says how the elements are
// stored and changes nothing of what they mean. A type without one is stored
// row-major.
def Adze_PanelsAttr : AttrDef<Adze_Dialect, "Panels",
    [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let mnemonic = "panels";
  let summary = "Layout in panels of `tile` columns";
  let description = [{
    A static tensor [d..., n] is stored as [ceil(n / tile), d..., tile], the
    last panel filled up with zeros: what a register tile of a matrix kernel
    reads lies in one run of memory.

    With `winograd = m`, 3x3 convolution weights [3, 3, c, n] are stored as the
    [m + 2, m + 2, c, n] coefficients that give m x m results at once
    (lib/Support/Winograd.h), rounded once, and those in panels.
  }];
  let parameters = (ins "int64_t":$tile, DefaultValuedParameter<"int64_t", "0">:$winograd);
  let assemblyFormat = "`<` $tile (`,` `winograd` `=` $winograd^)? `>`";
  let extraClassDeclaration = [{
    /// Extents as stored, of a tensor of this layout with extents `shape`.
    ::llvm::SmallVector<int64_t> storedShape(::llvm::ArrayRef<int64_t> shape) const;
    /// Why a tensor of extents `shape` cannot have this layout; empty: it can.
    ::llvm::StringRef whyNot(::llvm::ArrayRef<int64_t> shape) const;
  }];
}

def Adze_Tensor : Type<CPred<"::llvm::isa<::mlir::RankedTensorType>($_self)">, "ranked tensor",
                       "::mlir::RankedTensorType">;
def Adze_IndexTensor : RankedTensorOf<[I64]>;
def Adze_BoolTensor : RankedTensorOf<[I1]>;

class Adze_Op<string mnemonic, list<Trait> traits = []> : Op<Adze_Dialect, mnemonic, traits>;

// An op whose result types follow from operands and attributes: one function,
// inferReturnTypes in dialects/Graph/Infer*.cpp, both infers and verifies
// (result types may be more or less static than inferred); result shapes are
// reified in dialects/Graph/Reify.cpp.
class Adze_PureOp<string mnemonic, list<Trait> traits = []>
    : Adze_Op<mnemonic, !listconcat(traits, [
        Pure, DeclareOpInterfaceMethods<InferTypeOpInterface>,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>])> {
  let extraClassDeclaration = [{
    /// Result types may differ from the inferred ones in how static they are.
    static bool isCompatibleReturnTypes(::mlir::TypeRange l, ::mlir::TypeRange r) {
      return ::adze::graph::compatibleTypes(l, r);
    }
  }];
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &b, ::mlir::ReifiedRankedShapedTypeDims &dims) {
      return ::adze::graph::reifyShapes(getOperation(), b, dims);
    }
  }];
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

// An op that may share a kernel with others.
class Adze_FusibleOp<string mnemonic, list<Trait> traits = [], list<string> methods = []>
    : Adze_PureOp<mnemonic, !listconcat(traits, [
        DeclareOpInterfaceMethods<Adze_FusibleOpInterface, methods>])>;

#endif
