// adze ops, adze targets, adze doctor
#include "include/adze/adze_rt.h"
#include "lib/Compiler/Compiler.h"
#include "tools/adze/Cli.h"

#include <dlfcn.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>

namespace adze::cli {

// ---- ops --------------------------------------------------------------------

static ExitCode runOps(const std::string &target, const std::string &match, Cli &cli) {
  auto rows = supportedOps(target);
  if (!rows)
    return cli.fail(ExitCode::Usage, "ADZ0400", "unknown target '" + printable(target, 60) + "'",
                    "`adze targets` lists them");
  std::vector<std::vector<std::string>> table{{"op", "since", "until", "element types"}};
  Json all = Json::array();
  for (const OpSupportRow &row : *rows) {
    std::string domain = row.domain.empty() || row.domain == "ai.onnx" ? "" : row.domain + ".";
    if ((domain + row.name).find(match) == std::string::npos) continue;
    table.push_back({domain + row.name, std::to_string(row.minVersion),
                     row.maxVersion ? std::to_string(row.maxVersion) : "", row.dtypes});
    all.push_back({{"domain", row.domain}, {"op", row.name}, {"since", row.minVersion},
                   {"until", row.maxVersion ? Json(row.maxVersion) : Json(nullptr)},
                   {"dtypes", row.dtypes}});
  }
  if (cli.json)
    std::cout << all.dump() << "\n";
  else
    std::cout << formatTable(table) << table.size() - 1 << " ops\n";
  return ExitCode::Ok;
}

void addOps(CLI::App &app, Cli &cli) {
  auto *verb = app.add_subcommand("ops", "List the ONNX ops that a target takes");
  auto target = std::make_shared<std::string>("host");
  auto match = std::make_shared<std::string>();
  verb->add_option("--target", *target, "The target")->capture_default_str();
  verb->add_option("match", *match, "Only ops with this in their name");
  addCommon(*verb, cli);
  verb->footer("Examples:\n  adze ops --target host\n  adze ops Pool");
  verb->callback([target, match, &cli] {
    cli.action = [target, match, &cli] { return runOps(*target, *match, cli); };
  });
}

// ---- targets ----------------------------------------------------------------

static ExitCode runTargets(Cli &cli) {
  std::vector<std::vector<std::string>> table;
  Json all = Json::array();
  for (const auto &[name, summary] : targetNames()) {
    table.push_back({name, summary});
    all.push_back({{"name", name}, {"summary", summary}});
  }
  if (cli.json)
    std::cout << all.dump() << "\n";
  else
    std::cout << formatTable(table);
  return ExitCode::Ok;
}

void addTargets(CLI::App &app, Cli &cli) {
  auto *verb = app.add_subcommand("targets", "List what adze compiles for");
  addCommon(*verb, cli);
  verb->footer("Examples:\n  adze targets");
  verb->callback([&cli] { cli.action = [&cli] { return runTargets(cli); }; });
}

// ---- doctor -----------------------------------------------------------------

/// The value of the first line of a /proc file that begins with `key`.
static std::string procValue(const char *file, const std::string &key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.rfind(key, 0) == 0) {
      size_t at = line.find_first_not_of(" \t", line.find(':') + 1);
      return at == std::string::npos ? "" : line.substr(at);
    }
  return {};
}

static std::string cpuFeatures() {
  std::string text;
  for (const char *name : {"sse4.2", "avx", "fma", "avx2", "avx512f", "avx512vl", "avx512bw",
                           "avx512vnni", "avx512bf16", "avxvnni", "amx-int8", "neon", "sve"})
    if (adze_cpu_has_feature(name) == 1) text += (text.empty() ? "" : " ") + std::string(name);
  return text;
}

static std::string temporarySpace() {
  const char *folder = std::getenv("TMPDIR");
  struct statvfs disk {};
  folder = folder && *folder ? folder : "/tmp";
  if (statvfs(folder, &disk) != 0) return std::string(folder) + ": not there";
  return std::string(folder) + ": " +
         formatBytes(static_cast<int64_t>(disk.f_bavail) * static_cast<int64_t>(disk.f_frsize)) +
         " free";
}

static std::string cudaDriver() {
  void *library = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (!library) return "no driver (needed only to run on NVIDIA GPUs)";
  auto version = reinterpret_cast<int (*)(int *)>(dlsym(library, "cuDriverGetVersion"));
  int number = 0;
  std::string text = "driver found";
  if (version && version(&number) == 0)
    text = "driver for CUDA " + std::to_string(number / 1000) + "." +
           std::to_string(number % 1000 / 10);
  dlclose(library);
  return text;
}

static std::string comparison() {
  const char *given = std::getenv("ADZE_PYTHON");
  std::string python = given && *given ? given : "python3";
  std::string command =
      python + " -c 'import onnxruntime as o; print(o.__version__)' 2>/dev/null";
  std::string text;
  if (FILE *pipe = popen(command.c_str(), "r")) {
    char line[64];
    if (fgets(line, sizeof line, pipe)) text = "onnxruntime " + std::string(line);
    pclose(pipe);
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "no onnxruntime in " + python + " (needed only to compare; see ADZE_PYTHON)"
                      : text + " in " + python;
}

static ExitCode runDoctor(Cli &cli) {
  std::string targets;
  for (const auto &[name, summary] : targetNames()) targets += (targets.empty() ? "" : ", ") + name;
  std::vector<std::pair<std::string, std::string>> facts{
      {"adze", adze_rt_version()},
      {"targets", targets},
      {"cpu", procValue("/proc/cpuinfo", "model name")},
      {"cpu_features", cpuFeatures()},
      {"threads", std::to_string(std::thread::hardware_concurrency())},
      {"memory", procValue("/proc/meminfo", "MemAvailable") + " available"},
      {"temporary", temporarySpace()},
      {"cuda", cudaDriver()},
      {"comparison", comparison()}};
  std::vector<std::vector<std::string>> table;
  Json all;
  for (const auto &[name, value] : facts) table.push_back({name, value}), all[name] = value;
  std::vector<std::string> problems;
  bool vector = adze_cpu_has_feature("avx2") == 1 || adze_cpu_has_feature("neon") == 1;
  if (!vector) problems.push_back("the CPU has neither AVX2 nor NEON: kernels will be slow");
  all["problems"] = problems;
  if (cli.json) {
    std::cout << all.dump() << "\n";
    return ExitCode::Ok;
  }
  std::cout << formatTable(table);
  for (const std::string &p : problems) std::cout << "problem: " << p << "\n";
  if (problems.empty()) std::cout << "no problems found\n";
  return ExitCode::Ok;
}

void addDoctor(CLI::App &app, Cli &cli) {
  auto *verb = app.add_subcommand("doctor", "Check this machine");
  addCommon(*verb, cli);
  verb->footer("Examples:\n  adze doctor\n  adze doctor --json");
  verb->callback([&cli] { cli.action = [&cli] { return runDoctor(cli); }; });
}

}  // namespace adze::cli
