// Recursive descent over the tokens. Directives that say nothing about what a
// kernel computes (debug sections, pragmas, performance hints) are skipped.
#include "lib/PtxEmulator/Ast.h"
#include "lib/PtxEmulator/Lexer.h"
#include "lib/PtxEmulator/ScalarType.h"
#include "lib/Support/Checked.h"
#include "lib/Support/Diagnostics.h"

#include <algorithm>
#include <utility>

namespace adze::ptx {

namespace {

constexpr size_t kMaxText = size_t{64} << 20;
constexpr uint64_t kMaxVariableBytes = uint64_t{4} << 20;
constexpr int kMaxNesting = 256;

class Parser {
 public:
  Parser(SourceModule &module, std::vector<Token> &tokens, SourceError &error)
      : module_(module), tokens_(tokens), error_(error) {}

  bool run() {
    while (peek().kind != Token::Kind::End)
      if (!topLevel()) return false;
    return true;
  }

 private:
  // ---- tokens
  const Token &peek(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const Token &take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool is(char c) const {
    return peek().kind == Token::Kind::Punctuation && peek().text[0] == c;
  }
  bool isDotted(std::string_view text) const {
    return peek().kind == Token::Kind::Dotted && peek().text == text;
  }
  bool accept(char c) { return is(c) ? (take(), true) : false; }
  bool accept(std::string_view dotted) { return isDotted(dotted) ? (take(), true) : false; }
  bool fail(std::string message) {
    error_ = {peek().line, std::move(message)};
    return false;
  }
  bool expect(char c) {
    if (accept(c)) return true;
    return fail(std::string("expected '") + c + "' before '" + printable(peek().text, 40) + "'");
  }
  bool expectName(std::string &name) {
    if (peek().kind != Token::Kind::Name)
      return fail("expected a name before '" + printable(peek().text, 40) + "'");
    name = take().text;
    return true;
  }
  bool expectInteger(uint64_t &value) {
    if (peek().kind != Token::Kind::Integer)
      return fail("expected a number before '" + printable(peek().text, 40) + "'");
    value = take().bits;
    return true;
  }

  // ---- module level
  bool topLevel() {
    if (accept(".version")) return module_.version = text(), true;
    if (accept(".target")) return target();
    if (accept(".address_size")) return addressSize();
    if (accept(".file")) return file();
    if (accept(".section")) return section();
    if (accept(".pragma") || accept(".alias")) return skipPast(';');
    while (isDotted(".visible") || isDotted(".extern") || isDotted(".weak") || isDotted(".common"))
      extern_ |= take().text == ".extern";
    bool isExtern = std::exchange(extern_, false);
    if (accept(".entry")) return entry();
    if (accept(".func")) return function(isExtern);
    if (isVariableSpace()) return variables(module_.variables, 0, isExtern);
    return fail("'" + printable(peek().text, 40) + "' at the top of a module");
  }

  /// Version numbers lex as several tokens; all up to the line's end.
  std::string text() {
    std::string s;
    for (uint32_t line = peek().line; peek().line == line && peek().kind != Token::Kind::End;)
      s += take().text;
    return s;
  }

  bool target() {
    if (!expectName(module_.target)) return false;
    while (accept(',')) take();
    return true;
  }
  bool addressSize() {
    uint64_t bits;
    if (!expectInteger(bits)) return false;
    return bits == 64 ? true : fail("only 64-bit addresses are emulated");
  }
  bool file() {
    uint64_t number;
    if (!expectInteger(number)) return false;
    if (number > 65536) return fail("a .file number beyond 65536");
    if (peek().kind != Token::Kind::String) return fail("expected a file name");
    if (module_.files.size() <= number) module_.files.resize(number + 1);
    module_.files[number] = take().text;
    while (accept(',')) take();
    return true;
  }
  bool section() {
    take();
    while (!is('{') && peek().kind != Token::Kind::End) take();
    if (!expect('{')) return false;
    return skipPast('}');
  }
  bool skipPast(char c) {
    while (!is(c))
      if (peek().kind == Token::Kind::End) return fail("the text ends too soon");
      else take();
    take();
    return true;
  }
  /// Declarations of functions are nothing to us, and nobody may call one.
  bool function(bool) {
    while (!is('{') && !is(';'))
      if (take().kind == Token::Kind::End) return fail("the text ends too soon");
    if (accept(';')) return true;
    int depth = 0;
    do {
      if (peek().kind == Token::Kind::End) return fail("the text ends too soon");
      depth += is('{') - is('}');
      take();
    } while (depth);
    return true;
  }

  // ---- variables
  bool isVariableSpace() const {
    for (auto s : {".global", ".shared", ".const", ".local"})
      if (isDotted(s)) return true;
    return false;
  }

  bool variables(std::vector<Variable> &into, uint32_t scope, bool isExtern) {
    Variable v;
    v.space = take().text.substr(1), v.line = peek().line, v.scope = scope, v.isExtern = isExtern;
    v.alignment = 0;
    if (accept(".align") && !alignment(v.alignment)) return false;
    while (accept(".attribute"))
      if (!skipPast(')')) return false;
    if (accept(".align") && !alignment(v.alignment)) return false;
    uint64_t elements = 1;
    for (auto [name, width] : {std::pair{".v2", 2}, {".v4", 4}})
      if (accept(std::string_view(name))) elements = width;
    if (peek().kind != Token::Kind::Dotted) return fail("expected a variable's type");
    v.type = take().text.substr(1);
    auto type = scalarType(v.type);
    if (!type || type->bits < 8) return fail("a variable of type ." + printable(v.type, 40));
    do {
      if (!oneVariable(v, type->bits / 8, elements)) return false;
      into.push_back(v);
      v.initial.clear();
    } while (accept(','));
    return expect(';');
  }

  bool alignment(uint64_t &bytes) {
    if (!expectInteger(bytes)) return false;
    bool power = bytes && !(bytes & (bytes - 1)) && bytes <= 1024;
    return power ? true : fail("an alignment that is no power of two up to 1024");
  }

  bool oneVariable(Variable &v, uint64_t size, uint64_t elements) {
    if (!v.alignment) v.alignment = size * elements;
    if (!expectName(v.name)) return false;
    bool open = false;
    auto count = checkedMul(static_cast<int64_t>(size), static_cast<int64_t>(elements));
    while (accept('[')) {
      uint64_t n = 0;
      if (!is(']') && !expectInteger(n)) return false;
      open |= n == 0;
      count = n > kMaxVariableBytes ? std::nullopt : checkedMul(*count, static_cast<int64_t>(n));
      if (!count) return fail("the variable '" + printable(v.name, 60) + "' is too large");
      if (!expect(']')) return false;
    }
    v.bytes = open ? 0 : static_cast<uint64_t>(*count);
    variableBytes_ += v.bytes;
    if (variableBytes_ > kMaxVariableBytes) return fail("the module's variables are too large");
    return accept('=') ? initializer(v, size) : true;
  }

  bool initializer(Variable &v, uint64_t size) {
    int depth = 0;
    do {
      if (accept('{')) { ++depth; continue; }
      if (accept('}')) { --depth; accept(','); continue; }
      bool negative = accept('-');
      const Token &t = peek();
      if (t.kind != Token::Kind::Integer && t.kind != Token::Kind::Float32 && t.kind != Token::Kind::Float64)
        return fail("only numbers are emulated in initialisers");
      uint64_t bits = negative ? uint64_t{0} - take().bits : take().bits;
      for (uint64_t i = 0; i < size; ++i) v.initial.push_back(static_cast<uint8_t>(bits >> 8 * i));
      if (v.initial.size() > v.bytes) return fail("more initial values than elements");
      accept(',');
    } while (depth);
    return true;
  }

  // ---- entries
  bool entry() {
    auto e = std::make_unique<Entry>();
    e->line = peek().line;
    if (!expectName(e->name)) return false;
    for (const auto &other : module_.entries)
      if (other->name == e->name) return fail("a second entry '" + printable(e->name, 60) + "'");
    if (accept('(') && !parameters(*e)) return false;
    while (!is('{') && !is(';'))
      if (!entryDirective(*e)) return false;
    if (accept(';')) return true;
    entry_ = e.get();
    take();
    if (!block(0, 0)) return false;
    module_.entries.push_back(std::move(e));
    return true;
  }

  bool parameters(Entry &e) {
    while (!accept(')')) {
      if (!accept(".param")) return fail("expected .param");
      Parameter p;
      if (accept(".align") && !alignment(p.alignment)) return false;
      if (peek().kind != Token::Kind::Dotted) return fail("expected a parameter's type");
      p.type = take().text.substr(1);
      auto type = scalarType(p.type);
      if (!type || type->bits < 8) return fail("a parameter of type ." + printable(p.type, 40));
      p.bytes = type->bits / 8, p.alignment = std::max(p.alignment, p.bytes);
      if (accept(".ptr"))
        while (peek().kind == Token::Kind::Dotted)
          if (take().text == ".align") take();
      if (!expectName(p.name)) return false;
      if (accept('[')) {
        uint64_t n;
        if (!expectInteger(n) || !expect(']')) return false;
        if (n > 4096) return fail("a parameter of more than 4096 bytes");
        p.bytes *= n;
      }
      p.offset = (e.parameterBytes + p.alignment - 1) / p.alignment * p.alignment;
      e.parameterBytes = p.offset + p.bytes;
      if (e.parameterBytes > 32764) return fail("parameters of more than 32764 bytes");
      e.parameters.push_back(p);
      if (!is(')') && !expect(',')) return false;
    }
    return true;
  }

  bool threeNumbers(uint32_t (&values)[3]) {
    for (int i = 0; i < 3; ++i) {
      uint64_t n = 1;
      if (i == 0 || accept(','))
        if (!expectInteger(n)) return false;
      if (n == 0 || n > 1024) return fail("a block extent outside 1 to 1024");
      values[i] = static_cast<uint32_t>(n);
    }
    return true;
  }

  bool entryDirective(Entry &e) {
    if (accept(".maxntid")) return threeNumbers(e.maxThreads);
    if (accept(".reqntid")) return threeNumbers(e.requiredThreads);
    uint64_t n;
    for (auto hint : {".maxnreg", ".minnctapersm", ".maxnctapersm", ".maxclusterrank"})
      if (accept(std::string_view(hint))) return expectInteger(n);
    if (accept(".reqnctapercluster")) {
      uint32_t extents[3];
      if (!threeNumbers(extents)) return false;
      return extents[0] * extents[1] * extents[2] == 1 ? true : fail("clusters of several blocks are not emulated");
    }
    if (accept(".explicitcluster") || accept(".noreturn") || accept(".blocksareclusters")) return true;
    return fail("'" + printable(peek().text, 40) + "' after an entry's parameters");
  }

  // ---- statements
  bool block(uint32_t scope, int depth) {
    if (depth > kMaxNesting) return fail("blocks nested too deeply");
    while (!accept('}')) {
      if (peek().kind == Token::Kind::End) return fail("the text ends inside an entry");
      if (accept('{')) {
        entry_->scopeParents.push_back(scope);
        if (!block(static_cast<uint32_t>(entry_->scopeParents.size() - 1), depth + 1)) return false;
      } else if (!statement(scope)) {
        return false;
      }
    }
    return true;
  }

  bool statement(uint32_t scope) {
    if (accept(".reg")) return registers(scope);
    if (accept(".loc")) return location();
    if (accept(".pragma")) return skipPast(';');
    if (isVariableSpace()) return variables(entry_->variables, scope, false);
    if (accept(';')) return true;
    Statement s;
    s.line = peek().line, s.source = location_, s.node = peek().node, s.scope = scope;
    if (peek().kind == Token::Kind::Name && peek(1).kind == Token::Kind::Punctuation &&
        peek(1).text == ":") {
      s.label = take().text;
      take();
      entry_->body.push_back(std::move(s));
      return true;
    }
    if (accept('@')) {
      s.guardNegated = accept('!');
      if (!expectName(s.guard)) return false;
    }
    if (peek().kind != Token::Kind::Name)
      return fail("expected an instruction before '" + printable(peek().text, 40) + "'");
    s.opcode = take().text;
    while (peek().kind == Token::Kind::Dotted) s.opcode += take().text;
    while (!is(';')) {
      Operand o;
      if (!operand(o, 0)) return false;
      s.operands.push_back(std::move(o));
      if (s.operands.size() > 64) return fail("more than 64 operands");
      if (!is(';') && !expect(',')) return false;
    }
    take();
    entry_->body.push_back(std::move(s));
    return true;
  }

  bool registers(uint32_t scope) {
    RegisterDeclaration r;
    r.scope = scope;
    if (peek().kind != Token::Kind::Dotted) return fail("expected a register's type");
    r.type = take().text.substr(1);
    if (!scalarType(r.type)) return fail("registers of type ." + printable(r.type, 40));
    do {
      r.count = 0;
      if (!expectName(r.prefix)) return false;
      if (accept('<') && (!expectInteger(r.count) || !expect('>'))) return false;
      entry_->registers.push_back(r);
    } while (accept(','));
    return expect(';');
  }

  bool location() {
    uint64_t file, line, column;
    if (!expectInteger(file) || !expectInteger(line) || !expectInteger(column)) return false;
    location_ = {static_cast<uint32_t>(file), static_cast<uint32_t>(line)};
    while (accept(',')) {  // function_name, inlined_at and their values
      uint32_t at = peek().line;
      while (peek().line == at && !is(',')) take();
    }
    return true;
  }

  bool operand(Operand &o, int depth) {
    if (depth > 4) return fail("operands nested too deeply");
    if (accept('{')) return list(o, Operand::Kind::Vector, '}', depth);
    if (accept('(')) return list(o, Operand::Kind::List, ')', depth);
    if (accept('[')) return address(o, depth);
    o.negated = accept('!');
    bool minus = accept('-');
    const Token &t = peek();
    switch (t.kind) {
      case Token::Kind::Integer: o.kind = Operand::Kind::Integer; break;
      case Token::Kind::Float32: o.kind = Operand::Kind::Float32; break;
      case Token::Kind::Float64: o.kind = Operand::Kind::Float64; break;
      case Token::Kind::Name: return minus ? fail("a minus before a name") : name(o);
      default: return fail("expected an operand before '" + printable(t.text, 40) + "'");
    }
    o.bits = take().bits;
    if (minus && o.kind == Operand::Kind::Integer) o.bits = uint64_t{0} - o.bits;
    if (minus && o.kind == Operand::Kind::Float32) o.bits ^= uint64_t{1} << 31;
    if (minus && o.kind == Operand::Kind::Float64) o.bits ^= uint64_t{1} << 63;
    return true;
  }

  bool list(Operand &o, Operand::Kind kind, char close, int depth) {
    o.kind = kind;
    while (!accept(close)) {
      Operand item;
      if (!operand(item, depth + 1)) return false;
      o.items.push_back(std::move(item));
      if (o.items.size() > 256) return fail("more than 256 elements in a vector");
      if (!is(close) && !expect(',')) return false;
    }
    return true;
  }

  /// A name, with .x of special registers, |q and +displacement.
  bool name(Operand &o) {
    o.kind = Operand::Kind::Name;
    o.name = take().text;
    if (o.name[0] == '%' && peek().kind == Token::Kind::Dotted) o.name += take().text;
    if (accept('|')) return expectName(o.second);
    return displacement(o);
  }
  bool displacement(Operand &o) {
    while (is('+') || is('-')) {
      bool minus = accept('-');
      if (!minus) take(), minus = accept('-');
      uint64_t n;
      if (!expectInteger(n)) return false;
      o.bits += minus ? uint64_t{0} - n : n;
    }
    return true;
  }

  bool address(Operand &o, int depth) {
    if (peek().kind == Token::Kind::Name) {
      if (!name(o)) return false;
    } else if (!expectInteger(o.bits)) {
      return false;
    }
    o.kind = Operand::Kind::Address;
    while (accept(',')) {
      Operand item;
      if (!operand(item, depth + 1)) return false;
      o.items.push_back(std::move(item));
    }
    return expect(']');
  }

  SourceModule &module_;
  std::vector<Token> &tokens_;
  SourceError &error_;
  Entry *entry_ = nullptr;
  size_t at_ = 0;
  bool extern_ = false;
  uint64_t variableBytes_ = 0;
  SourceLocation location_;
};

}  // namespace

std::unique_ptr<SourceModule> parse(const std::string &text, SourceError &error) {
  if (text.size() > kMaxText) {
    error = {0, "more than 64 MiB of PTX"};
    return nullptr;
  }
  auto module = std::make_unique<SourceModule>();
  std::vector<Token> tokens;
  if (!tokenize(text, tokens, module->nodes, error)) return nullptr;
  if (!Parser(*module, tokens, error).run()) return nullptr;
  return module;
}

}  // namespace adze::ptx
