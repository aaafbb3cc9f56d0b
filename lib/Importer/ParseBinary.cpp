// Parses protobuf in two steps. The first walks the wire format and copies it
// without the data of large tensors, which stay in the mapped file; it also
// enforces the limits on depth and nodes before any memory is spent. The
// second lets protobuf parse what is left: models over 2 GiB parse as well.
#include "lib/Importer/Session.h"

#include "google/protobuf/io/coded_stream.h"

#include <optional>

namespace adze::importer {

namespace {

enum class Kind { Skip, Copy, Model, Graph, Function, Node, Attribute, Tensor, Sparse };

/// Tensors up to this size stay in the message: shapes and axes must, as ONNX's
/// shape inference reads them.
constexpr size_t kInlineBytes = 1024;
/// Bytes that a tensor's extents may take: no framework has this many axes.
constexpr size_t kMaxDimBytes = 4096;

/// What field `number` of a message of `kind` holds (onnx-ml.proto).
Kind fieldKind(Kind kind, uint32_t number) {
  switch (kind) {
    case Kind::Model:
      // 20: training graphs, which inference does not read.
      return number == 7 ? Kind::Graph : number == 25 ? Kind::Function
           : number == 20 ? Kind::Skip : Kind::Copy;
    case Kind::Graph:
      return number == 1 ? Kind::Node : number == 5 ? Kind::Tensor
           : number == 15 ? Kind::Sparse : Kind::Copy;
    case Kind::Function:
      return number == 7 ? Kind::Node : number == 11 ? Kind::Attribute : Kind::Copy;
    case Kind::Node:
      return number == 5 ? Kind::Attribute : Kind::Copy;
    case Kind::Attribute:
      return number == 5 || number == 10 ? Kind::Tensor
           : number == 6 || number == 11 ? Kind::Graph
           : number == 22 || number == 23 ? Kind::Sparse : Kind::Copy;
    case Kind::Sparse:
      return number == 1 || number == 2 ? Kind::Tensor : Kind::Copy;
    default:
      return Kind::Copy;
  }
}

struct Field {
  uint32_t number, wireType;
  const char *start, *body, *end;  ///< body: after the tag and the length
};

class Stripper {
 public:
  Stripper(Session &s, std::span<const std::byte> bytes, std::shared_ptr<const void> owner)
      : s(s), base(reinterpret_cast<const char *>(bytes.data())), size(bytes.size()),
        owner(std::move(owner)) {}

  bool run() { return message(Kind::Model, base, base + size, 0); }
  std::string out;

 private:
  bool fail(const char *at, std::string message) {
    s.error("ADZ0103", "not a readable ONNX model: " + message + " at byte " +
                           std::to_string(at - base) + " of " + std::to_string(size),
            "check that the file is complete: a broken download is the usual cause");
    return false;
  }

  std::optional<uint64_t> varint(const char *&p, const char *end) {
    uint64_t v = 0;
    for (int shift = 0; shift < 64 && p < end; shift += 7) {
      uint8_t b = uint8_t(*p++);
      v |= uint64_t(b & 127) << shift;
      if (b < 128) return v;
    }
    return std::nullopt;
  }

  // Reads one field at `p` and moves behind it.
  bool next(const char *&p, const char *end, Field &f) {
    f.start = p;
    auto tag = varint(p, end);
    if (!tag || *tag >> 32 || *tag < 8) return fail(f.start, "broken field tag");
    f.number = uint32_t(*tag >> 3);
    f.wireType = uint32_t(*tag & 7);
    f.body = p;
    switch (f.wireType) {
      case 0:
        if (!varint(p, end)) return fail(f.start, "broken number");
        break;
      case 1:
      case 5: {
        size_t width = f.wireType == 1 ? 8 : 4;
        if (size_t(end - p) < width) return fail(f.start, "a value ends beyond the data");
        p += width;
        break;
      }
      case 2: {
        auto length = varint(p, end);
        if (!length) return fail(f.start, "broken length");
        if (*length > uint64_t(end - p))
          return fail(f.start, "a field of " + std::to_string(*length) + " bytes ends beyond the data");
        f.body = p;
        p += *length;
        break;
      }
      default:
        return fail(f.start, "unknown wire type " + std::to_string(f.wireType));
    }
    f.end = p;
    return true;
  }

  void appendVarint(uint64_t v) {
    for (; v >= 128; v >>= 7) out += char(v | 128);
    out += char(v);
  }

