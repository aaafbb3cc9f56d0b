#include "lib/PtxEmulator/OpTable.h"
#include "lib/PtxEmulator/ScalarType.h"
#include "lib/Support/Diagnostics.h"

#include <cstring>
#include <optional>

namespace adze::ptx {

namespace {

constexpr uint32_t kMaxRegisterBytes = 4 << 20;  // of a warp
constexpr uint64_t kMaxLocalBytes = 512 << 10;    // of a thread, as on hardware
constexpr size_t kMaxInstructions = 1 << 20;

struct Register {
  Slot slot;
  uint8_t bits;
};

constexpr std::pair<const char *, SpecialRegister> kSpecial[] = {
    {"%tid.x", SpecialRegister::TidX},       {"%tid.y", SpecialRegister::TidY},
    {"%tid.z", SpecialRegister::TidZ},       {"%ntid.x", SpecialRegister::NtidX},
    {"%ntid.y", SpecialRegister::NtidY},     {"%ntid.z", SpecialRegister::NtidZ},
    {"%ctaid.x", SpecialRegister::CtaidX},   {"%ctaid.y", SpecialRegister::CtaidY},
    {"%ctaid.z", SpecialRegister::CtaidZ},   {"%nctaid.x", SpecialRegister::NctaidX},
    {"%nctaid.y", SpecialRegister::NctaidY}, {"%nctaid.z", SpecialRegister::NctaidZ},
    {"%laneid", SpecialRegister::LaneId},    {"%warpid", SpecialRegister::WarpId},
    {"%nwarpid", SpecialRegister::NWarpId},  {"%smid", SpecialRegister::SmId},
    {"%nsmid", SpecialRegister::NSmId},      {"%gridid", SpecialRegister::GridId},
    {"%lanemask_eq", SpecialRegister::LaneMaskEq}, {"%lanemask_le", SpecialRegister::LaneMaskLe},
    {"%lanemask_lt", SpecialRegister::LaneMaskLt}, {"%lanemask_ge", SpecialRegister::LaneMaskGe},
    {"%lanemask_gt", SpecialRegister::LaneMaskGt},
    {"%dynamic_smem_size", SpecialRegister::DynamicShared},
    {"%total_smem_size", SpecialRegister::TotalShared},
    {"%cluster_ctarank", SpecialRegister::ClusterZero}, {"%cluster_nctarank", SpecialRegister::ClusterOne},
    {"%cluster_ctaid.x", SpecialRegister::ClusterZero}, {"%cluster_ctaid.y", SpecialRegister::ClusterZero},
    {"%cluster_ctaid.z", SpecialRegister::ClusterZero}, {"%cluster_nctaid.x", SpecialRegister::ClusterOne},
    {"%cluster_nctaid.y", SpecialRegister::ClusterOne}, {"%cluster_nctaid.z", SpecialRegister::ClusterOne},
    {"%clusterid.x", SpecialRegister::CtaidX}, {"%clusterid.y", SpecialRegister::CtaidY},
    {"%clusterid.z", SpecialRegister::CtaidZ}, {"%nclusterid.x", SpecialRegister::NctaidX},
    {"%nclusterid.y", SpecialRegister::NctaidY}, {"%nclusterid.z", SpecialRegister::NctaidZ},
    {"%clock", SpecialRegister::Clock}, {"%clock64", SpecialRegister::Clock64},
};

class Decoder {
 public:
  Decoder(const Entry &entry, const SymbolTable &symbols, SourceError &error)
      : entry_(entry), symbols_(symbols), error_(error), program_(std::make_unique<Program>()) {}

  std::unique_ptr<Program> run() {
    program_->entry = &entry_;
    if (!layOutVariables()) return nullptr;
    for (size_t i = 0; i < entry_.body.size(); ++i) {
      statement_ = &entry_.body[i], index_ = static_cast<uint32_t>(i);
      if (!decodeStatement()) return nullptr;
      if (program_->code.size() > kMaxInstructions) return fail("more than 1048576 instructions"), nullptr;
    }
    // Falling off the end is a return.
    Inst end;
    end.handler = findOp("ret").special->handler, end.pipe = Pipe::Control, end.synthetic = true;
    end.statement = entry_.body.empty() ? 0 : static_cast<uint32_t>(entry_.body.size() - 1);
    program_->code.push_back(end);
    if (!resolveLabels()) return nullptr;
    findReconvergence(program_->code);
    return std::move(program_);
  }

