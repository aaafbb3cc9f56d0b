// wgmma: products of a warpgroup, whose operands lie in shared memory behind
// descriptors. An op is computed when the first of the four warps waits for it,
// the latest moment at which it may still read. Layouts: PTX ISA, "Asynchronous
// warpgroup level matrix instructions"; docs/emulator.md says what hardware
// confirmed.
#include "lib/PtxEmulator/Exec.h"
#include "lib/PtxEmulator/Matrix.h"
#include "lib/PtxEmulator/Numbers.h"

#include <algorithm>
#include <cstring>

namespace adze::ptx {

namespace {

constexpr int kGroup = 4;      // warps
constexpr int kRows = 64;
constexpr int kStepBytes = 32; // of K that one op consumes

struct WgmmaPlan {
  int n = 0, k = 0;
  Element d, a, b;
  bool fromRegisters = false, saturate = false;
  bool transposeA = false, transposeB = false;  ///< M- or N-major
  float scaleA = 1, scaleB = 1;
  int elementBytes() const { return infoOf(a).bits / 8; }
};

/// The fields of a shared memory descriptor, in bytes.
struct Descriptor {
  uint32_t start, leading, stride, swizzle;
  bool known;
};
Descriptor readDescriptor(uint64_t bits) {
  auto field = [&](int at) { return static_cast<uint32_t>(bits >> at & 0x3fff) << 4; };
  constexpr uint32_t kSwizzle[] = {0, 128, 64, 32};
  return {field(0), field(16), field(32), kSwizzle[bits >> 62], (bits >> 49 & 7) == 0};
}

/// Shared address of the 16 bytes that begin at element `along` of the major
/// dimension, in line `across` of the other.
uint32_t pieceAddress(const Descriptor &d, bool kMajor, uint32_t across, uint32_t along, uint32_t elementBytes) {
  uint32_t bytes = along * elementBytes, a;
  if (kMajor)
    a = d.swizzle ? across / 8 * d.stride + across % 8 * d.swizzle + bytes
                  : across / 8 * d.stride + across % 8 * 16 + bytes / 16 * d.leading;
  else
    a = d.swizzle ? bytes / d.swizzle * d.leading + across / 8 * d.stride + across % 8 * d.swizzle + bytes % d.swizzle
                  : bytes / 16 * d.stride + across / 8 * d.leading + across % 8 * 16;
  a += d.start;
  uint32_t pieces = d.swizzle ? d.swizzle / 16 - 1 : 0;
  return a ^ (a >> 7 & pieces) << 4;
}

/// Calls f(address, row, k) for the 16-byte pieces of rows [from, to) of an
/// operand; a piece runs along k, or along rows when `transposed`.
template <class F>
void eachPiece(const WgmmaPlan &p, uint64_t bits, bool transposed, int from, int to, F f) {
  Descriptor d = readDescriptor(bits);
  auto size = static_cast<uint32_t>(p.elementBytes());
  int perPiece = 16 / static_cast<int>(size);
  if (!transposed) {
    for (int r = from; r < to; ++r)
      for (int k = 0; k < p.k; k += perPiece)
        f(pieceAddress(d, true, static_cast<uint32_t>(r), static_cast<uint32_t>(k), size), r, k);
  } else {
    for (int k = 0; k < p.k; ++k)
      for (int r = from; r < to; r += perPiece)
        f(pieceAddress(d, false, static_cast<uint32_t>(k), static_cast<uint32_t>(r), size), r, k);
  }
}

uint32_t element(const uint8_t *piece, int i, int bytes) {
  uint32_t v = 0;
  std::memcpy(&v, piece + i * bytes, static_cast<size_t>(bytes));
  return v;
}

/// The operand as [row][k].
template <class T, class F>
std::vector<T> readOperand(Cta &cta, const WgmmaPlan &p, uint64_t bits, bool transposed, int rows, Element e, F convert) {
  std::vector<T> m(static_cast<size_t>(rows * p.k));
  int per = 16 / p.elementBytes();
  eachPiece(p, bits, transposed, 0, rows, [&](uint32_t at, int r, int k) {
    if (at > cta.shared.size() || cta.shared.size() - at < 16) return;
    const uint8_t *piece = cta.shared.data() + at;
    for (int i = 0; i < per; ++i) {
      int row = transposed ? r + i : r, column = transposed ? k : k + i;
      m[static_cast<size_t>(row * p.k + column)] = convert(e, element(piece, i, p.elementBytes()));
    }
  });
  return m;
}

/// What this warp is answerable for: its rows of A, its quarter of B.
void checkOperands(const Step &step, const WgmmaPlan &p, const WgmmaOp &op) {
  Cta &cta = step.cta;
  std::vector<uint32_t> fences;
  for (const Warp &w : cta.warps) fences.push_back(w.proxyFence);
  int quarter = static_cast<int>(step.warp.index % kGroup);
  SharedMemory::Access access{cta.agentOfWarpgroup(step.warp.index / kGroup), cta.known(step.warp.index).data(), 0,
                              SharedMemory::kManyLanes, fences.data(), cta.warpCount};
  Hazard worst = Hazard::None;
  uint32_t where = 0;
  auto check = [&](uint32_t at, int, int) {
    if (at < kReservedShared || at > cta.shared.size() || cta.shared.size() - at < 16) {
      step.find(FindingKind::OutOfBounds, [&] {
        return "reads shared " + hex(at) + ", shared memory is " + hex(kReservedShared) + " to " + hex(cta.shared.size());
      });
      return;
    }
    Hazard h = cta.shared.read(at, 16, access);
    if (worst == Hazard::None && h != Hazard::None) worst = h, where = at;
  };
  int per = 16 / p.elementBytes(), slice = (p.n / kGroup + per - 1) / per * per;
  if (!p.fromRegisters) eachPiece(p, op.descriptorA, p.transposeA, 16 * quarter, 16 * quarter + 16, check);
  eachPiece(p, op.descriptorB, p.transposeB, std::min(p.n, slice * quarter), std::min(p.n, slice * (quarter + 1)), check);
  if (worst == Hazard::None || !step.checks()) return;
  FindingKind kind = worst == Hazard::Uninitialised ? FindingKind::Uninitialised
                     : worst == Hazard::Pending     ? FindingKind::PendingCopy
                     : worst == Hazard::Unfenced    ? FindingKind::ProxyFence
                                                    : FindingKind::Race;
  step.find(kind, [&] { return "warp " + std::to_string(step.warp.index) + "'s wgmma " + hazardText(worst) + " (shared " + hex(where) + ")"; });
}

/// Once more when it is computed: nothing was written meanwhile.
void checkUnchanged(Cta &cta, const WgmmaPlan &p, const WgmmaOp &op, uint32_t group) {
  bool changed = false;
  SharedMemory::Access access{cta.agentOfWarpgroup(group), nullptr, 0, SharedMemory::kManyLanes, nullptr, 0};
  auto check = [&](uint32_t at, int, int) {
    if (at > cta.shared.size() || cta.shared.size() - at < 16) return;
    changed |= cta.shared.writtenSince(at, 16, op.issued);
    cta.shared.noteRead(at, 16, access);
  };
  if (!p.fromRegisters) eachPiece(p, op.descriptorA, p.transposeA, 0, kRows, check);
  eachPiece(p, op.descriptorB, p.transposeB, 0, p.n, check);
  if (changed)
    cta.machine.find(FindingKind::PendingCopy, *op.inst, [] { return std::string("shared memory was overwritten while the wgmma still read it"); });
}

/// A from registers: as the A fragment of mma, a warp has 16 rows.
template <class T, class F>
std::vector<T> registerOperand(const WgmmaPlan &p, const WgmmaOp *const (&ops)[kGroup], F convert) {
  std::vector<T> m(static_cast<size_t>(kRows * p.k));
  int bits = infoOf(p.a).bits, per = 32 / bits;
  for (int w = 0; w < kGroup; ++w)
    for (int r = 0; r < 4; ++r)
      for (int l = 0; l < kLanes; ++l)
        for (int e = 0; e < per; ++e) {
          uint32_t v = ops[w]->fragmentA[static_cast<size_t>(r * kLanes + l)] >> (bits * e);
          if (bits < 32) v &= (1u << bits) - 1;
          int row = 16 * w + l / 4 + 8 * (r & 1), column = l % 4 * per + (r >> 1) * 4 * per + e;
          m[static_cast<size_t>(row * p.k + column)] = convert(p.a, v);
        }
  return m;
}

TensorSum sumOf(const WgmmaPlan &p) {
  if (infoOf(p.a).bits == 8) return p.d == Element::F16 ? TensorSum::EighthsToHalf : TensorSum::Eighths;
  return p.d == Element::F16 ? TensorSum::Half : TensorSum::Float;
}

template <class T>
std::vector<T> transposed(const std::vector<T> &m, int rows, int columns) {
  std::vector<T> t(m.size());
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) t[static_cast<size_t>(c * rows + r)] = m[static_cast<size_t>(r * columns + c)];
  return t;
}

/// Calls f(row, column, bits of the register, shift) for each element of D.
template <class F>
void eachResult(Cta &cta, const WgmmaPlan &p, const WgmmaOp &op, uint32_t group, F f) {
  const Argument &d = op.inst->detail->args[0];
  bool halves = p.d == Element::F16;
  for (int w = 0; w < kGroup; ++w) {
    uint8_t *registers = cta.warps[group * kGroup + static_cast<uint32_t>(w)].registers;
    for (int i = 0; i < p.n / 2; ++i)
      for (int l = 0; l < kLanes; ++l) {
        int row = 16 * w + l / 4 + 8 * (i >> 1 & 1), column = i / 4 * 8 + l % 4 * 2 + (i & 1);
        auto *reg = reinterpret_cast<uint32_t *>(registers + d.rows[static_cast<size_t>(halves ? i / 2 : i)]) + l;
        f(row * p.n + column, *reg, halves ? 16 * (i & 1) : 0);
      }
  }
}

void compute(Cta &cta, const WgmmaPlan &p, const WgmmaOp *const (&ops)[kGroup], uint32_t group) {
  const WgmmaOp &op = *ops[0];
  size_t count = static_cast<size_t>(kRows * p.n);
  if (infoOf(p.a).integer) {
    auto a = p.fromRegisters ? registerOperand<int32_t>(p, ops, elementToInt)
                             : readOperand<int32_t>(cta, p, op.descriptorA, p.transposeA, kRows, p.a, elementToInt);
    auto b = transposed(readOperand<int32_t>(cta, p, op.descriptorB, p.transposeB, p.n, p.b, elementToInt), p.n, p.k);
    std::vector<int32_t> c(count);
    if (op.keepD) eachResult(cta, p, op, group, [&](int i, uint32_t &reg, int) { c[static_cast<size_t>(i)] = static_cast<int32_t>(reg); });
    multiplyInt(c.data(), a.data(), b.data(), kRows, p.n, p.k, p.saturate);
    eachResult(cta, p, op, group, [&](int i, uint32_t &reg, int) { reg = static_cast<uint32_t>(c[static_cast<size_t>(i)]); });
    return;
  }
  auto a = p.fromRegisters ? registerOperand<float>(p, ops, elementToFloat)
                           : readOperand<float>(cta, p, op.descriptorA, p.transposeA, kRows, p.a, elementToFloat);
  auto b = transposed(readOperand<float>(cta, p, op.descriptorB, p.transposeB, p.n, p.b, elementToFloat), p.n, p.k);
  if (p.scaleA * p.scaleB < 0)
    for (float &x : a) x = -x;
  std::vector<float> c(count);
  if (op.keepD)
    eachResult(cta, p, op, group, [&](int i, uint32_t &reg, int shift) {
      c[static_cast<size_t>(i)] = p.d == Element::F16 ? toFloat(Half{static_cast<uint16_t>(reg >> shift)}) : bitsAs<float>(reg);
    });
  multiplyFloat(c.data(), a.data(), b.data(), kRows, p.n, p.k, sumOf(p));
  eachResult(cta, p, op, group, [&](int i, uint32_t &reg, int shift) {
    float v = c[static_cast<size_t>(i)];
    if (p.d != Element::F16) reg = bitsAs<uint32_t>(canonical(v));
    else reg = (reg & ~(0xffffu << shift)) | static_cast<uint32_t>(toHalf(v).bits) << shift;
  });
}

/// Op number `index` of the group as each warp issued it.
const WgmmaOp *opOf(const Warp &w, uint64_t index) {
  uint64_t first = w.wgmmaIssued - w.wgmma.size();
  return index >= first && index < w.wgmmaIssued ? &w.wgmma[index - first] : nullptr;
}

void execute(Cta &cta, uint32_t group, uint64_t upTo) {
  for (uint64_t &done = cta.wgmmaExecuted[group]; done < upTo; ++done) {
    const WgmmaOp *ops[kGroup];
    for (uint32_t w = 0; w < kGroup; ++w) ops[w] = opOf(cta.warps[group * kGroup + w], done);
    const WgmmaOp &op = *ops[0];
    for (const WgmmaOp *o : ops)
      if (o->inst != op.inst || o->descriptorA != op.descriptorA || o->descriptorB != op.descriptorB || o->keepD != op.keepD)
        cta.machine.find(FindingKind::Warpgroup, *o->inst, [] { return std::string("the four warps give different operands"); });
    const auto &plan = *static_cast<const WgmmaPlan *>(op.inst->detail->plan.get());
    if (cta.machine.config.check) checkUnchanged(cta, plan, op, group);
    compute(cta, plan, ops, group);
    cta.machine.sites[static_cast<size_t>(op.inst - cta.machine.program.code.data())].flops +=
        2ull * kRows * static_cast<uint64_t>(plan.n * plan.k);
  }
}

void markInFlight(const Step &step) {
  Warp &w = step.warp;
  w.inFlight.assign(w.wgmma.empty() ? 0 : step.machine().program.registerBytes / 128 + 1, 0);
  for (const WgmmaOp &op : w.wgmma)
    for (Slot s : op.inst->detail->args[0].rows) w.inFlight[s / 128] = 1;
}

}  // namespace

