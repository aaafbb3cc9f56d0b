// Modules, launches and their reports.
#include "lib/PtxEmulator/Exec.h"
#include "lib/Support/Diagnostics.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <exception>
#include <tuple>

namespace adze::ptx {

static constexpr uint64_t kVariables = uint64_t{1} << 24;  // where a module's variables begin
static constexpr uint32_t kMostShared = (227 << 10) + kReservedShared;

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

// In FindingKind's order; docs/emulator.md repeats it.
static constexpr FindingInfo kFindings[kFindingKinds] = {
    {"out-of-bounds", "an access outside every buffer, variable or stack", false},
    {"misaligned", "an address that is no multiple of the access's size", false},
    {"uninitialised-read", "a read of bytes that nothing has written", false},
    {"read-only-write", "a write to constant or read-only memory", false},
    {"race", "two warps touch the same shared bytes, one writing, unsynchronised", false},
    {"lane-race", "two lanes of a warp do, with no bar.warp.sync between", false},
    {"copy-in-flight", "an access to bytes that an asynchronous copy is still to write, or still reads", false},
    {"missing-proxy-fence", "the asynchronous proxy reads ordinary writes that were not fenced", false},
    {"divergent-barrier", "a barrier that not all lanes of a warp execute together", false},
    {"deadlock", "nobody can go on", false},
    {"livelock", "the limit of instructions was reached", false},
    {"mbarrier-uninitialised", "an operation on memory that is no mbarrier", false},
    {"mbarrier-arrivals", "more arrivals in a phase than the mbarrier counts", false},
    {"mbarrier-bytes", "announced bytes and copied bytes differ", false},
    {"mbarrier-access", "an ordinary access to an mbarrier", false},
    {"wgmma-registers", "a register is used while a wgmma may write it", false},
    {"wgmma-fence", "wgmma on registers with no wgmma.fence before", false},
    {"warpgroup", "the warps of a warpgroup disagree on a wgmma", false},
    {"divergent-collective", "an instruction of the whole warp that some lanes do not execute", false},
    {"inactive-lane", "a value is taken from a lane that does not take part", false},
    {"invalid-operand", "an operand outside of what the instruction takes", false},
    {"unfinished-copy", "an asynchronous operation that nobody waits for", false},
    {"trap", "the kernel executed trap", false},
    {"bank-conflict", "shared memory is accessed in more wavefronts than need be", true},
};

const FindingInfo &findingInfo(FindingKind kind) { return kFindings[static_cast<int>(kind)]; }

bool Report::hasErrors() const {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding &f) { return !findingInfo(f.kind).advice; });
}

void Machine::find(FindingKind kind, const Inst &inst, const std::function<std::string()> &message) {
  auto [it, fresh] = found.try_emplace({kind, inst.statement}, report.findings.size());
  if (!fresh) {
    ++report.findings[it->second].count;
    return;
  }
  const Statement &s = program.entry->body[inst.statement];
  Finding f;
  f.kind = kind, f.count = 1, f.line = s.line, f.kernel = program.entry->name, f.instruction = s.opcode;
  f.message = message() + " (block " + std::to_string(block.x) + "," + std::to_string(block.y) + "," +
              std::to_string(block.z) + ")";
  if (s.source.line && s.source.file < source.files.size())
    f.source = source.files[s.source.file] + ":" + std::to_string(s.source.line);
  f.node = source.nodes[s.node];
  report.findings.push_back(std::move(f));
}

// ---- modules

Module::~Module() = default;

std::unique_ptr<Module> Module::load(const std::string &text, SourceError &error) {
  auto source = parse(text, error);
  if (!source) return nullptr;
  std::unique_ptr<Module> m(new Module);
  m->source_ = std::move(source);
  uint64_t next = kVariables;
  for (const Variable &v : m->source_->variables) {
    if (v.space == "shared") continue;
    next = (next + v.alignment - 1) / v.alignment * v.alignment;
    m->symbols_[v.name] = next;
    next += v.bytes + 4096;
  }
  return m;
}

const Entry *Module::entry(std::string_view name) const {
  for (const auto &e : source_->entries)
    if (e->name == name) return e.get();
  return nullptr;
}

