// ONNX types, tensors and attributes as MLIR types and attributes.
#pragma once
#include "lib/Importer/Session.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

namespace adze::importer {

class Elements {
 public:
  Elements(Session &s, mlir::MLIRContext &context) : s(s), b(&context) {}

  /// Element type of an ONNX data type; null if there is none.
  mlir::Type elementType(int dtype);
  /// A value's type; onnx.unknown for maps, sparse and opaque ones.
  mlir::Type type(const onnx::TypeProto &proto);
  /// Dense, or dense_resource pointing into the payload. Null on bad data.
  mlir::ElementsAttr tensor(const onnx::TensorProto &proto);
  /// The value of a Constant node; null if it has none of the known forms.
  mlir::ElementsAttr constant(const onnx::NodeProto &node);
  /// Any attribute but graphs; null on bad data.
  mlir::Attribute attribute(const onnx::AttributeProto &proto);

 private:
  mlir::ElementsAttr strings(const onnx::TensorProto &proto, mlir::ShapedType type);
  mlir::ElementsAttr narrow(mlir::ShapedType type, int bits, const Payload &raw);
  mlir::ElementsAttr resource(mlir::ShapedType type, const std::string &name, const Payload &raw);

  Session &s;
  mlir::OpBuilder b;
};

}  // namespace adze::importer
