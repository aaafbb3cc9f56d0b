// PTX text as a tree: modules, entries, statements. Nothing here knows what an
// instruction does.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace adze::ptx {

struct SourceLocation {
  uint32_t file = 0, line = 0;  ///< as in .file and .loc; 0: none
};

struct Operand {
  enum class Kind : uint8_t { Name, Integer, Float32, Float64, Address, Vector, List };
  Kind kind = Kind::Name;
  bool negated = false;          ///< !p
  std::string name;              ///< Name, and an Address's base
  std::string second;            ///< p|q
  uint64_t bits = 0;             ///< Integer and floats; an Address's or Name's displacement
  std::vector<Operand> items;    ///< Vector, List, and an Address's coordinates
};

struct Statement {
  uint32_t line = 0;
  SourceLocation source;
  uint32_t node = 0;             ///< index into SourceModule::nodes, 0: none
  uint32_t scope = 0;
  std::string guard;             ///< predicate's name, empty: none
  bool guardNegated = false;
  std::string opcode;            ///< with its modifiers, "add.rn.f32"; empty: only a label
  std::string label;
  std::vector<Operand> operands;
};

/// .reg: `count` names prefix0, prefix1 … or, with count 0, prefix itself.
struct RegisterDeclaration {
  std::string type, prefix;
  uint64_t count = 0;
  uint32_t scope = 0;
};

struct Variable {
  std::string space, type, name;
  uint64_t alignment = 0, bytes = 0;
  bool isExtern = false;
  uint32_t line = 0, scope = 0;
  std::vector<uint8_t> initial;  ///< as far as it was given
};

struct Parameter {
  std::string name, type;
  uint64_t bytes = 0, alignment = 1, offset = 0;
};

struct Entry {
  std::string name;
  uint32_t line = 0;
  std::vector<Parameter> parameters;
  uint64_t parameterBytes = 0;
  uint32_t maxThreads[3] = {0, 0, 0};       ///< .maxntid
  uint32_t requiredThreads[3] = {0, 0, 0};  ///< .reqntid
  std::vector<RegisterDeclaration> registers;
  std::vector<Variable> variables;
  std::vector<Statement> body;
  std::vector<uint32_t> scopeParents{0};    ///< scope 0 is the whole body
};

struct SourceModule {
  std::string version, target;
  std::vector<std::string> files;  ///< by .file number
  std::vector<std::string> nodes{""};
  std::vector<Variable> variables;
  std::vector<std::unique_ptr<Entry>> entries;
};

/// Where parsing or decoding stopped.
struct SourceError {
  uint32_t line = 0;
  std::string message;
};

/// Null and `error` when the text is not PTX that the emulator reads. Limits:
/// 64 MiB of text, 4 MiB of a module's variables, 256 nested blocks.
std::unique_ptr<SourceModule> parse(const std::string &text, SourceError &error);

}  // namespace adze::ptx
