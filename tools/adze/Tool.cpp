// Parsing of the command line, messages about it, the process's way out.
#include "include/adze/adze_rt.h"
#include "tools/adze/Cli.h"

#include <iostream>
#include <new>

namespace adze::cli {

static constexpr const char *kFooter = R"(Examples:
  adze compile model.onnx -o model.adze        for this machine's CPU
  adze run model.adze --input x=x.npy --output out
  adze bench model.adze --threads 2 --duration 5
  adze inspect model.adze

Exit codes: 0 ok, 1 invalid model or input, 2 usage, 3 unsupported,
4 out of tolerance, 6 artifact corrupt or incompatible, 7 resource limit,
8 device or driver, 70 internal error, 130 interrupted)";

/// The name nearest to `word` by edit distance, when that is at most two.
static std::string nearest(const std::string &word, const std::vector<std::string> &names) {
  std::string best;
  size_t bestDistance = 3;
  for (const std::string &name : names) {
    std::vector<size_t> row(name.size() + 1);
    for (size_t j = 0; j <= name.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= word.size(); ++i) {
      size_t diagonal = row[0];
      row[0] = i;
      for (size_t j = 1; j <= name.size(); ++j) {
        size_t up = row[j];
        row[j] = std::min({up + 1, row[j - 1] + 1, diagonal + (word[i - 1] != name[j - 1])});
        diagonal = up;
      }
    }
    if (row.back() < bestDistance) bestDistance = row.back(), best = name;
  }
  return best;
}

static int usageError(Cli &cli, CLI::App &app, int argc, char **argv, const CLI::ParseError &e) {
  std::vector<std::string> verbs;
  const CLI::App *verb = &app;
  for (const CLI::App *sub : app.get_subcommands({})) {
    verbs.push_back(sub->get_name());
    if (argc > 1 && sub->get_name() == argv[1]) verb = sub;
  }
  std::vector<std::string> flags;
  for (const CLI::Option *option : verb->get_options())
    for (const std::string &name : option->get_lnames()) flags.push_back("--" + name);
  std::string help = "`adze " + (verb == &app ? "" : verb->get_name() + " ") + "--help` says more";
  if (verb == &app && argc > 1 && argv[1][0] != '-') {
    std::string guess = nearest(argv[1], verbs);
    cli.usage("there is no verb '" + printable(argv[1], 60) + "'",
              guess.empty() ? help : "did you mean `adze " + guess + "`?");
    return cli.finish(ExitCode::Usage);
  }
  for (int i = 2; i < argc; ++i) {
    std::string word = std::string(argv[i]).substr(0, std::string(argv[i]).find('='));
    bool known = std::find(flags.begin(), flags.end(), word) != flags.end();
    std::string guess = word.rfind("--", 0) == 0 && !known ? nearest(word, flags) : "";
    if (!guess.empty()) help = "did you mean `" + guess + "`?";
  }
  std::string message = e.what();
  std::replace(message.begin(), message.end(), '\n', ' ');
  cli.usage(message, help);
  return cli.finish(ExitCode::Usage);
}

static int runVerb(int argc, char **argv, std::span<const AddVerb> verbs) {
  Cli cli;
  CLI::App app("adze: an ahead-of-time compiler for ONNX models", "adze");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("adze ") + adze_rt_version());
  app.footer(kFooter);
  app.get_formatter()->column_width(34);
  for (AddVerb add : verbs) add(app, cli);
  if (argc == 1) {
    std::cout << app.help();
    return static_cast<int>(ExitCode::Usage);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &e) {
    return app.exit(e);
  } catch (const CLI::ParseError &e) {
    return usageError(cli, app, argc, argv, e);
  }
  return cli.finish(cli.action());
}

int runTool(int argc, char **argv, std::span<const AddVerb> verbs) {
  installSignalHandlers(argc, argv);
  try {
    return runVerb(argc, argv, verbs);
  } catch (const std::bad_alloc &) {
    std::cerr << "error[ADZ0811]: out of memory\n";
    return static_cast<int>(ExitCode::ResourceLimit);
  } catch (const std::exception &e) {
    Cli cli;
    return cli.finish(cli.fail(ExitCode::Internal, "ADZ0900",
                               "internal error: " + printable(e.what()),
                               "this is a bug in adze: please report it with the model"));
  }
}

}  // namespace adze::cli