/// Operands: D, A (descriptor or registers), B, predicate {, scale of A, of B
/// {, transposes}}.
bool prepareWgmma(Detail &d, std::string &message) {
  WgmmaPlan p;
  std::vector<Element> types;
  int m = 0;
  for (std::string_view w : d.words) {
    if (auto s = shapeNamed(w)) m = s->m, p.n = s->n, p.k = s->k;
    if (auto e = elementNamed(w)) types.push_back(e->element);
    p.saturate |= w == "satfinite";
  }
  auto refuse = [&](const char *why) { return message = why, false; };
  if (types.size() != 3 || m != kRows || p.n % 8 || p.n < 8 || p.n > 256) return refuse("not a form of wgmma that is emulated");
  p.d = types[0], p.a = types[1], p.b = types[2];
  if (p.k * infoOf(p.a).bits != 8 * kStepBytes || infoOf(p.a).bits != infoOf(p.b).bits) return refuse("a wrong k for the type");
  p.fromRegisters = d.args[1].rows.size() == 4;
  size_t registers = static_cast<size_t>(p.n / (p.d == Element::F16 ? 4 : 2));
  if (d.args[0].rows.size() != registers) return refuse("D has a wrong number of registers");
  if (!p.fromRegisters && (d.args[1].rows.size() != 1 || d.args[1].bits[0] != 64)) return refuse("A is neither a descriptor nor four registers");
  if (d.args[2].rows.size() != 1 || d.args[2].bits[0] != 64) return refuse("B is no descriptor");
  auto number = [&](size_t i, int64_t missing) { return i < d.args.size() && d.args[i].present ? d.args[i].offset : missing; };
  p.scaleA = static_cast<float>(number(4, 1)), p.scaleB = static_cast<float>(number(5, 1));
  p.transposeA = !p.fromRegisters && number(6, 0), p.transposeB = number(p.fromRegisters ? 6 : 7, 0);
  if ((p.transposeA || p.transposeB) && p.elementBytes() != 2) return refuse("only 16-bit operands may be transposed");
  d.plan = std::make_shared<WgmmaPlan>(p);
  return true;
}

