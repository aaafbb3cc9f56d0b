#include "lib/Artifact/Layout.h"
#include "lib/Artifact/adze_generated.h"
#include "lib/Support/File.h"

#include <algorithm>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace adze::artifact {

namespace {
namespace fb = adze::artifact::fb;
using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

constexpr std::byte kZeros[kPageBytes] = {};

/// Where a section goes and what its bytes hash to.
struct Placed {
  uint64_t offset = 0;
  uint64_t hash = 0;
};

/// Calls sink(bytes) for every byte of the section in order, gaps included.
template <typename Sink>
bool stream(const Section &s, Sink sink) {
  auto zeros = [&](uint64_t n) {
    for (; n; n -= std::min<uint64_t>(n, kPageBytes))
      if (!sink(std::span(kZeros, std::min<uint64_t>(n, kPageBytes)))) return false;
    return true;
  };
  uint64_t at = 0;
  for (const Piece &p : s.pieces) {
    if (!zeros(p.offset - at) || !sink(p.bytes)) return false;
    at = p.offset + p.bytes.size();
  }
  return zeros(s.size - at);
}

uint64_t hashSection(const Section &s) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  stream(s, [&](std::span<const std::byte> b) {
    XXH3_64bits_update(&state, b.data(), b.size());
    return true;
  });
  return XXH3_64bits_digest(&state);
}

class HeaderBuilder {
 public:
  explicit HeaderBuilder(const Contents &c) : c_(c) {
    // With defaults written out, the header's size depends on no number in it,
    // so that it can be sized before the section offsets are known.
    b_.ForceDefaults(true);
  }

  std::span<const std::byte> build(const std::vector<Placed> &placed) {
    auto version = text(c_.compilerVersion.empty() ? compilerVersion() : c_.compilerVersion);
    auto target = text(c_.target), triple = text(c_.triple), cpu = text(c_.cpu);
    auto features = texts(c_.cpuFeatures);
    auto inputs = tensors(c_.inputs), outputs = tensors(c_.outputs);
    auto kernelList = kernels();
    auto plan = memory();
    auto mapping = nodeMapping();
    auto meta = metadata();
    auto provenance = fb::CreateProvenance(b_, c_.provenance.modelHash, text(c_.provenance.flags));
    auto sectionList = sections(placed);
    auto variantList = variants();
    auto header = fb::CreateHeader(b_, kFormatVersion, version, target, triple, cpu, features,
                                   c_.hostAbi, inputs, outputs, kernelList, plan, mapping, meta,
                                   provenance, sectionList, variantList);
    fb::FinishHeaderBuffer(b_, header);
    return std::as_bytes(std::span(b_.GetBufferPointer(), b_.GetSize()));
  }

 private:
  Offset<flatbuffers::String> text(std::string_view s) {
    return b_.CreateString(s.data(), s.size());
  }

  Offset<flatbuffers::Vector<Offset<flatbuffers::String>>> texts(
      const std::vector<std::string> &list) {
    std::vector<Offset<flatbuffers::String>> v;
    for (const std::string &s : list) v.push_back(text(s));
    return b_.CreateVector(v);
  }

  Offset<flatbuffers::Vector<Offset<fb::TensorInfo>>> tensors(const std::vector<TensorInfo> &list) {
    std::vector<Offset<fb::TensorInfo>> v;
    for (const TensorInfo &t : list) {
      std::vector<Offset<fb::Dim>> dims;
      for (const Dim &d : t.dims)
        dims.push_back(fb::CreateDim(b_, d.value, text(d.symbol), d.least, d.most));
      auto name = text(t.name);
      v.push_back(
          fb::CreateTensorInfo(b_, name, static_cast<uint8_t>(t.dtype), b_.CreateVector(dims)));
    }
    return b_.CreateVector(v);
  }

  Offset<flatbuffers::Vector<Offset<fb::Kernel>>> kernels() {
    std::vector<Offset<fb::Kernel>> v;
    for (const Kernel &k : c_.kernels) {
      auto name = text(k.name), kind = text(k.kind), flops = text(k.flops);
      auto read = text(k.bytesRead), written = text(k.bytesWritten);
      v.push_back(
          fb::CreateKernel(b_, name, kind, texts(k.nodes), flops, read, written, k.extents));
    }
    return b_.CreateVector(v);
  }

  Offset<fb::MemoryPlan> memory() {
    std::vector<Offset<fb::PlannedBuffer>> v;
    for (const PlannedBuffer &p : c_.memory.buffers)
      v.push_back(fb::CreatePlannedBuffer(b_, p.kernel, p.first, p.last, p.offset, p.size));
    return fb::CreateMemoryPlan(b_, c_.memory.arenaBytes, c_.memory.peakLiveBytes,
                                b_.CreateVector(v));
  }

