// Runs PTX on the CPU and checks it: the emulator's public face. It needs no
// GPU, no MLIR and no LLVM. docs/emulator.md says what is emulated and what
// each finding means.
//
//   auto module = Module::load(text, error);
//   Memory memory;
//   uint64_t x = memory.allocate(bytes, "x", true);
//   Report report = launch(*module, "kernel", config, parameters, memory);
#pragma once
#include "lib/PtxEmulator/Ast.h"
#include "lib/PtxEmulator/LaneOps.h"

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace adze::ptx {

struct Program;

/// The device's memory: allocations with addresses far from each other, so that
/// what runs over one hits nothing. Every byte knows whether it was written.
class Memory {
 public:
  struct Allocation {
    uint64_t address = 0, bytes = 0;
    std::string name;
    uint8_t *data = nullptr;
    bool writable = true;
    std::vector<uint8_t> own;          ///< the bytes, unless they are the caller's
    std::vector<uint8_t> initialised;  ///< a byte for a byte; empty: all are
  };

  explicit Memory(uint64_t limit = uint64_t{16} << 30) : limit_(limit) {}

  /// Address of new memory, aligned to 256 bytes; 0 beyond the limit.
  uint64_t allocate(uint64_t bytes, std::string name, bool initialised);
  /// The same over memory of the caller's, which outlives the allocation.
  uint64_t map(void *data, uint64_t bytes, std::string name, bool initialised, bool writable = true);
  /// Places it at `address` (a module's variables); false where something is.
  bool place(uint64_t address, std::span<const uint8_t> bytes, std::string name, bool writable);
  void free(uint64_t address);
  /// The allocation that holds `address`, or null.
  Allocation *find(uint64_t address);
  /// The allocation that ends nearest before or begins nearest after.
  const Allocation *nearest(uint64_t address) const;

 private:
  std::vector<Allocation> allocations_;  // by address
  uint64_t limit_, used_ = 0, next_ = uint64_t{1} << 32;
};

/// A module and its entries, decoded when first launched. One thread at a time,
/// until `program` has decoded every entry that is launched.
class Module {
 public:
  ~Module();
  /// Null and `error` (line and reason) when the text cannot be emulated.
  static std::unique_ptr<Module> load(const std::string &text, SourceError &error);

  const SourceModule &source() const { return *source_; }
  const Entry *entry(std::string_view name) const;
  /// Null and `error` for an entry with an instruction that is not known.
  const Program *program(const Entry &entry, SourceError &error);
  /// Puts the module's variables into `memory`, once.
  bool placeVariables(Memory &memory) const;

 private:
  Module() = default;
  std::unique_ptr<SourceModule> source_;
  std::map<std::string, uint64_t, std::less<>> symbols_;
  std::map<const Entry *, std::unique_ptr<Program>> programs_;
};

struct Extent {
  uint32_t x = 1, y = 1, z = 1;
};

struct LaunchConfig {
  Extent grid, block;
  uint32_t dynamicShared = 0;          ///< bytes
  uint64_t seed = 0;                   ///< of the order in which warps run
  bool check = true;                   ///< false: out-of-bounds and decoding errors only
  uint64_t maxInstructions = uint64_t{1} << 36;  ///< warp instructions of a thread here, then a finding
  /// Calls f(0) … f(count - 1) in any order, at once on up to `threads` threads;
  /// empty: blocks run one after the other. The report is the same. A kernel with
  /// atomics on global memory runs so in any case: their order would show.
  std::function<void(size_t count, const std::function<void(size_t)> &f)> parallel;
  size_t threads = 1;
};

enum class FindingKind : uint8_t {
  OutOfBounds, Misaligned, Uninitialised, ReadOnly, Race, LaneRace, PendingCopy, ProxyFence,
  DivergentBarrier, Deadlock, Livelock, MbarrierUninitialised,
  MbarrierArrivals, MbarrierBytes, MbarrierAccess, WgmmaRegisters, WgmmaFence, Warpgroup,
  DivergentCollective, InactiveLane, InvalidOperand, UnfinishedCopy, Trap, BankConflict,
};
inline constexpr int kFindingKinds = 24;
struct FindingInfo {
  const char *name, *meaning;
  bool advice;  ///< about speed; the results are right
};
const FindingInfo &findingInfo(FindingKind kind);

/// What went wrong at one instruction; `message` tells of the first time.
struct Finding {
  FindingKind kind;
  std::string message;
  std::string kernel, instruction, source, node;  ///< "model.mlir:12"; the ONNX node
  uint32_t line = 0;                              ///< in the PTX text
  uint64_t count = 0;
};

/// What one instruction of the text did.
struct SiteCounters {
  uint64_t executions = 0;  ///< by warps
  uint64_t requests = 0, sectors = 0, bytes = 0;      ///< global and local memory
  uint64_t accesses = 0, wavefronts = 0;              ///< shared memory; conflict-free: equal
  uint32_t worstDegree = 0;                           ///< of bank conflicts
  uint64_t flops = 0;                                 ///< tensor operations
};

struct Report {
  std::vector<Finding> findings;       ///< by line
  bool completed = false;              ///< every block ran to its end
  uint64_t blocks = 0;
  uint32_t threads = 0, sharedBytes = 0;  ///< of a block
  std::array<uint64_t, kPipes> instructions{};  ///< warp instructions by pipe
  SiteCounters total;
  std::vector<std::pair<uint32_t, SiteCounters>> lines;  ///< by line, where any ran
  /// A finding that is not advice.
  bool hasErrors() const;
};

/// Runs a grid. `parameters` are the entry's bytes (Entry::parameters has the
/// offsets). nullopt and `error` when it cannot start: no such entry, an extent
/// out of range, too few parameters, too much shared memory (227 KiB).
std::optional<Report> launch(Module &module, std::string_view entry, const LaunchConfig &config,
                             std::span<const uint8_t> parameters, Memory &memory,
                             SourceError &error);

/// A tensor map as cuTensorMapEncodeTiled makes them, in 128 bytes of our own.
struct TensorMap {
  uint64_t address = 0;
  uint8_t rank = 0;            ///< 1 to 5
  uint8_t elementBytes = 0;    ///< 1, 2, 4, 8
  uint8_t swizzle = 0;         ///< bytes of the pattern: 0, 32, 64, 128
  bool nanFill = false;        ///< out of range: NaN, not zero
  uint64_t extents[5] = {};    ///< innermost first
  uint64_t strides[5] = {};    ///< bytes; [0] is the element's
  uint32_t box[5] = {};
};
/// nullopt and a reason for what the hardware does not take: rank, box extents
/// over 256, an inner box over the swizzle, strides or addresses not of 16 bytes.
std::optional<std::array<uint8_t, 128>> encodeTensorMap(const TensorMap &map, std::string &error);
std::optional<TensorMap> decodeTensorMap(const uint8_t *bytes);

}  // namespace adze::ptx
