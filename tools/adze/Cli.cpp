#include "tools/adze/Cli.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace adze::cli {

int Cli::finish(ExitCode code) {
  if (code == ExitCode::Internal)
    if (const char *file = writeReplayNote()) {
      Diagnostic note;
      note.severity = Severity::Note;
      note.message = "the command to replay it is in " + std::string(file);
      diags.report(std::move(note));
    }
  if (diagnosticsFormat == "json") {
    diags.printJson(std::cerr);
    if (diags.all().empty()) return static_cast<int>(code);
  } else {
    diags.printText(std::cerr, isatty(STDERR_FILENO) && !std::getenv("NO_COLOR"));
  }
  return static_cast<int>(code);
}

ExitCode Cli::usage(std::string message, std::string help) {
  return fail(ExitCode::Usage, "ADZ0800", std::move(message), std::move(help));
}

ExitCode Cli::fail(ExitCode code, std::string id, std::string message, std::string help) {
  diags.error(code, std::move(id), std::move(message), std::move(help));
  return code;
}

void addCommon(CLI::App &verb, Cli &cli) {
  verb.add_flag("--json", cli.json, "Print the result as JSON");
  verb.add_option("--diagnostics", cli.diagnosticsFormat, "Form of messages: text or json")
      ->check(CLI::IsMember({"text", "json"}));
  verb.add_flag("-q,--quiet", cli.quiet, "Print nothing but results and errors");
}

Progress::Progress(bool enabled) : enabled_(enabled), terminal_(isatty(STDERR_FILENO)) {
  if (enabled_) thread_ = std::thread([this] { watch(); });
}

Progress::~Progress() { done(); }

void Progress::step(int number, int count, std::string name) {
  step("[" + std::to_string(number) + "/" + std::to_string(count) + "] " + std::move(name));
}

void Progress::step(std::string label) {
  std::lock_guard lock(mutex_);
  clear();
  label_ = std::move(label);
  begin_ = std::chrono::steady_clock::now();
}

void Progress::done() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
  clear();
}

void Progress::clear() {
  if (shown_ && terminal_) std::fputs("\r\033[K", stderr);
  shown_ = false;
}

void Progress::watch() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::milliseconds(200), [this] { return stop_; })) {
    if (label_.empty()) continue;
    std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin_;
    if (terminal_ && passed.count() > 0.5)
      std::fprintf(stderr, "\r\033[K%s %.1f s", label_.c_str(), passed.count()), shown_ = true;
    else if (!terminal_ && !shown_ && passed.count() > 2)
      std::fprintf(stderr, "%s ...\n", label_.c_str()), shown_ = true;
    std::fflush(stderr);
  }
}

std::string formatBytes(int64_t bytes) {
  const char *units[] = {"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  while (value >= 1000 && unit < 4) value /= 1000, ++unit;
  char text[32];
  std::snprintf(text, sizeof text, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
  return text;
}

std::string formatSeconds(double seconds) {
  char text[32];
  if (seconds < 1)
    std::snprintf(text, sizeof text, "%.0f ms", seconds * 1e3);
  else
    std::snprintf(text, sizeof text, "%.1f s", seconds);
  return text;
}

std::string formatTable(const std::vector<std::vector<std::string>> &rows) {
  std::vector<size_t> widths;
  for (const auto &row : rows)
    for (size_t i = 0; i < row.size(); ++i) {
      if (widths.size() <= i) widths.push_back(0);
      widths[i] = std::max(widths[i], row[i].size());
    }
  std::string out;
  for (const auto &row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - row[i].size() + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

std::string formatArena(int64_t arena, int64_t peak) {
  char ratio[32];
  std::snprintf(ratio, sizeof ratio, " (%.2f× live)",
                peak > 0 ? static_cast<double>(arena) / static_cast<double>(peak) : 1.0);
  return formatBytes(arena) + ratio;
}

std::string fileNameOf(const std::string &name) {
  std::string out;
  for (unsigned char c : name) {
    bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                 c == '.' || c == '_' || c == '-';
    char text[4];
    std::snprintf(text, sizeof text, plain ? "%c" : "%%%02X", c);
    out += text;
  }
  return out;
}

std::string programFolder() {
  char path[4096];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path);
  if (n <= 0) return {};
  std::string text(path, n);
  return text.substr(0, text.rfind('/'));
}

}  // namespace adze::cli
