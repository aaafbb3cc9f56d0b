#include "lib/Tuning/Database.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace adze::tuning {

namespace {
namespace fs = std::filesystem;

constexpr int kApplication = 0x61647a74;  ///< "adzt", SQLite's mark of a file's owner
constexpr int kVersion = 1;
/// No entry is longer.
constexpr int kMostBytes = 1 << 16;

constexpr const char *kTables = R"(
  CREATE TABLE trials (cpu TEXT NOT NULL, kernel TEXT NOT NULL, unit INTEGER NOT NULL,
                       schedule TEXT NOT NULL, ratio REAL NOT NULL,
                       PRIMARY KEY (cpu, kernel, unit, schedule)) WITHOUT ROWID;
  CREATE TABLE best (cpu TEXT NOT NULL, kernel TEXT NOT NULL, unit INTEGER NOT NULL,
                     schedule TEXT NOT NULL, ratio REAL NOT NULL,
                     PRIMARY KEY (cpu, kernel, unit)) WITHOUT ROWID;
)";
}  // namespace

/// A prepared statement, which goes with it.
class Database::Statement {
 public:
  Statement(Database &db, const char *sql) : db_(db) {
    code_ = sqlite3_prepare_v2(db.db_, sql, -1, &statement_, nullptr);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement &) = delete;

  Statement &bind(const std::string &text) {
    if (statement_) sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    return *this;
  }
  Statement &bind(int64_t number) {
    if (statement_) sqlite3_bind_int64(statement_, ++bound_, number);
    return *this;
  }
  Statement &bind(double number) {
    if (statement_) sqlite3_bind_double(statement_, ++bound_, number);
    return *this;
  }
  /// True when there is a row; false at the end and on failure.
  bool next() {
    if (code_ == SQLITE_OK || code_ == SQLITE_ROW) code_ = sqlite3_step(statement_);
    return code_ == SQLITE_ROW;
  }
  std::string text(int column) const {
    auto p = reinterpret_cast<const char *>(sqlite3_column_text(statement_, column));
    return p ? std::string(p, sqlite3_column_bytes(statement_, column)) : "";
  }
  int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  double number(int column) const { return sqlite3_column_double(statement_, column); }
  /// After the last row.
  bool finish(Diagnostic &error) { return code_ == SQLITE_DONE || db_.fail(code_, error); }

 private:
  Database &db_;
  sqlite3_stmt *statement_ = nullptr;
  int code_ = SQLITE_OK, bound_ = 0;
};

/// Fills `error` after SQLite's `code`; false.
bool Database::fail(int code, Diagnostic &error) const {
  int kind = code & 0xff;
  bool damaged = kind == SQLITE_NOTADB || kind == SQLITE_CORRUPT || kind == SQLITE_ERROR ||
                 kind == SQLITE_SCHEMA || kind == SQLITE_OK || kind == SQLITE_TOOBIG;
  error = {};
  error.file = path_;
  if (damaged) {
    error.exitCode = ExitCode::CorruptArtifact;
    error.code = "ADZ0812";
    error.message = "this is no tuning database of this version of adze, or it is damaged";
    error.help = "delete it and run `adze tune` again, name another with --tune-db, or compile "
                 "with --no-tune-db";
    return false;
  }
  bool missing = kind == SQLITE_CANTOPEN || kind == SQLITE_PERM || kind == SQLITE_READONLY;
  error.exitCode = missing ? ExitCode::InvalidModel : ExitCode::ResourceLimit;
  error.code = "ADZ0813";
  error.message = std::string("the tuning database cannot be used: ") + sqlite3_errstr(code);
  return false;
}

bool Database::run(const char *sql, Diagnostic &error) {
  int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK || fail(code, error);
}

/// The file is ours and whole; a new one gets its tables.
bool Database::check(Mode mode, Diagnostic &error) {
  // What a file says must not make SQLite run code or rewrite its own tables.
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_limit(db_, SQLITE_LIMIT_LENGTH, kMostBytes);
  sqlite3_busy_timeout(db_, 5000);
  auto pragma = [&](const char *name, int64_t &value) {
    Statement s(*this, (std::string("PRAGMA ") + name).c_str());
    value = s.next() ? s.integer(0) : 0;
    while (s.next()) {
    }
    return s.finish(error);
  };
  int64_t application = 0, version = 0, pages = 0;
  if (!pragma("application_id", application) || !pragma("user_version", version) ||
      !pragma("page_count", pages))
    return false;
  if (pages == 0 && mode == Mode::Write)
    return run("BEGIN IMMEDIATE", error) &&
           transact(run(kTables, error) &&
                        run(("PRAGMA application_id = " + std::to_string(kApplication)).c_str(), error) &&
                        run(("PRAGMA user_version = " + std::to_string(kVersion)).c_str(), error),
                    error);
  if (application != kApplication || version != kVersion) return fail(SQLITE_NOTADB, error);
  Statement s(*this, "PRAGMA quick_check(1)");
  bool whole = s.next() && s.text(0) == "ok";
  while (s.next()) {
  }
  return s.finish(error) && (whole || fail(SQLITE_CORRUPT, error));
}

