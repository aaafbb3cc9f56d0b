// Instructions in which lanes of a warp see each other: shuffles, votes,
// matches, reductions; and additions with a carry.
#include "lib/PtxEmulator/Exec.h"

namespace adze::ptx {

namespace {

uint32_t uniform(const Step &step, const Argument &arg) {
  return static_cast<uint32_t>(step.value(arg, 0, step.firstLane()));
}
void writePredicate(const Step &step, Slot slot, uint32_t value) {
  uint32_t &p = *step.row32(slot);
  p = (p & ~step.mask) | (value & step.mask);
}
uint32_t holding(const Step &step, const Argument &arg) { return *step.row32(arg.rows[0]) & step.mask; }

enum ShuffleMode : uint32_t { kUp, kDown, kButterfly, kIndex };
enum VoteMode : uint32_t { kAll, kAny, kUniform, kBallot };
enum ReduxOp : uint32_t { kAdd, kMin, kMax, kAnd, kOr, kXor };

}  // namespace

bool prepareShuffle(Detail &d, std::string &) {
  for (std::string_view w : d.words)
    d.values[0] = w == "up" ? kUp : w == "down" ? kDown : w == "bfly" ? kButterfly : w == "idx" ? kIndex : d.values[0];
  return true;
}

/// PTX ISA, shfl.sync: operands result|inRange, a, b, c, members.
Flow execShuffle(Step &step) {
  const Detail &d = step.detail();
  Flow flow;
  if (!haveMembers(step, uniform(step, d.args[4]), flow)) return flow;
  uint32_t source[kLanes], fresh[kLanes], inRange = 0;
  const uint32_t *a = step.row32(d.args[1].rows[0]);
  for (int l = 0; l < kLanes; ++l) source[l] = a[l];
  eachLane(step.mask, [&](int l) {
    uint32_t lane = static_cast<uint32_t>(l), b = step.row32(d.args[2].rows[0])[l] & 31, c = step.row32(d.args[3].rows[0])[l];
    uint32_t segment = c >> 8 & 31, clamp = c & 31;
    uint32_t most = (lane & segment) | (clamp & ~segment), least = lane & segment;
    int j = 0;
    bool ok = false;
    switch (d.values[0]) {
      case kUp: j = l - static_cast<int>(b), ok = j >= static_cast<int>(most); break;
      case kDown: j = l + static_cast<int>(b), ok = j <= static_cast<int>(most); break;
      case kButterfly: j = l ^ static_cast<int>(b), ok = j <= static_cast<int>(most); break;
      default: j = static_cast<int>(least | (b & ~segment)), ok = j <= static_cast<int>(most); break;
    }
    if (!ok) j = l;
    inRange |= static_cast<uint32_t>(ok) << l;
    fresh[l] = source[j & 31];
    if (step.checks() && !(step.mask >> (j & 31) & 1))
      step.find(FindingKind::InactiveLane, [&] {
        return "lane " + std::to_string(l) + " takes the value of lane " + std::to_string(j) + ", which does not take part";
      });
  });
  eachLane(step.mask, [&](int l) { step.row32(d.args[0].rows[0])[l] = fresh[l]; });
  if (d.args[0].rows.size() > 1) writePredicate(step, d.args[0].rows[1], inRange);
  return Flow::Next;
}

bool prepareVote(Detail &d, std::string &) {
  for (std::string_view w : d.words)
    d.values[0] = w == "all" ? kAll : w == "any" ? kAny : w == "uni" ? kUniform : w == "ballot" ? kBallot : d.values[0];
  return true;
}

Flow execVote(Step &step) {
  const Detail &d = step.detail();
  Flow flow;
  if (!haveMembers(step, uniform(step, d.args[2]), flow)) return flow;
  uint32_t votes = holding(step, d.args[1]);
  if (d.values[0] == kBallot) {
    eachLane(step.mask, [&](int l) { step.row32(d.args[0].rows[0])[l] = votes; });
    return Flow::Next;
  }
  bool all = votes == step.mask, none = votes == 0;
  bool result = d.values[0] == kAll ? all : d.values[0] == kAny ? !none : all || none;
  writePredicate(step, d.args[0].rows[0], result ? ~0u : 0);
  return Flow::Next;
}

Flow execActiveMask(Step &step) {
  eachLane(step.mask, [&](int l) { step.row32(step.detail().args[0].rows[0])[l] = step.mask; });
  return Flow::Next;
}

bool prepareMatch(Detail &d, std::string &) {
  for (std::string_view w : d.words) d.values[0] |= w == "all";
  return true;
}

Flow execMatch(Step &step) {
  const Detail &d = step.detail();
  Flow flow;
  if (!haveMembers(step, uniform(step, d.args[2]), flow)) return flow;
  uint32_t equal[kLanes];
  eachLane(step.mask, [&](int l) {
    equal[l] = 0;
    eachLane(step.mask, [&](int o) {
      equal[l] |= static_cast<uint32_t>(step.value(d.args[1], 0, l) == step.value(d.args[1], 0, o)) << o;
    });
  });
  bool all = equal[step.firstLane()] == step.mask;
  eachLane(step.mask, [&](int l) {
    step.row32(d.args[0].rows[0])[l] = !d.values[0] ? equal[l] : all ? step.mask : 0;
  });
  if (d.args[0].rows.size() > 1) writePredicate(step, d.args[0].rows[1], all ? ~0u : 0);
  return Flow::Next;
}

bool prepareRedux(Detail &d, std::string &) {
  constexpr std::pair<std::string_view, ReduxOp> kOps[] = {{"add", kAdd}, {"min", kMin}, {"max", kMax},
                                                           {"and", kAnd}, {"or", kOr}, {"xor", kXor}};
  for (std::string_view w : d.words)
    for (auto [name, op] : kOps)
      if (w == name) d.values[0] = op;
  return true;
}

Flow execRedux(Step &step) {
  const Detail &d = step.detail();
  Flow flow;
  if (!haveMembers(step, uniform(step, d.args[2]), flow)) return flow;
  const uint32_t *a = step.row32(d.args[1].rows[0]);
  uint32_t r = a[step.firstLane()];
  eachLane(step.mask & (step.mask - 1), [&](int l) {
    bool less = d.kind == 's' ? static_cast<int32_t>(a[l]) < static_cast<int32_t>(r) : a[l] < r;
    switch (d.values[0]) {
      case kAdd: r += a[l]; break;
      case kMin: r = less ? a[l] : r; break;
      case kMax: r = less ? r : a[l]; break;
      case kAnd: r &= a[l]; break;
      case kOr: r |= a[l]; break;
      default: r ^= a[l];
    }
  });
  eachLane(step.mask, [&](int l) { step.row32(d.args[0].rows[0])[l] = r; });
  return Flow::Next;
}

/// The first of the lanes is elected.
Flow execElect(Step &step) {
  const Detail &d = step.detail();
  Flow flow;
  if (!haveMembers(step, uniform(step, d.args[1]), flow)) return flow;
  uint32_t leader = static_cast<uint32_t>(step.firstLane());
  eachLane(step.mask, [&](int l) { step.row32(d.args[0].rows[0])[l] = leader; });
  if (d.args[0].rows.size() > 1) writePredicate(step, d.args[0].rows[1], 1u << leader);
  return Flow::Next;
}

enum CarryFlags : uint32_t { kSubtract = 1, kUsesCarry = 2, kSetsCarry = 4 };

bool prepareCarry(Detail &d, std::string &message) {
  for (const Argument &a : d.args)
    if (a.rows.size() != 1 || (a.bits[0] == 64) != (d.elementBytes == 8)) return message = "a register of the wrong size", false;
  d.values[0] = (d.words[0] == "sub" || d.words[0] == "subc" ? kSubtract : 0u) |
                (d.words[0] == "addc" || d.words[0] == "subc" ? kUsesCarry : 0u);
  for (std::string_view w : d.words) d.values[0] |= w == "cc" ? kSetsCarry : 0u;
  return true;
}

/// A subtraction adds the complement; its carry is a borrow's opposite.
Flow execCarry(Step &step) {
  const Detail &d = step.detail();
  uint32_t flags = d.values[0], carry = 0;
  int bits = 8 * d.elementBytes;
  eachLane(step.mask, [&](int l) {
    unsigned __int128 a = step.value(d.args[1], 0, l), b = step.value(d.args[2], 0, l);
    unsigned __int128 full = (static_cast<unsigned __int128>(1) << bits) - 1;
    a &= full, b &= full;
    if (flags & kSubtract) b = ~b & full;
    bool in = flags & kUsesCarry ? step.warp.carry >> l & 1 : flags & kSubtract;
    unsigned __int128 sum = a + b + in;
    carry |= static_cast<uint32_t>(sum >> bits & 1) << l;
    if (bits == 64) step.row64(d.args[0].rows[0])[l] = static_cast<uint64_t>(sum);
    else step.row32(d.args[0].rows[0])[l] = static_cast<uint32_t>(sum);
  });
  if (flags & kSetsCarry) step.warp.carry = (step.warp.carry & ~step.mask) | carry;
  return Flow::Next;
}

}  // namespace adze::ptx
