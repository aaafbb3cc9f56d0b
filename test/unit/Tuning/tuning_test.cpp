#include "lib/Tuning/Compare.h"
#include "lib/Tuning/Database.h"

#include "catch2/catch.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace adze;
using namespace adze::tuning;
namespace fs = std::filesystem;

namespace {
/// A folder that goes with it.
struct Folder {
  Folder() {
    char name[] = "/tmp/adze-tuning-XXXXXX";
    REQUIRE(mkdtemp(name));
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::string file(const char *name = "a/tune.db") const { return path + "/" + name; }
  std::string path;
};

std::unique_ptr<Database> open(const std::string &path, Database::Mode mode, std::string &code) {
  Diagnostic error;
  auto db = Database::open(path, mode, error);
  code = error.code + (db ? "" : " " + std::to_string(static_cast<int>(error.exitCode)));
  return db;
}

/// Runs SQL on the file behind the library's back.
void edit(const std::string &path, const char *sql) {
  sqlite3 *db = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  CHECK(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
}

const std::vector<Entry> kEntries = {{"k1", 0, "{tile = 1}", 0.8}, {"k1", 1, "{}", 1.5}};
}  // namespace

TEST_CASE("what was timed and what is best reads back", "[Tuning]") {
  Folder folder;
  std::string code;
  Diagnostic error;
  {
    auto db = open(folder.file(), Database::Mode::Write, code);
    REQUIRE(db);
    CHECK(db->addTrials(kEntries, "cpu", error));
    CHECK(db->addTrials(kEntries, "cpu", error));  // once more changes nothing
    CHECK(db->setBest({"k1"}, {kEntries[0]}, "cpu", error));
  }
  auto db = open(folder.file(), Database::Mode::Read, code);
  REQUIRE(db);
  std::vector<Entry> trials, best, other;
  CHECK(db->trials("k1", "cpu", trials, error));
  CHECK(trials == kEntries);
  CHECK(db->best("cpu", best, error));
  CHECK(best == std::vector<Entry>{kEntries[0]});
  CHECK(db->best("another cpu", other, error));
  CHECK(other.empty());
  CHECK_FALSE(db->addTrials(kEntries, "cpu", error));
  CHECK(error.code == "ADZ0813");
}

TEST_CASE("the best of a kernel replaces what was", "[Tuning]") {
  Folder folder;
  std::string code;
  Diagnostic error;
  auto db = open(folder.file(), Database::Mode::Write, code);
  REQUIRE(db);
  std::vector<Entry> best;
  CHECK(db->setBest({"k1", "k2"}, {kEntries[0], kEntries[1], {"k2", 0, "x", 0.5}}, "cpu", error));
  CHECK(db->setBest({"k1"}, {kEntries[1]}, "cpu", error));
  CHECK(db->best("cpu", best, error));
  CHECK(best == std::vector<Entry>{kEntries[1], {"k2", 0, "x", 0.5}});
}

TEST_CASE("what was timed on a GPU goes before what a model says", "[Tuning]") {
  Folder folder;
  std::string code, model = modelOf("sm_80"), a100 = productOf("sm_80", "A100");
  Diagnostic error;
  auto db = open(folder.file(), Database::Mode::Write, code);
  REQUIRE(db);
  std::vector<Entry> best;
  std::vector<Entry> reckoned = {{"k1", 0, "m1", 0.5}, {"k2", 0, "m2", 0.5}, {"k3", 0, "m3", 0.5}};
  CHECK(db->addTrials(reckoned, model, error));
  CHECK(db->setBest({"k1", "k2", "k3"}, reckoned, model, error));
  CHECK(db->best("sm_80", best, error));
  CHECK(best == reckoned);
  // Of k2 nothing was faster.
  CHECK(db->addTrials({{"k1", 0, "t1", 0.9}, {"k2", 0, "m2", 1.1}}, a100, error));
  CHECK(db->setBest({"k1", "k2"}, {{"k1", 0, "t1", 0.9}}, a100, error));
  best.clear();
  CHECK(db->best("sm_80", best, error));
  CHECK(best == std::vector<Entry>{{"k1", 0, "t1", 0.9}, {"k3", 0, "m3", 0.5}});
  // One of each unit, whatever products there are; another architecture has none of them.
  CHECK(db->setBest({"k1"}, {{"k1", 0, "other", 0.8}}, productOf("sm_80", "A30"), error));
  for (const char *machine : {"sm_8", "sm_86", "sm_80; A"}) {
    best.clear();
    CHECK(db->best(machine, best, error));
    CHECK(best.empty());
  }
  CHECK(db->best("sm_80", best, error));
  CHECK(best == std::vector<Entry>{{"k1", 0, "t1", 0.9}, {"k3", 0, "m3", 0.5}});
}

TEST_CASE("a file that is no tuning database is refused", "[Tuning]") {
  Folder folder;
  std::string code;
  SECTION("text") {
    std::ofstream(folder.file("f")) << std::string(5000, 'x');
    CHECK_FALSE(open(folder.file("f"), Database::Mode::Read, code));
    CHECK(code == "ADZ0812 6");
    CHECK_FALSE(open(folder.file("f"), Database::Mode::Write, code));
    CHECK(code == "ADZ0812 6");
  }
  SECTION("an empty file to read") {
    std::ofstream(folder.file("f"));
    CHECK_FALSE(open(folder.file("f"), Database::Mode::Read, code));
    CHECK(code == "ADZ0812 6");
  }
  SECTION("another program's") {
    edit(folder.file("f"), "CREATE TABLE best (x)");
    CHECK_FALSE(open(folder.file("f"), Database::Mode::Write, code));
    CHECK(code == "ADZ0812 6");
  }
  SECTION("another version's") {
    REQUIRE(open(folder.file("f"), Database::Mode::Write, code));
    edit(folder.file("f"), "PRAGMA user_version = 2");
    CHECK_FALSE(open(folder.file("f"), Database::Mode::Read, code));
    CHECK(code == "ADZ0812 6");
  }
  SECTION("one without its tables") {
    REQUIRE(open(folder.file("f"), Database::Mode::Write, code));
    edit(folder.file("f"), "DROP TABLE best");
    auto db = open(folder.file("f"), Database::Mode::Read, code);
    REQUIRE(db);
    Diagnostic error;
    std::vector<Entry> best;
    CHECK_FALSE(db->best("cpu", best, error));
    CHECK(error.code == "ADZ0812");
  }
  SECTION("nothing there") {
    CHECK_FALSE(open(folder.file("f"), Database::Mode::Read, code));
    CHECK(code == "ADZ0813 1");
  }
  SECTION("a folder") {
    CHECK_FALSE(open(folder.path, Database::Mode::Write, code));
    CHECK(code.rfind("ADZ0813", 0) == 0);
  }
}

TEST_CASE("damage anywhere is an error or harmless, never a crash", "[Tuning]") {
  Folder folder;
  std::string code, path = folder.file("f");
  Diagnostic error;
  {
    auto db = open(path, Database::Mode::Write, code);
    REQUIRE(db);
    std::vector<Entry> many;
    for (int i = 0; i < 200; ++i) many.push_back({"k" + std::to_string(i), 0, std::string(100, 's'), 1});
    REQUIRE(db->setBest({}, many, "cpu", error));
  }
  std::ifstream in(path, std::ios::binary);
  std::string whole((std::istreambuf_iterator<char>(in)), {});
  for (size_t at = 0; at < whole.size(); at += 97) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 0xff);
    std::ofstream(path, std::ios::binary) << bad;
    auto db = open(path, Database::Mode::Read, code);
    std::vector<Entry> best;
    if (db) db->best("cpu", best, error);
  }
  for (size_t size : {size_t(1), size_t(100), whole.size() / 2, whole.size() - 4096}) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, size);
    INFO(size);
    CHECK_FALSE(open(path, Database::Mode::Read, code));
    CHECK(code == "ADZ0812 6");
  }
}

