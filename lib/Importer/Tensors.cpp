// Checks every tensor of a model, brings in external data, makes sparse
// tensors dense, and moves large data out of the messages.
#include "lib/Importer/ExternalData.h"
#include "lib/Importer/Session.h"
#include "lib/Support/Checked.h"

#include <charconv>
#include <cstring>

namespace adze::importer {

using onnx::TensorProto;

namespace {

/// Where the elements of a type are when they are not raw.
enum class Store { None, Floats, Int32s, Int64s, Doubles, Uint64s, Strings };

struct DtypeRow {
  int dtype;
  int bits;
  Store store;
  const char *name;
};

// Sizes and fields from onnx-ml.proto's comments at TensorProto.
constexpr DtypeRow kDtypes[] = {
    {TensorProto::FLOAT, 32, Store::Floats, "float32"},
    {TensorProto::UINT8, 8, Store::Int32s, "uint8"},
    {TensorProto::INT8, 8, Store::Int32s, "int8"},
    {TensorProto::UINT16, 16, Store::Int32s, "uint16"},
    {TensorProto::INT16, 16, Store::Int32s, "int16"},
    {TensorProto::INT32, 32, Store::Int32s, "int32"},
    {TensorProto::INT64, 64, Store::Int64s, "int64"},
    {TensorProto::STRING, 0, Store::Strings, "string"},
    {TensorProto::BOOL, 8, Store::Int32s, "bool"},
    {TensorProto::FLOAT16, 16, Store::Int32s, "float16"},
    {TensorProto::DOUBLE, 64, Store::Doubles, "float64"},
    {TensorProto::UINT32, 32, Store::Uint64s, "uint32"},
    {TensorProto::UINT64, 64, Store::Uint64s, "uint64"},
    {TensorProto::COMPLEX64, 64, Store::Floats, "complex64"},
    {TensorProto::COMPLEX128, 128, Store::Doubles, "complex128"},
    {TensorProto::BFLOAT16, 16, Store::Int32s, "bfloat16"},
    {TensorProto::FLOAT8E4M3FN, 8, Store::Int32s, "float8e4m3fn"},
    {TensorProto::FLOAT8E4M3FNUZ, 8, Store::Int32s, "float8e4m3fnuz"},
    {TensorProto::FLOAT8E5M2, 8, Store::Int32s, "float8e5m2"},
    {TensorProto::FLOAT8E5M2FNUZ, 8, Store::Int32s, "float8e5m2fnuz"},
    {TensorProto::UINT4, 4, Store::Int32s, "uint4"},
    {TensorProto::INT4, 4, Store::Int32s, "int4"},
    {TensorProto::FLOAT4E2M1, 4, Store::Int32s, "float4e2m1"},
    {TensorProto::FLOAT8E8M0, 8, Store::Int32s, "float8e8m0"},
    {TensorProto::UINT2, 2, Store::Int32s, "uint2"},
    {TensorProto::INT2, 2, Store::Int32s, "int2"},
    {TensorProto::FLOAT6E2M3, 6, Store::Int32s, "float6e2m3"},
    {TensorProto::FLOAT6E3M2, 6, Store::Int32s, "float6e3m2"},
};

const DtypeRow *rowOf(int dtype) {
  for (const DtypeRow &row : kDtypes)
    if (row.dtype == dtype) return &row;
  return nullptr;
}

int64_t entries(const TensorProto &t, Store store) {
  switch (store) {
    case Store::Floats: return t.float_data_size();
    case Store::Int32s: return t.int32_data_size();
    case Store::Int64s: return t.int64_data_size();
    case Store::Doubles: return t.double_data_size();
    case Store::Uint64s: return t.uint64_data_size();
    case Store::Strings: return t.string_data_size();
    case Store::None: return 0;
  }
  return 0;
}

constexpr Store kStores[] = {Store::Floats, Store::Int32s, Store::Int64s,
                             Store::Doubles, Store::Uint64s, Store::Strings};

/// Entries of its field that `elements` elements take.
int64_t entriesWanted(const DtypeRow &row, int64_t elements) {
  if (row.dtype == TensorProto::COMPLEX64 || row.dtype == TensorProto::COMPLEX128) return 2 * elements;
  if (row.bits == 4) return elements / 2 + elements % 2;
  if (row.bits == 2) return elements / 4 + (elements % 4 != 0);
  return elements;
}

void appendLittle(std::string &out, uint64_t v, int bytes) {
  for (int i = 0; i < bytes; ++i) out += char(v >> (8 * i));
}

/// 6-bit elements: one an entry in the message, a bit stream in raw_data.
void appendSixBits(std::string &out, const TensorProto &t) {
  uint32_t bits = 0;
  int have = 0;
  for (int32_t v : t.int32_data()) {
    bits |= uint32_t(v & 63) << have;
    for (have += 6; have >= 8; have -= 8, bits >>= 8) out += char(bits);
  }
  if (have) out += char(bits);
}

std::string typedToRaw(const TensorProto &t, const DtypeRow &row) {
  std::string out;
  switch (row.store) {
    case Store::Floats:
      out.assign(reinterpret_cast<const char *>(t.float_data().data()), t.float_data_size() * 4);
      break;
    case Store::Doubles:
      out.assign(reinterpret_cast<const char *>(t.double_data().data()), t.double_data_size() * 8);
      break;
    case Store::Int64s:
      out.assign(reinterpret_cast<const char *>(t.int64_data().data()), t.int64_data_size() * 8);
      break;
    case Store::Uint64s:
      for (uint64_t v : t.uint64_data()) appendLittle(out, v, row.bits / 8);
      break;
    case Store::Int32s:
      if (row.bits == 6) appendSixBits(out, t);
      else
        for (int32_t v : t.int32_data()) appendLittle(out, uint32_t(v), row.bits < 8 ? 1 : row.bits / 8);
      break;
    default: break;
  }
  return out;
}

std::string shapeText(const TensorProto &t, const DtypeRow &row) {
  std::string text = row.name;
  text += "[";
  for (int i = 0; i < t.dims_size(); ++i) {
    if (i == 8) return text + ",...]";
    text += (i ? "," : "") + std::to_string(t.dims(i));
  }
  return text + "]";
}

void clearData(TensorProto &t) {
  t.clear_float_data();
  t.clear_int32_data();
  t.clear_string_data();
  t.clear_int64_data();
  t.clear_raw_data();
  t.clear_double_data();
  t.clear_uint64_data();
  t.clear_external_data();
  t.clear_data_location();
}

bool parseCount(const std::string &text, int64_t &value) {
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  return ec == std::errc() && end == text.data() + text.size() && value >= 0;
}

Payload owned(std::string bytes) {
  auto owner = std::make_shared<std::string>(std::move(bytes));
  return {owner->data(), owner->size(), owner, 9};
}

class Resolver {
 public:
  explicit Resolver(Session &s) : s(s), files(s.path) {}

