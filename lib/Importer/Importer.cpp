#include "lib/Importer/Importer.h"

#include "lib/Importer/Session.h"
#include "lib/Support/File.h"

#include <new>

namespace adze {

using importer::Session;

static mlir::OwningOpRef<mlir::ModuleOp> importSteps(Session &s, mlir::MLIRContext &context) {
  using namespace importer;
  if (!validate(s)) return nullptr;
  s.irVersion = s.model.ir_version();
  if (!resolveTensors(s)) return nullptr;
  normalise(s);
  if (!applyShapes(s) || !inlineFunctions(s) || !convertAndInfer(s)) return nullptr;
  if (!expandOperators(s)) return nullptr;
  return buildModule(s, context);
}

// onnx's and protobuf's code throws; nothing leaves this library.
template <typename Parse>
static mlir::OwningOpRef<mlir::ModuleOp> guarded(Session &s, mlir::MLIRContext &context, Parse parse) {
  try {
    if (!parse()) return nullptr;
    return importSteps(s, context);
  } catch (const std::bad_alloc &) {
    s.error("ADZ0105", "out of memory while reading the model", {}, ExitCode::ResourceLimit);
  } catch (const std::exception &e) {
    s.error("ADZ0199", "internal error: " + importer::cleanMessage(s, e.what()), {}, ExitCode::Internal);
  }
  return nullptr;
}

mlir::OwningOpRef<mlir::ModuleOp> importModel(const std::string &path, mlir::MLIRContext &context,
                                              const ImportOptions &options,
                                              DiagnosticEngine &diagnostics) {
  if (diagnostics.file().empty()) diagnostics.setFile(path);
  Session s(options, diagnostics);
  s.path = path;
  return guarded(s, context, [&] {
    std::string why;
    auto file = MappedFile::open(path, why);
    if (!file) {
      s.error("ADZ0101", why);
      return false;
    }
    bool text = llvm::StringRef(path).ends_with(".onnxtxt");
    return text ? parseText(s, file->bytes()) : parseBinary(s, file->bytes(), file);
  });
}

mlir::OwningOpRef<mlir::ModuleOp> importModelFromBytes(std::span<const std::byte> bytes,
                                                       std::shared_ptr<const void> owner,
                                                       mlir::MLIRContext &context,
                                                       const ImportOptions &options,
                                                       DiagnosticEngine &diagnostics) {
  Session s(options, diagnostics);
  return guarded(s, context, [&] {
    if (!owner) {
      auto copy = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
      bytes = *copy;
      owner = copy;
    }
    return parseBinary(s, bytes, owner);
  });
}

}  // namespace adze
