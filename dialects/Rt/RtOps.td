// The adze_rt dialect: what generated host code asks of the runtime.
#ifndef ADZE_DIALECTS_RT_OPS
#define ADZE_DIALECTS_RT_OPS

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
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
  let useDefaultTypePrinterParser = 1;
}

class Rt_Op<string mnemonic, list<Trait> traits = []> : Op<Rt_Dialect, mnemonic, traits>;

def Rt_TensorOrMemRef : AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef]>;

def ConstantOp : Rt_Op<"constant", [Pure, DeclareOpInterfaceMethods<BufferizableOpInterface,
    ["bufferize", "isWritable"]>]> {
  let summary = "`bytes` bytes of the weights section from `offset` on, never written";
  let description = [{ `host`: in the host's memory, where the device has its own. }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$offset,
                       ConfinedAttr<I64Attr, [IntNonNegative]>:$bytes, UnitAttr:$host);
  let results = (outs Rt_TensorOrMemRef:$result);
  let assemblyFormat = "$offset `size` $bytes (`host` $host^)? attr-dict `:` type($result)";
  let builders = [OpBuilder<(ins "::mlir::Type":$type, "::mlir::IntegerAttr":$offset,
                             "::mlir::IntegerAttr":$bytes),
                            [{ build($_builder, $_state, type, offset, bytes, false); }]>,
                  OpBuilder<(ins "::mlir::Type":$type, "int64_t":$offset, "int64_t":$bytes),
                            [{ build($_builder, $_state, type, offset, bytes, false); }]>];
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

//===-- Teams: threads that share an iteration of a parallel loop ------------===//
// scf.parallel with `adze.team = N`: its last dimension, [0, N), numbers the
// threads of a team.

def TeamReduceOp : Rt_Op<"team_reduce", [SameOperandsAndResultType, Pure]> {
  let summary = "Combines a value of each thread of a team; all of them get the result";
  let arguments = (ins StrAttr:$combiner, AnyTypeOf<[F32, I32]>:$value, I64Attr:$team);
  let results = (outs AnyTypeOf<[F32, I32]>:$result);
  let assemblyFormat = "$combiner $value `team` $team attr-dict `:` type($value)";
}

def TeamBarrierOp : Rt_Op<"team_barrier", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "What threads of the team wrote before it all of them read after it";
  let arguments = (ins I64Attr:$team);
  let assemblyFormat = "`team` $team attr-dict";
}

//===-- Devices with a memory of their own -----------------------------------===//
// Buffers of these ops are the device's: the host computes with their addresses
// and never reads through them.

def DeviceAllocOp : Rt_Op<"device_alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "Device memory of the request; `sizes` are the dynamic extents";
  let arguments = (ins Variadic<Index>:$sizes);
  let results = (outs Res<AnyMemRef, "", [MemAlloc]>:$result);
  let assemblyFormat = "`(` $sizes `)` attr-dict `:` type($result)";
}

def DeviceDeallocOp : Rt_Op<"device_dealloc", [MemoryEffects<[MemFree]>]> {
  let summary = "Gives memory of device_alloc back; anything else is left alone";
  let arguments = (ins AnyMemRef:$buffer);
  let assemblyFormat = "$buffer attr-dict `:` type($buffer)";
}

def TensorMapType : TypeDef<Rt_Dialect, "TensorMap"> {
  let mnemonic = "tensor_map";
  let summary = "How the device's copies of boxes find a tensor: 128 bytes, an argument of launches";
}

def TensorMapOp : Rt_Op<"tensor_map", [Pure, AttrSizedOperandSegments]> {
  let summary = "A map of the elements of `buffer` from the `offset`-th on";
  let description = [{
    Innermost dimension first: extents, at least 1; strides in elements, but for the first
    dimension, whose elements lie side by side; extents of the box that one copy takes, whose
    lines of `swizzle` bytes are permuted.
  }];
  let arguments = (ins AnyMemRef:$buffer, Index:$offset, Variadic<Index>:$extents,
                       Variadic<Index>:$strides, DenseI64ArrayAttr:$box, I64Attr:$swizzle);
  let results = (outs TensorMapType:$result);
  let assemblyFormat = [{
    $buffer `[` $offset `]` `extents` `(` $extents `)` `strides` `(` $strides `)` `box` $box
    `swizzle` $swizzle attr-dict `:` type($buffer)
  }];
  let hasVerifier = 1;
}

def DeviceLaunchOp : Rt_Op<"device_launch"> {
  let summary = "Enqueues a device kernel, the `number`-th of its module";
  let description = [{
    A memref argument passes the address of its first element; what the kernel
    has to know of its extents are arguments of their own. A tensor map is passed
    whole. A grid of no block does
    nothing.
  }];
  let arguments = (ins SymbolRefAttr:$kernel, I32Attr:$number,
                       Index:$gridX, Index:$gridY, Index:$gridZ,
                       DenseI32ArrayAttr:$block, I32Attr:$shared,
                       Variadic<AnyType>:$args);
  let assemblyFormat = [{
    $kernel `number` $number `grid` `(` $gridX `,` $gridY `,` $gridZ `)` `block` $block
    `shared` $shared `(` $args `)` attr-dict (`:` type($args)^)?
  }];
  let hasVerifier = 1;
}

def DeviceLoadOp : Rt_Op<"device_load", [MemoryEffects<[MemRead]>]> {
  let summary = "Waits for what is enqueued and reads one element";
  let arguments = (ins AnyMemRef:$buffer, Variadic<Index>:$indices);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$buffer `[` $indices `]` attr-dict `:` type($buffer) `->` type($result)";
}

def DeviceStoreOp : Rt_Op<"device_store", [MemoryEffects<[MemWrite]>]> {
  let summary = "Writes one element, when all before is done";
  let arguments = (ins AnyType:$value, AnyMemRef:$buffer, Variadic<Index>:$indices);
  let assemblyFormat = "$value `,` $buffer `[` $indices `]` attr-dict `:` type($value) `,` type($buffer)";
}

def ToHostOp : Rt_Op<"to_host", [SameOperandsAndResultType, MemoryEffects<[MemRead, MemAlloc]>]> {
  let summary = "A copy in host memory (memref.dealloc ends it) of a contiguous device buffer";
  let description = [{ `gaps`: parts of it may not have been written yet. }];
  let arguments = (ins AnyMemRef:$buffer, UnitAttr:$gaps);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$buffer (`gaps` $gaps^)? attr-dict `:` type($buffer)";
}

def ToDeviceOp : Rt_Op<"to_device", [SameTypeOperands, MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Copies a contiguous host buffer to a device buffer of that type";
  let arguments = (ins AnyMemRef:$host, AnyMemRef:$device);
  let assemblyFormat = "$host `,` $device attr-dict `:` type($host)";
}

def DeviceCopyOp : Rt_Op<"device_copy", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Enqueues a copy between contiguous device buffers of one shape";
  let arguments = (ins AnyMemRef:$from, AnyMemRef:$to);
  let assemblyFormat = "$from `,` $to attr-dict `:` type($from) `,` type($to)";
}

#endif
