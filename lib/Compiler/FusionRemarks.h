// Why each kernel is what it is, and where each ONNX node ended: as data.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace adze {

/// An ONNX node; strings are the file's bytes.
struct RemarkNode {
  std::string name;   ///< or its first output's
  std::string opType;
  std::string graph;  ///< "" for none
  int64_t index = -1; ///< in its graph

  enum Fate { Kernel, Split, Duplicated, Entry, Constant, Folded };
  Fate fate = Folded;
  int64_t kernel = -1;        ///< that computes it; -1: none
  std::vector<int64_t> also;  ///< other kernels with steps of it
  std::string why;
};

/// "kernel", "split", "duplicated", "entry", "constant", "folded".
const char *fateName(RemarkNode::Fate fate);

/// An op that shares the kernel of others.
struct RemarkJoin {
  std::string op, node;      ///< node: the ONNX node's name; "" for none
  std::string as;            ///< "epilogue", "prologue", "chain" or "rows"
  int64_t bytesSaved = 0;    ///< for each element of the value in between
  int64_t stepsAgain = 0;    ///< of arithmetic done more than once, an element
};

/// A use of the kernel's result outside, and why it is outside.
struct RemarkStop {
  std::string op, node, why;
};

struct RemarkKernel {
  std::string anchor, what;    ///< "conv", "conv + max epilogue"
  std::vector<size_t> nodes;   ///< numbers in FusionRemarks::nodes
  std::vector<RemarkJoin> joins;
  std::vector<RemarkStop> stops;
};

struct FusionRemarks {
  std::vector<RemarkKernel> kernels;  ///< by the artifact's numbers
  std::vector<RemarkNode> nodes;      ///< in the model's order
};

}  // namespace adze
