// adze completion: scripts for shells, made from the flags themselves.
#include "tools/adze/Cli.h"

#include <iostream>

namespace adze::cli {

static std::vector<const CLI::App *> verbsOf(const CLI::App &app) {
  std::vector<const CLI::App *> verbs;
  for (const CLI::App *verb : app.get_subcommands([](const CLI::App *) { return true; }))
    verbs.push_back(verb);
  return verbs;
}

static std::vector<std::pair<std::string, std::string>> flagsOf(const CLI::App &verb) {
  std::vector<std::pair<std::string, std::string>> flags;
  for (const CLI::Option *option : verb.get_options([](const CLI::Option *) { return true; }))
    for (const std::string &name : option->get_lnames())
      flags.emplace_back(name, option->get_description());
  return flags;
}

static std::string withoutQuotes(std::string text) {
  for (char &c : text)
    if (c == '\'' || c == '`' || c == '"' || c == '[' || c == ']' || c == ':') c = ' ';
  return text;
}

static void bash(const CLI::App &app) {
  std::cout << "_adze() {\n  local word=${COMP_WORDS[COMP_CWORD]} words\n"
               "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    words=\"";
  for (const CLI::App *verb : verbsOf(app)) std::cout << verb->get_name() << " ";
  std::cout << "--help --version\"\n  else\n    case ${COMP_WORDS[1]} in\n";
  for (const CLI::App *verb : verbsOf(app)) {
    std::cout << "      " << verb->get_name() << ") words=\"";
    for (const auto &[flag, text] : flagsOf(*verb)) std::cout << "--" << flag << " ";
    std::cout << "\" ;;\n";
  }
  std::cout << "    esac\n  fi\n"
               "  if [ \"$COMP_CWORD\" -gt 1 ] && [[ $word != -* ]]; then\n"
               "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
               "  else\n    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n  fi\n}\n"
               "complete -o filenames -F _adze adze\n";
}

static void zsh(const CLI::App &app) {
  std::cout << "#compdef adze\n_adze() {\n  local -a verbs=(\n";
  for (const CLI::App *verb : verbsOf(app))
    std::cout << "    '" << verb->get_name() << ":" << withoutQuotes(verb->get_description()) << "'\n";
  std::cout << "  )\n  if (( CURRENT == 2 )); then _describe verb verbs; return; fi\n"
               "  case $words[2] in\n";
  for (const CLI::App *verb : verbsOf(app)) {
    std::cout << "    " << verb->get_name() << ") _arguments";
    for (const auto &[flag, text] : flagsOf(*verb))
      std::cout << " '--" << flag << "[" << withoutQuotes(text) << "]'";
    std::cout << " '*:file:_files' ;;\n";
  }
  std::cout << "  esac\n}\ncompdef _adze adze\n";
}

static void fish(const CLI::App &app) {
  for (const CLI::App *verb : verbsOf(app)) {
    std::cout << "complete -c adze -n __fish_use_subcommand -a " << verb->get_name() << " -d '"
              << withoutQuotes(verb->get_description()) << "'\n";
    for (const auto &[flag, text] : flagsOf(*verb))
      std::cout << "complete -c adze -n '__fish_seen_subcommand_from " << verb->get_name()
                << "' -l " << flag << " -d '" << withoutQuotes(text) << "'\n";
  }
}

void addCompletion(CLI::App &app, Cli &cli) {
  auto *verb = app.add_subcommand("completion", "Print the completion script of a shell");
  auto shell = std::make_shared<std::string>();
  verb->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  verb->footer("Examples:\n  adze completion bash > /etc/bash_completion.d/adze\n"
               "  adze completion zsh > ~/.zfunc/_adze\n"
               "  adze completion fish > ~/.config/fish/completions/adze.fish");
  verb->callback([shell, &app, &cli] {
    cli.action = [shell, &app] {
      (*shell == "bash" ? bash : *shell == "zsh" ? zsh : fish)(app);
      return ExitCode::Ok;
    };
  });
}

}  // namespace adze::cli
