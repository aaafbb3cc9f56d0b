#include "lib/Artifact/Artifact.h"
#include "lib/Artifact/Count.h"

#include <set>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace adze::artifact {

namespace {
struct DTypeRow {
  const char *name;
  int bits;
};
// Indexed by DType.
constexpr DTypeRow kDTypes[] = {
    {"undefined", 0},      {"float32", 32},     {"uint8", 8},          {"int8", 8},
    {"uint16", 16},        {"int16", 16},       {"int32", 32},         {"int64", 64},
    {"string", 0},         {"bool", 8},         {"float16", 16},       {"float64", 64},
    {"uint32", 32},        {"uint64", 64},      {"complex64", 64},     {"complex128", 128},
    {"bfloat16", 16},      {"float8e4m3fn", 8}, {"float8e4m3fnuz", 8}, {"float8e5m2", 8},
    {"float8e5m2fnuz", 8}, {"uint4", 4},        {"int4", 4},           {"float4e2m1", 4},
    {"float8e8m0", 8},     {"uint2", 2},        {"int2", 2},
};
static_assert(std::size(kDTypes) == kMaxDType + 1);

const DTypeRow &row(DType t) {
  uint8_t i = static_cast<uint8_t>(t);
  return kDTypes[i <= kMaxDType ? i : 0];
}

bool hasNul(const std::string &s) { return s.find('\0') != std::string::npos; }

std::string checkTensors(const char *what, const std::vector<TensorInfo> &tensors) {
  std::set<std::string_view> names;
  for (const TensorInfo &t : tensors) {
    std::string where = std::string(what) + " '" + printable(t.name, 80) + "'";
    if (t.dtype == DType::Undefined || static_cast<uint8_t>(t.dtype) > kMaxDType)
      return where + " has an unknown element type";
    // Names are handed out as C strings.
    if (hasNul(t.name)) return where + " has a NUL in its name";
    if (!names.insert(t.name).second) return where + " appears twice";
    for (const Dim &d : t.dims) {
      if (d.value < -1 || d.least < 0 || d.most < -1) return where + " has a negative dimension";
      if (d.most >= 0 && d.most < d.least) return where + " has a dimension with no extent";
      if (d.value >= 0 && !d.symbol.empty()) return where + " has a dimension with two meanings";
      if (hasNul(d.symbol)) return where + " has a NUL in a symbol";
    }
  }
  return {};
}

std::string checkPlan(const MemoryPlan &plan, int64_t kernels) {
  if (plan.arenaBytes < 0 || plan.peakLiveBytes < 0) return "memory plan has negative sizes";
  for (const PlannedBuffer &b : plan.buffers) {
    if (b.offset < 0 || b.size < 0 || b.offset > plan.arenaBytes ||
        b.size > plan.arenaBytes - b.offset)
      return "memory plan has a buffer outside the arena";
    if (b.first > b.last) return "memory plan has a buffer that ends before it begins";
    if (b.kernel < -1 || b.kernel >= kernels) return "memory plan names a kernel that is not there";
  }
  return {};
}

std::string checkCounts(const std::vector<Kernel> &kernels) {
  for (const Kernel &k : kernels)
    for (const std::string *text : {&k.flops, &k.bytesRead, &k.bytesWritten})
      if (!text->empty() && !Count::parse(*text, k.extents))
        return "kernel '" + printable(k.name, 80) + "' has a malformed count of its work";
  return {};
}

std::string checkSections(const std::vector<Section> &sections) {
  for (const Section &s : sections) {
    uint64_t end = 0;
    for (const Piece &p : s.pieces) {
      if (p.offset < end || p.offset > s.size || p.bytes.size() > s.size - p.offset)
        return "section '" + printable(s.name, 80) + "' has pieces out of order or out of bounds";
      end = p.offset + p.bytes.size();
    }
  }
  return {};
}
// CUDA's limits: threads of a block, bytes of a kernel's parameters (from 12.1 on).
constexpr uint32_t kMostThreads = 1024;
constexpr uint64_t kMostParameterBytes = 32764;

std::string checkKernel(const DeviceKernel &k) {
  uint64_t bytes = 0;
  for (uint32_t b : k.parameterBytes) {
    if (b == 0) return " has an empty parameter";
    bytes += b;
  }
  if (bytes > kMostParameterBytes) return " has too many bytes of parameters";
  if (k.threads == 0 || k.threads > kMostThreads) return " has no possible number of threads";
  return {};
}

/// Every variant has what it needs, and says nothing that no device can do.
/// Kernels are looked up by C strings.
std::string checkVariants(const Contents &c) {
  std::set<std::string_view> devices;
  for (const Variant &v : c.variants) {
    std::string where = "variant '" + printable(v.device, 40) + "'";
    if (v.device.empty() || hasNul(v.device)) return where + " names no device";
    if (!devices.insert(v.device).second) return where + " appears twice";
    for (SectionKind kind : {SectionKind::HostCode, SectionKind::Ptx})
      if (!c.find(kind, v.device)) return where + " lacks a section";
    std::set<std::string_view> names;
    for (const DeviceKernel &k : v.kernels) {
      std::string fault = checkKernel(k);
      if (k.name.empty() || hasNul(k.name)) fault = " has no name";
      if (!names.insert(k.name).second) fault = " appears twice";
      if (!fault.empty()) return where + ": kernel '" + printable(k.name, 80) + "'" + fault;
    }
  }
  return {};
}
}  // namespace

const char *dtypeName(DType t) { return row(t).name; }
int dtypeBits(DType t) { return row(t).bits; }
int64_t dtypeBytes(DType t) { return row(t).bits / 8; }

Section Section::of(SectionKind kind, std::string name, std::span<const std::byte> bytes) {
  Section s;
  s.kind = kind;
  s.name = std::move(name);
  s.size = bytes.size();
  s.pieces.push_back({0, bytes});
  return s;
}

std::span<const std::byte> Section::bytes() const {
  return pieces.size() == 1 ? pieces[0].bytes : std::span<const std::byte>();
}

const Section *Contents::find(SectionKind kind, std::string_view name) const {
  for (const Section &s : sections)
    if (s.kind == kind && (name.empty() || s.name == name)) return &s;
  return nullptr;
}

uint64_t hashBytes(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

const char *compilerVersion() { return ADZE_VERSION; }

std::string validate(const Contents &c) {
  int64_t kernels = static_cast<int64_t>(c.kernels.size());
  if (std::string e = checkTensors("input", c.inputs); !e.empty()) return e;
  if (std::string e = checkTensors("output", c.outputs); !e.empty()) return e;
  if (std::string e = checkPlan(c.memory, kernels); !e.empty()) return e;
  if (std::string e = checkCounts(c.kernels); !e.empty()) return e;
  for (const NodeMapping &n : c.nodeMapping)
    if (n.kernel < -1 || n.kernel >= kernels)
      return "node '" + printable(n.node, 80) + "' maps to a kernel that is not there";
  if (std::string e = checkVariants(c); !e.empty()) return e;
  return checkSections(c.sections);
}

}  // namespace adze::artifact
