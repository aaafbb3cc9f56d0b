// The PTX emulator as a device: memory that knows what was written, launches that
// are checked. All of libadze_emulator but the emulator itself (EmulatorLibrary.h).
#include "lib/PtxEmulator/Emulator.h"
#include "lib/Runtime/EmulatorLibrary.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <new>

namespace adze::runtime {

namespace {
using artifact::Contents;
using artifact::DeviceKernel;
using artifact::Section;
using artifact::SectionKind;
using artifact::Variant;

/// Errors, by the runtime's hand.
class Reporter {
 public:
  explicit Reporter(const RuntimeServices &services) : services_(services) {}

  bool fail(Diagnostic &error, ExitCode exitCode, const char *code, const std::string &message,
            const char *help = "") const {
    return services_.fail(error, exitCode, code, message.c_str(), help);
  }
  bool outOfMemory(Diagnostic &error, int64_t bytes) const {
    return fail(error, ExitCode::ResourceLimit, "ADZ0720",
                "out of memory on the device (" + std::to_string(bytes) + " bytes)");
  }
  /// What the emulator is there to find.
  bool found(Diagnostic &error, const std::string &message, const char *help = "") const {
    return fail(error, ExitCode::OutOfTolerance, "ADZ0746", message, help);
  }
  bool corrupt(Diagnostic &error, const DeviceKernel &kernel, const char *what) const {
    return fail(
        error, ExitCode::CorruptArtifact, "ADZ0607",
        "the artifact's code is not loadable: kernel '" + printable(kernel.name, 80) + "' " + what,
        "rebuild it with `adze compile`");
  }
  /// f(), or false or null with an error where memory ran out.
  template <typename F>
  auto contained(Diagnostic &error, F f) const -> decltype(f()) {
    try {
      return f();
    } catch (...) {
      services_.fail(error, ExitCode::ResourceLimit, "ADZ0720", "out of memory in the PTX emulator",
                     "");
      return {};
    }
  }
  const RuntimeServices &services() const { return services_; }

 private:
  const RuntimeServices &services_;
};

uint64_t addressOf(const void *p) { return reinterpret_cast<uint64_t>(p); }
void *pointerTo(uint64_t address) { return reinterpret_cast<void *>(address); }

/// Parsed and decoded PTX. Nothing changes afterwards: requests share it.
class EmulatorProgram final : public DeviceProgram {
 public:
  explicit EmulatorProgram(const RuntimeServices &services) : reporter(services) {}

  bool open(const Contents &contents, const Variant &variant, Diagnostic &error) {
    kernels = &variant.kernels;
    if (const Section *s = contents.find(SectionKind::Weights)) weights = s->bytes();
    auto text = contents.find(SectionKind::Ptx, variant.device)->bytes();
    ptx::SourceError where;
    module = ptx::Module::load(
        std::string(reinterpret_cast<const char *>(text.data()), text.size()), where);
    if (!module) return cannotEmulate(where, error);
    for (const DeviceKernel &kernel : *kernels) {
      const ptx::Entry *entry = module->entry(kernel.name);
      if (!entry) return reporter.corrupt(error, kernel, "is not in its PTX");
      if (!std::ranges::equal(entry->parameters, kernel.parameterBytes, {}, &ptx::Parameter::bytes))
        return reporter.corrupt(error, kernel, "has other parameters in its PTX");
      if (!module->program(*entry, where)) return cannotEmulate(where, error);
      entries.push_back(entry);
    }
    return true;
  }

  std::unique_ptr<DeviceQueue> makeQueue(Budget &budget, Diagnostic &error) const override;

  const Reporter reporter;
  const std::vector<DeviceKernel> *kernels = nullptr;
  std::vector<const ptx::Entry *> entries;  ///< of the kernels
  std::unique_ptr<ptx::Module> module;
  std::span<const std::byte> weights;

