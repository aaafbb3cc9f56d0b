// The tool with the compiler in it.
#include "tools/adze/Cli.h"

using namespace adze::cli;

int main(int argc, char **argv) {
  static constexpr AddVerb kVerbs[] = {addCompile, addRun, addBench, addExplain, addTune, addVerify,
                                       addInspect, addPlanMemory, addOps, addTargets, addDoctor,
                                       addConformance, addEmulate, addCompletion};
  return runTool(argc, argv, kVerbs);
}