 private:
  bool fail(std::string message) {
    error_ = {statement_ ? statement_->line : entry_.line, std::move(message)};
    return false;
  }

  // ---- variables
  static uint64_t alignUp(uint64_t n, uint64_t to) { return to ? (n + to - 1) / to * to : n; }

  bool layOutVariables() {
    uint64_t shared = kReservedShared, local = 0;
    for (const Variable &v : entry_.variables) {
      if (v.space == "shared" && !v.isExtern) placeShared(v, shared);
      if (v.space == "local") {
        local = alignUp(local, v.alignment);
        addresses_[scoped(v.name, v.scope)] = local;
        local += v.bytes;
      }
      if (v.space == "global" || v.space == "const") return fail("a module's variable inside an entry");
    }
    if (local > kMaxLocalBytes) return fail("more than 512 KiB of local memory");
    program_->localBytes = static_cast<uint32_t>(local);
    program_->sharedBytes = static_cast<uint32_t>(shared);
    return true;
  }
  void placeShared(const Variable &v, uint64_t &shared) {
    shared = alignUp(shared, v.alignment);
    addresses_[scoped(v.name, v.scope)] = shared;
    shared += v.bytes;
  }

 public:
  /// Shared variables of the module take room where an entry uses them.
  void moduleShared(const SourceModule &module) {
    for (const Variable &v : module.variables)
      if (v.space == "shared") moduleShared_[v.name] = &v;
  }

 private:
  static std::string scoped(const std::string &name, uint32_t scope) {
    return name + "@" + std::to_string(scope);
  }
  /// Calls f(key) for `name` in this scope and those around it until one fits.
  template <class F>
  bool inScopes(const std::string &name, F f) const {
    for (uint32_t scope = statement_->scope;; scope = entry_.scopeParents[scope]) {
      if (f(scoped(name, scope), scope)) return true;
      if (scope == 0) return false;
    }
  }

  std::optional<uint64_t> symbolAddress(const std::string &name) {
    std::optional<uint64_t> found;
    inScopes(name, [&](const std::string &key, uint32_t) {
      auto it = addresses_.find(key);
      if (it != addresses_.end()) found = it->second;
      return found.has_value();
    });
    if (found) return found;
    if (auto it = symbols_.find(name); it != symbols_.end()) return it->second;
    for (const Parameter &p : entry_.parameters)
      if (p.name == name) return p.offset;
    auto it = moduleShared_.find(name);
    if (it == moduleShared_.end()) return std::nullopt;
    const Variable &v = *it->second;
    if (v.bytes == 0) {  // dynamic: after everything static, see finishShared
      program_->usesDynamicShared = true;
      program_->dynamicAlignment = std::max<uint32_t>(program_->dynamicAlignment, static_cast<uint32_t>(v.alignment));
      return std::nullopt;
    }
    uint64_t shared = program_->sharedBytes;
    shared = alignUp(shared, v.alignment);
    addresses_[scoped(name, 0)] = shared;
    program_->sharedBytes = static_cast<uint32_t>(shared + v.bytes);
    return shared;
  }
  bool isDynamicShared(const std::string &name) const {
    auto it = moduleShared_.find(name);
    return it != moduleShared_.end() && it->second->bytes == 0;
  }

  // ---- rows
  std::optional<Slot> newRow(uint8_t bits) {
    uint32_t bytes = bits == 64 ? 256 : 128;
    if (program_->registerBytes + bytes > kMaxRegisterBytes) return std::nullopt;
    Slot slot = program_->registerBytes;
    program_->registerBytes += bytes;
    return slot;
  }

  Slot constant(uint64_t value, RowKind kind) {
    auto [it, fresh] = constants_.try_emplace({value, kind}, 0);
    if (!fresh) return it->second;
    auto &rows = program_->constants;
    Slot slot = static_cast<Slot>(rows.size()) | 1;
    int bytes = kind == RowKind::Row64 ? 8 : 4;
    if (kind == RowKind::Pred) value = value ? 0xffffffff : 0;
    rows.resize(rows.size() + static_cast<size_t>(kLanes * bytes));
    for (int l = 0; l < kLanes; ++l) std::memcpy(&rows[(slot & ~1u) + static_cast<size_t>(l * bytes)], &value, bytes);
    return it->second = slot;
  }

