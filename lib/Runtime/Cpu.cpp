#include "lib/Runtime/Cpu.h"

#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace adze::runtime {

#if defined(__x86_64__)
namespace {
enum Reg : uint8_t { A, B, C, D };

// State that the operating system must save for a feature to be usable (XCR0).
constexpr uint32_t kNone = 0;
constexpr uint32_t kYmm = 0x6;
constexpr uint32_t kZmm = 0xe6;
constexpr uint32_t kTile = 0x60000;
constexpr uint32_t kApx = 0x80000;

struct Row {
  const char *name;
  uint32_t leaf, subleaf;
  Reg reg;
  uint8_t bit;
  uint32_t state;
};

// Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E.
constexpr Row kFeatures[] = {
    {"cx8", 1, 0, D, 8, kNone},
    {"cmov", 1, 0, D, 15, kNone},
    {"mmx", 1, 0, D, 23, kNone},
    {"fxsr", 1, 0, D, 24, kNone},
    {"x87", 1, 0, D, 0, kNone},
    {"sse", 1, 0, D, 25, kNone},
    {"sse2", 1, 0, D, 26, kNone},
    {"sse3", 1, 0, C, 0, kNone},
    {"pclmul", 1, 0, C, 1, kNone},
    {"ssse3", 1, 0, C, 9, kNone},
    {"fma", 1, 0, C, 12, kYmm},
    {"cx16", 1, 0, C, 13, kNone},
    {"sse4.1", 1, 0, C, 19, kNone},
    {"sse4.2", 1, 0, C, 20, kNone},
    {"crc32", 1, 0, C, 20, kNone},
    {"movbe", 1, 0, C, 22, kNone},
    {"popcnt", 1, 0, C, 23, kNone},
    {"aes", 1, 0, C, 25, kNone},
    {"xsave", 1, 0, C, 27, kNone},
    {"avx", 1, 0, C, 28, kYmm},
    {"f16c", 1, 0, C, 29, kYmm},
    {"rdrnd", 1, 0, C, 30, kNone},
    {"fsgsbase", 7, 0, B, 0, kNone},
    {"sgx", 7, 0, B, 2, kNone},
    {"bmi", 7, 0, B, 3, kNone},
    {"avx2", 7, 0, B, 5, kYmm},
    {"bmi2", 7, 0, B, 8, kNone},
    {"invpcid", 7, 0, B, 10, kNone},
    {"rtm", 7, 0, B, 11, kNone},
    {"avx512f", 7, 0, B, 16, kZmm},
    {"avx512dq", 7, 0, B, 17, kZmm},
    {"rdseed", 7, 0, B, 18, kNone},
    {"adx", 7, 0, B, 19, kNone},
    {"avx512ifma", 7, 0, B, 21, kZmm},
    {"clflushopt", 7, 0, B, 23, kNone},
    {"clwb", 7, 0, B, 24, kNone},
    {"avx512cd", 7, 0, B, 28, kZmm},
    {"sha", 7, 0, B, 29, kNone},
    {"avx512bw", 7, 0, B, 30, kZmm},
    {"avx512vl", 7, 0, B, 31, kZmm},
    {"avx512vbmi", 7, 0, C, 1, kZmm},
    {"pku", 7, 0, C, 4, kNone},
    {"waitpkg", 7, 0, C, 5, kNone},
    {"avx512vbmi2", 7, 0, C, 6, kZmm},
    {"shstk", 7, 0, C, 7, kNone},
    {"gfni", 7, 0, C, 8, kNone},
    {"vaes", 7, 0, C, 9, kYmm},
    {"vpclmulqdq", 7, 0, C, 10, kYmm},
    {"avx512vnni", 7, 0, C, 11, kZmm},
    {"avx512bitalg", 7, 0, C, 12, kZmm},
    {"avx512vpopcntdq", 7, 0, C, 14, kZmm},
    {"rdpid", 7, 0, C, 22, kNone},
    {"kl", 7, 0, C, 23, kNone},
    {"cldemote", 7, 0, C, 25, kNone},
    {"movdiri", 7, 0, C, 27, kNone},
    {"movdir64b", 7, 0, C, 28, kNone},
    {"enqcmd", 7, 0, C, 29, kNone},
    {"uintr", 7, 0, D, 5, kNone},
    {"avx512vp2intersect", 7, 0, D, 8, kZmm},
    {"serialize", 7, 0, D, 14, kNone},
    {"tsxldtrk", 7, 0, D, 16, kNone},
    {"pconfig", 7, 0, D, 18, kNone},
    {"amx-bf16", 7, 0, D, 22, kTile},
    {"avx512fp16", 7, 0, D, 23, kZmm},
    {"amx-tile", 7, 0, D, 24, kTile},
    {"amx-int8", 7, 0, D, 25, kTile},
    {"sha512", 7, 1, A, 0, kYmm},
    {"sm3", 7, 1, A, 1, kYmm},
    {"sm4", 7, 1, A, 2, kYmm},
    {"raoint", 7, 1, A, 3, kNone},
    {"avxvnni", 7, 1, A, 4, kYmm},
    {"avx512bf16", 7, 1, A, 5, kZmm},
    {"cmpccxadd", 7, 1, A, 7, kNone},
    {"amx-fp16", 7, 1, A, 21, kTile},
    {"hreset", 7, 1, A, 22, kNone},
    {"avxifma", 7, 1, A, 23, kYmm},
    {"movrs", 7, 1, A, 31, kNone},
    {"avxvnniint8", 7, 1, D, 4, kYmm},
    {"avxneconvert", 7, 1, D, 5, kYmm},
    {"amx-complex", 7, 1, D, 8, kTile},
    {"avxvnniint16", 7, 1, D, 10, kYmm},
    {"prefetchi", 7, 1, D, 14, kNone},
    {"usermsr", 7, 1, D, 15, kNone},
    {"avx10.1", 7, 1, D, 19, kZmm},
    {"egpr", 7, 1, D, 21, kApx},
    {"push2pop2", 7, 1, D, 21, kApx},
    {"ppx", 7, 1, D, 21, kApx},
    {"ndd", 7, 1, D, 21, kApx},
    {"ccmp", 7, 1, D, 21, kApx},
    {"nf", 7, 1, D, 21, kApx},
    {"cf", 7, 1, D, 21, kApx},
    {"zu", 7, 1, D, 21, kApx},
    {"amx-fp8", 0x1e, 1, A, 4, kTile},
    {"amx-tf32", 0x1e, 1, A, 6, kTile},
    {"amx-avx512", 0x1e, 1, A, 7, kTile},
    {"amx-movrs", 0x1e, 1, A, 8, kTile},
    {"xsaveopt", 0xd, 1, A, 0, kNone},
    {"xsavec", 0xd, 1, A, 1, kNone},
    {"xsaves", 0xd, 1, A, 3, kNone},
    {"ptwrite", 0x14, 0, B, 4, kNone},
    {"widekl", 0x19, 0, B, 2, kNone},
    {"sahf", 0x80000001, 0, C, 0, kNone},
    {"lzcnt", 0x80000001, 0, C, 5, kNone},
    {"sse4a", 0x80000001, 0, C, 6, kNone},
    {"prfchw", 0x80000001, 0, C, 8, kNone},
    {"xop", 0x80000001, 0, C, 11, kYmm},
    {"lwp", 0x80000001, 0, C, 15, kNone},
    {"fma4", 0x80000001, 0, C, 16, kYmm},
    {"tbm", 0x80000001, 0, C, 21, kNone},
    {"mwaitx", 0x80000001, 0, C, 29, kNone},
    {"64bit", 0x80000001, 0, D, 29, kNone},
    {"clzero", 0x80000008, 0, B, 0, kNone},
    {"rdpru", 0x80000008, 0, B, 4, kNone},
    {"wbnoinvd", 0x80000008, 0, B, 9, kNone},
};

uint64_t xcr0() {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return 0;
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

bool has(const Row &row) {
  uint32_t r[4];
  if (!__get_cpuid_count(row.leaf, row.subleaf, &r[A], &r[B], &r[C], &r[D])) return false;
  // Subleaf 1 of leaf 7 exists only where subleaf 0 says so in eax.
  if (row.leaf == 7 && row.subleaf == 1) {
    uint32_t a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || a < 1) return false;
  }
  return (r[row.reg] >> row.bit & 1) && (xcr0() & row.state) == row.state;
}
}  // namespace

