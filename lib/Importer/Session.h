// What the steps of one import share. Inside lib/Importer only.
#pragma once
#include "lib/Importer/Importer.h"

#include "onnx/onnx_pb.h"

#include <map>
#include <set>

namespace adze::importer {

/// Key in TensorProto.external_data that names a payload. The parser drops it
/// from what it reads, so that only this importer writes it.
inline constexpr const char *kPayloadKey = "@adze.payload";

/// Bytes of a large tensor, outside the protobuf message.
struct Payload {
  const char *data = nullptr;
  size_t size = 0;
  std::shared_ptr<const void> owner;
  int field = 9;  ///< TensorProto field it came from: 9 raw, 4 floats, 10 doubles
};

/// Where a node came from. Nodes carry an id as their name while onnx's code
/// rewrites the graph (Session::nameOf), so that origins outlive it.
struct NodeOrigin {
  std::string graph;
  int64_t index = -1;
  std::string opType;
  std::string name;     ///< the node's name, or its first output's
  int64_t caller = -1;  ///< id of the call that this node's function body replaced
};

struct Session {
  const ImportOptions &options;
  DiagnosticEngine &diags;
  std::string path;                   ///< empty: bytes in memory
  onnx::ModelProto model;
  std::vector<Payload> payloads;      ///< tensors name them by index (markPayload)
  std::vector<NodeOrigin> origins;
  std::string prefix = "@adze";       ///< no name of the model contains it (normalise)
  int64_t freshNames = 0;
  int64_t originalOpset = 0;          ///< of ONNX's own domain; 0: not imported
  int64_t irVersion = 0;
  std::map<std::string, int64_t> opsets;  ///< domain ("" is ONNX's) -> version
  /// Outputs as the file declares them, with their symbolic dimensions.
  std::map<std::string, onnx::TypeProto> declaredOutputs;

  Session(const ImportOptions &o, DiagnosticEngine &d) : options(o), diags(d) {}

  std::string fresh(const char *what) {
    return prefix + what + std::to_string(freshNames++);
  }
  /// The temporary name of node `id`, and back; -1 if `name` is none.
  std::string nameOf(int64_t id) const { return prefix + "#" + std::to_string(id); }
  int64_t idOf(const std::string &name) const;

  void error(std::string code, std::string message, std::string help = {},
             ExitCode exit = ExitCode::InvalidModel);
  /// An error at a node that still has its own name.
  void errorAt(const std::string &graph, int64_t index, const onnx::NodeProto &node,
               std::string code, std::string message, std::string help = {},
               ExitCode exit = ExitCode::InvalidModel);
  /// A diagnostic at node `id`; the outermost caller is the node named.
  Diagnostic at(int64_t id, std::string code, std::string message) const;
  void note(std::string message, std::string help = {});
};

// One step a line, in order. All return false after reporting an error.

/// What `bytes` are, where they are no ONNX model: "a PNG image". Null if
/// nothing is recognised.
const char *recogniseOther(std::span<const std::byte> bytes);
/// Parses protobuf, keeping large tensors out of the message.
bool parseBinary(Session &s, std::span<const std::byte> bytes, std::shared_ptr<const void> owner);
bool parseText(Session &s, std::span<const std::byte> bytes);
/// Checks structure: versions, names, order, attributes, schemas.
bool validate(Session &s);
/// Checks every tensor, loads external data, makes sparse tensors dense.
bool resolveTensors(Session &s);
/// "ai.onnx" becomes "", initialised inputs stop being inputs, nodes get ids.
void normalise(Session &s);
bool applyShapes(Session &s);
/// Replaces calls of model-local functions by their bodies.
bool inlineFunctions(Session &s);
/// Brings the model to the newest opset and infers the types of its values, or
/// notes why it stays at its own opset.
bool convertAndInfer(Session &s);
/// Fills in value_info. Returns what ONNX's shape inference finds wrong.
std::vector<Diagnostic> inferTypes(Session &s);
/// Replaces operators without converter by their function bodies.
bool expandOperators(Session &s);
mlir::OwningOpRef<mlir::ModuleOp> buildModule(Session &s, mlir::MLIRContext &context);

// Shared pieces.

/// Bits of an element of ONNX type `dtype`; 0 if there is no such number type.
int elementBits(int dtype);
std::string dtypeName(int dtype);
/// Replaces the tensor's data by a reference to `payload`.
void markPayload(Session &s, onnx::TensorProto &tensor, Payload payload);
/// Index of the payload that `tensor` names; -1 if its data is in the message.
int64_t payloadOf(const Session &s, const onnx::TensorProto &tensor);
/// The tensor's elements as raw_data has them. Strings have none.
Payload rawElements(const Session &s, const onnx::TensorProto &tensor);
/// Converts `nodes` between opsets in place; throws what onnx throws.
/// `inputs` and `outputs` are the names that cross the border.
void convertNodes(Session &s, std::vector<onnx::NodeProto> &nodes, int64_t from, int64_t to,
                  const std::vector<std::string> &inputs,
                  const std::vector<std::string> &outputs);
/// An operator of `nodes` means something else at the two opsets.
bool opsetsDiffer(const std::vector<onnx::NodeProto> &nodes, int64_t from, int64_t to);
/// First line of what onnx threw, without its context and prefixes.
std::string cleanMessage(const Session &s, const std::string &what);

}  // namespace adze::importer