  /// The last declared of that name: NAME itself, or NAME of a range.
  std::optional<Register> registerNamed(const std::string &name) {
    std::optional<Register> found;
    inScopes(name, [&](const std::string &key, uint32_t scope) {
      auto it = registers_.find(key);
      if (it != registers_.end()) return found = it->second, true;
      for (const RegisterDeclaration &r : entry_.registers)
        if (r.scope == scope && declares(r, name)) {
          auto bits = scalarType(r.type)->bits;
          auto slot = newRow(bits);
          if (slot) registers_[key] = {*slot, bits}, found = registers_[key];
          return true;
        }
      return false;
    });
    return found;
  }
  static bool declares(const RegisterDeclaration &r, const std::string &name) {
    if (r.count == 0) return r.prefix == name;
    if (name.size() <= r.prefix.size() || name.compare(0, r.prefix.size(), r.prefix) != 0) return false;
    if (name.size() - r.prefix.size() > 9) return false;
    uint64_t n = 0;
    for (size_t i = r.prefix.size(); i < name.size(); ++i) {
      if (name[i] < '0' || name[i] > '9') return false;
      n = n * 10 + static_cast<uint64_t>(name[i] - '0');
    }
    return n < r.count;
  }

  std::optional<Register> specialRegister(const std::string &name) {
    for (auto [text, which] : kSpecial)
      if (name == text) {
        uint8_t bits = which == SpecialRegister::Clock64 || which == SpecialRegister::GridId ? 64 : 32;
        auto [it, fresh] = registers_.try_emplace(name, Register{0, bits});
        if (fresh) {
          it->second.slot = *newRow(bits);
          program_->special.push_back({it->second.slot, which});
        }
        return it->second;
      }
    return std::nullopt;
  }

  static uint64_t immediateBits(const Operand &o, uint8_t bits) {
    double d;
    float f;
    if (o.kind == Operand::Kind::Float64 && bits == 32) {
      std::memcpy(&d, &o.bits, 8);
      f = static_cast<float>(d);
      uint32_t x;
      std::memcpy(&x, &f, 4);
      return x;
    }
    if (o.kind == Operand::Kind::Float32 && bits == 64) {
      uint32_t x = static_cast<uint32_t>(o.bits);
      std::memcpy(&f, &x, 4);
      d = f;
      uint64_t y;
      std::memcpy(&y, &d, 8);
      return y;
    }
    return o.bits;
  }

  static RowKind rowKind(uint8_t bits) {
    return bits == 1 ? RowKind::Pred : bits == 64 ? RowKind::Row64 : RowKind::Row32;
  }

  /// A source value as a row of `kind`; kNoSlot after reporting.
  Slot source(const Operand &o, RowKind kind, bool mayNarrow = false) {
    uint8_t bits = kind == RowKind::Row64 ? 64 : kind == RowKind::Pred ? 1 : 32;
    if (o.kind != Operand::Kind::Name && o.kind != Operand::Kind::Vector && o.kind != Operand::Kind::Address &&
        o.kind != Operand::Kind::List)
      return constant(immediateBits(o, bits), kind);
    if (o.kind != Operand::Kind::Name) return fail("an operand of the wrong form"), kNoSlot;
    auto r = registerNamed(o.name);
    if (!r) r = specialRegister(o.name);
    if (r) return registerAs(*r, o, kind, mayNarrow);
    if (o.name == "WARP_SZ") return constant(32, kind);
    if (isDynamicShared(o.name)) {
      symbolAddress(o.name);
      Slot slot = constant(0xd000000000000000ull + o.bits, kind);
      dynamicConstants_.push_back({slot, kind, o.bits});
      return slot;
    }
    auto address = symbolAddress(o.name);
    if (!address) return fail("'" + printable(o.name, 60) + "' is not declared"), kNoSlot;
    return constant(*address + o.bits, kind);
  }

  Slot registerAs(const Register &r, const Operand &o, RowKind kind, bool mayNarrow) {
    if (o.bits) return fail("a displacement on a register outside an address"), kNoSlot;
    if (rowKind(r.bits) == kind) return o.negated ? negated(r.slot) : r.slot;
    if (kind == RowKind::Row32 && r.bits == 64 && mayNarrow) {
      auto row = newRow(32);
      if (!row) return fail("too many registers"), kNoSlot;
      emitLane("$low32", *row, {r.slot});
      return *row;
    }
    return fail("'" + printable(o.name, 60) + "' has the wrong size for " + printable(statement_->opcode, 60)), kNoSlot;
  }
  Slot negated(Slot predicate) {
    auto row = newRow(1);
    if (!row) return fail("too many registers"), kNoSlot;
    emitLane("not.pred", *row, {predicate});
    return *row;
  }