#elif defined(__aarch64__)
namespace {
struct Row {
  const char *name;
  int kind;  // AT_HWCAP or AT_HWCAP2
  int bit;
};
// Linux, arch/arm64/include/uapi/asm/hwcap.h: the bit numbers are its ABI.
constexpr Row kFeatures[] = {
    {"fp-armv8", AT_HWCAP, 0},   {"neon", AT_HWCAP, 1},     {"aes", AT_HWCAP, 3},
    {"sha2", AT_HWCAP, 5},       {"crc", AT_HWCAP, 7},      {"lse", AT_HWCAP, 8},
    {"fullfp16", AT_HWCAP, 10},  {"rdm", AT_HWCAP, 12},     {"jsconv", AT_HWCAP, 13},
    {"complxnum", AT_HWCAP, 14}, {"rcpc", AT_HWCAP, 15},    {"sha3", AT_HWCAP, 17},
    {"sm4", AT_HWCAP, 19},       {"dotprod", AT_HWCAP, 20}, {"sve", AT_HWCAP, 22},
    {"fp16fml", AT_HWCAP, 23},   {"sve2", AT_HWCAP2, 1},    {"i8mm", AT_HWCAP2, 13},
    {"bf16", AT_HWCAP2, 14},
};

bool has(const Row &row) { return getauxval(row.kind) >> row.bit & 1; }
}  // namespace

#else
namespace {
struct Row {
  const char *name;
};
constexpr Row kFeatures[] = {{""}};
bool has(const Row &) { return false; }
}  // namespace
#endif

int cpuHasFeature(std::string_view name) {
  for (const Row &row : kFeatures)
    if (name == row.name) return has(row);
  return -1;
}

std::vector<std::string> cpuFeatures() {
  std::vector<std::string> out;
  for (const Row &row : kFeatures)
    if (has(row)) out.push_back(row.name);
  return out;
}

std::vector<std::string> missingCpuFeatures(const std::vector<std::string> &required) {
  std::vector<std::string> missing;
  for (const std::string &name : required)
    if (cpuHasFeature(name) != 1) missing.push_back(name);
  return missing;
}

}  // namespace adze::runtime
