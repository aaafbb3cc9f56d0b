#include "targets/cuda/Cubin.h"

#include "lib/Support/MemoryFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Program.h"

#include <cstdlib>

namespace adze::cuda {

namespace {
/// Longer than any kernel takes: ptxas hangs.
constexpr unsigned kMostSeconds = 600;

std::string textOf(const MemoryFile &file) {
  std::vector<std::byte> bytes;
  if (!file.read(bytes)) return {};
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

/// Runs ptxas; returns its exit status, negative when it did not run, and what it said.
int run(const std::string &ptxas, std::vector<std::string> arguments, std::string &said) {
  MemoryFile output("adze-ptxas");
  if (!output.ok()) return -1;
  std::vector<llvm::StringRef> list{ptxas};
  list.insert(list.end(), arguments.begin(), arguments.end());
  std::string path = output.path(), why;
  std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(), path, path};
  int status = llvm::sys::ExecuteAndWait(ptxas, list, std::nullopt, redirects, kMostSeconds, 0, &why);
  said = textOf(output);
  if (status < 0) said = why;
  return status;
}

/// The number before `unit` in "Used 40 registers, used 1 barriers, 368 bytes cmem[0]".
uint32_t numberBefore(llvm::StringRef line, llvm::StringRef unit) {
  uint32_t sum = 0;
  llvm::SmallVector<llvm::StringRef> parts;
  line.split(parts, ',');
  for (llvm::StringRef part : parts) {
    uint32_t n = 0;
    part = part.ltrim();
    part.consume_front("Used ");
    if (!part.consumeInteger(10, n) && part.trim() == unit) sum += n;
  }
  return sum;
}

/// What `ptxas -v` says of each kernel.
std::vector<KernelResources> parseResources(llvm::StringRef said) {
  std::vector<KernelResources> kernels;
  llvm::SmallVector<llvm::StringRef> lines;
  said.split(lines, '\n');
  for (llvm::StringRef line : lines) {
    size_t used = line.find("Used ");
    size_t entry = line.find("Compiling entry function '");
    if (entry != line.npos) kernels.push_back({line.substr(entry).split('\'').second.split('\'').first.str()});
    if (kernels.empty()) continue;
    kernels.back().spillBytes += numberBefore(line, "bytes spill stores") + numberBefore(line, "bytes spill loads");
    if (used == line.npos) continue;
    kernels.back().registers = numberBefore(line.substr(used), "registers");
    kernels.back().sharedBytes = numberBefore(line.substr(used), "bytes smem");
  }
  return kernels;
}

/// The line that says what is wrong.
std::string firstFault(llvm::StringRef said) {
  llvm::SmallVector<llvm::StringRef> lines;
  said.split(lines, '\n');
  for (llvm::StringRef line : lines)
    if (line.contains("error") || line.contains("fatal")) return line.trim().str();
  return said.substr(0, 200).trim().str();
}

/// "ptxas 12.9.86", from "…release 12.9, V12.9.86".
std::string versionOf(const std::string &ptxas) {
  std::string said;
  if (run(ptxas, {"--version"}, said) != 0) return {};
  size_t at = said.find(", V");
  if (at == said.npos) return {};
  llvm::StringRef number = llvm::StringRef(said).substr(at + 3);
  return "ptxas " + number.take_while([](char c) { return llvm::isDigit(c) || c == '.'; }).str();
}
}  // namespace

std::string findPtxas() {
  const char *home = std::getenv("CUDA_HOME");
  std::string own = std::string(home ? home : "") + "/bin", usual = "/usr/local/cuda/bin";
  if (home)
    if (auto found = llvm::sys::findProgramByName("ptxas", {own})) return *found;
  if (auto found = llvm::sys::findProgramByName("ptxas")) return *found;
  if (auto found = llvm::sys::findProgramByName("ptxas", {usual})) return *found;
  return {};
}

std::optional<Cubin> assemble(llvm::StringRef ptx, llvm::StringRef chip, const std::string &ptxas,
                              std::string &error) {
  error.clear();
  Cubin cubin;
  cubin.madeBy = versionOf(ptxas);
  if (cubin.madeBy.empty()) {
    error = "'" + ptxas + "' is no ptxas that runs here";
    return std::nullopt;
  }
  MemoryFile input("adze-ptx"), output("adze-cubin");
  if (!input.ok() || !output.ok() || !input.write({ptx.data(), ptx.size()})) {
    error = "no room for temporary files";
    return std::nullopt;
  }
  std::string said;
  int status = run(ptxas, {"-v", "-arch=" + chip.str(), input.path(), "-o", output.path()}, said);
  if (status != 0) {
    bool unknown = llvm::StringRef(said).contains("'" + chip.str() + "' is not defined");
    if (!unknown) error = cubin.madeBy + " fails: " + firstFault(said);
    return std::nullopt;
  }
  cubin.kernels = parseResources(said);
  if (!output.read(cubin.bytes) || cubin.bytes.empty()) {
    error = cubin.madeBy + " wrote nothing";
    return std::nullopt;
  }
  return cubin;
}

}  // namespace adze::cuda