  Offset<flatbuffers::Vector<Offset<fb::NodeMapping>>> nodeMapping() {
    std::vector<Offset<fb::NodeMapping>> v;
    for (const NodeMapping &n : c_.nodeMapping)
      v.push_back(fb::CreateNodeMapping(b_, text(n.node), n.kernel));
    return b_.CreateVector(v);
  }

  Offset<flatbuffers::Vector<Offset<fb::KeyValue>>> metadata() {
    std::vector<Offset<fb::KeyValue>> v;
    for (const KeyValue &kv : c_.metadata) {
      auto key = text(kv.key), value = text(kv.value);
      v.push_back(fb::CreateKeyValue(b_, key, value));
    }
    return b_.CreateVector(v);
  }

  Offset<flatbuffers::Vector<Offset<fb::Section>>> sections(const std::vector<Placed> &placed) {
    std::vector<Offset<fb::Section>> v;
    for (size_t i = 0; i < c_.sections.size(); ++i) {
      const Section &s = c_.sections[i];
      v.push_back(fb::CreateSection(b_, static_cast<uint16_t>(s.kind), text(s.name),
                                    placed[i].offset, s.size, placed[i].hash));
    }
    return b_.CreateVector(v);
  }

  Offset<flatbuffers::Vector<Offset<fb::Variant>>> variants() {
    std::vector<Offset<fb::Variant>> v;
    for (const Variant &variant : c_.variants) {
      std::vector<Offset<fb::DeviceKernel>> kernels;
      for (const DeviceKernel &k : variant.kernels) {
        auto name = text(k.name);
        kernels.push_back(
            fb::CreateDeviceKernel(b_, name, b_.CreateVector(k.parameterBytes), k.threads,
                                   k.registers, k.spillBytes, k.sharedBytes));
      }
      auto device = text(variant.device), assembler = text(variant.assembler);
      v.push_back(fb::CreateVariant(b_, device, b_.CreateVector(kernels), assembler));
    }
    return b_.CreateVector(v);
  }

  const Contents &c_;
  FlatBufferBuilder b_;
};

bool fail(Diagnostic &error, ExitCode exitCode, const char *code, std::string message) {
  error = {};
  error.exitCode = exitCode;
  error.code = code;
  error.message = std::move(message);
  return false;
}

/// Sends the whole file to sink(bytes) -> bool.
template <typename Sink>
bool emit(const Contents &c, Diagnostic &error, Sink sink) {
  if (std::string fault = validate(c); !fault.empty())
    return fail(error, ExitCode::Internal, "ADZ0620", "cannot write the artifact: " + fault);
  std::vector<Placed> placed(c.sections.size());
  uint64_t headerBytes = HeaderBuilder(c).build(placed).size();
  if (headerBytes > kMaxHeaderBytes)
    return fail(error, ExitCode::ResourceLimit, "ADZ0622", "the artifact's header is too large");
  uint64_t at = pageAlign(sizeof(Prelude) + headerBytes);
  for (size_t i = 0; i < placed.size(); ++i) {
    placed[i] = {at, hashSection(c.sections[i])};
    if (c.sections[i].size > kMaxFileBytes - at)
      return fail(error, ExitCode::ResourceLimit, "ADZ0622", "the artifact would be too large");
    at = pageAlign(at + c.sections[i].size);
  }
  HeaderBuilder builder(c);
  std::span<const std::byte> header = builder.build(placed);
  Prelude prelude{};
  std::memcpy(prelude.magic, kMagic, sizeof(kMagic));
  prelude.formatVersion = kFormatVersion;
  prelude.headerBytes = header.size();
  prelude.headerHash = hashBytes(header);

  uint64_t written = 0;
  auto put = [&](std::span<const std::byte> b) {
    written += b.size();
    return b.empty() || sink(b);
  };
  if (!put(std::as_bytes(std::span(&prelude, 1))) || !put(header)) return false;
  for (size_t i = 0; i < placed.size(); ++i) {
    if (!put(std::span(kZeros, placed[i].offset - written))) return false;
    if (!stream(c.sections[i], put)) return false;
  }
  return true;
}
}  // namespace

bool write(const std::string &path, const Contents &contents, Diagnostic &error) {
  AtomicFile file;
  std::string why;
  if (!file.open(path, why)) return fail(error, ExitCode::ResourceLimit, "ADZ0621", why);
  bool ok = emit(contents, error, [&](std::span<const std::byte> b) {
    if (file.write(b.data(), b.size(), why)) return true;
    return fail(error, ExitCode::ResourceLimit, "ADZ0621", why);
  });
  if (!ok) return false;
  if (!file.commit(why)) return fail(error, ExitCode::ResourceLimit, "ADZ0621", why);
  return true;
}

std::optional<std::vector<std::byte>> serialize(const Contents &contents, Diagnostic &error) {
  std::vector<std::byte> out;
  bool ok = emit(contents, error, [&](std::span<const std::byte> b) {
    out.insert(out.end(), b.begin(), b.end());
    return true;
  });
  if (!ok) return std::nullopt;
  return out;
}

}  // namespace adze::artifact
