// The tool with the compiler in it.
#include "tools/adze/Cli.h"

using namespace adze::cli;

int main(int argc, char **argv) {
  static constexpr AddVerb kVerbs[] = {addCompile, addRun, addBench, addExplain, addTune, addVerify,
                                       addInspect, addPlanMemory, addEmulate, addOps, addTargets, addDoctor,
                                       addConformance, addCompletion};
  return runTool(argc, argv, kVerbs);
}
