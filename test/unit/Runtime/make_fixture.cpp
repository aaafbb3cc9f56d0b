// adze-make-fixture CODE.so OUT.adze                        for the host
// adze-make-fixture CODE.so OUT.adze ALL.ptx SM90A.ptx   for GPUs of two kinds
#include "lib/Artifact/Artifact.h"
#include "lib/Runtime/HostAbi.h"
#include "lib/Support/File.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

using namespace adze;
using namespace adze::artifact;

namespace {
TensorInfo matrix(const char *name, const char *rows, const char *columns) {
  return {name, DType::Float32, {{-1, rows}, {-1, columns}}};
}

struct Kept {
  float weights[16] = {3.0f};
  std::vector<std::shared_ptr<MappedFile>> files;
  std::string ptx[2];
};

std::span<const std::byte> bytesOf(Kept &kept, const char *path) {
  std::string why;
  kept.files.push_back(MappedFile::open(path, why));
  if (kept.files.back()) return kept.files.back()->bytes();
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

/// What fixture.c is the code of.
Contents hostModel(Kept &kept, char **files) {
  Contents c;
  c.inputs = {matrix("x", "batch", "n"), matrix("y", "batch", "n"), {"mode", DType::Int32, {}}};
  c.outputs = {matrix("sum", "batch", "n"), matrix("scaled", "batch", "n"),
               matrix("same", "batch", "n"), matrix("turned", "n", "batch")};
  c.kernels = {{"add_0", "elementwise", {"Add_0"}, "e0 e1 *", "e0 e1 * 8 *", "e0 e1 * 4 *", 2},
               {"mul_1", "elementwise", {"Mul_1"}, "e0 e1 *", "e0 e1 * 4 *", "", 2}};
  c.nodeMapping = {{"Add_0", 0}, {"Mul_1", 1}, {"Constant_2", -1}};
  c.memory = {128, 64, {{0, 0, 1, 0, 64}}};
  c.metadata = {{"author", "fixture"}, {"alphabet", "abc\n\xc3\xa9"}};
  c.sections = {Section::of(SectionKind::HostCode, "host", bytesOf(kept, files[0]))};
  return c;
}

/// What device_fixture.c is the code of.
Contents deviceModel(Kept &kept, char **files) {
  Contents c;
  c.target = "cuda";
  c.inputs = {{"x", DType::Float32, {{-1, "n"}}}, {"mode", DType::Int32, {}}};
  c.outputs = {{"y", DType::Float32, {{-1, "n"}}},
               {"same", DType::Float32, {{-1, "n"}}},
               {"even", DType::Float32, {{-1, "half"}}}};
  c.kernels = {{"scale_0", "elementwise", {"Mul_0"}, "e0", "e0 4 *", "e0 4 *", 1}};
  c.nodeMapping = {{"Mul_0", 0}};
  std::vector<DeviceKernel> kernels;
  for (const char *name : {"scale", "overrun", "staged"})
    kernels.push_back({name, {8, 8, 8, 4}, 128});
  c.variants = {{"sm_80", kernels}, {"sm_90a", kernels}};
  c.variants[1].kernels.push_back({"box", {128, 8}, 32});
  for (int i = 0; i < 2; ++i) {
    const std::string &device = c.variants[i].device;
    std::string &text = kept.ptx[i];
    text = ".version 8.0\n.target " + device + "\n.address_size 64\n";
    for (int part = 0; part <= i; ++part) {
      auto bytes = bytesOf(kept, files[2 + part]);
      text.append(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    }
    c.sections.push_back(Section::of(SectionKind::HostCode, device, bytesOf(kept, files[0])));
    c.sections.push_back(
        Section::of(SectionKind::Ptx, device, std::as_bytes(std::span(std::as_const(text)))));
  }
  return c;
}
}  // namespace

int main(int argc, char **argv) {
  if (argc != 3 && argc != 5) return 2;
  Kept kept;
  Contents c = argc == 3 ? hostModel(kept, argv + 1) : deviceModel(kept, argv + 1);
  c.cpu = "generic";
  c.hostAbi = ADZE_HOST_ABI_VERSION;
  c.sections.push_back(
      Section::of(SectionKind::Weights, "weights", std::as_bytes(std::span(kept.weights))));
  Diagnostic error;
  if (!write(argv[2], c, error)) return std::fprintf(stderr, "%s\n", error.message.c_str()), 1;
  return 0;
}
