// adze-make-fixture CODE.so OUT.adze
#include "lib/Artifact/Artifact.h"
#include "lib/Runtime/HostAbi.h"
#include "lib/Support/File.h"

#include <cstdio>

using namespace adze;
using namespace adze::artifact;

namespace {
TensorInfo matrix(const char *name, const char *rows, const char *columns) {
  return {name, DType::Float32, {{-1, rows}, {-1, columns}}};
}
}  // namespace

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  std::string why;
  auto code = MappedFile::open(argv[1], why);
  if (!code) return std::fprintf(stderr, "%s\n", why.c_str()), 1;
  float weights[16] = {3.0f};
  Contents c;
  c.cpu = "generic";
  c.hostAbi = ADZE_HOST_ABI_VERSION;
  c.inputs = {matrix("x", "batch", "n"), matrix("y", "batch", "n"), {"mode", DType::Int32, {}}};
  c.outputs = {matrix("sum", "batch", "n"), matrix("scaled", "batch", "n"),
               matrix("same", "batch", "n"), matrix("turned", "n", "batch")};
  c.kernels = {{"add_0", "elementwise", {"Add_0"}, "e0 e1 *", "e0 e1 * 8 *", "e0 e1 * 4 *", 2},
               {"mul_1", "elementwise", {"Mul_1"}, "e0 e1 *", "e0 e1 * 4 *", "", 2}};
  c.nodeMapping = {{"Add_0", 0}, {"Mul_1", 1}, {"Constant_2", -1}};
  c.memory = {128, 64, {{0, 0, 1, 0, 64}}};
  c.metadata = {{"author", "fixture"}, {"alphabet", "abc\n\xc3\xa9"}};
  c.sections = {Section::of(SectionKind::HostCode, "host", code->bytes()),
                Section::of(SectionKind::Weights, "weights", std::as_bytes(std::span(weights)))};
  Diagnostic error;
  if (!write(argv[2], c, error)) return std::fprintf(stderr, "%s\n", error.message.c_str()), 1;
  return 0;
}