  /// A result's register. `_` gets a row of its own.
  std::optional<Register> result(const Operand &o, uint8_t bitsOfSink) {
    if (o.kind != Operand::Kind::Name) return fail("a result that is no register"), std::nullopt;
    if (o.name == "_") return Register{*newRow(bitsOfSink), bitsOfSink};
    auto r = registerNamed(o.name);
    if (!r) fail("'" + printable(o.name, 60) + "' is not declared");
    return r;
  }

  // ---- emission
  Inst &emit(Pipe pipe) {
    Inst in;
    in.pipe = pipe, in.statement = index_, in.guard = guard_, in.guardNegated = statement_->guardNegated;
    in.synthetic = emitted_++ != 0;
    program_->code.push_back(in);
    return program_->code.back();
  }
  void emitLane(const char *opcode, Slot result, std::initializer_list<Slot> sources) {
    OpMatch m = findOp(opcode);
    Inst &in = emit(m.lane->pipe);
    in.lane = laneFunction(m.laneIndex), in.result = result, in.resultKind = m.lane->result;
    Slot *into[] = {&in.a, &in.b, &in.c, &in.d};
    int i = 0;
    for (Slot s : sources) *into[i++] = s == kNoSlot ? 0 : s;
  }

  // ---- statements
  bool decodeStatement() {
    const Statement &s = *statement_;
    if (!s.label.empty()) {
      auto [it, fresh] = labels_.try_emplace(scoped(s.label, s.scope), program_->code.size());
      return fresh ? true : fail("a second label '" + printable(s.label, 60) + "'");
    }
    emitted_ = 0, guard_ = kNoSlot;
    if (!s.guard.empty()) {
      auto r = registerNamed(s.guard);
      if (!r || r->bits != 1) return fail("'" + printable(s.guard, 60) + "' is no predicate");
      guard_ = r->slot;
    }
    if (s.opcode.rfind("setp.", 0) == 0) return decodeSetp();
    if (s.opcode.rfind("mov.", 0) == 0 && s.operands.size() == 2) {
      if (s.operands[1].kind == Operand::Kind::Vector) return decodePack();
      if (s.operands[0].kind == Operand::Kind::Vector) return decodeUnpack();
      if (auto which = clockRegister(s.operands[1])) return decodeClock(*which);
    }
    OpMatch m = findOp(s.opcode);
    if (m.lane) return decodeLane(m, s.operands);
    if (m.special) return decodeSpecial(m);
    return fail("the instruction " + printable(s.opcode, 80) + " is not known to the emulator");
  }

  bool decodeLane(const OpMatch &m, const std::vector<Operand> &operands) {
    size_t count = 0;
    while (count < 4 && m.lane->operands[count] != RowKind::None) ++count;
    if (operands.size() != count + 1)
      return fail(printable(statement_->opcode, 60) + " takes " + std::to_string(count + 1) + " operands");
    Slot sources[4] = {};  // where there is no operand, any row will do
    bool isCvt = statement_->opcode.rfind("cvt.", 0) == 0;
    for (size_t i = 0; i < count; ++i) {
      sources[i] = source(operands[i + 1], m.lane->operands[i], isCvt);
      if (sources[i] == kNoSlot) return false;
    }
    auto r = result(operands[0], m.lane->result == RowKind::Row64 ? 64 : m.lane->result == RowKind::Pred ? 1 : 32);
    if (!r) return false;
    if (rowKind(r->bits) != m.lane->result)
      return fail("'" + printable(operands[0].name, 60) + "' has the wrong size for " + printable(statement_->opcode, 60));
    Inst &in = emit(m.lane->pipe);
    in.lane = laneFunction(m.laneIndex), in.result = r->slot, in.resultKind = m.lane->result;
    in.a = sources[0], in.b = sources[1], in.c = sources[2], in.d = sources[3];
    return true;
  }

