#include "tools/adze/Peer.h"

#include "lib/Artifact/Artifact.h"
#include "lib/Support/File.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace adze::cli {

namespace fs = std::filesystem;

static std::string peerScript() {
  std::string folder = programFolder();
  for (std::string path : {folder + "/share/adze/peer.py", folder + "/../share/adze/peer.py"})
    if (fs::exists(path)) return path;
  return {};
}

static std::string pythonProgram() {
  const char *given = std::getenv("ADZE_PYTHON");
  return given && *given ? given : "python3";
}

std::unique_ptr<Peer> Peer::start(const std::string &engine, const std::string &model, int threads,
                                  const std::vector<HostTensor> &inputs, bool exposed, Cli &cli, std::string *refusal) {
  std::string script = peerScript(), python = pythonProgram(), error;
  auto peer = std::unique_ptr<Peer>(new Peer);
  peer->engine_ = engine;
  char folder[] = "/tmp/adze-peer-XXXXXX";
  int in[2], out[2];
  if (script.empty() || !mkdtemp(folder) || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC)) {
    cli.fail(ExitCode::Device, "ADZ0806", "the comparison's helper cannot be started",
             "peer.py belongs in share/adze beside the program's folder");
    return nullptr;
  }
  peer->folder_ = folder;
  Json request{{"engine", engine}, {"model", model}, {"threads", threads}, {"exposed", exposed},
               {"folder", folder}, {"inputs", Json::object()}};
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::string file = std::string(folder) + "/in" + std::to_string(i) + ".npy";
    request["inputs"][inputs[i].name] = {{"file", file},
                                         {"dtype", adze_dtype_name(inputs[i].dtype)}};
    if (!saveNpy(file, inputs[i], error)) {
      cli.fail(ExitCode::ResourceLimit, "ADZ0803", error);
      return nullptr;
    }
  }
  peer->pid_ = fork();
  if (peer->pid_ == 0) {
    resetSignalHandlers();
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    execlp(python.c_str(), python.c_str(), script.c_str(), nullptr);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  peer->to_ = fdopen(in[1], "w");
  peer->from_ = fdopen(out[0], "r");
  signal(SIGPIPE, SIG_IGN);
  Json answer;
  if (!peer->ask(request.dump(), answer, cli, refusal)) return nullptr;
  peer->version_ = answer.value("version", "");
  return peer;
}

Peer::~Peer() {
  if (to_) fclose(to_);
  if (from_) fclose(from_);
  if (pid_ > 0) waitpid(pid_, nullptr, 0);
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

bool Peer::ask(const std::string &line, Json &answer, Cli &cli, std::string *refusal) {
  std::fprintf(to_, "%s\n", line.c_str());
  std::fflush(to_);
  char *text = nullptr;
  size_t room = 0;
  ssize_t n = getline(&text, &room, from_);
  std::unique_ptr<char, void (*)(void *)> owned(text, free);
  answer = n > 0 ? Json::parse(text, nullptr, false) : Json();
  if (answer.is_object() && !answer.contains("error")) return true;
  if (refusal && answer.is_object() && answer.contains("refused")) {
    *refusal = answer["error"].get<std::string>();
    return false;
  }
  cli.fail(ExitCode::Device, "ADZ0806",
           answer.is_object() ? engine_ + ": " + answer["error"].get<std::string>()
                              : pythonProgram() + " with " + engine_ + " did not start",
           "comparisons need Python with the engine: `pip install onnx onnxruntime`, `openvino` or "
           "`iree-base-compiler[onnx] iree-base-runtime`; ADZE_PYTHON names the program");
  return false;
}

std::vector<double> Peer::run(int count, Cli &cli) {
  Json answer;
  if (!ask(Json{{"run", count}}.dump(), answer, cli)) return {};
  return answer["ns"].get<std::vector<double>>();
}

std::optional<std::vector<HostTensor>> Peer::results(Cli &cli) {
  Json answer;
  if (!ask(R"({"results": true})", answer, cli)) return std::nullopt;
  std::vector<HostTensor> all;
  for (const Json &j : answer["outputs"]) {
    int32_t dtype = j["dtype"].get<int32_t>();
    std::string error, name = j["name"].get<std::string>();
    auto t = loadNpy(j["file"].get<std::string>(), name, dtype, error);
    if (!t) {
      cli.fail(ExitCode::Device, "ADZ0806", error);
      return std::nullopt;
    }
    all.push_back(std::move(*t));
  }
  return all;
}

std::string modelOf(const std::string &artifact, const std::string &given, const char *flag,
                    uint64_t hash, Cli &cli) {
  std::string guess = given.empty() ? fs::path(artifact).replace_extension(".onnx").string() : given;
  std::string error;
  auto file = MappedFile::open(guess, error);
  bool same = file && (!hash || artifact::hashBytes(file->bytes()) == hash);
  // What is named is meant: an artifact may be held against the model that it
  // should be equal to.
  if (file && !same && !given.empty()) {
    Diagnostic note;
    note.severity = Severity::Note;
    note.message = guess + " is not the file that the artifact was compiled from";
    cli.diags.report(std::move(note));
    return guess;
  }
  if (same) return guess;
  if (file || given.empty()) error = "the model of the artifact is not known";
  cli.fail(ExitCode::InvalidModel, "ADZ0804", error, "name it with " + std::string(flag) + " MODEL.onnx");
  return {};
}

}  // namespace adze::cli