  bool run() {
    graph(*s.model.mutable_graph());
    for (auto &f : *s.model.mutable_functions()) {
      graphName = f.name();
      for (auto &a : *f.mutable_attribute_proto()) attribute(a);
      nodes(*f.mutable_node());
    }
    return !s.diags.hasErrors();
  }

 private:
  bool stop() const { return s.diags.errorCount() >= 20; }

  bool fail(std::string code, std::string message, std::string help = {},
            ExitCode exit = ExitCode::InvalidModel) {
    if (node) s.errorAt(graphName, nodeIndex, *node, code, message, help, exit);
    else s.error(code, message, help, exit);
    return false;
  }

  void graph(onnx::GraphProto &g) {
    graphName = g.name();
    for (auto &t : *g.mutable_initializer()) {
      what = "initializer '" + printable(t.name(), 80) + "'";
      if (!stop()) tensor(t);
    }
    for (auto &sparse : *g.mutable_sparse_initializer()) {
      what = "sparse initializer '" + printable(sparse.values().name(), 80) + "'";
      TensorProto dense;
      if (!stop() && densify(sparse, dense)) *g.add_initializer() = std::move(dense);
    }
    g.clear_sparse_initializer();
    nodes(*g.mutable_node());
  }

  template <typename Nodes>
  void nodes(Nodes &list) {
    std::string name = graphName;
    for (int i = 0; i < list.size(); ++i) {
      if (stop()) return;
      for (auto &a : *list[i].mutable_attribute()) {
        graphName = name;
        nodeIndex = i;
        node = &list[i];
        attribute(a);
      }
    }
    node = nullptr;
  }

