// Compiled code against the reference, on random programs. Each program runs in
// a child process: a crash or a hang is one failed seed.
//
//   ADZE_SEEDS=FIRST:COUNT adze-unit "[Differential]"     other seeds
//   ADZE_SEEDS=SEED:1 ADZE_SHOW=1 adze-unit ...           one, and its text
//   ADZE_SEEDS=SEED:1 ADZE_PROGRAM=FILE.mlir ...          that text, made smaller by hand
#include "Compiled.h"
#include "Program.h"
#include "passes/Fusion/Passes.h"
#include "passes/Graph/Passes.h"
#include "passes/Layout/Passes.h"
#include "test/unit/Reference/Evaluate.h"

#include "catch2/catch.hpp"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <iostream>

using namespace mlir;

namespace adze::differential {
namespace {

/// "" when equal within the bound.
std::string differenceOf(const reference::Tensor &got, const Known &want) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (got.type() != want.tensor.type()) {
    os << "has type " << got.type() << ", not " << want.tensor.type();
    return text;
  }
  std::vector<double> g = reference::toDoubles(got), w = reference::toDoubles(want.tensor);
  for (size_t i = 0; i < g.size(); ++i)
    if (!(std::fabs(g[i] - w[i]) <= want.error)) {
      os << "of " << got.type() << " is " << g[i] << " at " << i << ", not " << w[i] << " within "
         << want.error;
      return text;
    }
  return text;
}

CompiledOptions optionsOf(unsigned seed) {
  static const char *const kCpus[] = {"native", "native", "haswell", "x86-64"};
  CompiledOptions o;
  o.cpu = kCpus[seed % 4];
  o.optLevel = seed % 7 ? 3 : 0;
  o.threads = 1 + seed % 3;
  o.verify = seed % 5 == 0;
  return o;
}

/// The program in `file` on the inputs of `seed`'s, within a thousandth.
std::string runFile(const char *file, unsigned seed, Program &program, const std::string &folder) {
  auto module = parseSourceFile<ModuleOp>(file, &reference::context());
  std::string message;
  bool unsupported = false;
  if (!module) return "cannot be read";
  auto want = reference::runModule(*module, program.inputs(), &message);
  if (failed(want)) return "reference: " + message;
  auto got = runCompiled(*module, program.inputs(), optionsOf(seed), folder, message, unsupported);
  if (failed(got)) return message;
  for (auto [i, g, w] : llvm::enumerate(*got, *want))
    if (std::string d = differenceOf(g, {Value(), w, 1e-3 * (1 + reference::magnitudeOf(w))}); !d.empty())
      return "result " + std::to_string(i) + " " + d;
  return "";
}

std::string runSeed(unsigned seed, const std::string &folder) {
  Program program(seed, reference::context());
  if (std::getenv("ADZE_SHOW")) program.module()->print(llvm::errs());
  std::string message;
  bool unsupported = false;
  if (const char *file = std::getenv("ADZE_PROGRAM")) return runFile(file, seed, program, folder);
  auto results =
      runCompiled(program.module(), program.inputs(), optionsOf(seed), folder, message, unsupported);
  if (unsupported) return "unsupported: " + message;
  if (failed(results)) return message;
  for (auto [i, want] : llvm::enumerate(program.results()))
    if (std::string d = differenceOf((*results)[i], want); !d.empty())
      return "result " + std::to_string(i) + " " + d;
  return "";
}

using MakePass = std::unique_ptr<Pass> (*)();

/// The passes from the graph to kernels, in the compiler's order.
const std::vector<MakePass> &graphPasses() {
  static const std::vector<MakePass> all{
      [] { return createFoldConstants(); },       [] { return createSimplifyGraph(); },
      [] { return createRecognizeNormalize(); },  [] { return createRecognizeSoftmax(); },
      [] { return createRecognizeActivations(); }, [] { return createRecognizeRotary(); },
      [] { return createMergePads(); },           [] { return createFoldConvAffine(); },
      [] { return createFoldConstants(); },       [] { return createAssignLayout(); },
      [] { return createSimplifyGraph(); },
      [] { return createPackWeights(); },         [] { return createFormFusions(); }};
  return all;
}

/// The reference's results after each pass, against those before all.
std::string runPasses(unsigned seed) {
  Program program(seed, reference::context());
  if (std::getenv("ADZE_SHOW")) program.module()->print(llvm::errs());
  for (MakePass make : graphPasses()) {
    PassManager pm(&reference::context());
    std::unique_ptr<Pass> pass = make();
    std::string name = pass->getArgument().str(), message;
    pm.addPass(std::move(pass));
    if (failed(pm.run(program.module()))) return name + " fails";
    auto results = reference::runModule(program.module(), program.inputs(), &message);
    if (failed(results)) return name + ": " + message;
    for (auto [i, want] : llvm::enumerate(program.results()))
      if (std::string d = differenceOf((*results)[i], want); !d.empty())
        return "after " + name + " result " + std::to_string(i) + " " + d;
  }
  return "";
}

/// runSeed in a child; what it says, or how it died.
std::string isolated(unsigned seed, const std::string &folder) {
  int ends[2];
  if (pipe(ends)) return "no pipe";
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    rlimit seconds{20, 20};
    setrlimit(RLIMIT_CPU, &seconds);
    mallopt(M_PERTURB, 0x80);  // memory that nothing wrote reads as 3e38
    std::string said = runSeed(seed, folder);
    [[maybe_unused]] ssize_t n = write(ends[1], said.data(), said.size());
    _exit(0);
  }
  close(ends[1]);
  std::string said;
  char buffer[4096];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) said.append(buffer, size_t(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return std::string("died of ") + strsignal(WTERMSIG(status));
  return WEXITSTATUS(status) ? "exit " + std::to_string(WEXITSTATUS(status)) : said;
}

std::pair<unsigned, unsigned> seeds() {
  unsigned first = 0, count = 400;
  if (const char *text = std::getenv("ADZE_SEEDS")) std::sscanf(text, "%u:%u", &first, &count);
  return {first, count};
}

}  // namespace

TEST_CASE("compiled code computes what the reference does", "[Differential]") {
  char folder[] = "/tmp/adze-differential-XXXXXX";
  REQUIRE(mkdtemp(folder));
  auto [first, count] = seeds();
  unsigned unsupported = 0;
  for (unsigned seed = first; seed < first + count; ++seed) {
    std::string said = isolated(seed, folder);
    if (said.rfind("unsupported", 0) == 0) {
      ++unsupported;
      if (std::getenv("ADZE_SHOW")) std::cerr << "seed " << seed << " " << said << "\n";
      continue;
    }
    INFO("ADZE_SEEDS=" << seed << ":1");
    CHECK(said == "");
  }
  // What the target has no code for, it says; that must stay rare.
  CHECK(unsupported <= count / 10);
  if (!std::getenv("ADZE_SHOW")) std::filesystem::remove_all(folder);
}

TEST_CASE("each graph pass keeps what a program computes", "[Differential]") {
  auto [first, count] = seeds();
  for (unsigned seed = first; seed < first + count; ++seed) {
    INFO("ADZE_SEEDS=" << seed << ":1");
    CHECK(runPasses(seed) == "");
  }
}

}  // namespace adze::differential