  /// setp.CMP{.BOOL}.type p{|q}, a, b{, c}: p = CMP(a, b) BOOL c, q = !CMP(a, b) BOOL c.
  /// Of pairs: p of the low halves, q of the high ones.
  bool decodeSetp() {
    const Statement &s = *statement_;
    std::string opcode = s.opcode, combine;
    for (const char *op : {"and", "or", "xor"}) {
      std::string word = std::string(".") + op + ".";
      if (size_t at = opcode.find(word); at != std::string::npos)
        combine = std::string(op) + ".pred", opcode.replace(at, word.size(), ".");
    }
    OpMatch m = findOp(opcode);
    if (!m.lane) return fail("the instruction " + printable(s.opcode, 80) + " is not known to the emulator");
    if (s.operands.size() != (combine.empty() ? 3u : 4u)) return fail("setp with a wrong number of operands");
    bool pairs = opcode.ends_with("x2");
    if (pairs && s.operands[0].second.empty()) return fail("setp of pairs without a second result");
    if (combine.empty() && s.operands[0].second.empty()) return decodeLane(m, s.operands);
    Slot a = source(s.operands[1], m.lane->operands[0]), b = source(s.operands[2], m.lane->operands[1]);
    if (a == kNoSlot || b == kNoSlot) return false;
    Slot c = combine.empty() ? kNoSlot : source(s.operands[3], RowKind::Pred);
    if (!combine.empty() && c == kNoSlot) return false;
    auto p = result(s.operands[0], 1);
    Operand second;
    second.name = s.operands[0].second.empty() ? "_" : s.operands[0].second;
    auto q = result(second, 1);
    auto compared = newRow(1), other = newRow(1);
    if (!p || !q || !compared || !other) return false;
    if (p->bits != 1 || q->bits != 1) return fail("setp's result is no predicate");
    if (c != kNoSlot) {  // p may be c as well
      auto copy = newRow(1);
      if (!copy) return fail("too many registers");
      emitLane("mov.pred", *copy, {c});
      c = *copy;
    }
    emitLane(opcode.c_str(), *compared, {a, b});
    if (pairs)
      emitLane(("$setp-high" + opcode.substr(4)).c_str(), *other, {a, b});
    else
      emitLane("not.pred", *other, {*compared});
    emitLane(combine.empty() ? "mov.pred" : combine.c_str(), p->slot, {*compared, c});
    emitLane(combine.empty() ? "mov.pred" : combine.c_str(), q->slot, {*other, c});
    return true;
  }

  bool decodePack() {
    const Operand &v = statement_->operands[1];
    auto r = result(statement_->operands[0], 32);
    if (!r) return false;
    std::vector<Slot> parts;
    uint8_t bits = static_cast<uint8_t>(v.items.empty() ? 0 : r->bits / v.items.size());
    if (bits != 8 && bits != 16 && bits != 32) return fail("mov of a vector that does not fill its result");
    for (const Operand &item : v.items) {
      Slot s = source(item, RowKind::Row32);
      if (s == kNoSlot) return false;
      parts.push_back(s);
    }
    for (; parts.size() > 1; bits = static_cast<uint8_t>(bits * 2)) {
      const char *op = bits == 8 ? "$pack8" : bits == 16 ? "$pack16" : "$pack32";
      std::vector<Slot> wider;
      for (size_t i = 0; i + 1 < parts.size(); i += 2) {
        auto row = parts.size() == 2 ? std::optional<Slot>(r->slot) : newRow(32);
        if (!row) return fail("too many registers");
        emitLane(op, *row, {parts[i], parts[i + 1]});
        wider.push_back(*row);
      }
      parts = std::move(wider);
    }
    return true;
  }

  bool decodeUnpack() {
    const Operand &v = statement_->operands[0];
    uint8_t whole = statement_->opcode == "mov.b64" ? 64 : statement_->opcode == "mov.b32" ? 32 : 16;
    Slot from = source(statement_->operands[1], rowKind(whole));
    if (from == kNoSlot) return false;
    int bits = v.items.empty() ? 0 : whole / static_cast<int>(v.items.size());
    std::string op = "$extract" + std::to_string(bits) + "." + std::to_string(whole);
    if (!findOp(op).lane) return fail("mov to a vector that its source does not fill");
    for (size_t i = 0; i < v.items.size(); ++i) {
      if (v.items[i].name == "_") continue;
      auto r = result(v.items[i], 32);
      if (!r) return false;
      if (rowKind(r->bits) != RowKind::Row32) return fail("mov to a vector of wrong registers");
      emitLane(op.c_str(), r->slot, {from, constant(i, RowKind::Row32)});
    }
    if (!emitted_) emit(Pipe::Move).handler = findOp("$nothing").special->handler;
    return true;
  }

