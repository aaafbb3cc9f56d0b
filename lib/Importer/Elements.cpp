#include "lib/Importer/Elements.h"

#include "dialects/Onnx/Onnx.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include <cstring>

using namespace mlir;

namespace adze::importer {

using onnx::AttributeProto;
using onnx::TensorProto;

/// Tensors above this are resources: attributes are hashed and never freed.
static constexpr size_t kMaxDenseBytes = 1024;

Type Elements::elementType(int dtype) {
  switch (dtype) {
    case TensorProto::FLOAT: return b.getF32Type();
    case TensorProto::UINT8: return b.getIntegerType(8, false);
    case TensorProto::INT8: return b.getI8Type();
    case TensorProto::UINT16: return b.getIntegerType(16, false);
    case TensorProto::INT16: return b.getI16Type();
    case TensorProto::INT32: return b.getI32Type();
    case TensorProto::INT64: return b.getI64Type();
    case TensorProto::STRING: return onnxir::StringType::get(b.getContext());
    case TensorProto::BOOL: return b.getI1Type();
    case TensorProto::FLOAT16: return b.getF16Type();
    case TensorProto::DOUBLE: return b.getF64Type();
    case TensorProto::UINT32: return b.getIntegerType(32, false);
    case TensorProto::UINT64: return b.getIntegerType(64, false);
    case TensorProto::COMPLEX64: return ComplexType::get(b.getF32Type());
    case TensorProto::COMPLEX128: return ComplexType::get(b.getF64Type());
    case TensorProto::BFLOAT16: return b.getBF16Type();
    case TensorProto::FLOAT8E4M3FN: return Float8E4M3FNType::get(b.getContext());
    case TensorProto::FLOAT8E4M3FNUZ: return Float8E4M3FNUZType::get(b.getContext());
    case TensorProto::FLOAT8E5M2: return Float8E5M2Type::get(b.getContext());
    case TensorProto::FLOAT8E5M2FNUZ: return Float8E5M2FNUZType::get(b.getContext());
    case TensorProto::FLOAT8E8M0: return Float8E8M0FNUType::get(b.getContext());
    case TensorProto::UINT4: return b.getIntegerType(4, false);
    case TensorProto::INT4: return b.getIntegerType(4);
    case TensorProto::FLOAT4E2M1: return Float4E2M1FNType::get(b.getContext());
    case TensorProto::UINT2: return b.getIntegerType(2, false);
    case TensorProto::INT2: return b.getIntegerType(2);
    case TensorProto::FLOAT6E2M3: return Float6E2M3FNType::get(b.getContext());
    case TensorProto::FLOAT6E3M2: return Float6E3M2FNType::get(b.getContext());
    default: return {};
  }
}

Type Elements::type(const onnx::TypeProto &proto) {
  Type unknown = onnxir::UnknownType::get(b.getContext());
  if (proto.has_sequence_type())
    return onnxir::SequenceType::get(b.getContext(), type(proto.sequence_type().elem_type()));
  if (proto.has_optional_type())
    return onnxir::OptionalType::get(b.getContext(), type(proto.optional_type().elem_type()));
  if (!proto.has_tensor_type()) return unknown;
  Type element = elementType(proto.tensor_type().elem_type());
  if (!element) return unknown;
  if (!proto.tensor_type().has_shape()) return UnrankedTensorType::get(element);
  SmallVector<int64_t> shape;
  for (const auto &dim : proto.tensor_type().shape().dim())
    shape.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value()
                                                                 : ShapedType::kDynamic);
  return RankedTensorType::get(shape, element);
}

ElementsAttr Elements::strings(const TensorProto &proto, ShapedType type) {
  SmallVector<StringRef> values;
  for (const std::string &v : proto.string_data()) values.push_back(v);
  return DenseStringElementsAttr::get(type, values);
}

// Elements that are not whole bytes, from a bit stream, lowest bits first.
ElementsAttr Elements::narrow(ShapedType type, int bits, const Payload &raw) {
  int64_t n = type.getNumElements();
  if (type.getElementType().isInteger(1)) {
    std::unique_ptr<bool[]> values(new bool[size_t(n)]);
    for (int64_t i = 0; i < n; ++i) values[size_t(i)] = raw.data[i] != 0;
    return DenseElementsAttr::get(type, ArrayRef<bool>(values.get(), size_t(n)));
  }
  SmallVector<char> bytes(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    int64_t at = i * bits;
    unsigned pair = uint8_t(raw.data[at / 8]);
    if (size_t(at / 8 + 1) < raw.size) pair |= unsigned(uint8_t(raw.data[at / 8 + 1])) << 8;
    bytes[size_t(i)] = char((pair >> (at % 8)) & ((1u << bits) - 1));
  }
  return DenseElementsAttr::getFromRawBuffer(type, bytes);
}

