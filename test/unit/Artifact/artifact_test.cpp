#include "lib/Artifact/Artifact.h"

#include "lib/Artifact/Layout.h"
#include "lib/Support/File.h"

#include "catch2/catch.hpp"

#include <unistd.h>
#include <cstdio>
#include <cstring>
#include <random>

using namespace adze;
using namespace adze::artifact;

namespace {
std::span<const std::byte> bytesOf(std::string_view s) { return std::as_bytes(std::span(s)); }

/// One of everything.
Contents sample() {
  Contents c;
  c.triple = "x86_64-unknown-linux-gnu";
  c.cpu = "znver4";
  c.cpuFeatures = {"avx2", "fma"};
  c.hostAbi = 1;
  c.inputs = {{"x", DType::Float32, {{-1, "batch"}, {3, ""}}}};
  c.outputs = {{"y", DType::Int64, {{-1, "batch"}, {-1, ""}}}, {"z", DType::Bool, {}}};
  c.kernels = {{"conv_0", "conv", {"Conv_1", "Relu_2"}, "e0 18 *", "e0 12 *", "4096", 1}};
  c.memory = {256, 192, {{0, 0, 1, 64, 128}, {-1, 1, 1, 0, 64}}};
  c.nodeMapping = {{"Conv_1", 0}, {"Relu_2", 0}, {"Const_3", -1}};
  c.metadata = {{"character", std::string("a\0b\n", 4)}};
  c.provenance = {0x1234567890abcdefull, "--target=host"};
  c.sections = {Section::of(SectionKind::HostCode, "host", bytesOf("code bytes")),
                Section::of(SectionKind::Weights, "weights", bytesOf("0123456789")),
                Section::of(SectionKind::HostCode, "sm_80", bytesOf("code for sm_80")),
                Section::of(SectionKind::Ptx, "sm_80", bytesOf(".version 8.0"))};
  c.variants = {{"sm_80", {{"gemm", {8, 8, 4, 128}, 256}, {"init", {}, 1}}}};
  return c;
}

std::vector<std::byte> serialized(const Contents &c) {
  Diagnostic error;
  auto bytes = serialize(c, error);
  INFO(error.message);
  REQUIRE(bytes);
  return *bytes;
}

/// Rewrites the header's hash, so that only the checks behind it are left.
void rehash(std::vector<std::byte> &file) {
  Prelude p;
  std::memcpy(&p, file.data(), sizeof(p));
  p.headerHash = hashBytes(std::span(file).subspan(sizeof(p), p.headerBytes));
  std::memcpy(file.data(), &p, sizeof(p));
}

std::string refusal(std::span<const std::byte> file) {
  Diagnostic error;
  auto a = Artifact::fromBytes(file, error);
  return a ? "" : error.code;
}
}  // namespace

TEST_CASE("an artifact reads back as written", "[Artifact]") {
  std::vector<std::byte> file = serialized(sample());
  Diagnostic error;
  auto a = Artifact::fromBytes(file, error);
  REQUIRE(a);
  const Contents &c = a->contents();
  CHECK(c.target == "host");
  CHECK(c.compilerVersion == compilerVersion());
  CHECK(c.cpuFeatures == std::vector<std::string>{"avx2", "fma"});
  REQUIRE(c.inputs.size() == 1);
  CHECK(c.inputs[0].dims[0].symbol == "batch");
  CHECK(c.inputs[0].dims[0].value == -1);
  CHECK(c.inputs[0].dims[1].value == 3);
  REQUIRE(c.outputs.size() == 2);
  CHECK(c.outputs[1].dtype == DType::Bool);
  CHECK(c.outputs[1].dims.empty());
  CHECK(c.kernels[0].nodes == std::vector<std::string>{"Conv_1", "Relu_2"});
  CHECK(c.kernels[0].flops == "e0 18 *");
  CHECK(c.kernels[0].bytesRead == "e0 12 *");
  CHECK(c.kernels[0].bytesWritten == "4096");
  CHECK(c.kernels[0].extents == 1);
  CHECK(c.memory.arenaBytes == 256);
  CHECK(c.memory.buffers[1].kernel == -1);
  CHECK(c.nodeMapping[2].node == "Const_3");
  CHECK(c.metadata[0].value == std::string("a\0b\n", 4));
  CHECK(c.provenance.modelHash == 0x1234567890abcdefull);
  REQUIRE(c.variants.size() == 1);
  CHECK(c.variants[0].device == "sm_80");
  REQUIRE(c.variants[0].kernels.size() == 2);
  CHECK(c.variants[0].kernels[0].name == "gemm");
  CHECK(c.variants[0].kernels[0].parameterBytes == std::vector<uint32_t>{8, 8, 4, 128});
  CHECK(c.variants[0].kernels[0].threads == 256);
  CHECK(c.variants[0].kernels[1].parameterBytes.empty());
  const Section *weights = c.find(SectionKind::Weights);
  REQUIRE(weights);
  CHECK(weights->fileOffset % kPageBytes == 0);
  CHECK(std::memcmp(weights->bytes().data(), "0123456789", 10) == 0);
}

