// Status, diagnostics and exit codes: one vocabulary for the library, the
// tool and the runtime's callers (docs/errors.md lists the codes).
#pragma once
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace adze {

/// Process exit codes of the tool; also the class of every error.
enum class ExitCode : int {
  Ok = 0,
  InvalidModel = 1,     ///< invalid model or input
  Usage = 2,
  Unsupported = 3,      ///< op, dtype or shape not supported by the target
  OutOfTolerance = 4,   ///< verification failed
  CorruptArtifact = 6,  ///< artifact corrupt or incompatible
  ResourceLimit = 7,    ///< memory, disk, time or node budget
  Device = 8,           ///< device or driver missing or failed
  Internal = 70,        ///< a bug in adze; a reproducer was written
  Interrupted = 130,
};

enum class Severity { Note, Warning, Error };

/// One message to a person. Everything but `message` may be empty.
struct Diagnostic {
  Severity severity = Severity::Error;
  ExitCode exitCode = ExitCode::InvalidModel;
  std::string code;      ///< stable id, "ADZ0214"
  std::string message;   ///< one sentence, no trailing period
  std::string file;      ///< the input file
  std::string graph;     ///< graph or function name
  std::string node;      ///< ONNX node name
  int64_t nodeIndex = -1;  ///< position in the graph; -1: unknown
  std::string opType;    ///< "Softmax"
  int64_t opset = 0;     ///< opset the model imports; 0: unknown
  std::vector<std::string> notes;
  std::string help;      ///< the next step
};

/// Collects diagnostics; errors are kept up to `limit`, the first on top.
/// Not thread-safe: one engine per compile.
class DiagnosticEngine {
 public:
  explicit DiagnosticEngine(size_t limit = 20) : limit_(limit) {}

  void report(Diagnostic d);
  /// Shorthand for an error without a node.
  void error(ExitCode exitCode, std::string code, std::string message, std::string help = {});

  bool hasErrors() const { return errors_ != 0; }
  size_t errorCount() const { return errors_; }
  /// Exit code of the first error; Ok without errors.
  ExitCode exitCode() const;
  const std::vector<Diagnostic> &all() const { return diags_; }
  /// Set once per compile; filled into diagnostics that have no file.
  void setFile(std::string file) { file_ = std::move(file); }
  const std::string &file() const { return file_; }

  /// Human form, at most ten lines per error, control characters escaped.
  void printText(std::ostream &os, bool color) const;
  /// {"diagnostics":[...]} in one line.
  void printJson(std::ostream &os) const;

 private:
  size_t limit_;
  size_t errors_ = 0;
  std::string file_;
  std::vector<Diagnostic> diags_;
};

/// Escapes control characters, and clips to `max` bytes: names in a model are
/// hostile text.
std::string printable(std::string_view s, size_t max = 200);

}  // namespace adze
