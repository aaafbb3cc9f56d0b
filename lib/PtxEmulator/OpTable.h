// The instruction table: lane instructions (Lane*.def) and all others
// (OpTable.cpp). One row is one place to add an instruction.
//
// A pattern is the opcode with its modifiers: `name` must stand there, `{a|b}`
// one of them, `[a|b]` one of them or nothing.
#pragma once
#include "lib/PtxEmulator/Program.h"

#include <span>

namespace adze::ptx {

/// `signature` has a letter for each operand: D results (register or vector),
/// 4 and 8 a value of that many bytes, V registers or values of the opcode's
/// type, P a predicate, A an address, # an immediate, L a label, S anything
/// (a symbol). A `?` after it: may be missing.
struct SpecialOp {
  const char *pattern;
  Pipe pipe;
  const char *signature;
  Handler handler;
  /// Works out Detail::values; false with a message for what is not emulated.
  bool (*prepare)(Detail &detail, std::string &message) = nullptr;
};

std::span<const SpecialOp> specialOps();

struct OpMatch {
  const LaneOp *lane = nullptr;
  size_t laneIndex = 0;
  const SpecialOp *special = nullptr;
  std::vector<std::string_view> words;
};

/// The first row whose pattern fits; nothing set when there is none.
OpMatch findOp(std::string_view opcode);

}  // namespace adze::ptx