  void attribute(onnx::AttributeProto &a) {
    std::string label = "attribute '" + printable(a.name(), 80) + "'";
    what = label;
    if (a.has_t()) tensor(*a.mutable_t());
    for (auto &t : *a.mutable_tensors()) tensor(t);
    if (a.has_sparse_tensor()) {
      TensorProto dense;
      if (densify(*a.mutable_sparse_tensor(), dense)) {
        a.clear_sparse_tensor();
        *a.mutable_t() = std::move(dense);
        a.set_type(onnx::AttributeProto::TENSOR);
        // The one operator with a sparse attribute, Constant, names it so.
        if (a.name() == "sparse_value") a.set_name("value");
      }
    }
    if (a.sparse_tensors_size()) fail("ADZ0132", label + " is a list of sparse tensors",
                                      {}, ExitCode::Unsupported);
    if (!a.has_g() && !a.graphs_size()) return;
    const onnx::NodeProto *outer = node;
    node = nullptr;
    if (a.has_g()) graph(*a.mutable_g());
    for (auto &g : *a.mutable_graphs()) graph(g);
    node = outer;
  }

  bool tensor(TensorProto &t) {
    const DtypeRow *row = rowOf(t.data_type());
    if (!row) return fail("ADZ0130", what + " has unknown element type " + std::to_string(t.data_type()));
    if (t.has_segment()) return fail("ADZ0130", what + " is stored in segments", {}, ExitCode::Unsupported);
    auto elements = checkedNumElements({t.dims().data(), size_t(t.dims_size())});
    auto bits = elements ? checkedMul(*elements, std::max(row->bits, 1)) : std::nullopt;
    if (!bits || *bits > INT64_MAX / 2)
      return fail("ADZ0130", what + " has an impossible shape " + shapeText(t, *row));
    int64_t bytes = *bits / 8 + (*bits % 8 != 0);
    if (t.data_location() == TensorProto::EXTERNAL && payloadOf(s, t) < 0)
      return external(t, *row, bytes);
    return inlineData(t, *row, *elements, bytes);
  }

  // One source of data, of the right size.
  bool inlineData(TensorProto &t, const DtypeRow &row, int64_t elements, int64_t bytes) {
    int64_t payload = payloadOf(s, t);
    int sources = (payload >= 0) + t.has_raw_data();
    for (Store store : kStores) {
      if (!entries(t, store)) continue;
      ++sources;
      if (store != row.store)
        return fail("ADZ0130", what + " of type " + row.name + " has data in another type's field");
    }
    if (sources > 1 || t.external_data_size() > (payload >= 0))
      return fail("ADZ0130", what + " has its data in two places");
    if (payload < 0 && !t.has_raw_data()) return typedData(t, row, elements);
    if (row.store == Store::Strings) return fail("ADZ0130", what + " has strings as raw data");
    if (payload >= 0 && !fieldFits(s.payloads[payload].field, row))
      return fail("ADZ0130", what + " of type " + row.name + " has data in another type's field");
    int64_t have = payload >= 0 ? int64_t(s.payloads[payload].size) : int64_t(t.raw_data().size());
    if (have == bytes) return true;
    return fail("ADZ0130", what + " has " + std::to_string(have) + " bytes of data, its type " +
                               shapeText(t, row) + " takes " + std::to_string(bytes));
  }