TEST_CASE("an empty artifact and empty sections are fine", "[Artifact]") {
  CHECK(refusal(serialized(Contents())) == "");
  Contents c;
  c.sections = {Section::of(SectionKind::Data, "a", {}), Section::of(SectionKind::Data, "b", {})};
  CHECK(refusal(serialized(c)) == "");
}

TEST_CASE("the same contents give the same bytes", "[Artifact]") {
  CHECK(serialized(sample()) == serialized(sample()));
}

TEST_CASE("a file has the bytes of the serialized form, and is written whole", "[Artifact]") {
  std::string path = "artifact_test." + std::to_string(getpid()) + ".adze";
  Diagnostic error;
  REQUIRE(write(path, sample(), error));
  std::string why;
  auto file = MappedFile::open(path, why);
  REQUIRE(file);
  std::vector<std::byte> want = serialized(sample());
  CHECK(std::equal(want.begin(), want.end(), file->bytes().begin(), file->bytes().end()));
  CHECK(Artifact::open(path, error));
  // In place of what was there, too; a reader keeps what it had opened.
  REQUIRE(write(path, artifact::Contents{}, error));
  CHECK(std::equal(want.begin(), want.end(), file->bytes().begin(), file->bytes().end()));
  auto now = MappedFile::open(path, why);
  REQUIRE(now);
  CHECK(now->bytes().size() < want.size());
  std::remove(path.c_str());
  CHECK_FALSE(write("/nonexistent/x.adze", sample(), error));
  CHECK(error.exitCode == ExitCode::ResourceLimit);
  CHECK_FALSE(Artifact::open("/nonexistent/x.adze", error));
  CHECK(error.code == "ADZ0600");
}

TEST_CASE("pieces of a section lie at their offsets, gaps are zero", "[Artifact]") {
  Contents c;
  Section s;
  s.kind = SectionKind::Weights;
  s.size = 10000;
  s.pieces = {{64, bytesOf("abc")}, {9000, bytesOf("def")}};
  c.sections.push_back(s);
  std::vector<std::byte> file = serialized(c);
  Diagnostic error;
  auto a = Artifact::fromBytes(file, error);
  REQUIRE(a);
  auto bytes = a->contents().sections[0].bytes();
  REQUIRE(bytes.size() == 10000);
  CHECK(std::memcmp(bytes.data() + 64, "abc", 3) == 0);
  CHECK(std::memcmp(bytes.data() + 9000, "def", 3) == 0);
  CHECK(bytes[0] == std::byte(0));
  CHECK(bytes[8999] == std::byte(0));
}

TEST_CASE("the writer refuses what a reader would refuse", "[Artifact]") {
  auto refused = [](auto change) {
    Contents c = sample();
    change(c);
    Diagnostic error;
    return !serialize(c, error) && error.code == "ADZ0620";
  };
  CHECK(refused([](Contents &c) { c.inputs[0].dtype = DType(99); }));
  CHECK(refused([](Contents &c) { c.inputs[0].dims[0].value = -2; }));
  CHECK(refused([](Contents &c) { c.outputs[1].name = "y"; }));
  CHECK(refused([](Contents &c) { c.nodeMapping[0].kernel = 1; }));
  CHECK(refused([](Contents &c) { c.memory.buffers[0].offset = 200; }));
  CHECK(refused([](Contents &c) { c.memory.buffers[0].first = 2; }));
  CHECK(refused([](Contents &c) { c.sections[0].pieces[0].offset = 1; }));
  CHECK_FALSE(refused([](Contents &) {}));
}

TEST_CASE("a variant names its sections, and kernels that a device can launch", "[Artifact]") {
  auto fault = [](auto change) {
    Contents c = sample();
    change(c, c.variants[0]);
    Diagnostic error;
    return serialize(c, error) ? "" : error.message;
  };
  auto says = [&](const char *what, auto change) {
    std::string message = fault(change);
    INFO(message);
    CHECK(message.find(what) != std::string::npos);
  };
  using C = Contents;
  using V = Variant;
  says("names no device", [](C &, V &v) { v.device = ""; });
  says("names no device", [](C &, V &v) { v.device = std::string("sm_80\0", 6); });
  says("appears twice", [](C &c, V &v) { c.variants.push_back(V(v)); });
  says("lacks a section", [](C &, V &v) { v.device = "sm_90"; });
  says("lacks a section", [](C &c, V &) { c.sections.pop_back(); });
  says("lacks a section", [](C &c, V &) { c.sections[2].name = "host"; });
  says("kernel 'gemm' appears twice", [](C &, V &v) { v.kernels[1].name = "gemm"; });
  says("has no name", [](C &, V &v) { v.kernels[1].name = ""; });
  says("has no name", [](C &, V &v) { v.kernels[1].name = std::string("a\0b", 3); });
  says("empty parameter", [](C &, V &v) { v.kernels[0].parameterBytes[1] = 0; });
  says("bytes of parameters", [](C &, V &v) { v.kernels[0].parameterBytes = {32764, 1}; });
  says("bytes of parameters", [](C &, V &v) { v.kernels[0].parameterBytes.assign(9, ~0u); });
  says("number of threads", [](C &, V &v) { v.kernels[0].threads = 0; });
  says("number of threads", [](C &, V &v) { v.kernels[0].threads = 1025; });
}

