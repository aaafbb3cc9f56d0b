// What runs a launch: blocks, warps, the paths of a warp that branches split,
// shared memory with its shadow. Private to the library.
#pragma once
#include "lib/PtxEmulator/Emulator.h"
#include "lib/PtxEmulator/Program.h"
#include "lib/PtxEmulator/SharedMemory.h"

#include <bit>
#include <deque>
#include <functional>

namespace adze::ptx {

/// xorshift64*: enough to vary an order, the same everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2 + 0x9e3779b97f4a7c15ull) {
    for (int i = 0; i < 8; ++i) below(2);
  }
  uint32_t below(uint32_t n) {
    state_ ^= state_ >> 12, state_ ^= state_ << 25, state_ ^= state_ >> 27;
    return static_cast<uint32_t>((state_ * 0x2545f4914f6cdd1dull >> 32) * n >> 32);
  }

 private:
  uint64_t state_;
};

/// Where the paths of a split warp meet again.
struct Join {
  uint32_t position, expected, arrived;
  int parent;
  bool used;
};

enum class PathState : uint8_t { Ready, AtBarrier, AtWarpSync, AtMbarrier, AtWgmma };

/// Lanes of a warp that are at one place.
struct Path {
  uint32_t position = 0, mask = 0;
  int join = -1;
  PathState state = PathState::Ready;
  uint32_t waitsFor = 0;  ///< barrier, member mask, mbarrier's address or warpgroup
};

/// One asynchronous copy of cp.async by one warp instruction.
struct AsyncCopy {
  uint32_t destination[kLanes];
  uint64_t source[kLanes];
  uint8_t sourceBytes[kLanes];
  uint32_t mask;
  uint8_t bytes;
  const Inst *inst;
};

/// wgmma.mma_async as issued by one warp.
struct WgmmaOp {
  const Inst *inst;
  uint64_t descriptorA, descriptorB;
  bool keepD;
  uint32_t issued;                   ///< time
  std::vector<uint32_t> fragmentA;   ///< A from registers: rows of lanes
};

/// A bulk copy from shared to global memory, in the issuing warp's groups.
struct BulkStore {
  const Inst *inst;
  uint32_t shared = 0, bytes = 0, issued = 0;
  uint64_t global = 0;
  bool tensor = false;
  TensorMap map;
  int32_t coordinates[5] = {};
};

struct Warp {
  uint32_t index = 0, live = 0;      ///< lanes that exist and have not exited
  uint32_t lastSync = 0;             ///< time of the last synchronisation of its lanes
  uint32_t carry = 0;                ///< condition code, a bit a lane
  uint32_t proxyFence = 0;           ///< time of the last fence.proxy.async
  std::vector<Path> paths;
  std::vector<Join> joins;
  uint8_t *registers = nullptr;
  std::vector<AsyncCopy> openCopies;
  std::deque<std::vector<AsyncCopy>> copyGroups;
  std::vector<BulkStore> openStores;
  std::deque<std::vector<BulkStore>> storeGroups;
  std::deque<WgmmaOp> wgmma;         ///< issued and not waited for
  uint64_t wgmmaIssued = 0;
  std::deque<uint64_t> wgmmaCommits; ///< wgmmaIssued at each commit not yet waited for
  bool wgmmaFenced = false;
  std::vector<uint8_t> inFlight;     ///< by row: an accumulator of a wgmma not waited for
  std::vector<uint8_t> local, localInitialised;
  bool done() const { return paths.empty(); }
};

struct Barrier {
  const Inst *inst = nullptr;  ///< of the first to arrive; null: nobody has
  uint32_t lanes = 0;          ///< arrived so far
  uint32_t threads = 0;        ///< the same in whole warps, as the hardware counts
  uint32_t expected = 0;       ///< threads; 0: all of the block
  std::vector<uint32_t> released;  ///< what those who arrived knew
  uint32_t votes = 0;          ///< lanes whose predicate holds (bar.red)
};

struct Mbarrier {
  int64_t expected = 0, pending = 0, bytes = 0;
  uint64_t phase = 0;
  uint8_t agent = 0;                 ///< of copies that it counts
  std::vector<uint32_t> arriving, completed;  ///< what waiters will know
  const Inst *lastExpect = nullptr;
};

/// A copy into shared memory whose bytes an mbarrier counts, not yet delivered.
struct BulkLoad {
  const Inst *inst;
  uint32_t shared = 0, bytes = 0, mbarrier = 0;
  uint64_t global = 0;
  bool tensor = false;
  TensorMap map;
  int32_t coordinates[5] = {};
  uint32_t arrivals = 0;             ///< cp.async.mbarrier.arrive: arrivals instead of bytes
  std::vector<AsyncCopy> copies;     ///< those that come first
  uint32_t warp = 0;
};

/// One launch.
struct Machine {
  const Program &program;
  const SourceModule &source;
  const LaunchConfig &config;
  std::span<const uint8_t> parameters;
  Memory &memory;
  Report &report;
  Random random;
  std::vector<SiteCounters> sites;     ///< by instruction
  uint64_t executed = 0, blockBegan = 0;  ///< instructions so far; the same when the block began
  std::map<std::pair<FindingKind, uint32_t>, size_t> found;
  Extent block{};                      ///< the one that runs
  Memory::Allocation *last = nullptr;  ///< allocation of the last global access

  /// Counts a finding; `message` is called the first time only.
  void find(FindingKind kind, const Inst &inst, const std::function<std::string()> &message);
};

