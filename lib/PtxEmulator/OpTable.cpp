#include "lib/PtxEmulator/OpTable.h"

#include "lib/PtxEmulator/Exec.h"

#include <unordered_map>

namespace adze::ptx {

#define ORDER "[weak|volatile|relaxed|acquire|release|acq_rel|sc|mmio]."
#define SCOPE "[cta|cluster|gpu|sys]."
#define SPACE "[global|shared|shared::cta|shared::cluster|local|const]."
#define CACHE                                                                          \
  "[ca|cg|cs|lu|cv|wb|wt]."                                                             \
  "[L1::evict_normal|L1::evict_unchanged|L1::evict_first|L1::evict_last|L1::no_allocate]." \
  "[L2::evict_last|L2::evict_normal|L2::evict_first]."                                   \
  "[L2::64B|L2::128B|L2::256B]."
#define TYPES "{b8|b16|b32|b64|u8|u16|u32|u64|s8|s16|s32|s64|f16|bf16|f32|f64}"
#define ATOMS "{b16|b32|b64|u32|u64|s32|s64|f16|f16x2|bf16|bf16x2|f32|f64}"
#define SMEM "[shared|shared::cta|shared::cluster]."

// Rows in the manual's order.
static constexpr SpecialOp kSpecialOps[] = {
    // Control
    {"bra.[uni]", Pipe::Control, "L", execBranch},
    {"ret.[uni]", Pipe::Control, "", execReturn},
    {"exit", Pipe::Control, "", execReturn},
    {"trap", Pipe::Control, "", execTrap},
    {"nanosleep.u32", Pipe::Control, "4", execNothing},
    {"$nothing", Pipe::Control, "", execNothing},
    {"$clock", Pipe::Move, "D", execClock},

    // Integers with a carry
    {"{add|sub|addc|subc}.cc.{u32|s32|u64|s64}", Pipe::Alu, "DVV", execCarry, prepareCarry},
    {"{addc|subc}.{u32|s32|u64|s64}", Pipe::Alu, "DVV", execCarry, prepareCarry},

    // Memory
    {"ld.{param|param::entry}.[v2|v4]." TYPES, Pipe::Memory, "DA", execLoadParam, prepareAccess},
    {"ld." ORDER SCOPE SPACE CACHE "[nc]." CACHE "[v2|v4|v8]." TYPES, Pipe::Memory, "DA", execLoad, prepareAccess},
    {"ldu.[global].[v2|v4]." TYPES, Pipe::Memory, "DA", execLoad, prepareAccess},
    {"st." ORDER SCOPE SPACE CACHE "[v2|v4|v8]." TYPES, Pipe::Memory, "AV", execStore, prepareAccess},
    {"prefetch.[global|local].{L1|L2|L2::evict_last|L2::evict_normal}", Pipe::Memory, "A", execNothing},
    {"prefetchu.L1", Pipe::Memory, "A", execNothing},
    {"prefetch.[param|const].tensormap", Pipe::Memory, "A", execNothing},
    {"atom." ORDER SCOPE "[global|shared|shared::cta|shared::cluster].{add|min|max|and|or|xor|exch|inc|dec}.[noftz]." ATOMS,
     Pipe::Memory, "DAV", execAtomic, prepareAtomic},
    {"atom." ORDER SCOPE "[global|shared|shared::cta|shared::cluster].cas." ATOMS, Pipe::Memory, "DAVV", execAtomic, prepareAtomic},
    {"red." ORDER SCOPE "[global|shared|shared::cta|shared::cluster].{add|min|max|and|or|xor|inc|dec}.[noftz].[v2|v4]." ATOMS,
     Pipe::Memory, "AV", execReduce, prepareAtomic},

    // Synchronisation
    {"bar.warp.sync", Pipe::Sync, "4", execWarpBarrier},
    {"{bar|barrier}.[cta].sync.[aligned]", Pipe::Sync, "44?", execBarrier, prepareBarrier},
    {"{bar|barrier}.[cta].arrive.[aligned]", Pipe::Sync, "44", execBarrier, prepareBarrier},
    {"{bar|barrier}.[cta].red.{popc}.[aligned].u32", Pipe::Sync, "D44?P", execBarrier, prepareBarrier},
    {"{bar|barrier}.[cta].red.{and|or}.[aligned].pred", Pipe::Sync, "D44?P", execBarrier, prepareBarrier},
    {"membar.{cta|gl|sys}", Pipe::Sync, "", execFence, prepareFence},
    {"fence.[sc|acq_rel|acquire|release].{cta|cluster|gpu|sys}", Pipe::Sync, "", execFence, prepareFence},
    {"fence.proxy.{alias|async|async.global|async.shared::cta|async.shared::cluster}", Pipe::Sync, "", execFence, prepareFence},
    {"fence.proxy.async.{global|shared::cta|shared::cluster}", Pipe::Sync, "", execFence, prepareFence},
    {"fence.mbarrier_init.release.cluster", Pipe::Sync, "", execFence, prepareFence},
    {"griddepcontrol.{wait|launch_dependents}", Pipe::Sync, "", execNothing},

    // Lanes
    {"shfl.sync.{up|down|bfly|idx}.{b32|u32|s32|f32}", Pipe::Sync, "D4444", execShuffle, prepareShuffle},
    {"vote.sync.{all|any|uni}.pred", Pipe::Sync, "DP4", execVote, prepareVote},
    {"vote.sync.ballot.b32", Pipe::Sync, "DP4", execVote, prepareVote},
    {"activemask.b32", Pipe::Sync, "D", execActiveMask},
    {"match.{any|all}.sync.{b32|b64}", Pipe::Sync, "DV4", execMatch, prepareMatch},
    {"redux.sync.{add|min|max}.{u32|s32}", Pipe::Sync, "DV4", execRedux, prepareRedux},
    {"redux.sync.{and|or|xor}.b32", Pipe::Sync, "DV4", execRedux, prepareRedux},
    {"elect.sync", Pipe::Sync, "D4", execElect},

    // Matrices
    {"ldmatrix.sync.aligned.m8n8.{x1|x2|x4}.[trans]." SMEM "b16", Pipe::Memory, "DA", execLdmatrix, prepareMatrix},
    {"stmatrix.sync.aligned.m8n8.{x1|x2|x4}.[trans]." SMEM "b16", Pipe::Memory, "AV", execStmatrix, prepareMatrix},
    {"movmatrix.sync.aligned.m8n8.trans.b16", Pipe::Memory, "DV", execMovmatrix, prepareMatrix},
    {"mma.sync.aligned.{m8n8k4|m8n8k16|m8n8k32|m16n8k4|m16n8k8|m16n8k16|m16n8k32|m16n8k64}.{row|col}.{row|col}.[satfinite]."
     "{f16|f32|s32|f64}.{f16|bf16|tf32|e4m3|e5m2|s8|u8|s4|u4|f64}.{f16|bf16|tf32|e4m3|e5m2|s8|u8|s4|u4|f64}.{f16|f32|s32|f64}",
     Pipe::Tensor, "DVVV", execMma, prepareMma},
    {"wmma.load.{a|b|c}.sync.aligned.{row|col}.{m16n16k16|m8n32k16|m32n8k16|m16n16k8}." SPACE "{f16|bf16|tf32|s8|u8|f32|s32}",
     Pipe::Memory, "DA4?", execWmmaLoad, prepareWmmaLoad},
    {"wmma.store.d.sync.aligned.{row|col}.{m16n16k16|m8n32k16|m32n8k16|m16n16k8}." SPACE "{f16|f32|s32}",
     Pipe::Memory, "AV4?", execWmmaStore, prepareWmmaStore},
    {"wmma.mma.sync.aligned.{row|col}.{row|col}.{m16n16k16|m8n32k16|m32n8k16|m16n16k8}.{f16|f32|s32}."
     "{f16|f32|bf16|tf32|s8|u8}.[bf16|tf32|s8|u8].[f32|s32].[satfinite]",
     Pipe::Tensor, "DVVV", execWmmaMma, prepareWmmaMma},

    // Asynchronous copies
    {"cp.async.{ca|cg}.{shared|shared::cta}.global.[L2::cache_hint].[L2::64B|L2::128B|L2::256B]", Pipe::Async, "AA#4?",
     execCopyAsync, prepareCopyAsync},
    {"cp.async.commit_group", Pipe::Async, "", execCopyCommit},
    {"cp.async.wait_group", Pipe::Async, "#", execCopyWait},
    {"cp.async.wait_all", Pipe::Async, "", execCopyWait},
    {"cp.async.mbarrier.arrive.[noinc]." SMEM "b64", Pipe::Async, "A", execCopyArrive},
    {"cp.async.bulk.tensor.{1d|2d|3d|4d|5d}.{shared::cluster|shared::cta}.global.[tile].mbarrier::complete_tx::bytes."
     "[multicast::cluster].[L2::cache_hint]",
     Pipe::Async, "AAA4?8?", execTensorLoad, prepareTensor},
    {"cp.async.bulk.tensor.{1d|2d|3d|4d|5d}.global.shared::cta.[tile].bulk_group.[L2::cache_hint]", Pipe::Async, "AA8?",
     execTensorStore, prepareTensor},
    {"cp.async.bulk.{shared::cluster|shared::cta}.global.mbarrier::complete_tx::bytes.[L2::cache_hint]", Pipe::Async, "AA4A8?",
     execBulkLoad},
    {"cp.async.bulk.global.shared::cta.bulk_group.[L2::cache_hint]", Pipe::Async, "AA48?", execBulkStore},
    {"cp.async.bulk.commit_group", Pipe::Async, "", execBulkCommit},
    {"cp.async.bulk.wait_group.[read]", Pipe::Async, "#", execBulkWait},
    {"createpolicy.fractional.{L2::evict_last|L2::evict_first|L2::evict_normal|L2::evict_unchanged}.b64", Pipe::Alu, "DV?", execNothing},

    // mbarriers
    {"mbarrier.init." SMEM "b64", Pipe::Async, "A4", execMbarrierInit},
    {"mbarrier.inval." SMEM "b64", Pipe::Async, "A", execMbarrierInvalidate},
    {"mbarrier.{arrive|arrive_drop}.[release].[cta|cluster]." SMEM "b64", Pipe::Async, "DA4?", execMbarrierArrive, prepareMbarrierArrive},
    {"mbarrier.{arrive|arrive_drop}.expect_tx.[release].[cta|cluster]." SMEM "b64", Pipe::Async, "DA4", execMbarrierArrive, prepareMbarrierArrive},
    {"mbarrier.{expect_tx|complete_tx}.[relaxed].[cta|cluster]." SMEM "b64", Pipe::Async, "A4", execMbarrierExpect},
    {"mbarrier.{test_wait|try_wait}.[parity].[acquire].[cta|cluster]." SMEM "b64", Pipe::Async, "DAV4?", execMbarrierTest, prepareMbarrierTest},

    // Warpgroups
    {"wgmma.fence.sync.aligned", Pipe::Async, "", execWgmmaFence},
    {"wgmma.commit_group.sync.aligned", Pipe::Async, "", execWgmmaCommit},
    {"wgmma.wait_group.sync.aligned", Pipe::Async, "#", execWgmmaWait},
    {"wgmma.mma_async.sync.aligned.*.[satfinite].{f16|f32|s32}.{f16|bf16|tf32|e4m3|e5m2|s8|u8}.{f16|bf16|tf32|e4m3|e5m2|s8|u8}.[satfinite]",
     Pipe::Tensor, "DVVP#?#?#?#?", execWgmma, prepareWgmma},
    {"setmaxnreg.{inc|dec}.sync.aligned.u32", Pipe::Control, "#", execSetMaxRegisters},
};

std::span<const SpecialOp> specialOps() { return kSpecialOps; }

namespace {

/// A pattern cut into its words.
struct Pattern {
  struct Word {
    bool optional = false, any = false;
    std::vector<std::string_view> choices;
  };
  std::vector<Word> words;
};

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0;;) {
    size_t end = text.find(at, begin);
    if (end == std::string_view::npos) end = text.size();
    parts.push_back(text.substr(begin, end - begin));
    if (end == text.size()) return parts;
    begin = end + 1;
  }
}