std::unique_ptr<Database> Database::open(const std::string &path, Mode mode, Diagnostic &error) {
  std::unique_ptr<Database> db(new Database);
  db->path_ = path;
  std::error_code ignored;
  if (mode == Mode::Write && fs::path(path).has_parent_path())
    fs::create_directories(fs::path(path).parent_path(), ignored);
  int flags = mode == Mode::Read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  int code = sqlite3_open_v2(path.c_str(), &db->db_, flags, nullptr);
  if (code != SQLITE_OK) {
    db->fail(code, error);
    return nullptr;
  }
  return db->check(mode, error) ? std::move(db) : nullptr;
}

Database::~Database() { sqlite3_close(db_); }

/// The rows of (kernel, unit, schedule, ratio) that a statement gives.
bool Database::read(Statement &s, std::vector<Entry> &entries, Diagnostic &error) {
  while (s.next())
    entries.push_back({s.text(0), static_cast<unsigned>(s.integer(1)), s.text(2), s.number(3)});
  return s.finish(error);
}

bool Database::best(const std::string &cpu, std::vector<Entry> &entries, Diagnostic &error) {
  Statement s(*this, "SELECT kernel, unit, schedule, ratio FROM best "
                     "WHERE cpu = ?1 "
                     "OR (cpu != ?2 AND substr(cpu, 1, length(?1) + 2) = ?1 || '; ') "
                     "OR (cpu = ?2 AND kernel NOT IN (SELECT kernel FROM trials WHERE cpu != ?2 "
                     "AND substr(cpu, 1, length(?1) + 2) = ?1 || '; ')) "
                     "ORDER BY kernel, unit, cpu");
  if (!read(s.bind(cpu).bind(modelOf(cpu)), entries, error)) return false;
  auto same = [](const Entry &a, const Entry &b) {
    return a.kernel == b.kernel && a.unit == b.unit;
  };
  entries.erase(std::unique(entries.begin(), entries.end(), same), entries.end());
  return true;
}

bool Database::trials(const std::string &kernel, const std::string &cpu,
                      std::vector<Entry> &entries, Diagnostic &error) {
  Statement s(*this, "SELECT kernel, unit, schedule, ratio FROM trials "
                     "WHERE cpu = ? AND kernel = ? ORDER BY unit, schedule");
  return read(s.bind(cpu).bind(kernel), entries, error);
}

/// Writes all of them with `sql`, in the transaction that began.
bool Database::write(const char *sql, const std::vector<Entry> &entries, const std::string &cpu,
                     Diagnostic &error) {
  for (const Entry &e : entries) {
    Statement s(*this, sql);
    s.bind(cpu).bind(e.kernel).bind(int64_t(e.unit)).bind(e.schedule).bind(e.ratio).next();
    if (!s.finish(error)) return false;
  }
  return true;
}

/// Ends a transaction that began: for good when `ok`, else as if it had not been.
bool Database::transact(bool ok, Diagnostic &error) {
  if (ok) ok = run("COMMIT", error);
  if (!ok) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  return ok;
}

bool Database::addTrials(const std::vector<Entry> &entries, const std::string &cpu,
                         Diagnostic &error) {
  return run("BEGIN IMMEDIATE", error) &&
         transact(write("INSERT OR REPLACE INTO trials (cpu, kernel, unit, schedule, ratio) "
                        "VALUES (?, ?, ?, ?, ?)",
                        entries, cpu, error),
                  error);
}

bool Database::setBest(const std::set<std::string> &kernels, const std::vector<Entry> &entries,
                       const std::string &cpu, Diagnostic &error) {
  if (!run("BEGIN IMMEDIATE", error)) return false;
  bool ok = true;
  for (const std::string &kernel : kernels) {
    Statement s(*this, "DELETE FROM best WHERE cpu = ? AND kernel = ?");
    s.bind(cpu).bind(kernel).next();
    ok = ok && s.finish(error);
  }
  return transact(ok && write("INSERT OR REPLACE INTO best (cpu, kernel, unit, schedule, ratio) "
                              "VALUES (?, ?, ?, ?, ?)",
                              entries, cpu, error),
                  error);
}

std::string productOf(const std::string &machine, const std::string &product) {
  return machine + "; " + product;
}
std::string modelOf(const std::string &machine) { return productOf(machine, "by a model"); }

std::string defaultDatabase() {
  if (const char *given = std::getenv("ADZE_TUNE_DB")) return given;
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  if (cache && *cache) return std::string(cache) + "/adze/tune.db";
  return home && *home ? std::string(home) + "/.cache/adze/tune.db" : "";
}

}  // namespace adze::tuning