const Program *Module::program(const Entry &entry, SourceError &error) {
  if (auto known = programs_.find(&entry); known != programs_.end()) return known->second.get();
  auto decoded = decode(entry, *source_, symbols_, error);
  return decoded ? (programs_[&entry] = std::move(decoded)).get() : nullptr;
}

bool Module::placeVariables(Memory &memory) const {
  for (const Variable &v : source_->variables) {
    if (v.space == "shared" || v.bytes == 0) continue;
    uint64_t address = symbols_.find(v.name)->second;
    if (const auto *there = memory.find(address); there && there->name == v.name) continue;
    std::vector<uint8_t> bytes = v.initial;
    bytes.resize(v.bytes);
    if (!memory.place(address, bytes, v.name, v.space == "global")) return false;
  }
  return true;
}

// ---- launches

static bool checkConfig(const Entry &e, const Program &p, const LaunchConfig &c,
                        std::span<const uint8_t> parameters, SourceError &error) {
  auto fail = [&](std::string message) { return error = {e.line, std::move(message)}, false; };
  uint64_t threads = uint64_t{c.block.x} * c.block.y * c.block.z;
  if (threads == 0 || c.block.x > 1024 || c.block.y > 1024 || c.block.z > 64 || threads > 1024)
    return fail("a block has 1 to 1024 threads");
  if (c.grid.x == 0 || c.grid.y == 0 || c.grid.z == 0 || c.grid.y > 65535 || c.grid.z > 65535 || c.grid.x > 0x7fffffff)
    return fail("a grid has 1 to 2147483647, 65535 and 65535 blocks");
  if (e.requiredThreads[0] && (e.requiredThreads[0] != c.block.x || e.requiredThreads[1] != c.block.y || e.requiredThreads[2] != c.block.z))
    return fail("the block is not the one of .reqntid");
  if (e.maxThreads[0] && threads > uint64_t{e.maxThreads[0]} * e.maxThreads[1] * e.maxThreads[2])
    return fail("the block has more threads than .maxntid");
  if (uint64_t{p.sharedBytes} + c.dynamicShared > kMostShared)
    return fail("more than 227 KiB of shared memory");
  if (parameters.size() < e.parameterBytes)
    return fail("the parameters have " + std::to_string(parameters.size()) + " of " + std::to_string(e.parameterBytes) + " bytes");
  return true;
}

static void add(SiteCounters &to, const SiteCounters &c) {
  to.executions += c.executions, to.requests += c.requests, to.sectors += c.sectors, to.bytes += c.bytes;
  to.accesses += c.accesses, to.wavefronts += c.wavefronts, to.flops += c.flops;
  to.worstDegree = std::max(to.worstDegree, c.worstDegree);
}

static void summarise(Machine &m) {
  Report &r = m.report;
  std::map<uint32_t, SiteCounters> lines;
  for (size_t i = 0; i < m.sites.size(); ++i) {
    SiteCounters c = m.sites[i];
    const Inst &in = m.program.code[i];
    if (in.synthetic) c.executions = 0;
    if (c.executions == 0 && c.flops == 0) continue;
    r.instructions[static_cast<int>(in.pipe)] += c.executions;
    add(r.total, c);
    add(lines[m.program.entry->body[in.statement].line], c);
    if (c.accesses && c.wavefronts >= 2 * c.accesses)
      m.find(FindingKind::BankConflict, in, [&] {
        return "needs " + std::to_string(c.wavefronts) + " wavefronts where " + std::to_string(c.accesses) + " would do";
      });
  }
  r.lines.assign(lines.begin(), lines.end());
  std::sort(r.findings.begin(), r.findings.end(), [](const Finding &a, const Finding &b) {
    return std::tie(a.line, a.kind, a.instruction) < std::tie(b.line, b.kind, b.instruction);
  });
}

namespace {
/// What a launch is of; the same for all of its blocks.
struct Grid {
  const Program &program;
  const SourceModule &source;
  const LaunchConfig &config;
  std::span<const uint8_t> parameters;
  Memory &memory;