Flow execWgmma(Step &step) {
  const Detail &d = step.detail();
  Warp &w = step.warp;
  if (!wholeWarp(step)) return Flow::Next;
  if (w.index / kGroup * kGroup + kGroup > step.cta.warpCount) {
    step.find(FindingKind::Warpgroup, [] { return std::string("the block has no whole warpgroup here"); });
    return Flow::Next;
  }
  if (!w.wgmmaFenced) step.find(FindingKind::WgmmaFence, [] { return std::string("no wgmma.fence came before"); });
  const WgmmaPlan &p = *static_cast<const WgmmaPlan *>(d.plan.get());
  WgmmaOp op{};
  op.inst = &step.inst, op.keepD = *step.row32(d.args[3].rows[0]) & 1;
  op.descriptorB = step.value(d.args[2], 0, 0);
  if (!p.fromRegisters) op.descriptorA = step.value(d.args[1], 0, 0);
  else
    for (Slot s : d.args[1].rows) op.fragmentA.insert(op.fragmentA.end(), step.row32(s), step.row32(s) + kLanes);
  for (uint64_t bits : {op.descriptorA, op.descriptorB})
    if (!readDescriptor(bits).known)
      step.find(FindingKind::InvalidOperand, [&] { return "a descriptor with a base offset: " + hex(bits); });
  if (step.checks()) checkOperands(step, p, op);
  op.issued = step.cta.shared.tick();
  w.wgmma.push_back(std::move(op));
  ++w.wgmmaIssued;
  if (step.checks()) markInFlight(step);
  step.cta.wake(PathState::AtWgmma, w.index / kGroup);
  return Flow::Next;
}