  static std::optional<SpecialRegister> clockRegister(const Operand &o) {
    if (o.name == "%clock") return SpecialRegister::Clock;
    if (o.name == "%clock64" || o.name == "%globaltimer") return SpecialRegister::Clock64;
    return std::nullopt;
  }
  bool decodeClock(SpecialRegister which) {
    auto r = result(statement_->operands[0], 64);
    if (!r) return false;
    if ((r->bits == 64) != (which == SpecialRegister::Clock64)) return fail("a clock of the wrong size");
    Inst &in = emit(Pipe::Move);
    in.handler = findOp("$clock").special->handler, in.result = r->slot, in.resultKind = rowKind(r->bits);
    return true;
  }

  // ---- special instructions
  bool decodeSpecial(const OpMatch &m) {
    program_->details.emplace_back();
    Detail &d = program_->details.back();
    d.words = m.words;
    for (std::string_view word : m.words) describeWord(d, word);
    size_t next = 0;
    uint32_t label = kNoSlot;
    for (const char *c = m.special->signature; *c; ++c) {
      bool optional = c[1] == '?';
      d.args.emplace_back();
      size_t left = statement_->operands.size() - next;
      bool missing = left == 0 || (optional && left <= mandatory(c + 2));
      if (missing && !optional) return fail(printable(statement_->opcode, 60) + " with too few operands");
      if (!missing && !argument(d.args.back(), *c, statement_->operands[next++], d, label)) return false;
      c += optional;
    }
    if (next != statement_->operands.size()) return fail(printable(statement_->opcode, 60) + " with too many operands");
    std::string message;
    if (m.special->prepare && !m.special->prepare(d, message)) return fail(printable(statement_->opcode, 80) + ": " + message);
    Inst &in = emit(m.special->pipe);
    in.handler = m.special->handler, in.detail = &d, in.target = label;
    return true;
  }

  static size_t mandatory(const char *signature) {
    size_t n = 0;
    for (const char *c = signature; *c; ++c) n += *c != '?' && c[1] != '?';
    return n;
  }

  static void describeWord(Detail &d, std::string_view word) {
    if (auto t = scalarType(word)) d.elementBytes = static_cast<uint8_t>(t->bits < 8 ? 4 : t->bits / 8), d.kind = t->kind;
    if (word == "global") d.space = Space::Global;
    if (word == "shared" || word == "shared::cta" || word == "shared::cluster") d.space = Space::Shared;
    if (word == "local") d.space = Space::Local;
    if (word == "param" || word == "param::entry") d.space = Space::Param;
    if (word == "const") d.space = Space::Const;
  }