  // A sub-message: its length is known afterwards, so it takes five bytes.
  bool nested(Kind kind, const Field &f, int depth) {
    appendVarint(f.number << 3 | 2);
    size_t at = out.size();
    out.append(5, '\0');
    bool ok = kind == Kind::Tensor ? tensor(f.body, f.end) : message(kind, f.body, f.end, depth);
    uint64_t length = out.size() - at - 5;
    for (int i = 0; i < 5; ++i) out[at + i] = char((length >> (7 * i) & 127) | (i < 4 ? 128 : 0));
    return ok;
  }

  bool withinLimits(Kind kind, const char *at, int depth) {
    if (kind == Kind::Graph && depth > s.options.maxDepth) {
      s.error("ADZ0105", "graphs are nested deeper than " + std::to_string(s.options.maxDepth), {},
              ExitCode::ResourceLimit);
      return false;
    }
    if (kind == Kind::Node && ++nodes > s.options.maxNodes) {
      s.error("ADZ0105", "the model has more than " + std::to_string(s.options.maxNodes) + " nodes",
              "raise the limit with --max-nodes", ExitCode::ResourceLimit);
      return false;
    }
    if (out.size() > size_t(INT32_MAX) - 64) {
      s.error("ADZ0105", "the model without its tensors exceeds 2 GiB", {}, ExitCode::ResourceLimit);
      return false;
    }
    return true;
  }

  bool message(Kind kind, const char *p, const char *end, int depth) {
    if (kind == Kind::Graph) ++depth;
    if (!withinLimits(kind, p, depth)) return false;
    Field f;
    while (p < end) {
      if (!next(p, end, f)) return false;
      Kind inner = fieldKind(kind, f.number);
      if (inner == Kind::Skip) continue;
      if (inner == Kind::Copy || f.wireType != 2)
        out.append(f.start, f.end - f.start);
      else if (!nested(inner, f, depth))
        return false;
    }
    return true;
  }

  // The data field of a tensor that can stay in the file: the only one of its
  // kind, large, and laid out as raw_data is.
  bool chooseData(const char *p, const char *end, Field &data) {
    bool found = false;
    int count[16] = {};
    Field f;
    while (p < end) {
      if (!next(p, end, f)) return false;
      if (f.number == 1 && f.wireType == 2 && size_t(f.end - f.body) > kMaxDimBytes)
        return fail(f.start, "a tensor has too many dimensions");
      if (f.number != 9 && f.number != 4 && f.number != 10) continue;
      ++count[f.number];
      if (f.wireType == 2 && size_t(f.end - f.body) > kInlineBytes) {
        data = f;
        found = true;
      }
    }
    if (!found || count[data.number] != 1) data.number = 0;
    return true;
  }

  bool isOwnMarker(const Field &f) {
    if (f.number != 13 || f.wireType != 2) return false;
    std::string_view body(f.body, f.end - f.body);
    return body.find(kPayloadKey) != body.npos;
  }

  bool tensor(const char *p, const char *end) {
    Field data{};
    if (!chooseData(p, end, data)) return false;
    Field f;
    while (p < end) {
      if (!next(p, end, f)) return false;
      // Nobody but this importer may name payloads.
      if (isOwnMarker(f)) continue;
      if (!data.number || f.start != data.start) out.append(f.start, f.end - f.start);
    }
    if (!data.number) return true;
    onnx::TensorProto marker;
    markPayload(s, marker, {data.body, size_t(data.end - data.body), owner, int(data.number)});
    out += marker.SerializeAsString();
    return true;
  }

  Session &s;
  const char *base;
  size_t size;
  std::shared_ptr<const void> owner;
  int64_t nodes = 0;
};

}  // namespace

bool parseBinary(Session &s, std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  if (const char *what = recogniseOther(bytes)) {
    s.error("ADZ0102", std::string("not an ONNX model: the file is ") + what);
    return false;
  }
  Stripper stripper(s, bytes, std::move(owner));
  if (!stripper.run()) return false;
  google::protobuf::io::CodedInputStream in(
      reinterpret_cast<const uint8_t *>(stripper.out.data()), int(stripper.out.size()));
  // A graph in a graph takes three messages: graph, node, attribute.
  in.SetRecursionLimit(3 * s.options.maxDepth + 50);
  if (s.model.ParseFromCodedStream(&in) && in.ConsumedEntireMessage()) return true;
  s.error("ADZ0103", "not a readable ONNX model: broken protobuf data, or messages nested too deeply");
  return false;
}

}  // namespace adze::importer
