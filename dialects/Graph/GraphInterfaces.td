// What passes ask of ops.
#ifndef ADZE_DIALECTS_GRAPH_INTERFACES
#define ADZE_DIALECTS_GRAPH_INTERFACES

include "mlir/IR/OpBase.td"

// Roles are in dialects/Graph/Fusion.h, answers in dialects/Graph/Fusion.cpp.
def Adze_FusibleOpInterface : OpInterface<"FusibleOpInterface"> {
  let cppNamespace = "::adze::graph";
  let description = [{
    An op that may share a kernel with others (docs/fusion.md). An op without
    the interface is a kernel of its own, or stays in the entry.
  }];
  let methods = [
    InterfaceMethod<"What the op is to a kernel.",
      "::adze::graph::FusionRole", "getFusionRole">,
    InterfaceMethod<[{
      How many times a kernel whose anchor this is would compute operand `i`, if
      the ops that make it were part of the kernel; 0: it must be in memory.
    }], "int64_t", "timesComputed", (ins "unsigned":$operand), "", [{
      return $_op.getFusionRole() == ::adze::graph::FusionRole::Elementwise ? 1 : 0;
    }]>,
    InterfaceMethod<[{
      Of an anchor, how many leading dimensions operand 0 shares with the result so
      that a row of the one is made from the same row of the other; 0: none are.
    }], "int64_t", "rowDims", (ins), "", [{ return 0; }]>,
    InterfaceMethod<"Steps of vector arithmetic for each element of the result.",
      "int64_t", "stepsPerElement", (ins), "", [{ return 1; }]>];
}

#endif
