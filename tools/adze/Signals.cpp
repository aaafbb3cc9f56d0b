// What happens when the process is told to stop, or breaks. Only functions that
// are safe in a signal handler are called.
#include "lib/Support/File.h"
#include "tools/adze/Cli.h"
#include "tools/adze/Scratch.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

namespace adze::cli {

// Filled before the handlers are installed, never changed afterwards.
static char commandLine[4096];
static char crashNote[64];

static void say(int fd, const char *text) {
  ssize_t ignored = write(fd, text, std::strlen(text));
  (void)ignored;
}

const char *writeReplayNote() {
  int fd = open(crashNote, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (fd < 0) return nullptr;
  say(fd, commandLine);
  close(fd);
  return crashNote;
}

extern "C" void onInterrupt(int signal) {
  removeTemporaries();
  removeScratch();
  _exit(128 + signal);
}

extern "C" void onAlarm(int) {
  removeTemporaries();
  removeScratch();
  say(STDERR_FILENO, "error[ADZ0810]: the time limit has passed\n"
                     "   = help: give a longer --timeout\n");
  _exit(static_cast<int>(ExitCode::ResourceLimit));
}

extern "C" void onCrash(int signal) {
  removeTemporaries();
  removeScratch();
  say(STDERR_FILENO, "error[ADZ0900]: internal error: the compiler stopped with signal ");
  char number[3] = {static_cast<char>('0' + signal / 10), static_cast<char>('0' + signal % 10), 0};
  say(STDERR_FILENO, signal < 10 ? number + 1 : number);
  if (writeReplayNote()) {
    say(STDERR_FILENO, "\n   = note: the command to replay it is in ");
    say(STDERR_FILENO, crashNote);
  }
  say(STDERR_FILENO, "\n   = help: this is a bug in adze: please report it with the model\n");
  _exit(static_cast<int>(ExitCode::Internal));
}

static void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_ONSTACK;
  sigaction(signal, &action, nullptr);
}

static constexpr int kCrashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

void installSignalHandlers(int argc, char **argv) {
  std::string text;
  for (int i = 0; i < argc; ++i) text += (i ? " '" : "'") + std::string(argv[i]) + "'";
  std::strncpy(commandLine, (text + "\n").c_str(), sizeof commandLine - 1);
  std::string note = "/tmp/adze-crash-" + std::to_string(getpid()) + ".txt";
  std::strncpy(crashNote, note.c_str(), sizeof crashNote - 1);
  // An overflown stack needs another one to say so.
  static char stack[65536];
  stack_t alternative{};
  alternative.ss_sp = stack;
  alternative.ss_size = sizeof stack;
  sigaltstack(&alternative, nullptr);
  handle(SIGINT, onInterrupt);
  handle(SIGTERM, onInterrupt);
  handle(SIGHUP, onInterrupt);
  handle(SIGALRM, onAlarm);
  for (int signal : kCrashes) handle(signal, onCrash);
}

void resetSignalHandlers() {
  for (int signal : kCrashes) handle(signal, SIG_DFL);
  handle(SIGINT, SIG_DFL);
  handle(SIGTERM, SIG_DFL);
  handle(SIGALRM, SIG_DFL);
}

}  // namespace adze::cli