TEST_CASE("every truncation is refused", "[Artifact]") {
  std::vector<std::byte> file = serialized(sample());
  for (size_t n = 0; n < file.size(); ++n) {
    INFO("length " << n);
    CHECK(refusal(std::span(file).first(n)) == (n < 1 ? "ADZ0601" : "ADZ0603"));
  }
  file.push_back(std::byte(0));
  CHECK(refusal(file) == "ADZ0603");
}

TEST_CASE("every single-bit flip is refused", "[Artifact]") {
  std::vector<std::byte> file = serialized(sample());
  size_t accepted = 0;
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    file[bit / 8] ^= std::byte(1 << (bit % 8));
    accepted += refusal(file).empty();
    file[bit / 8] ^= std::byte(1 << (bit % 8));
  }
  CHECK(accepted == 0);
  CHECK(refusal(file).empty());
}

TEST_CASE("a header with a right checksum and wrong contents does no harm", "[Artifact]") {
  std::vector<std::byte> file = serialized(sample());
  Prelude p;
  std::memcpy(&p, file.data(), sizeof(p));
  // Exhaustive over bits, then random bytes: refused or read, never a crash.
  for (size_t bit = 0; bit < p.headerBytes * 8; ++bit) {
    std::vector<std::byte> bad = file;
    bad[sizeof(p) + bit / 8] ^= std::byte(1 << (bit % 8));
    rehash(bad);
    refusal(bad);
  }
  std::mt19937 rng(1);
  for (int i = 0; i < 3000; ++i) {
    std::vector<std::byte> bad = file;
    for (int k = 0; k < 8; ++k) bad[sizeof(p) + rng() % p.headerBytes] = std::byte(rng());
    rehash(bad);
    refusal(bad);
  }
}

TEST_CASE("sections that overlap or leave the file are refused", "[Artifact]") {
  std::vector<std::byte> file = serialized(sample());
  Prelude p;
  std::memcpy(&p, file.data(), sizeof(p));
  // The second section's offset is the one 8192 in the header.
  auto withOffset = [&](uint64_t offset) {
    std::vector<std::byte> bad = file;
    uint64_t second = 2 * kPageBytes;
    auto begin = bad.begin() + sizeof(p), end = begin + p.headerBytes;
    auto key = std::as_bytes(std::span(&second, 1));
    auto at = std::search(begin, end, key.begin(), key.end());
    REQUIRE(at != end);
    std::memcpy(&*at, &offset, sizeof(offset));
    rehash(bad);
    return refusal(bad);
  };
  CHECK(withOffset(2 * kPageBytes) == "");
  CHECK(withOffset(kPageBytes) == "ADZ0603");
  CHECK(withOffset(0) == "ADZ0603");
  CHECK(withOffset(2 * kPageBytes + 1) == "ADZ0603");
  CHECK(withOffset(1 << 20) == "ADZ0603");
  CHECK(withOffset(~uint64_t(0) - kPageBytes + 1) == "ADZ0603");
}

TEST_CASE("other files and other versions are told apart", "[Artifact]") {
  CHECK(refusal(bytesOf("\x7f"
                        "ELF")) == "ADZ0601");
  CHECK(refusal(bytesOf("PK\x03\x04 this is a zip file")) == "ADZ0601");
  std::vector<std::byte> file = serialized(sample());
  file[8] = std::byte(9);
  Diagnostic error;
  CHECK_FALSE(Artifact::fromBytes(file, error));
  CHECK(error.code == "ADZ0602");
  CHECK(error.message.find("format 9") != std::string::npos);
  CHECK_FALSE(error.help.empty());
}

TEST_CASE("bytes at an odd address read the same", "[Artifact]") {
  std::vector<std::byte> file = serialized(sample());
  std::vector<std::byte> shifted(file.size() + 1);
  std::copy(file.begin(), file.end(), shifted.begin() + 1);
  CHECK(refusal(std::span(shifted).subspan(1)) == "");
}