 private:
  bool cannotEmulate(const ptx::SourceError &where, Diagnostic &error) const {
    return reporter.fail(error, ExitCode::Unsupported, "ADZ0747",
                         "the artifact's PTX cannot be emulated: line " +
                             std::to_string(where.line) + ": " + printable(where.message, 200));
  }
};

/// A report in the C API's terms; it refers to the report.
class EmulationView {
 public:
  EmulationView(const ptx::Report &report, const std::string &kernel, int64_t modelKernel) {
    auto number = [](uint64_t n) { return static_cast<int64_t>(n); };
    for (const ptx::Finding &f : report.findings) {
      const ptx::FindingInfo &info = ptx::findingInfo(f.kind);
      findings_.push_back({sizeof(adze_finding), info.name, f.message.c_str(),
                           f.instruction.c_str(), f.source.c_str(), f.node.c_str(), f.line,
                           number(f.count), info.advice});
    }
    for (const adze_finding &f : findings_) pointers_.push_back(&f);
    int64_t instructions = 0;
    for (size_t p = 0; p < ptx::kPipes; ++p) {
      pipes_[p] = ptx::pipeName(static_cast<ptx::Pipe>(p));
      pipeInstructions_[p] = number(report.instructions[p]);
      instructions += pipeInstructions_[p];
    }
    const ptx::SiteCounters &t = report.total;
    view_ = {sizeof(adze_emulation), kernel.c_str(),    number(report.blocks), instructions,
             number(t.bytes),        number(t.sectors), number(t.accesses),    number(t.wavefronts),
             number(t.flops),        pointers_.data(),  pointers_.size(),
             report.threads,         report.sharedBytes, pipes_.data(),        pipeInstructions_.data(),
             pipes_.size(),          modelKernel};
  }
  const adze_emulation *get() const { return &view_; }

 private:
  std::vector<adze_finding> findings_;
  std::vector<const adze_finding *> pointers_;
  std::array<const char *, ptx::kPipes> pipes_;
  std::array<int64_t, ptx::kPipes> pipeInstructions_;
  adze_emulation view_;
};

/// Each run has a memory of its own, so that nothing looks written that is not.
class EmulatorQueue final : public DeviceQueue {
 public:
  EmulatorQueue(const EmulatorProgram &program, Budget &budget)
      : program_(program), reporter_(program.reporter), budget_(budget) {}

  bool begin(const Execution &execution, Diagnostic &error) override {
    return reporter_.contained(error, [&] {
      emulation_ = execution.emulation;
      contents_ = &execution.contents;
      modelKernel_ = -1;
      threads_ = &execution.threads;
      memory_ = std::make_unique<ptx::Memory>();
      weights_ = program_.weights.empty()
                     ? 0
                     : mapReadOnly(program_.weights.data(), program_.weights.size(), "weights");
      return true;
    });
  }

  void end() override {
    budget_.give(temporary_ + slabBytes_);
    temporary_ = slabBytes_ = 0;
    live_.clear();
    memory_.reset();
  }

  bool followsKernels() const override { return true; }
  void enterKernel(int32_t kernel) override { modelKernel_ = kernel; }

  const void *weights() const override { return pointerTo(weights_); }

  void *input(const void *host, int64_t bytes, const std::string &name,
              Diagnostic &error) override {
    return reporter_.contained(error, [&] {
      uint64_t address = mapReadOnly(host, static_cast<uint64_t>(bytes), name);
      if (!address) reporter_.outOfMemory(error, bytes);
      return pointerTo(address);
    });
  }

  void *slab(int64_t bytes, Diagnostic &error) override {
    void *p = make(bytes, "arena", error);
    if (p) slabBytes_ = bytes;
    return p;
  }

  void *allocate(int64_t bytes, Diagnostic &error) override {
    void *p = make(bytes, "temporary", error);
    if (!p) return nullptr;
    temporary_ += bytes;
    return reporter_.contained(error, [&] {
      live_.emplace(addressOf(p), bytes);
      return p;
    });
  }

  void release(void *p) override {
    auto found = live_.find(addressOf(p));
    if (found == live_.end()) return;
    memory_->free(found->first);
    budget_.give(found->second);
    temporary_ -= found->second;
    live_.erase(found);
  }

  bool upload(void *device, const void *host, int64_t bytes, Diagnostic &error) override {
    return reporter_.contained(error, [&] {
      ptx::Memory::Allocation *a = hold(device, bytes, "writes", error);
      if (!a) return false;
      if (!a->writable) return readOnly(*a, error);
      write(*a, addressOf(device), static_cast<const uint8_t *>(host), nullptr, bytes);
      return true;
    });
  }

  bool download(void *host, const void *device, int64_t bytes, bool gaps,
                Diagnostic &error) override {
    return reporter_.contained(error, [&] {
      const ptx::Memory::Allocation *a = hold(device, bytes, "reads", error);
      if (!a) return false;
      uint64_t at = addressOf(device) - a->address;
      if (int64_t missing = gaps ? 0 : unwritten(*a, at, bytes))
        return reporter_.found(error, std::to_string(missing) + " of " + std::to_string(bytes) +
                                          " bytes that are read from '" + a->name +
                                          "' were never written");
      std::memcpy(host, a->data + at, static_cast<size_t>(bytes));
      return true;
    });
  }