  bool argument(Argument &arg, char letter, const Operand &o, Detail &d, uint32_t &label) {
    arg.present = true;
    switch (letter) {
      case 'A': return addressArgument(arg, o);
      case '#':
        if (o.kind != Operand::Kind::Integer) return fail("an operand that must be a number is none");
        arg.offset = static_cast<int64_t>(o.bits);
        return true;
      case 'L':
        if (o.kind != Operand::Kind::Name) return fail("a branch without a label");
        label = static_cast<uint32_t>(branches_.size());
        branches_.push_back({program_->code.size(), index_, o.name});
        return true;
      case 'D': return eachItem(o, [&](const Operand &item) { return resultRow(arg, item, d); }) && secondResult(arg, o, d);
      case 'V': return eachItem(o, [&](const Operand &item) { return valueRow(arg, item, d); });
      default: return valueOf(arg, o, letter == '8' ? RowKind::Row64 : letter == 'P' ? RowKind::Pred : RowKind::Row32);
    }
  }
  template <class F>
  bool eachItem(const Operand &o, F f) {
    if (o.kind != Operand::Kind::Vector) return f(o);
    for (const Operand &item : o.items)
      if (!f(item)) return false;
    return true;
  }
  bool resultRow(Argument &arg, const Operand &item, Detail &d) {
    auto r = result(item, static_cast<uint8_t>(d.elementBytes == 8 ? 64 : 32));
    if (!r) return false;
    arg.rows.push_back(r->slot), arg.bits.push_back(r->bits);
    return true;
  }
  bool secondResult(Argument &arg, const Operand &o, Detail &d) {
    if (o.second.empty()) return true;
    Operand second;
    second.name = o.second;
    auto r = result(second, 1);
    if (!r) return false;
    if (r->bits != 1) return fail("the second result is no predicate");
    arg.rows.push_back(r->slot), arg.bits.push_back(1);
    return true;
  }
  /// A register of any size that holds the type, or a constant.
  bool valueRow(Argument &arg, const Operand &item, Detail &d) {
    if (item.kind == Operand::Kind::Name)
      if (auto r = registerNamed(item.name)) {
        arg.rows.push_back(r->slot), arg.bits.push_back(r->bits);
        return true;
      }
    return valueOf(arg, item, d.elementBytes == 8 ? RowKind::Row64 : RowKind::Row32);
  }
  bool valueOf(Argument &arg, const Operand &o, RowKind kind) {
    Slot s = source(o, kind, kind == RowKind::Row32);
    if (s == kNoSlot) return false;
    arg.rows.push_back(s);
    arg.bits.push_back(kind == RowKind::Row64 ? 64 : kind == RowKind::Pred ? 1 : 32);
    return true;
  }
  bool addressArgument(Argument &arg, const Operand &o) {
    if (o.kind != Operand::Kind::Address) return fail("an address that is not in brackets");
    for (const Operand &item : o.items)
      if (!eachItem(item, [&](const Operand &i) { return valueOf(arg, i, RowKind::Row32); })) return false;
    arg.offset = static_cast<int64_t>(o.bits);
    if (o.name.empty()) return true;
    auto r = registerNamed(o.name);
    if (r) {
      if (r->bits != 32 && r->bits != 64) return fail("an address in a register of the wrong size");
      arg.base = r->slot, arg.baseBits = r->bits;
      return true;
    }
    Operand symbol;
    symbol.name = o.name;
    arg.base = source(symbol, RowKind::Row64), arg.baseBits = 64;
    return arg.base != kNoSlot;
  }

  // ---- after all statements
  bool resolveLabels() {
    for (const Branch &b : branches_) {
      statement_ = &entry_.body[b.statement];
      uint32_t target = kNoSlot;
      inScopes(b.label, [&](const std::string &key, uint32_t) {
        auto it = labels_.find(key);
        if (it != labels_.end()) target = static_cast<uint32_t>(it->second);
        return it != labels_.end();
      });
      if (target == kNoSlot) return fail("no label '" + printable(b.label, 60) + "'");
      for (size_t i = b.position; i < program_->code.size(); ++i)
        if (program_->code[i].statement == b.statement && !program_->code[i].lane) {
          program_->code[i].target = target;
          break;
        }
    }
    // Dynamic shared memory begins after everything static.
    program_->sharedBytes = static_cast<uint32_t>(alignUp(program_->sharedBytes, program_->usesDynamicShared ? program_->dynamicAlignment : 1));
    for (const auto &d : dynamicConstants_) {
      uint64_t value = program_->sharedBytes + d.displacement;
      size_t bytes = d.kind == RowKind::Row64 ? 8 : 4;
      for (size_t l = 0; l < kLanes; ++l) std::memcpy(&program_->constants[(d.slot & ~1u) + l * bytes], &value, bytes);
    }
    return true;
  }

  struct Branch {
    size_t position;
    uint32_t statement;
    std::string label;
  };
  struct DynamicConstant {
    Slot slot;
    RowKind kind;
    uint64_t displacement;
  };

  const Entry &entry_;
  const SymbolTable &symbols_;
  SourceError &error_;
  std::unique_ptr<Program> program_;
  const Statement *statement_ = nullptr;
  uint32_t index_ = 0, emitted_ = 0;
  Slot guard_ = kNoSlot;
  std::map<std::string, Register> registers_;
  std::map<std::string, uint64_t> addresses_;
  std::map<std::string, const Variable *> moduleShared_;
  std::map<std::string, size_t> labels_;
  std::map<std::pair<uint64_t, RowKind>, Slot> constants_;
  std::vector<Branch> branches_;
  std::vector<DynamicConstant> dynamicConstants_;
};

}  // namespace

std::unique_ptr<Program> decode(const Entry &entry, const SourceModule &module,
                                const SymbolTable &symbols, SourceError &error) {
  Decoder decoder(entry, symbols, error);
  decoder.moduleShared(module);
  return decoder.run();
}

}  // namespace adze::ptx
