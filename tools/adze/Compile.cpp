// adze compile
#include "lib/Compiler/Compiler.h"
#include "lib/Tuning/Database.h"
#include "tools/adze/Cli.h"
#include "tools/adze/Remarks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <tuple>

namespace adze::cli {

namespace {

constexpr const char *kFooter = R"(Examples:
  adze compile model.onnx -o model.adze
  adze compile model.onnx -o model.adze --cpu x86-64-v3
  adze compile model.onnx -o model.adze --shape x=1x3x640x640
  adze compile model.onnx -o model.adze --shape x=1..8x3x64..960x64..960
  adze compile model.onnx -o model.mlir --to fuse
  adze compile model.onnx -o model.adze --dump-phases phases
  adze compile model.onnx -o model.adze --tune-db tune.db
  adze compile model.onnx -o model.adze --remarks json

Without --shape the artifact takes every size that the model takes.)";

struct Options {
  CompileOptions compile;
  std::vector<std::string> shapes;
  std::string from, to, remarks;
  std::string database;
  bool noDatabase = false;
  unsigned timeout = 0;
};

std::string joinedPhases() {
  std::string text;
  for (Phase p : kAllPhases) text += (text.empty() ? "" : ", ") + std::string(phaseName(p));
  return text;
}

bool phaseOption(const std::string &text, std::optional<Phase> &phase, Cli &cli) {
  if (text.empty()) return true;
  phase = parsePhase(text);
  if (!phase)
    cli.usage("there is no phase '" + printable(text, 60) + "'", "the phases are " + joinedPhases());
  return phase.has_value();
}

bool shapeOptions(const std::vector<std::string> &texts, CompileOptions &options, Cli &cli) {
  for (const std::string &text : texts) {
    auto shape = parseShape(text);
    if (!shape) {
      cli.usage("'" + printable(text) + "' is no shape",
                "write it as --shape x=1x3x640x640 or x=1..8x3x64..960x64..960");
      return false;
    }
    options.shapes.push_back(*shape);
  }
  return true;
}

/// Lets the compile use the schedules of the database that is named, or of the
/// default one where there is one. False after reporting.
bool useDatabase(Options &o, Cli &cli) {
  std::string path = o.database.empty() ? tuning::defaultDatabase() : o.database;
  std::error_code ignored;
  if (o.noDatabase || path.empty()) return true;
  if (o.database.empty() && !std::filesystem::exists(path, ignored)) return true;
  Diagnostic error;
  std::vector<Machine> machines = machinesOf(o.compile.target, o.compile.cpu, cli.diags);
  if (machines.empty()) return false;
  auto db = tuning::Database::open(path, tuning::Database::Mode::Read, error);
  std::map<std::tuple<std::string, std::string, unsigned>, std::string> schedules;
  for (const Machine &machine : machines) {
    std::vector<tuning::Entry> entries;
    if (!db || !db->best(machine.description, entries, error)) {
      cli.diags.report(error);
      return false;
    }
    for (tuning::Entry &e : entries)
      schedules[{machine.device, e.kernel, e.unit}] = std::move(e.schedule);
  }
  o.compile.tuning.stored = [schedules](const std::string &device, const std::string &kernel,
                                        unsigned unit) {
    auto at = schedules.find({device, kernel, unit});
    return at == schedules.end() ? std::string() : at->second;
  };
  return true;
}

/// Names from a model may be no text: what cannot be is replaced.
void printJson(const Json &json) {
  std::cout << json.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

Json allRemarks(const CompileSummary &s) {
  Json remarks = remarksJson(s.fusion);
  remarks["layout"] = layoutJson(s.layout);
  return remarks;
}

void printSummary(const CompileOptions &options, const CompileSummary &s, double seconds,
                  Cli &cli) {
  struct stat file {};
  stat(options.output.c_str(), &file);
  if (cli.json) {
    Json phases;
    for (const auto &[phase, took] : s.seconds) phases[std::string(phaseName(phase))] = took;
    Json summary{{"output", options.output},
                 {"bytes", static_cast<int64_t>(file.st_size)},
                 {"nodes", s.nodes},
                 {"kernels", s.kernels},
                 {"kernel_functions", s.kernelFunctions},
                 {"reference_path", s.fallbackLoops},
                 {"tuned", s.tunedUnits},
                 {"arena_bytes", s.arenaBytes},
                 {"peak_live_bytes", s.peakLiveBytes},
                 {"weight_bytes", s.weightBytes},
                 {"seconds", seconds},
                 {"phase_seconds", phases}};
    if (options.remarks) summary["remarks"] = allRemarks(s);
    printJson(summary);
    return;
  }
  if (cli.quiet || options.output == "-") return;
  std::cout << s.nodes << " nodes → " << s.kernels << " kernels, " << s.fallbackLoops
            << " on the reference path, ";
  if (s.tunedUnits) std::cout << s.tunedUnits << " tuned, ";
  if (s.arenaBytes >= 0 && s.peakLiveBytes > 0)
    std::cout << "arena " << formatArena(s.arenaBytes, s.peakLiveBytes) << ", ";
  else
    std::cout << "arena planned at run time, ";
  std::cout << formatSeconds(seconds) << "\n";
}

ExitCode runCompile(Options &o, Cli &cli) {
  if (!phaseOption(o.from, o.compile.from, cli) || !phaseOption(o.to, o.compile.to, cli) ||
      !shapeOptions(o.shapes, o.compile, cli))
    return ExitCode::Usage;
  if (!useDatabase(o, cli)) return cli.diags.exitCode();
  if (!o.compile.dumpPhases.empty() && mkdir(o.compile.dumpPhases.c_str(), 0777) != 0 &&
      errno != EEXIST)
    return cli.fail(ExitCode::ResourceLimit, "ADZ0803",
                    "the folder " + o.compile.dumpPhases + " cannot be made");
  o.compile.remarks = !o.remarks.empty();
  alarm(o.timeout);
  auto begin = std::chrono::steady_clock::now();
  CompileSummary summary;
  ExitCode code;
  {
    Progress progress(cli.showsProgress());
    o.compile.onPhase = [&](Phase p) {
      progress.step(static_cast<int>(p) + 1, static_cast<int>(std::size(kAllPhases)),
                    std::string(phaseName(p)) + ": " + std::string(phaseDescription(p)));
    };
    code = compile(o.compile, cli.diags, summary);
  }
  alarm(0);
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  if (code != ExitCode::Ok) return code;
  if (o.remarks == "text") {
    printLayout(summary.layout, std::cout);
    std::cout << "\n";
    printRemarks(summary.fusion, std::cout);
  }
  if (o.remarks == "json" && !cli.json) printJson(allRemarks(summary));
  else printSummary(o.compile, summary, took.count(), cli);
  return code;
}

}  // namespace

void addCompile(CLI::App &app, Cli &cli) {
  auto *verb = app.add_subcommand("compile", "Compile an ONNX model to an artifact");
  auto o = std::make_shared<Options>();
  CompileOptions &c = o->compile;
  verb->add_option("model", c.model, "The model: .onnx or .onnxtxt; .mlir with --from")->required();
  verb->add_option("-o,--output", c.output, "The artifact; .mlir with --to; - is stdout for .mlir")
      ->required();
  verb->add_option("--target", c.target, "What to compile for (`adze targets`)")
      ->capture_default_str();
  verb->add_option("--cpu", c.cpu, "native, or LLVM's name of a CPU")->capture_default_str();
  verb->add_option("--products", c.products,
                   "How a GPU's matrix units may round factors of float32 products: f32 nearly not, "
                   "tf32 to 10 bits, bf16 to 7, f16 to 10 in f16's range")
      ->check(CLI::IsMember({"f32", "tf32", "bf16", "f16"}))
      ->capture_default_str();
  c.ptxas = "auto";
  verb->add_option("--ptxas", c.ptxas,
                   "NVIDIA's assembler, which turns a GPU's PTX into machine code: auto, one that is "
                   "found; none; or a path")
      ->capture_default_str();
  verb->add_option("--spill-budget", c.spillBudget,
                   "Fail when a kernel's threads spill more bytes of registers than this (with ptxas)")
      ->check(CLI::Range(int64_t(0), int64_t(1) << 20))
      ->capture_default_str();
  verb->add_option("--shape", o->shapes, "Fix or bound an input: NAME=1x3x224x224, NAME=1..8x3x64..960")
      ->allow_extra_args(false);
  verb->add_option("-O,--opt-level", c.optLevel, "0: no fusion, no layout, no memory plan; 3: all")
      ->check(CLI::Range(0, 3))
      ->capture_default_str();
  verb->add_option("--from", o->from, "Begin at this phase, with the MLIR that --to wrote");
  verb->add_option("--to", o->to, "Stop after this phase and write MLIR: " + joinedPhases());
  verb->add_option("--dump-phases", c.dumpPhases, "Write the MLIR after each phase to this folder");
  verb->add_option("--remarks", o->remarks,
                   "Say why each kernel is what it is and where each node went; json: in place of the summary")
      ->check(CLI::IsMember({"text", "json"}));
  verb->add_flag("--keep-kernel-values", c.keepKernelValues,
                 "Make what each kernel computes an output, for `adze verify`");
  verb->add_flag("--verify-phases", c.verifyPhases, "Check the IR after each pass, and what each phase promises of it");
  auto *database = verb->add_option("--tune-db", o->database,
                                    "Use the schedules that `adze tune` found (default: ADZE_TUNE_DB, "
                                    "else the user's cache folder)");
  verb->add_flag("--no-tune-db", o->noDatabase, "Use no schedules that were found")
      ->excludes(database);
  verb->add_option("--max-nodes", c.maxNodes, "Refuse models that expand to more nodes")
      ->capture_default_str();
  verb->add_option("--timeout", o->timeout, "Give up after this many seconds");
  addCommon(*verb, cli);
  verb->footer(kFooter);
  verb->callback([o, &cli] { cli.action = [o, &cli] { return runCompile(*o, cli); }; });
}

}  // namespace adze::cli
