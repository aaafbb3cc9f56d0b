// Schedules that a search timed, and the best of them, in a SQLite file.
#pragma once
#include "lib/Support/Diagnostics.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

struct sqlite3;

namespace adze::tuning {

/// A schedule of one unit of a kernel.
struct Entry {
  std::string kernel;    ///< schedule::kernelKey
  unsigned unit = 0;
  std::string schedule;  ///< an attribute's text; whoever reads it must check it
  double ratio = 1;      ///< time to that with the decided schedule

  bool operator==(const Entry &) const = default;
};

class Database {
 public:
  enum class Mode { Read, Write };
  /// Opens the file, for Write makes it (and its folder) where it is missing.
  /// Null and `error` on failure: ADZ0812 is no tuning database, or damaged
  /// (class 6); ADZ0813 cannot be opened, read or written.
  static std::unique_ptr<Database> open(const std::string &path, Mode mode, Diagnostic &error);
  ~Database();
  Database(const Database &) = delete;

  /// The best schedules on a machine, one a unit; of one with products (productOf) those of any,
  /// and for kernels that were timed on none, what a model says. False and `error` when the file
  /// cannot be read.
  bool best(const std::string &cpu, std::vector<Entry> &entries, Diagnostic &error);
  /// Schedules of a kernel that were timed on a CPU, in order.
  bool trials(const std::string &kernel, const std::string &cpu, std::vector<Entry> &entries,
              Diagnostic &error);
  /// Adds to what was timed. All or none.
  bool addTrials(const std::vector<Entry> &entries, const std::string &cpu, Diagnostic &error);
  /// For these kernels the best are `entries` from now on, and no others.
  bool setBest(const std::set<std::string> &kernels, const std::vector<Entry> &entries,
               const std::string &cpu, Diagnostic &error);

 private:
  class Statement;
  Database() = default;
  bool check(Mode mode, Diagnostic &error);
  bool run(const char *sql, Diagnostic &error);
  bool read(Statement &s, std::vector<Entry> &entries, Diagnostic &error);
  bool write(const char *sql, const std::vector<Entry> &entries, const std::string &cpu,
             Diagnostic &error);
  bool transact(bool ok, Diagnostic &error);
  bool fail(int code, Diagnostic &error) const;

  sqlite3 *db_ = nullptr;
  std::string path_;
};

/// A machine as `cpu` above, where descriptions are of more than one product.
std::string productOf(const std::string &machine, const std::string &product);
/// The same where times are a model's.
std::string modelOf(const std::string &machine);

/// Where a database is looked for: ADZE_TUNE_DB, else adze/tune.db in
/// XDG_CACHE_HOME or ~/.cache. Empty: nowhere.
std::string defaultDatabase();

}  // namespace adze::tuning
