#include "lib/Artifact/Layout.h"
#include "lib/Artifact/adze_generated.h"
#include "lib/Support/File.h"

#include <algorithm>
#include <cstring>

namespace adze::artifact {

namespace {
namespace fb = adze::artifact::fb;

// Far above what a real header needs; they bound the work that a crafted one
// can ask for.
constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxTables = 4'000'000;

bool fail(Diagnostic &error, const char *code, std::string message, std::string help) {
  error = {};
  error.exitCode = ExitCode::CorruptArtifact;
  error.code = code;
  error.message = std::move(message);
  error.help = std::move(help);
  return false;
}

bool damaged(Diagnostic &error, const std::string &what) {
  return fail(error, "ADZ0603", "the artifact is damaged: " + what,
              "copy the file again, or rebuild it with `adze compile`");
}

std::string text(const flatbuffers::String *s) { return s ? s->str() : std::string(); }

/// Calls f(element) for every element of a vector that may be absent.
template <typename T, typename F>
void each(const flatbuffers::Vector<flatbuffers::Offset<T>> *v, F f) {
  if (!v) return;
  for (const T *t : *v) f(*t);
}

std::vector<std::string> texts(
    const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>> *v) {
  std::vector<std::string> out;
  each(v, [&](const flatbuffers::String &s) { out.push_back(s.str()); });
  return out;
}

std::vector<TensorInfo> tensors(const flatbuffers::Vector<flatbuffers::Offset<fb::TensorInfo>> *v) {
  std::vector<TensorInfo> out;
  each(v, [&](const fb::TensorInfo &t) {
    TensorInfo info{text(t.name()), static_cast<DType>(t.dtype()), {}};
    each(t.dims(), [&](const fb::Dim &d) {
      info.dims.push_back({d.value(), text(d.symbol()), d.least(), d.most()});
    });
    out.push_back(std::move(info));
  });
  return out;
}

Variant variant(const fb::Variant &v) {
  Variant out{text(v.device()), {}, text(v.assembler())};
  each(v.kernels(), [&](const fb::DeviceKernel &k) {
    DeviceKernel kernel{text(k.name()), {},           k.threads(),
                        k.registers(),  k.spill_bytes(), k.shared_bytes()};
    if (const auto *bytes = k.parameter_bytes())
      kernel.parameterBytes.assign(bytes->begin(), bytes->end());
    out.kernels.push_back(std::move(kernel));
  });
  return out;
}

MemoryPlan memoryPlan(const fb::MemoryPlan *m) {
  MemoryPlan plan;
  if (!m) return plan;
  plan.arenaBytes = m->arena_bytes();
  plan.peakLiveBytes = m->peak_live_bytes();
  each(m->buffers(), [&](const fb::PlannedBuffer &b) {
    plan.buffers.push_back({b.kernel(), b.first(), b.last(), b.offset(), b.size()});
  });
  return plan;
}

void readHeader(const fb::Header &h, Contents &c) {
  c.formatVersion = h.format_version();
  c.compilerVersion = text(h.compiler_version());
  c.target = text(h.target());
  c.triple = text(h.triple());
  c.cpu = text(h.cpu());
  c.cpuFeatures = texts(h.cpu_features());
  c.hostAbi = h.host_abi();
  c.inputs = tensors(h.inputs());
  c.outputs = tensors(h.outputs());
  each(h.kernels(), [&](const fb::Kernel &k) {
    c.kernels.push_back({text(k.name()), text(k.kind()), texts(k.nodes()), text(k.flops()),
                         text(k.bytes_read()), text(k.bytes_written()), k.extents()});
  });
  c.memory = memoryPlan(h.memory());
  each(h.node_mapping(),
       [&](const fb::NodeMapping &n) { c.nodeMapping.push_back({text(n.node()), n.kernel()}); });
  each(h.metadata(),
       [&](const fb::KeyValue &kv) { c.metadata.push_back({text(kv.key()), text(kv.value())}); });
  if (const fb::Provenance *p = h.provenance()) c.provenance = {p->model_hash(), text(p->flags())};
  each(h.variants(), [&](const fb::Variant &v) { c.variants.push_back(variant(v)); });
}

bool allZero(std::span<const std::byte> b) {
  return std::all_of(b.begin(), b.end(), [](std::byte x) { return x == std::byte(0); });
}

/// Every byte after the header belongs to a section or is zero padding, and
/// sections come in file order: nothing can hide, nothing can overlap.
bool readSections(const fb::Header &h, std::span<const std::byte> file, uint64_t at, Contents &c,
                  Diagnostic &error) {
  bool ok = true;
  each(h.sections(), [&](const fb::Section &s) {
    if (!ok) return;
    std::string name = "section '" + printable(text(s.name()), 80) + "'";
    if (s.offset() % kPageBytes || s.offset() < at || s.offset() > file.size() ||
        s.size() > file.size() - s.offset()) {
      ok = damaged(error, name + " lies outside the file or over another one");
      return;
    }
    auto bytes = file.subspan(s.offset(), s.size());
    if (!allZero(file.subspan(at, s.offset() - at))) {
      ok = damaged(error, "bytes between sections are not zero");
      return;
    }
    if (hashBytes(bytes) != s.xxh3()) {
      ok = damaged(error, "checksum of " + name + " does not match");
      return;
    }
    Section section = Section::of(static_cast<SectionKind>(s.kind()), text(s.name()), bytes);
    section.fileOffset = s.offset();
    section.xxh3 = s.xxh3();
    c.sections.push_back(std::move(section));
    at = s.offset() + s.size();
  });
  if (ok && at != file.size()) return damaged(error, "there are bytes after its last section");
  return ok;
}

bool checkPrelude(std::span<const std::byte> file, Prelude &p, Diagnostic &error) {
  size_t n = std::min(file.size(), sizeof(kMagic));
  if (file.empty() || std::memcmp(file.data(), kMagic, n) != 0)
    return fail(error, "ADZ0601", "this is not an adze artifact",
                "make one with `adze compile model.onnx -o model.adze`");
  if (file.size() < sizeof(Prelude)) return damaged(error, "it ends early");
  std::memcpy(&p, file.data(), sizeof(Prelude));
  if (p.formatVersion != kFormatVersion)
    return fail(error, "ADZ0602",
                "the artifact has format " + std::to_string(p.formatVersion) + "; this is adze " +
                    compilerVersion() + ", which reads format " + std::to_string(kFormatVersion),
                "rebuild it with this version's `adze compile`");
  if (p.reserved != 0) return damaged(error, "reserved bytes are not zero");
  if (p.headerBytes > file.size() - sizeof(Prelude)) return damaged(error, "it ends early");
  if (p.headerBytes > kMaxHeaderBytes) return damaged(error, "its header is too large");
  return true;
}

/// Reads and checks everything; `c` points into `file`.
bool readAll(std::span<const std::byte> file, Contents &c, Diagnostic &error) {
  Prelude prelude;
  if (file.size() > kMaxFileBytes) return damaged(error, "it is too large");
  if (!checkPrelude(file, prelude, error)) return false;
  std::span<const std::byte> header = file.subspan(sizeof(Prelude), prelude.headerBytes);
  if (hashBytes(header) != prelude.headerHash)
    return damaged(error, "checksum of the header does not match");
  // FlatBuffers reads scalars in place; bytes given in memory may lie anywhere.
  std::vector<uint64_t> aligned;
  if (reinterpret_cast<uintptr_t>(header.data()) % alignof(uint64_t)) {
    aligned.resize((header.size() + 7) / 8);
    std::memcpy(aligned.data(), header.data(), header.size());
    header = std::as_bytes(std::span(aligned)).first(header.size());
  }
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t *>(header.data()), header.size(),
                                 kMaxDepth, kMaxTables);
  if (!fb::VerifyHeaderBuffer(verifier)) return damaged(error, "its header does not verify");
  const fb::Header &h = *fb::GetHeader(header.data());
  if (h.format_version() != kFormatVersion) return damaged(error, "its header does not verify");
  readHeader(h, c);
  if (!readSections(h, file, sizeof(Prelude) + prelude.headerBytes, c, error)) return false;
  if (std::string fault = validate(c); !fault.empty()) return damaged(error, fault);
  return true;
}
}  // namespace

std::shared_ptr<const Artifact> Artifact::fromBytes(std::span<const std::byte> bytes,
                                                    Diagnostic &error,
                                                    std::shared_ptr<const void> owner) {
  std::shared_ptr<Artifact> a(new Artifact);
  a->bytes_ = bytes;
  a->owner_ = std::move(owner);
  if (!readAll(bytes, a->contents_, error)) return nullptr;
  return a;
}

std::shared_ptr<const Artifact> Artifact::open(const std::string &path, Diagnostic &error) {
  std::string why;
  std::shared_ptr<MappedFile> file = MappedFile::open(path, why);
  if (!file) {
    fail(error, "ADZ0600", why, "");
    error.exitCode = ExitCode::InvalidModel;
    return nullptr;
  }
  auto artifact = fromBytes(file->bytes(), error, file);
  if (!artifact) error.file = path;
  // Checking read all of it; a request may need less, such as one of two layouts.
  file->release();
  return artifact;
}

}  // namespace adze::artifact