TEST_CASE("the default place follows the environment", "[Tuning]") {
  setenv("ADZE_TUNE_DB", "/x/y.db", 1);
  CHECK(defaultDatabase() == "/x/y.db");
  setenv("ADZE_TUNE_DB", "", 1);
  CHECK(defaultDatabase() == "");
  unsetenv("ADZE_TUNE_DB");
  setenv("XDG_CACHE_HOME", "/cache", 1);
  CHECK(defaultDatabase() == "/cache/adze/tune.db");
  unsetenv("XDG_CACHE_HOME");
}

TEST_CASE("faster means beyond noise", "[Tuning]") {
  std::vector<double> noise, gain, outliers, few{0.5, 0.5, 0.5};
  for (int i = 0; i < 31; ++i) {
    noise.push_back(i % 2 ? 0.9 : 1.1);
    gain.push_back(0.9 + 0.01 * (i % 5));
    outliers.push_back(i % 10 ? 0.93 : 40);
  }
  CHECK_FALSE(compare(noise).faster);
  CHECK_FALSE(compare(noise).slower);
  CHECK(compare(gain).faster);
  CHECK(compare(gain).ratio == Approx(0.92));
  CHECK(compare(outliers).faster);
  CHECK_FALSE(compare(few).faster);  // a coin falls so one time in eight
  for (double &r : gain) r = 1 / r;
  CHECK(compare(gain).slower);
  CHECK_FALSE(compare(std::vector<double>(31, 0.99)).faster);  // too little to matter
  CHECK(compare({}).ratio == 1);
}