  bool copy(void *to, const void *from, int64_t bytes, Diagnostic &error) override {
    return reporter_.contained(error, [&] {
      ptx::Memory::Allocation *a = hold(to, bytes, "writes", error);
      const ptx::Memory::Allocation *b = a ? hold(from, bytes, "reads", error) : nullptr;
      if (!b) return false;
      if (!a->writable) return readOnly(*a, error);
      uint64_t at = addressOf(from) - b->address;
      write(*a, addressOf(to), b->data + at,
            b->initialised.empty() ? nullptr : b->initialised.data() + at, bytes);
      return true;
    });
  }

  bool launch(int32_t kernel, const uint32_t *g, uint32_t shared, void *const *arguments,
              Diagnostic &error) override {
    return reporter_.contained(error, [&] {
      const ptx::Entry &entry = *program_.entries[kernel];
      std::vector<uint8_t> parameters(entry.parameterBytes);
      for (size_t i = 0; i < entry.parameters.size(); ++i)
        std::memcpy(&parameters[entry.parameters[i].offset], arguments[i],
                    entry.parameters[i].bytes);
      ptx::LaunchConfig config;
      config.grid = {g[0], g[1], g[2]}, config.block = {g[3], g[4], g[5]};
      config.dynamicShared = shared, config.seed = emulation_.seed;
      config.threads = static_cast<size_t>(threads_->threads());
      config.parallel = [&](size_t count, const std::function<void(size_t)> &f) {
        auto call = [](void *env, size_t i) {
          (*static_cast<const std::function<void(size_t)> *>(env))(i);
        };
        reporter_.services().run(*threads_, call, const_cast<std::function<void(size_t)> *>(&f),
                                 count);
      };
      ptx::SourceError where;
      auto report = ptx::launch(*program_.module, entry.name, config, parameters, *memory_, where);
      if (report) return judge(entry.name, *report, error);
      return reporter_.fail(error, ExitCode::Internal, "ADZ0790",
                            "kernel '" + printable(entry.name, 80) +
                                "' cannot be launched: " + printable(where.message, 200));
    });
  }

  bool tensorMap(void *map, const void *device, const int64_t *shape, Diagnostic &error) override {
    return reporter_.contained(error, [&] {
      ptx::TensorMap m;
      // What does not fit a field is refused as a value that is out of range.
      auto narrow = [](int64_t v) { return static_cast<uint8_t>(std::clamp<int64_t>(v, 0, 255)); };
      int64_t rank = shape[0];
      m.address = addressOf(device), m.rank = narrow(rank);
      m.elementBytes = narrow(shape[1]), m.swizzle = narrow(shape[2]);
      const int64_t *extents = shape + 4, *strides = extents + rank, *box = strides + rank;
      for (int64_t i = 0; i < rank; ++i) {
        m.extents[i] = static_cast<uint64_t>(extents[i]);
        m.strides[i] = static_cast<uint64_t>(strides[i]);
        m.box[i] = static_cast<uint32_t>(std::clamp<int64_t>(box[i], 0, 1 << 20));
      }
      std::string why;
      auto bytes = ptx::encodeTensorMap(m, why);
      if (!bytes)
        return reporter_.fail(error, ExitCode::Internal, "ADZ0790",
                              "the model's code asks for a tensor map that no GPU takes: " + why);
      std::memcpy(map, bytes->data(), bytes->size());
      return true;
    });
  }

  bool synchronize(Diagnostic &) override { return true; }
  int64_t arenaBytes() const override { return slabBytes_; }
  int64_t temporaryBytes() const override { return temporary_; }

 private:
  using Allocation = ptx::Memory::Allocation;

  uint64_t mapReadOnly(const void *data, uint64_t bytes, std::string name) {
    return memory_->map(const_cast<void *>(data), bytes, std::move(name), true, false);
  }

  /// New memory that nothing has written, counted.
  void *make(int64_t bytes, const char *name, Diagnostic &error) {
    bool taken = budget_.take(bytes);
    void *p = reporter_.contained(error, [&]() -> void * {
      if (!taken) return reporter_.outOfMemory(error, bytes), nullptr;
      uint64_t address = memory_->allocate(static_cast<uint64_t>(bytes), name, false);
      if (!address) reporter_.outOfMemory(error, bytes);
      return pointerTo(address);
    });
    if (!p && taken) budget_.give(bytes);
    return p;
  }

  /// The allocation that holds all of these bytes; null and `error`.
  Allocation *hold(const void *p, int64_t bytes, const char *does, Diagnostic &error) {
    uint64_t address = addressOf(p);
    Allocation *a = memory_->find(address);
    if (a && static_cast<uint64_t>(bytes) <= a->bytes - (address - a->address)) return a;
    reporter_.found(error, "the host's code " + std::string(does) + " " + std::to_string(bytes) +
                               " bytes at a device address outside of every buffer");
    return nullptr;
  }