class Cta {
 public:
  Cta(Machine &machine, uint32_t warps, uint32_t threads);
  /// False when it cannot go on (deadlock, limit, trap).
  bool run(Extent block);

  Machine &machine;
  const uint32_t warpCount, threadCount;
  SharedMemory shared;
  std::vector<Warp> warps;
  Barrier barriers[16];
  std::map<uint32_t, Mbarrier> mbarriers;
  std::deque<BulkLoad> loads;
  uint64_t wgmmaExecuted[8] = {};      ///< by warpgroup
  bool stopped = false;

  /// ---- knowledge: what each agent has seen of the others (SharedMemory.h)
  std::vector<uint32_t> &known(uint32_t agent) { return known_[agent]; }
  uint32_t agentOfWarpgroup(uint32_t group) const { return warpCount + group; }
  uint32_t newAsyncAgent();
  /// Adds to `into` all that `agent` knows and has done.
  void release(uint32_t agent, std::vector<uint32_t> &into);
  void acquire(uint32_t agent, const std::vector<uint32_t> &from);

  void wake(PathState state, uint32_t waitsFor);
  /// Lanes end: joins and barriers no longer wait for them.
  void exitLanes(Warp &warp, uint32_t mask);
  void completeBarrier(uint32_t number);
  bool barrierComplete(const Barrier &barrier) const;

 private:
  void start(Extent block);
  void fillSpecial(Warp &warp, Extent block);
  void runPath(Warp &warp, size_t path, uint32_t budget);
  bool progress();
  void reportDeadlock();
  void atEnd();

  std::vector<std::vector<uint32_t>> known_;
  std::vector<uint8_t> registerStore_;
  uint32_t asyncAgents_ = 0;
};

/// What a handler works on.
struct Step {
  Cta &cta;
  Warp &warp;
  size_t pathIndex;
  const Inst &inst;
  uint32_t mask;       ///< lanes of the path whose guard holds
  uint32_t index;      ///< of the instruction

  Path &path() const { return warp.paths[pathIndex]; }
  Machine &machine() const { return cta.machine; }
  const Detail &detail() const { return *inst.detail; }
  SiteCounters &site() const { return cta.machine.sites[index]; }
  uint8_t *row(Slot slot) const {
    return slot & 1 ? const_cast<uint8_t *>(cta.machine.program.constants.data()) + (slot & ~1u)
                    : warp.registers + slot;
  }
  uint32_t *row32(Slot slot) const { return reinterpret_cast<uint32_t *>(row(slot)); }
  uint64_t *row64(Slot slot) const { return reinterpret_cast<uint64_t *>(row(slot)); }
  uint64_t value(const Argument &arg, size_t i, int lane) const {
    return arg.bits[i] == 64 ? row64(arg.rows[i])[lane] : row32(arg.rows[i])[lane];
  }
  /// The address of `lane`; 32-bit registers hold offsets into a window.
  uint64_t address(const Argument &arg, int lane) const {
    uint64_t base = arg.base == kNoSlot ? 0
                    : arg.baseBits == 64 ? row64(arg.base)[lane] : row32(arg.base)[lane];
    return base + static_cast<uint64_t>(arg.offset);
  }
  int firstLane() const { return std::countr_zero(mask); }
  void find(FindingKind kind, const std::function<std::string()> &message) const {
    machine().find(kind, inst, message);
  }
  bool checks() const { return machine().config.check; }
  /// All live lanes are here; else a finding of `kind`.
  bool converged(FindingKind kind) const;
  void next() const { ++path().position; }
};

/// Calls f(lane) for each set bit.
template <class F>
inline void eachLane(uint32_t mask, F f) {
  for (; mask; mask &= mask - 1) f(std::countr_zero(mask));
}

/// "0x1f0"
std::string hex(uint64_t value);

// ---- services of one file to others
/// Bytes at a global address; null (and a finding) outside of allocations,
/// where not aligned, or where not written yet (`reads`).
/// (at multiples of `alignment`; 0: of its size, where that is a power of two).
uint8_t *globalBytes(const Step &step, uint64_t address, uint32_t bytes, bool reads, int lane,
                     uint32_t alignment = 0);
/// Shared memory, checked; false (and a finding) when not there.
bool sharedRead(const Step &step, uint32_t address, uint32_t bytes, int lane, bool strong = false);
bool sharedWrite(const Step &step, uint32_t address, uint32_t bytes, int lane, bool strong = false);
/// Counts the wavefronts that `count` accesses of `bytes` each need.
void countBanks(const Step &step, const uint32_t *addresses, int count, uint32_t bytes);
/// Delivers what `mbarrier` still waits for, if that completes its phase.
void deliverFor(Cta &cta, uint32_t mbarrier);
void arriveAt(const Step &step, uint32_t address, uint32_t count, int64_t bytes);
Mbarrier *mbarrierAt(const Step &step, uint64_t address);
void deliverCopies(Cta &cta, Warp &warp, const std::vector<AsyncCopy> &copies);
/// What shared memory a tensor map's box covers, row by row: calls
/// f(shared address, global address or 0, bytes).
uint64_t boxRoom(const TensorMap &map);  ///< bytes of shared memory that it spans
void eachBoxPiece(const TensorMap &map, const int32_t *coordinates, uint32_t shared,
                  const std::function<void(uint32_t, uint64_t, uint32_t)> &f);

}  // namespace adze::ptx
