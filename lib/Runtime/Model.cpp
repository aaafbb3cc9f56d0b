#include "lib/Runtime/Model.h"

#include <algorithm>

namespace adze::runtime {

namespace {
using artifact::Contents;
using artifact::TensorInfo;

bool checkRunnable(const char *what, const std::vector<TensorInfo> &tensors, Diagnostic &error) {
  for (const TensorInfo &t : tensors) {
    if (artifact::dtypeBytes(t.dtype) > 0) continue;
    return failWith(error, ExitCode::Unsupported, "ADZ0714",
                    std::string(what) + " '" + printable(t.name, 80) + "' is of type " +
                        artifact::dtypeName(t.dtype) + ", which the runtime cannot pass in or out",
                    "cast it inside the model to a type of whole bytes");
  }
  return true;
}
/// The names of devices; those for `target`, where it is not empty.
std::string deviceNames(std::string_view target = {}) {
  std::string names;
  for (const Device &d : devices())
    if (target.empty() || target == d.target)
      names += (names.empty() ? "" : ", ") + std::string(d.name);
  return names;
}

bool wrongTarget(const Contents &c, std::string what, std::string help, Diagnostic &error) {
  return failWith(error, ExitCode::CorruptArtifact, "ADZ0604",
                  "the artifact was built by adze " + printable(c.compilerVersion, 40) +
                      " for target '" + printable(c.target, 40) + "'; " + std::move(what),
                  std::move(help));
}

/// The device of that name, or the artifact's default; null and `error`.
const Device *findDevice(const Contents &c, std::string_view name, Diagnostic &error) {
  for (const Device &d : devices()) {
    if (name.empty() ? c.target != d.target : name != d.name) continue;
    if (c.target == d.target) return &d;
    std::string fitting = deviceNames(c.target);
    wrongTarget(c, "device '" + std::string(d.name) + "' runs target '" + d.target + "'",
                fitting.empty()
                    ? "rebuild it with `adze compile --target " + std::string(d.target) + "`"
                    : "it runs on: " + fitting,
                error);
    return nullptr;
  }
  if (name.empty())
    wrongTarget(c,
                "this runtime (adze " + std::string(artifact::compilerVersion()) +
                    ") has the devices " + deviceNames(),
                "rebuild it with `adze compile --target host`", error);
  else
    failWith(error, ExitCode::Usage, "ADZ0702", "there is no device '" + printable(name, 40) + "'",
             "the devices are: " + deviceNames());
  return nullptr;
}
}  // namespace

std::shared_ptr<const Model> Model::open(std::shared_ptr<const artifact::Artifact> artifact,
                                         std::string_view device, int threads,
                                         std::shared_ptr<ThreadPool> pool, Diagnostic &error) {
  const Contents &c = artifact->contents();
  // "cuda:1/…", "cuda/…"
  size_t end = std::min(device.find_first_of(":/"), device.size());
  std::string_view which = device.substr(end);
  if (which.starts_with(':')) which.remove_prefix(1);
  const Device *found = findDevice(c, device.substr(0, end), error);
  if (!found || !checkRunnable("input", c.inputs, error) ||
      !checkRunnable("output", c.outputs, error))
    return nullptr;
  auto model = std::make_shared<Model>();
  model->module_ = found->load(artifact, which, error);
  if (!model->module_) return nullptr;
  model->artifact_ = std::move(artifact);
  model->pool_ = pool ? std::move(pool) : std::make_shared<ThreadPool>(threads);
  return model;
}

std::shared_ptr<const Model> Model::open(const std::string &path, std::string_view device,
                                         int threads, std::shared_ptr<ThreadPool> pool,
                                         Diagnostic &error) {
  auto artifact = artifact::Artifact::open(path, error);
  if (!artifact) return nullptr;
  auto model = open(std::move(artifact), device, threads, std::move(pool), error);
  if (!model) error.file = path;
  return model;
}

}  // namespace adze::runtime
