// The adze_rt dialect: what generated host code asks of the runtime.
#ifndef ADZE_DIALECTS_RT_OPS
#define ADZE_DIALECTS_RT_OPS

include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Rt_Dialect : Dialect {
  let name = "adze_rt";
  let cppNamespace = "::adze::rt";
  let summary = "Calls of generated host code into the runtime (lib/Runtime/HostAbi.h)";
  let description = [{
    These ops lower to loads of function pointers from the request's context,
    so that code has no undefined symbols and no globals. They need no context
    operand: passes/Lowering threads it through every function at the end.
  }];
}

class Rt_Op<string mnemonic, list<Trait> traits = []> : Op<Rt_Dialect, mnemonic, traits>;

def Rt_TensorOrMemRef : AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef]>;

def ConstantOp : Rt_Op<"constant", [Pure, DeclareOpInterfaceMethods<BufferizableOpInterface,
    ["bufferize", "isWritable"]>]> {
  let summary = "`bytes` bytes of the weights section from `offset` on, never written";
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$offset,
                       ConfinedAttr<I64Attr, [IntNonNegative]>:$bytes);
  let results = (outs Rt_TensorOrMemRef:$result);
  let assemblyFormat = "$offset `size` $bytes attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def CheckOp : Rt_Op<"check", [MemoryEffects<[MemWrite]>]> {
  let summary = "Ends the run with an error when the condition is false; nothing behind it is executed";
  let arguments = (ins I1:$condition, StrAttr:$message, DefaultValuedAttr<I32Attr, "1">:$code);
  let assemblyFormat = "$condition `,` $message attr-dict";
}

def SlabOp : Rt_Op<"slab", [MemoryEffects<[MemAlloc]>]> {
  let summary = "The request's arena, at least `bytes` long, 64-byte aligned; once per entry";
  let arguments = (ins Index:$bytes);
  let results = (outs MemRefRankOf<[I8], [1]>:$arena);
  let assemblyFormat = "$bytes attr-dict `:` type($arena)";
}

def PlanOp : Rt_Op<"plan", [MemoryEffects<[MemWrite]>]> {
  let summary = "Places buffers whose byte sizes are known at run time only";
  let description = [{
    first[i]..last[i] is the lifetime of buffer i in program order, inclusive.
    Results: the arena bytes needed, and an offset for each buffer.
  }];
  let arguments = (ins Variadic<Index>:$sizes, DenseI32ArrayAttr:$first, DenseI32ArrayAttr:$last);
  let results = (outs Index:$bytes, Variadic<Index>:$offsets);
  let assemblyFormat = "$sizes `first` $first `last` $last attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def LaunchOp : Rt_Op<"launch", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Calls kernel function `callee`, the `kernel`-th of the artifact";
  let arguments = (ins FlatSymbolRefAttr:$callee, I32Attr:$kernel, Variadic<AnyType>:$args);
  let results = (outs Variadic<AnyType>:$outs);
  let assemblyFormat = [{
    $callee `kernel` $kernel `(` $args `)` attr-dict `:` functional-type($args, $outs)
  }];
}

def ParallelForOp : Rt_Op<"parallel_for", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Runs body(begin, end, captures) over [0, count) on the request's threads";
  let arguments = (ins FlatSymbolRefAttr:$body, Index:$count, I64Attr:$grain,
                       Variadic<AnyType>:$captures);
  let assemblyFormat = [{
    $body `count` $count `grain` $grain `(` $captures `)` attr-dict `:` type($captures)
  }];
}

#endif
