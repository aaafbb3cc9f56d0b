// adze: compiles ONNX models ahead of time, runs, measures and checks them. What
// needs no compiler is done here; the rest is the work of the program beside
// this one, which has it. LLVM and MLIR alone are some 80 MB of memory, more
// than most models take to run.
#include "tools/adze/Cli.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>

using namespace adze;
using namespace adze::cli;

int main(int argc, char **argv) {
  static constexpr AddVerb kVerbs[] = {addRun, addPlanMemory, addEmulate};
  std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "run" || verb == "plan-memory" || verb == "emulate") return runTool(argc, argv, kVerbs);
  std::string program = programFolder() + "/adze-compiler";
  execv(program.c_str(), argv);
  std::cerr << "error[ADZ0816]: cannot start " << program << ": " << std::strerror(errno) << "\n"
            << "   = help: it is installed beside adze\n";
  return static_cast<int>(ExitCode::Device);
}
