// Tokens of PTX text.
#pragma once
#include "lib/PtxEmulator/Ast.h"

#include <string_view>

namespace adze::ptx {

struct Token {
  enum class Kind : uint8_t { End, Name, Dotted, Integer, Float32, Float64, String, Punctuation };
  Kind kind = Kind::End;
  std::string_view text;  ///< Dotted: with its dot; Punctuation: one character
  uint64_t bits = 0;
  uint32_t line = 0;
  uint32_t node = 0;      ///< the last `//#node NAME` comment before it
};

/// False and `error` on a character or number that PTX does not have. Comments
/// `//#node NAME` name the ONNX node of what follows; others are dropped.
bool tokenize(std::string_view text, std::vector<Token> &tokens, std::vector<std::string> &nodes,
              SourceError &error);

}  // namespace adze::ptx
