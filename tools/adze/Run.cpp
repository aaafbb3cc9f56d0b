// adze run
#include "tools/adze/Compare.h"
#include "tools/adze/Findings.h"
#include "tools/adze/Session.h"
#include "tools/adze/TestData.h"
#include "tools/adze/Trace.h"

#include <chrono>
#include <filesystem>
#include <iostream>

namespace adze::cli {

namespace {

constexpr const char *kFooter = R"(Examples:
  adze run model.adze                                    random inputs
  adze run model.adze --shape x=1x3x320x480 --seed 7     random, at this size
  adze run model.adze --input x=image.npy --output out   writes out/NAME.npy
  adze run model.adze --test-data test_data_set_0        exit 4 when results differ
  adze run model.adze --trace run.json                   for chrome://tracing or Perfetto
  adze run model.adze --device cuda:1                    on the second GPU
  adze run model.adze --check                            a GPU's kernels on the CPU, checked

Names of output files: bytes outside [A-Za-z0-9._-] are percent-encoded.)";

struct Options : InputOptions {
  std::string artifact, output, testData, trace, device;
  int threads = 0;
  bool check = false;
};

void printOutput(const Json &j, const std::string &file) {
  std::cout << "  " << printable(j["name"].get<std::string>()) << "  "
            << j["dtype"].get<std::string>() << j["shape"].dump();
  if (j.contains("min"))
    std::cout << "  min " << j["min"].get<double>() << "  max " << j["max"].get<double>()
              << "  mean " << j["mean"].get<double>();
  if (j["not_finite"] != 0) std::cout << "  not finite: " << j["not_finite"];
  if (!file.empty()) std::cout << "  → " << file;
  std::cout << "\n";
}

ExitCode report(const std::vector<HostTensor> &results, double milliseconds, const Json &memory,
                const FindingCollector *check, const Options &o, Cli &cli) {
  Json all{{"milliseconds", milliseconds}, {"memory", memory}, {"outputs", Json::array()}};
  if (check) all["check"] = check->json();
  std::error_code failure;
  if (!o.output.empty()) std::filesystem::create_directories(o.output, failure);
  for (const HostTensor &t : results) {
    Json j = summaryOf(t);
    std::string file, error;
    if (!o.output.empty()) {
      file = o.output + "/" + fileNameOf(t.name) + ".npy";
      if (!saveNpy(file, t, error))
        return cli.fail(ExitCode::ResourceLimit, "ADZ0803", error);
      j["file"] = file;
    }
    if (!cli.json && !cli.quiet) printOutput(j, file);
    all["outputs"].push_back(j);
  }
  if (cli.json)
    std::cout << all.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
  else if (!cli.quiet)
    std::cout << "  arena " << formatArena(memory["arena_bytes"], memory["peak_live_bytes"]) << "\n";
  return ExitCode::Ok;
}

ExitCode runOnce(Session &session, const Options &o, Cli &cli) {
  std::optional<EventCollector> collector;
  std::optional<FindingCollector> check;
  std::optional<std::vector<KernelName>> kernels;
  if (!session.prepare(o.inputs, o.shapes, o.seed, cli)) return cli.diags.exitCode();
  if (!o.trace.empty()) {
    kernels = kernelNames(session, cli);
    if (!kernels || !collector.emplace(session).start(cli)) return cli.diags.exitCode();
  }
  bool ready = o.check
                   ? check.emplace(session).start(o.seed, cli)
                   : succeeded(adze_request_set_emulation(session.request(), o.seed, nullptr, nullptr), cli);
  if (!ready) return cli.diags.exitCode();
  Progress progress(cli.showsProgress());
  progress.step(1, 1, "running");
  auto begin = std::chrono::steady_clock::now();
  bool ran = session.run(cli);
  std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  progress.done();
  if (check && !cli.json) check->print();
  if (!ran) return cli.diags.exitCode();
  if (collector && !writeTrace(o.trace, *kernels, collector->events, cli))
    return cli.diags.exitCode();
  auto results = session.results(cli);
  if (!results) return cli.diags.exitCode();
  ExitCode code = report(*results, took.count(), session.memory(), check ? &*check : nullptr, o, cli);
  if (code != ExitCode::Ok || !check || check->errors() == 0) return code;
  return cli.fail(ExitCode::OutOfTolerance, "ADZ0512",
                  std::to_string(check->errors()) + " findings that are errors");
}

/// One data set; the results' differences go to `rows`.
ExitCode runTestSet(Session &session, const std::string &folder, Json &rows, Cli &cli) {
  std::string error;
  bool unsupported = false;
  auto data = readTestData(folder, error, unsupported);
  if (!data)
    return cli.fail(unsupported ? ExitCode::Unsupported : ExitCode::InvalidModel, "ADZ0801", error);
  if (data->inputs.size() > session.inputs().size() ||
      data->outputs.size() > session.outputs().size())
    return cli.fail(ExitCode::InvalidModel, "ADZ0801",
                    folder + ": more tensors than the model's signature has");
  for (size_t i = 0; i < data->inputs.size(); ++i) data->inputs[i].name = session.inputs()[i].name;
  if (!session.setInputs(data->inputs, cli) || !session.run(cli)) return cli.diags.exitCode();
  auto results = session.results(cli);
  if (!results) return cli.diags.exitCode();
  ExitCode code = ExitCode::Ok;
  for (size_t i = 0; i < data->outputs.size(); ++i) {
    const HostTensor &got = (*results)[i];
    Difference d = compare(got, data->outputs[i], toleranceOf(session, got.dtype));
    Json j = toJson(d);
    j["set"] = folder;
    j["output"] = got.name;
    rows.push_back(j);
    if (d.same) continue;
    code = ExitCode::OutOfTolerance;
    cli.fail(code, "ADZ0805", "output '" + printable(got.name) + "' " + d.reason,
             "`adze verify --against MODEL` finds the kernel");
  }
  return code;
}

ExitCode runTests(Session &session, const Options &o, Cli &cli) {
  auto sets = testDataSets(o.testData);
  if (sets.empty())
    return cli.fail(ExitCode::InvalidModel, "ADZ0801", o.testData + ": no output_0.pb in it");
  Json rows = Json::array();
  ExitCode code = ExitCode::Ok;
  for (const std::string &folder : sets) {
    ExitCode one = runTestSet(session, folder, rows, cli);
    if (code == ExitCode::Ok) code = one;
  }
  if (cli.json) {
    std::cout << Json{{"same", code == ExitCode::Ok}, {"outputs", rows}}.dump() << "\n";
  } else if (!cli.quiet) {
    for (const Json &j : rows)
      std::cout << "  " << printable(j["output"].get<std::string>()) << "  "
                << (j["same"] ? "same" : "differs") << "  max error " << j["max_abs"].get<double>()
                << ", " << j["max_ulps"].get<double>() << " ulps\n";
  }
  return code;
}

ExitCode runRun(const Options &o, Cli &cli) {
  constexpr const char *kEmulator = "ptx-emulator";
  if (o.check && !o.device.empty() && !o.device.starts_with(kEmulator))
    return cli.usage("--check is what --device ptx-emulator does");
  auto session = Session::open(o.artifact, o.threads, cli, o.check && o.device.empty() ? kEmulator : o.device);
  if (!session) return cli.diags.exitCode();
  return o.testData.empty() ? runOnce(*session, o, cli) : runTests(*session, o, cli);
}

}  // namespace

void addRun(CLI::App &app, Cli &cli) {
  auto *verb = app.add_subcommand("run", "Run an artifact on files or random data");
  auto o = std::make_shared<Options>();
  verb->add_option("artifact", o->artifact, "The .adze file")->required();
  o->addTo(*verb);
  verb->add_option("-o,--output", o->output, "Write each output to this folder as NAME.npy");
  verb->add_option("--test-data", o->testData,
                   "Folder of ONNX test data (input_N.pb, output_N.pb): run it and compare")
      ->excludes("--input");
  verb->add_option("--trace", o->trace, "Write the run's kernels as a Chrome trace to this file")
      ->excludes("--test-data");
  addDevice(*verb, o->device);
  verb->add_flag("--check", o->check,
                 "On the PTX emulator: list what it finds in the kernels, and count what they do")
      ->excludes("--test-data");
  verb->add_option("--threads", o->threads, "0: one for each CPU")->check(CLI::Range(0, 1024));
  addCommon(*verb, cli);
  verb->footer(kFooter);
  verb->callback([o, &cli] { cli.action = [o, &cli] { return runRun(*o, cli); }; });
}

}  // namespace adze::cli
