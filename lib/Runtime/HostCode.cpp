#include "lib/Runtime/HostCode.h"

#include "lib/Runtime/Cpu.h"
#include "lib/Runtime/Device.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U  // Linux 6.3
#endif

namespace adze::runtime {

namespace {
using artifact::Contents;
using artifact::Section;
using artifact::SectionKind;

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
#else
constexpr uint16_t kMachine = EM_NONE;
#endif

constexpr const char *kRebuild = "rebuild it for this machine with `adze compile`";

bool corrupt(Diagnostic &error, const char *code, std::string message, std::string help) {
  return failWith(error, ExitCode::CorruptArtifact, code, std::move(message), std::move(help));
}

bool deviceFailed(Diagnostic &error, const char *what) {
  return failWith(
      error, ExitCode::Device, "ADZ0741",
      std::string("cannot map the model's code: ") + what + ": " + std::strerror(errno));
}

/// "built by adze 0.1.0 for znver4"
std::string builtFor(const Contents &c) {
  std::string what = c.cpu.empty() ? c.triple : c.cpu;
  return "the artifact was built by adze " + printable(c.compilerVersion, 40) + " for " +
         printable(what.empty() ? c.target : what, 60);
}

bool checkCpu(const Contents &c, Diagnostic &error) {
  std::vector<std::string> missing = missingCpuFeatures(c.cpuFeatures);
  if (missing.empty()) return true;
  std::string list;
  for (size_t i = 0; i < missing.size() && i < 8; ++i)
    list += (i ? ", " : "") + printable(missing[i], 40);
  if (missing.size() > 8) list += ", ...";
  return corrupt(error, "ADZ0605", builtFor(c) + "; this CPU lacks " + list,
                 "rebuild it on this machine, or with `adze compile --cpu=` naming a CPU that "
                 "both have");
}

bool checkAbi(const Contents &c, Diagnostic &error) {
  if (c.hostAbi == ADZE_HOST_ABI_VERSION) return true;
  return corrupt(error, "ADZ0606",
                 builtFor(c) + " with host ABI " + std::to_string(c.hostAbi) + "; this is adze " +
                     artifact::compilerVersion() + " with host ABI " +
                     std::to_string(ADZE_HOST_ABI_VERSION),
                 kRebuild);
}

/// Only what the loader would trust blindly: kind of file, machine, bounds of
/// the program headers, and that nothing asks for writable code.
bool checkElf(std::span<const std::byte> code, const Contents &c, Diagnostic &error) {
  Elf64_Ehdr h;
  auto bad = [&](const char *why) {
    return corrupt(error, "ADZ0607", std::string("the artifact's code is not loadable: ") + why,
                   kRebuild);
  };
  if (code.size() < sizeof(h)) return bad("it is too short");
  std::memcpy(&h, code.data(), sizeof(h));
  if (std::memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 || h.e_ident[EI_CLASS] != ELFCLASS64 ||
      h.e_ident[EI_DATA] != ELFDATA2LSB || h.e_type != ET_DYN)
    return bad("it is not a shared object");
  if (h.e_machine != kMachine)
    return corrupt(error, "ADZ0604", builtFor(c) + "; this machine has another architecture",
                   kRebuild);
  if (h.e_phentsize != sizeof(Elf64_Phdr) || h.e_phoff > code.size() ||
      h.e_phnum > (code.size() - h.e_phoff) / sizeof(Elf64_Phdr))
    return bad("its program headers are out of bounds");
  for (size_t i = 0; i < h.e_phnum; ++i) {
    Elf64_Phdr p;
    std::memcpy(&p, code.data() + h.e_phoff + i * sizeof(p), sizeof(p));
    if (p.p_type != PT_LOAD && p.p_type != PT_GNU_STACK) continue;
    if (p.p_type == PT_LOAD && (p.p_offset > code.size() || p.p_filesz > code.size() - p.p_offset))
      return bad("a segment is out of bounds");
    bool writable = p.p_flags & PF_W, executable = p.p_flags & PF_X;
    if (writable && executable) return bad("it asks for writable and executable memory");
  }
  return true;
}

/// A sealed memory file with these bytes; -1 and `error` on failure.
int sealedFile(std::span<const std::byte> bytes, Diagnostic &error) {
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = memfd_create("adze-code", flags | MFD_EXEC);
  if (fd < 0 && errno == EINVAL) fd = memfd_create("adze-code", flags);
  if (fd < 0) {
    deviceFailed(error, "memfd_create");
    return -1;
  }
  const char *p = reinterpret_cast<const char *>(bytes.data());
  for (size_t left = bytes.size(); left;) {
    ssize_t n = ::write(fd, p, left);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      deviceFailed(error, "write");
      ::close(fd);
      return -1;
    }
    p += n;
    left -= static_cast<size_t>(n);
  }
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    deviceFailed(error, "sealing");
    ::close(fd);
    return -1;
  }
  return fd;
}
}  // namespace

HostCode::~HostCode() {
  if (handle_) ::dlclose(handle_);
  if (libm_) ::dlclose(libm_);
  if (fd_ >= 0) ::close(fd_);
}

bool HostCode::open(const Contents &c, std::string_view section, Diagnostic &error) {
  const Section *code = c.find(SectionKind::HostCode, section);
  if (!code)
    return corrupt(error, "ADZ0607", "the artifact has no host code",
                   "rebuild it with `adze compile --target host`");
  return checkAbi(c, error) && checkCpu(c, error) && checkElf(code->bytes(), c, error) &&
         map(code->bytes(), error);
}

bool HostCode::openObject(const std::string &path, std::string &why) {
  handle_ = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_) return true;
  const char *text = ::dlerror();
  why = text ? text : "dlopen failed";
  return false;
}

bool HostCode::map(std::span<const std::byte> code, Diagnostic &error) {
  fd_ = sealedFile(code, error);
  if (fd_ < 0) return false;
  // The descriptor stays open as long as the code: the loader knows objects
  // by name, and a number used again would give the old one.
  std::string path = "/proc/self/fd/" + std::to_string(fd_);
  std::string why;
  if (!openObject(path, why) && why.find("undefined symbol") != std::string::npos) {
    // The code may call libm without naming it, and the program that runs it
    // need not have it.
    libm_ = ::dlopen("libm.so.6", RTLD_NOW | RTLD_GLOBAL);
    if (libm_) openObject(path, why);
  }
  if (!handle_)
    return failWith(error, ExitCode::Device, "ADZ0741", "cannot map the model's code: " + why);
  entry_ = reinterpret_cast<adze_entry_fn>(::dlsym(handle_, "adze_entry"));
  if (entry_) return true;
  return corrupt(error, "ADZ0607", "the artifact's code has no entry 'adze_entry'", kRebuild);
}

}  // namespace adze::runtime