  static bool fieldFits(int field, const DtypeRow &row) {
    return field == 9 || (field == 4 && row.store == Store::Floats) ||
           (field == 10 && row.store == Store::Doubles);
  }

  bool typedData(TensorProto &t, const DtypeRow &row, int64_t elements) {
    int64_t have = entries(t, row.store), wanted = entriesWanted(row, elements);
    if (have != wanted)
      return fail("ADZ0130", what + " has " + std::to_string(have) + " values, its type " +
                                 shapeText(t, row) + " takes " + std::to_string(wanted));
    // Copies of the message would copy large data.
    if (have > 256 && row.store != Store::Strings) {
      Payload raw = owned(typedToRaw(t, row));
      clearData(t);
      markPayload(s, t, std::move(raw));
    }
    return true;
  }

  bool external(TensorProto &t, const DtypeRow &row, int64_t bytes) {
    std::string location;
    int64_t offset = 0, length = bytes;
    for (const auto &e : t.external_data()) {
      bool ok = true;
      if (e.key() == "location") location = e.value();
      if (e.key() == "offset") ok = parseCount(e.value(), offset);
      if (e.key() == "length") ok = parseCount(e.value(), length);
      if (!ok)
        return fail("ADZ0131", what + ": external " + e.key() + " '" + printable(e.value(), 40) +
                                   "' is no valid number");
    }
    if (row.store == Store::Strings || t.has_raw_data() || inlineEntries(t))
      return fail("ADZ0130", what + (row.store == Store::Strings ? " has strings in external data"
                                                                  : " has its data in two places"));
    if (length != bytes)
      return fail("ADZ0131", what + " has " + std::to_string(length) + " bytes of external data, its type " +
                                 shapeText(t, row) + " takes " + std::to_string(bytes));
    return mapExternal(t, location, offset, length);
  }

  static bool inlineEntries(const TensorProto &t) {
    for (Store store : kStores)
      if (entries(t, store)) return true;
    return false;
  }

  bool mapExternal(TensorProto &t, const std::string &location, int64_t offset, int64_t length) {
    std::string why;
    auto file = files.open(location, why);
    if (!file)
      return fail("ADZ0131", what + ": external data '" + printable(location, 120) + "' " + why,
                  "external data is a plain file in the folder of the model, or below it");
    auto bytes = file->bytes();
    if (!rangeInside(offset, length, int64_t(bytes.size())))
      return fail("ADZ0131", what + ": bytes " + std::to_string(offset) + " to +" + std::to_string(length) +
                                 " are beyond the " + std::to_string(bytes.size()) + " of '" +
                                 printable(location, 120) + "'");
    clearData(t);
    const char *data = reinterpret_cast<const char *>(bytes.data());
    markPayload(s, t, {data ? data + offset : data, size_t(length), file, 9});
    return true;
  }

  // ---- sparse ----

  bool densify(onnx::SparseTensorProto &sparse, TensorProto &dense) {
    std::string label = what;
    what = label + " (values)";
    bool ok = tensor(*sparse.mutable_values());
    what = label + " (indices)";
    ok = ok && tensor(*sparse.mutable_indices());
    what = label;
    if (!ok) return false;
    const TensorProto &values = sparse.values();
    const DtypeRow *row = rowOf(values.data_type());
    if (row->bits < 8)
      return fail("ADZ0132", what + " is sparse and of type " + row->name, {}, ExitCode::Unsupported);
    auto elements = checkedNumElements({sparse.dims().data(), size_t(sparse.dims_size())});
    auto bytes = elements ? checkedMul(*elements, row->bits / 8) : std::nullopt;
    if (!bytes) return fail("ADZ0132", what + " has an impossible shape");
    if (*bytes > s.options.maxDenseBytes)
      return fail("ADZ0132", what + " would take " + std::to_string(*bytes) + " bytes when made dense, the limit is " +
                                 std::to_string(s.options.maxDenseBytes), {}, ExitCode::ResourceLimit);
    if (!indexShapeFits(sparse))
      return fail("ADZ0132", what + ": indices must be int64, [" +
                                 std::to_string(values.dims_size() ? values.dims(0) : 0) + "] or with one column a dimension");
    std::string data(size_t(*bytes), '\0');
    if (!scatter(sparse, row->bits / 8, *elements, data)) return false;
    *dense.mutable_dims() = sparse.dims();
    dense.set_data_type(values.data_type());
    dense.set_name(values.name());
    if (data.size() <= 1024) dense.set_raw_data(data);
    else markPayload(s, dense, owned(std::move(data)));
    return true;
  }

