// adze plan-memory: the memory planner on lifetimes from a file.
#include "lib/Runtime/Planner.h"
#include "lib/Support/File.h"
#include "tools/adze/Cli.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <iostream>
#include <optional>

namespace adze::cli {

namespace {

constexpr const char *kFooter = R"(Examples:
  adze plan-memory buffers.csv
  adze plan-memory buffers.csv --capacity 1048576 --json

The file's first line names its columns: id, lower, upper, size, in any order.
A buffer of `size` bytes is alive at the times from lower on and before upper.
--json lists the offset of each.)";

// More would not be planned in a time worth waiting for.
constexpr size_t kMostBuffers = 10'000'000;

struct Options {
  std::string file;
  runtime::PlanOptions plan{.alignment = 1, .capacity = 0, .steps = 2 * runtime::kCompilePlanSteps};
};

/// One line of the file: the times are as the file has them.
struct Row {
  std::string id;
  int64_t lower = 0, upper = 0, size = 0;
};

/// "a,b,c" without blanks around the fields.
std::vector<std::string_view> fieldsOf(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    size_t comma = line.find(',');
    std::string_view field = line.substr(0, comma);
    size_t first = field.find_first_not_of(" \t\r"), last = field.find_last_not_of(" \t\r");
    fields.push_back(first == field.npos ? std::string_view() : field.substr(first, last - first + 1));
    if (comma == line.npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

bool parseNumber(std::string_view text, int64_t &number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

/// The file's lines as rows; the first thing that is wrong with it is reported
/// with its line.
class Reader {
 public:
  explicit Reader(Cli &cli) : cli_(cli) {}

  std::optional<std::vector<Row>> read(std::string_view text) {
    std::vector<Row> rows;
    for (number_ = 1; !text.empty(); ++number_) {
      size_t end = text.find('\n');
      std::string_view line = text.substr(0, end);
      text.remove_prefix(end == text.npos ? text.size() : end + 1);
      auto fields = fieldsOf(line);
      if (number_ == 1) {
        if (!readHeader(fields)) return std::nullopt;
      } else if (fields.size() > 1 || !fields[0].empty()) {
        if (rows.size() == kMostBuffers) return fail("more than 10000000 buffers");
        auto row = readRow(fields);
        if (!row) return std::nullopt;
        rows.push_back(std::move(*row));
      }
    }
    if (number_ == 1) return fail("the file is empty");
    return rows;
  }

 private:
  std::nullopt_t fail(const std::string &what) {
    cli_.fail(ExitCode::InvalidModel, "ADZ0814", "line " + std::to_string(number_) + ": " + what);
    return std::nullopt;
  }

  bool readHeader(const std::vector<std::string_view> &fields) {
    for (size_t c = 0; c < std::size(kColumns); ++c) {
      auto at = std::ranges::find(fields, kColumns[c]);
      columns_[c] = static_cast<size_t>(at - fields.begin());
      if (at != fields.end() && fields.size() == std::size(kColumns)) continue;
      fail("the columns must be id, lower, upper, size");
      return false;
    }
    return true;
  }

  std::optional<Row> readRow(const std::vector<std::string_view> &fields) {
    if (fields.size() != std::size(kColumns))
      return fail(std::to_string(fields.size()) + " fields where there are 4 columns");
    Row row{std::string(fields[columns_[0]])};
    int64_t *numbers[] = {&row.lower, &row.upper, &row.size};
    for (size_t c = 1; c < std::size(kColumns); ++c) {
      std::string_view field = fields[columns_[c]];
      if (!parseNumber(field, *numbers[c - 1]))
        return fail(std::string(kColumns[c]) + " '" + printable(std::string(field), 40) +
                    "' is no whole number of 64 bits");
    }
    if (row.lower >= row.upper) return fail("lower must be less than upper");
    if (row.size < 0) return fail("size must not be negative");
    return row;
  }

  static constexpr std::string_view kColumns[] = {"id", "lower", "upper", "size"};
  size_t columns_[std::size(kColumns)] = {};
  size_t number_ = 0;
  Cli &cli_;
};

/// The same order of begins and ends on small numbers.
std::vector<runtime::PlanBuffer> buffersOf(const std::vector<Row> &rows) {
  std::vector<int64_t> times;
  for (const Row &r : rows) times.insert(times.end(), {r.lower, r.upper});
  std::ranges::sort(times);
  times.erase(std::ranges::unique(times).begin(), times.end());
  auto rank = [&](int64_t t) {
    return static_cast<int32_t>(std::ranges::lower_bound(times, t) - times.begin());
  };
  std::vector<runtime::PlanBuffer> buffers;
  for (const Row &r : rows) buffers.push_back({r.size, rank(r.lower), rank(r.upper) - 1});
  return buffers;
}

void print(const std::vector<Row> &rows, const runtime::Plan &plan, double seconds, Cli &cli) {
  double ratio = plan.peakLiveBytes ? double(plan.slabBytes) / double(plan.peakLiveBytes) : 1;
  if (cli.json) {
    Json offsets = Json::array();
    for (size_t i = 0; i < rows.size(); ++i)
      offsets.push_back({{"id", rows[i].id}, {"offset", plan.offsets[i]}});
    Json j{{"buffers", rows.size()},   {"arena_bytes", plan.slabBytes},
           {"peak_live_bytes", plan.peakLiveBytes}, {"ratio", ratio},
           {"seconds", seconds},       {"offsets", offsets}};
    std::cout << j.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
    return;
  }
  char text[160];
  std::snprintf(text, sizeof text, "%zu buffers → arena %lld bytes, peak live %lld bytes (%.4f×), %s\n",
                rows.size(), static_cast<long long>(plan.slabBytes),
                static_cast<long long>(plan.peakLiveBytes), ratio, formatSeconds(seconds).c_str());
  if (!cli.quiet) std::cout << text;
}

ExitCode runPlanMemory(const Options &o, Cli &cli) {
  cli.diags.setFile(o.file);
  std::string error;
  auto file = MappedFile::open(o.file, error);
  if (!file) return cli.fail(ExitCode::InvalidModel, "ADZ0801", error);
  auto bytes = file->bytes();
  auto rows = Reader(cli).read({reinterpret_cast<const char *>(bytes.data()), bytes.size()});
  if (!rows) return cli.diags.exitCode();
  auto buffers = buffersOf(*rows);
  auto begin = std::chrono::steady_clock::now();
  runtime::Plan plan;
  if (!runtime::planOffsets(buffers, plan, o.plan))
    return cli.fail(ExitCode::InvalidModel, "ADZ0814", "the sizes' sum is beyond 64 bits");
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  if (!runtime::checkPlan(buffers, plan.offsets, plan.slabBytes))
    return cli.fail(ExitCode::Internal, "ADZ0900", "the memory plan overlaps");
  print(*rows, plan, took.count(), cli);
  if (o.plan.capacity > 0 && plan.slabBytes > o.plan.capacity)
    return cli.fail(ExitCode::ResourceLimit, "ADZ0815",
                    "no plan was found that fits " + std::to_string(o.plan.capacity) + " bytes");
  return ExitCode::Ok;
}

}  // namespace

void addPlanMemory(CLI::App &app, Cli &cli) {
  auto *verb = app.add_subcommand("plan-memory", "Plan buffers with lifetimes from a CSV file");
  auto o = std::make_shared<Options>();
  verb->add_option("file", o->file, "CSV with the columns id, lower, upper, size")->required();
  verb->add_option("--capacity", o->plan.capacity, "Bytes that are enough; exit code 7 where they are not")
      ->check(CLI::Range(int64_t(1), INT64_MAX));
  verb->add_option("--alignment", o->plan.alignment, "Of the offsets, in bytes")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 30))
      ->capture_default_str();
  addCommon(*verb, cli);
  verb->footer(kFooter);
  verb->callback([o, &cli] { cli.action = [o, &cli] { return runPlanMemory(*o, cli); }; });
}

}  // namespace adze::cli