ElementsAttr Elements::resource(ShapedType type, const std::string &name, const Payload &raw) {
  // The file's layout decides on alignment: readers copy elements out.
  size_t alignment = 64;
  while (reinterpret_cast<uintptr_t>(raw.data) % alignment) alignment /= 2;
  AsmResourceBlob blob(ArrayRef<char>(raw.data, raw.size), alignment,
                       [owner = raw.owner](void *, size_t, size_t) {}, /*dataIsMutable=*/false);
  return DenseResourceElementsAttr::get(type, name.empty() ? "constant" : name, std::move(blob));
}

ElementsAttr Elements::tensor(const TensorProto &proto) {
  Type element = elementType(proto.data_type());
  if (!element) return {};
  auto type = RankedTensorType::get({proto.dims().data(), size_t(proto.dims_size())}, element);
  int64_t n = type.getNumElements();
  if (isa<onnxir::StringType>(element))
    return proto.string_data_size() == n ? strings(proto, type) : ElementsAttr();
  Payload raw = rawElements(s, proto);
  int bits = elementBits(proto.data_type());
  if (int64_t(raw.size) != (n * bits + 7) / 8) return {};
  if (n == 0) return DenseElementsAttr::get(type, ArrayRef<Attribute>());
  if (bits < 8 || element.isInteger(1)) return narrow(type, bits, raw);
  if (raw.size > kMaxDenseBytes) return resource(type, proto.name(), raw);
  return DenseElementsAttr::getFromRawBuffer(type, ArrayRef<char>(raw.data, raw.size));
}

ElementsAttr Elements::constant(const onnx::NodeProto &node) {
  if (node.attribute_size() != 1) return {};
  const AttributeProto &a = node.attribute(0);
  auto vector = [&](int64_t n, Type t) { return RankedTensorType::get({n}, t); };
  auto scalar = [&](Type t) { return RankedTensorType::get({}, t); };
  Type string = onnxir::StringType::get(b.getContext());
  if (a.name() == "value" && a.has_t()) return tensor(a.t());
  if (a.name() == "value_float") return DenseElementsAttr::get(scalar(b.getF32Type()), a.f());
  if (a.name() == "value_int") return DenseElementsAttr::get(scalar(b.getI64Type()), int64_t(a.i()));
  if (a.name() == "value_floats")
    return DenseElementsAttr::get(vector(a.floats_size(), b.getF32Type()),
                                  ArrayRef<float>(a.floats().data(), size_t(a.floats_size())));
  if (a.name() == "value_ints")
    return DenseElementsAttr::get(vector(a.ints_size(), b.getI64Type()),
                                  ArrayRef<int64_t>(a.ints().data(), size_t(a.ints_size())));
  if (a.name() == "value_string") {
    StringRef value = a.s();
    return DenseStringElementsAttr::get(scalar(string), value);
  }
  if (a.name() != "value_strings") return {};
  SmallVector<StringRef> values(a.strings().begin(), a.strings().end());
  return DenseStringElementsAttr::get(vector(a.strings_size(), string), values);
}

Attribute Elements::attribute(const AttributeProto &a) {
  SmallVector<Attribute> list;
  switch (a.type()) {
    case AttributeProto::FLOAT: return b.getF32FloatAttr(a.f());
    case AttributeProto::INT: return b.getI64IntegerAttr(a.i());
    case AttributeProto::STRING: return b.getStringAttr(a.s());
    case AttributeProto::TENSOR: return tensor(a.t());
    case AttributeProto::TYPE_PROTO: return TypeAttr::get(type(a.tp()));
    case AttributeProto::FLOATS:
      return b.getDenseF32ArrayAttr({a.floats().data(), size_t(a.floats_size())});
    case AttributeProto::INTS:
      return b.getDenseI64ArrayAttr({a.ints().data(), size_t(a.ints_size())});
    case AttributeProto::STRINGS:
      for (const std::string &v : a.strings()) list.push_back(b.getStringAttr(v));
      return b.getArrayAttr(list);
    case AttributeProto::TENSORS:
      for (const TensorProto &t : a.tensors()) {
        list.push_back(tensor(t));
        if (!list.back()) return {};
      }
      return b.getArrayAttr(list);
    case AttributeProto::TYPE_PROTOS:
      for (const auto &t : a.type_protos()) list.push_back(TypeAttr::get(type(t)));
      return b.getArrayAttr(list);
    default: return {};
  }
}

}  // namespace adze::importer