Pattern parsePattern(std::string_view text) {
  Pattern p;
  for (size_t at = 0; at < text.size();) {
    Pattern::Word w;
    char open = text[at];
    size_t end;
    if (open == '{' || open == '[') {
      end = text.find(open == '{' ? '}' : ']', at);
      w.optional = open == '[';
      w.choices = split(text.substr(at + 1, end - at - 1), '|');
      ++end;
    } else {
      end = std::min(text.find('.', at), text.size());
      w.choices = {text.substr(at, end - at)};
      w.any = w.choices[0] == "*";
    }
    p.words.push_back(std::move(w));
    at = end + 1;
  }
  return p;
}

bool matches(const Pattern &p, const std::vector<std::string_view> &words, size_t wordAt, size_t at) {
  if (at == p.words.size()) return wordAt == words.size();
  const Pattern::Word &w = p.words[at];
  bool fits = false;
  if (wordAt < words.size())
    for (std::string_view c : w.choices) fits |= w.any || c == words[wordAt];
  if (fits && matches(p, words, wordAt + 1, at + 1)) return true;
  return w.optional && matches(p, words, wordAt, at + 1);
}

/// All rows by the first word of their patterns.
class Index {
 public:
  Index() {
    for (size_t i = 0; i < laneOps().size(); ++i) add(laneOps()[i].pattern, true, i);
    for (size_t i = 0; i < specialOps().size(); ++i) add(specialOps()[i].pattern, false, i);
  }

  OpMatch find(std::string_view opcode) const {
    OpMatch m;
    auto words = split(opcode, '.');
    auto rows = rows_.find(words[0]);
    if (rows == rows_.end()) return m;
    for (const Row &r : rows->second) {
      if (!matches(r.pattern, words, 0, 0)) continue;
      m.words = std::move(words);
      if (r.isLane) m.lane = &laneOps()[r.index], m.laneIndex = r.index;
      else m.special = &specialOps()[r.index];
      return m;
    }
    return m;
  }

 private:
  struct Row {
    Pattern pattern;
    bool isLane;
    size_t index;
  };
  void add(std::string_view text, bool isLane, size_t index) {
    Pattern p = parsePattern(text);
    for (std::string_view first : p.words[0].choices) rows_[first].push_back({p, isLane, index});
  }
  std::unordered_map<std::string_view, std::vector<Row>> rows_;
};

}  // namespace

OpMatch findOp(std::string_view opcode) {
  static const Index index;
  return index.find(opcode);
}

}  // namespace adze::ptx
