// What the verbs share: options common to all, messages, progress, exit codes.
#pragma once
#include "lib/Support/Diagnostics.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>

namespace adze::cli {

using Json = nlohmann::ordered_json;

/// One invocation. A verb's options are bound when it is registered; main calls
/// `action` when they parsed.
struct Cli {
  bool json = false;                   ///< results as JSON on stdout
  std::string diagnosticsFormat = "text";
  bool quiet = false;
  DiagnosticEngine diags;
  std::function<ExitCode()> action;

  /// Progress goes to stderr, where only text may stand beside messages.
  bool showsProgress() const { return !quiet && diagnosticsFormat == "text"; }
  /// Prints what was reported to stderr; the process's exit code.
  int finish(ExitCode code);
  /// Reports a usage error.
  ExitCode usage(std::string message, std::string help = {});
  /// Reports an error and gives back its class.
  ExitCode fail(ExitCode code, std::string id, std::string message, std::string help = {});
};

/// --json, --diagnostics, --quiet.
void addCommon(CLI::App &verb, Cli &cli);

/// Registers one verb.
using AddVerb = void (*)(CLI::App &, Cli &);

/// All of main: parses the command line, runs the verb, reports; the exit code.
int runTool(int argc, char **argv, std::span<const AddVerb> verbs);

void addCompile(CLI::App &app, Cli &cli);
void addRun(CLI::App &app, Cli &cli);
void addBench(CLI::App &app, Cli &cli);
void addExplain(CLI::App &app, Cli &cli);
void addTune(CLI::App &app, Cli &cli);
void addVerify(CLI::App &app, Cli &cli);
void addInspect(CLI::App &app, Cli &cli);
void addPlanMemory(CLI::App &app, Cli &cli);
void addOps(CLI::App &app, Cli &cli);
void addTargets(CLI::App &app, Cli &cli);
void addDoctor(CLI::App &app, Cli &cli);
void addConformance(CLI::App &app, Cli &cli);
void addEmulate(CLI::App &app, Cli &cli);
void addCompletion(CLI::App &app, Cli &cli);

/// Says on stderr what goes on: on a terminal a line that is rewritten, else a
/// line for each step that takes more than two seconds.
class Progress {
 public:
  explicit Progress(bool enabled);
  ~Progress();
  /// A step begins: `number` of `count`.
  void step(int number, int count, std::string name);
  /// The same of work whose steps nobody can count.
  void step(std::string label);
  void done();

 private:
  void watch();
  void clear();

  bool enabled_, terminal_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false, shown_ = false;
  std::string label_;
  std::chrono::steady_clock::time_point begin_;
  std::thread thread_;
};

/// "12.4 MB", "3.1 s".
std::string formatBytes(int64_t bytes);
std::string formatSeconds(double seconds);

/// "12.4 MB (1.00× live)": an arena, and how it compares with the most bytes
/// alive at once.
std::string formatArena(int64_t arena, int64_t peak);

/// Rows in columns that line up, two spaces between.
std::string formatTable(const std::vector<std::vector<std::string>> &rows);

/// `name` as a file name: bytes outside [A-Za-z0-9._-] percent-encoded, and a
/// leading dot as well.
std::string fileNameOf(const std::string &name);

/// The program's own folder (from /proc/self/exe); empty when not known.
std::string programFolder();

/// Installs the handlers: interrupts remove temporaries and exit 130 or 143, a
/// crash says so, leaves a note for replay and exits 70, an alarm exits 7.
void installSignalHandlers(int argc, char **argv);
/// Writes the command line to a file for replay; its name, or null.
const char *writeReplayNote();
/// Gives crashes back to the system, for worker processes.
void resetSignalHandlers();

}  // namespace adze::cli