  bool readOnly(const Allocation &a, Diagnostic &error) const {
    return reporter_.found(error, "the host's code writes to '" + a.name + "'");
  }

  /// How many of these bytes nothing has written.
  static int64_t unwritten(const Allocation &a, uint64_t at, int64_t bytes) {
    if (a.initialised.empty()) return 0;
    auto begin = a.initialised.begin() + static_cast<std::ptrdiff_t>(at);
    return std::count(begin, begin + bytes, 0);
  }

  /// `written` says which of the bytes anything has written; null: all.
  static void write(Allocation &a, uint64_t address, const uint8_t *from, const uint8_t *written,
                    int64_t bytes) {
    uint64_t at = address - a.address;
    std::memmove(a.data + at, from, static_cast<size_t>(bytes));
    if (a.initialised.empty()) return;
    if (written)
      std::memmove(&a.initialised[at], written, static_cast<size_t>(bytes));
    else
      std::memset(&a.initialised[at], 1, static_cast<size_t>(bytes));
  }

  /// Tells of a launch, and whether the run can go on after it.
  bool judge(const std::string &kernel, const ptx::Report &report, Diagnostic &error) {
    if (emulation_.callback) {
      emulation_.callback(emulation_.user, EmulationView(report, kernel, modelKernel_).get());
      if (report.completed) return true;
    }
    auto bad = std::ranges::find_if(
        report.findings, [](const ptx::Finding &f) { return !ptx::findingInfo(f.kind).advice; });
    if (bad == report.findings.end()) return true;
    return reporter_.found(
        error,
        std::string(ptx::findingInfo(bad->kind).name) + " in kernel '" + printable(kernel, 80) +
            "'" + originOf(*bad) + ", line " + std::to_string(bad->line) + " of its PTX, " +
            printable(bad->instruction, 60) + ": " + printable(bad->message, 400),
        "`adze run --device ptx-emulator --check` lists all findings");
  }

  /// " of 'conv_3' (nodes 'a', 'b' and 2 more)": what the model knows of it, else the PTX.
  std::string originOf(const ptx::Finding &finding) const {
    constexpr size_t kMostNodes = 3;
    auto quoted = [](const std::string &name) { return "'" + printable(name, 80) + "'"; };
    if (modelKernel_ < 0)
      return finding.node.empty() ? "" : " (node " + quoted(finding.node) + ")";
    const artifact::Kernel &kernel = contents_->kernels[modelKernel_];
    std::string text = " of " + quoted(kernel.name), separator = " (node ";
    if (kernel.nodes.size() > 1) separator = " (nodes ";
    for (size_t i = 0; i < std::min(kMostNodes, kernel.nodes.size()); ++i) {
      text += separator + quoted(kernel.nodes[i]);
      separator = ", ";
    }
    if (kernel.nodes.size() > kMostNodes)
      text += " and " + std::to_string(kernel.nodes.size() - kMostNodes) + " more";
    return kernel.nodes.empty() ? text : text + ")";
  }

  const EmulatorProgram &program_;
  const Reporter &reporter_;
  Budget &budget_;
  Emulation emulation_;
  const Contents *contents_ = nullptr;  ///< of the run
  int32_t modelKernel_ = -1;            ///< whose launches come
  ThreadPool *threads_ = nullptr;
  std::unique_ptr<ptx::Memory> memory_;
  uint64_t weights_ = 0;
  int64_t slabBytes_ = 0, temporary_ = 0;
  std::map<uint64_t, int64_t> live_;  ///< bytes of each temporary
};

std::unique_ptr<DeviceQueue> EmulatorProgram::makeQueue(Budget &budget, Diagnostic &error) const {
  return reporter.contained(error, [&]() -> std::unique_ptr<DeviceQueue> {
    return std::make_unique<EmulatorQueue>(*this, budget);
  });
}

DeviceProgram *openProgram(const RuntimeServices &services, const Contents &contents,
                           const Variant &variant, Diagnostic &error) {
  return Reporter(services).contained(error, [&]() -> DeviceProgram * {
    auto program = std::make_unique<EmulatorProgram>(services);
    return program->open(contents, variant, error) ? program.release() : nullptr;
  });
}
}  // namespace

extern "C" {
[[gnu::visibility("default")]] extern const EmulatorLibrary adze_emulator;
const EmulatorLibrary adze_emulator = {ADZE_VERSION, openProgram};
}

}  // namespace adze::runtime