Flow execWgmmaFence(Step &step) {
  step.converged(FindingKind::DivergentCollective);
  step.warp.wgmmaFenced = true;
  return Flow::Next;
}

Flow execWgmmaCommit(Step &step) {
  step.converged(FindingKind::DivergentCollective);
  step.warp.wgmmaCommits.push_back(step.warp.wgmmaIssued);
  return Flow::Next;
}

Flow execWgmmaWait(Step &step) {
  step.converged(FindingKind::DivergentCollective);
  Warp &w = step.warp;
  uint32_t group = w.index / kGroup;
  auto keep = static_cast<uint64_t>(step.detail().args[0].offset);
  if (w.wgmmaCommits.size() <= keep) return Flow::Next;
  uint64_t upTo = w.wgmmaCommits[w.wgmmaCommits.size() - keep - 1];
  for (uint32_t o = group * kGroup; o < group * kGroup + kGroup; ++o)
    if (step.cta.warps[o].wgmmaIssued < upTo) {
      step.path().state = PathState::AtWgmma, step.path().waitsFor = group;
      return Flow::Blocked;
    }
  execute(step.cta, group, upTo);
  while (!w.wgmma.empty() && w.wgmmaIssued - w.wgmma.size() < upTo) w.wgmma.pop_front();
  while (!w.wgmmaCommits.empty() && w.wgmmaCommits.front() <= upTo) w.wgmmaCommits.pop_front();
  step.cta.known(w.index)[step.cta.agentOfWarpgroup(group)] = step.cta.shared.tick();
  if (step.checks()) markInFlight(step);
  return Flow::Next;
}

/// How many registers a warp has changes nothing here but the rules.
Flow execSetMaxRegisters(Step &step) {
  int64_t n = step.detail().args[0].offset;
  step.converged(FindingKind::DivergentCollective);
  if (n < 24 || n > 256 || n % 8)
    step.find(FindingKind::InvalidOperand, [&] { return std::to_string(n) + " registers: not a multiple of 8 in 24 to 256"; });
  return Flow::Next;
}

}  // namespace adze::ptx