  static bool indexShapeFits(const onnx::SparseTensorProto &sparse) {
    const TensorProto &v = sparse.values(), &i = sparse.indices();
    if (v.dims_size() != 1 || i.data_type() != TensorProto::INT64) return false;
    if (i.dims_size() == 1) return i.dims(0) == v.dims(0);
    return i.dims_size() == 2 && i.dims(0) == v.dims(0) && i.dims(1) == sparse.dims_size();
  }

  bool scatter(const onnx::SparseTensorProto &sparse, int width, int64_t elements, std::string &data) {
    Payload values = rawElements(s, sparse.values()), indices = rawElements(s, sparse.indices());
    int64_t columns = sparse.indices().dims_size() == 2 ? sparse.dims_size() : 0;
    int64_t last = -1;
    for (int64_t i = 0; i < sparse.values().dims(0); ++i) {
      auto index = [&](int64_t at) {
        int64_t v;
        std::memcpy(&v, indices.data + at * 8, 8);
        return v;
      };
      int64_t at = columns ? 0 : index(i);
      for (int64_t c = 0; c < columns; ++c) {
        int64_t v = index(i * columns + c);
        if (v < 0 || v >= sparse.dims(int(c)))
          return fail("ADZ0132", what + ": index " + std::to_string(v) + " is out of range");
        at = at * sparse.dims(int(c)) + v;
      }
      if (at < 0 || at >= elements)
        return fail("ADZ0132", what + ": index " + std::to_string(at) + " is out of range");
      if (at <= last) return fail("ADZ0132", what + ": indices are not in ascending order");
      last = at;
      std::memcpy(data.data() + at * width, values.data + i * width, size_t(width));
    }
    return true;
  }

  Session &s;
  ExternalFiles files;
  std::string graphName, what;
  const onnx::NodeProto *node = nullptr;
  int64_t nodeIndex = -1;
};

}  // namespace

int elementBits(int dtype) {
  const DtypeRow *row = rowOf(dtype);
  return row ? row->bits : 0;
}

std::string dtypeName(int dtype) {
  const DtypeRow *row = rowOf(dtype);
  return row ? row->name : "type " + std::to_string(dtype);
}

void markPayload(Session &s, TensorProto &tensor, Payload payload) {
  tensor.set_data_location(TensorProto::EXTERNAL);
  auto *entry = tensor.add_external_data();
  entry->set_key(kPayloadKey);
  entry->set_value(std::to_string(s.payloads.size()));
  s.payloads.push_back(std::move(payload));
}

int64_t payloadOf(const Session &s, const TensorProto &tensor) {
  int64_t index = -1;
  for (const auto &e : tensor.external_data())
    if (e.key() == kPayloadKey && parseCount(e.value(), index) && index < int64_t(s.payloads.size()))
      return index;
  return -1;
}

Payload rawElements(const Session &s, const TensorProto &tensor) {
  if (int64_t i = payloadOf(s, tensor); i >= 0) return s.payloads[size_t(i)];
  if (tensor.has_raw_data()) return owned(tensor.raw_data());
  const DtypeRow *row = rowOf(tensor.data_type());
  return owned(row ? typedToRaw(tensor, *row) : std::string());
}

bool resolveTensors(Session &s) { return Resolver(s).run(); }

}  // namespace adze::importer