  Machine machine(Report &report) const {
    Machine m{program, source, config, parameters, memory, report, Random(config.seed), {}, 0, 0, {}, {}};
    m.sites.resize(program.code.size());
    return m;
  }
  uint64_t blocks() const { return uint64_t{config.grid.x} * config.grid.y * config.grid.z; }
  Extent block(uint64_t i) const {
    uint64_t row = i / config.grid.x;
    return {static_cast<uint32_t>(i % config.grid.x), static_cast<uint32_t>(row % config.grid.y),
            static_cast<uint32_t>(row / config.grid.y)};
  }
};

/// A row of blocks that one thread runs.
struct Part {
  Report report;
  std::optional<Machine> machine;
  std::exception_ptr thrown;
};

/// Atomics on global memory: their results depend on the order of blocks.
bool ordersBlocks(const Program &program) {
  return std::any_of(program.code.begin(), program.code.end(), [](const Inst &in) {
    return (in.handler == execAtomic || in.handler == execReduce) && in.detail->space != Space::Shared;
  });
}

/// Blocks [begin, end) as far as they end. Nothing of a block depends on those before:
/// the order of its warps and its clock begin anew.
void runPart(const Grid &grid, Part &part, uint64_t begin, uint64_t end) {
  Machine &m = part.machine.emplace(grid.machine(part.report));
  const Extent &b = grid.config.block;
  uint32_t threads = b.x * b.y * b.z;
  Cta cta(m, (threads + kLanes - 1) / kLanes, threads);
  part.report.completed = true;
  for (uint64_t i = begin; i < end && part.report.completed; ++i) {
    m.random = Random(grid.config.seed ^ i * 0x9e3779b97f4a7c15ull);
    m.blockBegan = m.executed;
    part.report.completed = cta.run(grid.block(i));
    ++part.report.blocks;
  }
}

/// Adds what a part, later than all before, has done.
void merge(Machine &to, Part &part) {
  Report &r = to.report;
  for (auto [key, index] : part.machine->found) {
    auto [known, fresh] = to.found.try_emplace(key, r.findings.size());
    if (fresh) r.findings.push_back(std::move(part.report.findings[index]));
    else r.findings[known->second].count += part.report.findings[index].count;
  }
  for (size_t i = 0; i < to.sites.size(); ++i) add(to.sites[i], part.machine->sites[i]);
  r.blocks += part.report.blocks, r.completed = part.report.completed;
  to.block = part.machine->block;
}

/// All blocks; of a grid that does not complete, those up to the first that does not.
void runGrid(const Grid &grid, Machine &total) {
  uint64_t blocks = grid.blocks();
  bool parallel = grid.config.parallel && grid.config.threads > 1 && !ordersBlocks(grid.program);
  // Several parts a thread even out blocks of unequal length.
  size_t count = parallel ? std::min<uint64_t>(blocks, grid.config.threads * 4) : 1;
  std::vector<Part> parts(count);
  std::atomic<size_t> failed{count};
  auto run = [&](size_t p) {
    if (p > failed) return;
    try {
      runPart(grid, parts[p], blocks / count * p + std::min<uint64_t>(p, blocks % count),
              blocks / count * (p + 1) + std::min<uint64_t>(p + 1, blocks % count));
    } catch (...) {
      parts[p].thrown = std::current_exception();
    }
    if (parts[p].report.completed && !parts[p].thrown) return;
    for (size_t first = failed; p < first && !failed.compare_exchange_weak(first, p);) {
    }
  };
  if (parallel) grid.config.parallel(count, run);
  else run(0);
  for (size_t p = 0; p < count && p <= failed; ++p) {
    if (parts[p].thrown) std::rethrow_exception(parts[p].thrown);
    merge(total, parts[p]);
  }
}
}  // namespace

std::optional<Report> launch(Module &module, std::string_view name, const LaunchConfig &config,
                             std::span<const uint8_t> parameters, Memory &memory,
                             SourceError &error) {
  const Entry *entry = module.entry(name);
  if (!entry) {
    error = {0, "no entry '" + printable(name, 60) + "'"};
    return std::nullopt;
  }
  const Program *program = module.program(*entry, error);
  if (!program || !checkConfig(*entry, *program, config, parameters, error)) return std::nullopt;
  if (!module.placeVariables(memory)) {
    error = {entry->line, "no room for the module's variables"};
    return std::nullopt;
  }
  Report report;
  report.threads = config.block.x * config.block.y * config.block.z;
  report.sharedBytes = program->sharedBytes - kReservedShared + config.dynamicShared;
  Grid grid{*program, module.source(), config, parameters, memory};
  Machine m = grid.machine(report);
  runGrid(grid, m);
  summarise(m);
  return report;
}

}  // namespace adze::ptx
