#include "lib/PtxEmulator/Lexer.h"

#include <cstdlib>
#include <cstring>

namespace adze::ptx {

namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c == '%';
}
bool isNamePart(char c) { return isNameStart(c) || isDigit(c); }

class Lexer {
 public:
  Lexer(std::string_view text, std::vector<Token> &tokens, std::vector<std::string> &nodes,
        SourceError &error)
      : text_(text), tokens_(tokens), nodes_(nodes), error_(error) {}

  bool run() {
    while (skipBlanks() && at_ < text_.size())
      if (!next()) return false;
    if (!error_.message.empty()) return false;
    add(Token::Kind::End, at_);
    return true;
  }

 private:
  bool fail(std::string message) {
    error_ = {line_, std::move(message)};
    return false;
  }
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : 0; }

  Token &add(Token::Kind kind, size_t begin) {
    tokens_.push_back({kind, text_.substr(begin, at_ - begin), 0, line_, node_});
    return tokens_.back();
  }

  void noteNode(std::string_view comment) {
    constexpr std::string_view kMark = "//#node ";
    if (comment.substr(0, kMark.size()) != kMark) return;
    std::string name(comment.substr(kMark.size()));
    while (!name.empty() && (name.back() == '\r' || name.back() == ' ')) name.pop_back();
    nodes_.push_back(std::move(name));
    node_ = static_cast<uint32_t>(nodes_.size() - 1);
  }

  bool skipBlanks() {
    while (at_ < text_.size()) {
      char c = text_[at_];
      if (c == '\n') ++line_, ++at_;
      else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') ++at_;
      else if (c == '/' && peek(1) == '/') {
        size_t end = text_.find('\n', at_);
        if (end == std::string_view::npos) end = text_.size();
        noteNode(text_.substr(at_, end - at_));
        at_ = end;
      } else if (c == '/' && peek(1) == '*') {
        size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return fail("a comment does not end");
        for (; at_ < end + 2; ++at_) line_ += text_[at_] == '\n';
      } else break;
    }
    return true;
  }

  bool next() {
    size_t begin = at_;
    char c = text_[at_];
    if (isDigit(c)) return number();
    if (c == '.' && isNamePart(peek(1))) {
      ++at_;
      name();
      add(Token::Kind::Dotted, begin);
      return true;
    }
    if (isNameStart(c)) {
      name();
      add(Token::Kind::Name, begin);
      return true;
    }
    if (c == '"') {
      size_t end = text_.find('"', at_ + 1);
      if (end == std::string_view::npos) return fail("a string does not end");
      at_ = end + 1;
      add(Token::Kind::String, begin).text = text_.substr(begin + 1, end - begin - 1);
      return true;
    }
    if (c == 0 || !std::strchr("{}[]()<>,;:@!|+-=&*~/?", c))
      return fail("a character that PTX does not have");
    ++at_;
    add(Token::Kind::Punctuation, begin);
    return true;
  }

  /// Letters, and "::" inside a modifier (shared::cta).
  void name() {
    ++at_;
    while (isNamePart(peek()) ||
           (peek() == ':' && peek(1) == ':' && isNameStart(peek(2))))
      at_ += peek() == ':' ? 2 : 1;
  }

  bool number() {
    size_t begin = at_;
    char kind = peek(1);
    bool hexFloat = peek() == '0' && (kind == 'f' || kind == 'F' || kind == 'd' || kind == 'D');
    int base = peek() != '0'                   ? 10
               : hexFloat || kind == 'x' || kind == 'X' ? 16
               : kind == 'b' || kind == 'B'    ? 2
               : isDigit(kind)                 ? 8
                                               : 10;
    if (hexFloat || base == 16 || base == 2) at_ += 2;
    uint64_t value = 0;
    size_t digits = at_;
    for (; at_ < text_.size(); ++at_) {
      char c = peek();
      int digit = isDigit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
      if (digit >= base) break;
      if (__builtin_mul_overflow(value, static_cast<uint64_t>(base), &value) ||
          __builtin_add_overflow(value, static_cast<uint64_t>(digit), &value))
        return fail("a number of more than 64 bits");
    }
    if (at_ == digits) return fail("a number without digits");
    if (base == 10 && peek() == '.' && isDigit(peek(1))) return decimal(begin);
    if (peek() == 'U') ++at_;
    if (isNamePart(peek())) return fail("a number that runs into a name");
    bool isDouble = kind == 'd' || kind == 'D';
    if (hexFloat && at_ - digits != (isDouble ? 16u : 8u))
      return fail("a hexadecimal float of a wrong length");
    add(!hexFloat ? Token::Kind::Integer : isDouble ? Token::Kind::Float64 : Token::Kind::Float32,
        begin).bits = value;
    return true;
  }

  bool decimal(size_t begin) {
    std::string digits(text_.substr(begin, 64));
    char *end = nullptr;
    double value = std::strtod(digits.c_str(), &end);
    at_ = begin + static_cast<size_t>(end - digits.c_str());
    Token &token = add(Token::Kind::Float64, begin);
    static_assert(sizeof value == sizeof token.bits);
    std::memcpy(&token.bits, &value, sizeof value);
    return true;
  }

  std::string_view text_;
  std::vector<Token> &tokens_;
  std::vector<std::string> &nodes_;
  SourceError &error_;
  size_t at_ = 0;
  uint32_t line_ = 1, node_ = 0;
};

}  // namespace

bool tokenize(std::string_view text, std::vector<Token> &tokens, std::vector<std::string> &nodes,
              SourceError &error) {
  return Lexer(text, tokens, nodes, error).run();
}

}  // namespace adze::ptx
