#include "lib/Runtime/Model.h"

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
}  // namespace

std::shared_ptr<const Model> Model::open(std::shared_ptr<const artifact::Artifact> artifact,
                                         int threads, std::shared_ptr<ThreadPool> pool,
                                         Diagnostic &error) {
  const Contents &c = artifact->contents();
  const Device *device = findDevice(c.target);
  if (!device) {
    failWith(error, ExitCode::CorruptArtifact, "ADZ0604",
             "the artifact was built by adze " + printable(c.compilerVersion, 40) +
                 " for target '" + printable(c.target, 40) + "'; this runtime (adze " +
                 artifact::compilerVersion() + ") runs target 'host'",
             "rebuild it with `adze compile --target host`");
    return nullptr;
  }
  if (!checkRunnable("input", c.inputs, error) || !checkRunnable("output", c.outputs, error))
    return nullptr;
  auto model = std::make_shared<Model>();
  model->module_ = device->load(artifact, error);
  if (!model->module_) return nullptr;
  model->artifact_ = std::move(artifact);
  model->pool_ = pool ? std::move(pool) : std::make_shared<ThreadPool>(threads);
  return model;
}

std::shared_ptr<const Model> Model::open(const std::string &path, int threads,
                                         std::shared_ptr<ThreadPool> pool, Diagnostic &error) {
  auto artifact = artifact::Artifact::open(path, error);
  if (!artifact) return nullptr;
  auto model = open(std::move(artifact), threads, std::move(pool), error);
  if (!model) error.file = path;
  return model;
}

}  // namespace adze::runtime
