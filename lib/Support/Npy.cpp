#include "lib/Support/Npy.h"

#include "lib/Support/Checked.h"
#include "lib/Support/File.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

namespace adze {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxHeader = 65536, kMaxRank = 64;

struct Header {
  std::string descr;
  bool fortran = false;
  std::vector<int64_t> shape;
};

/// The header is the text of a Python dictionary with three known keys.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  bool parse(Header &header) {
    if (!take('{')) return false;
    bool descr = false, order = false, shape = false;
    while (!take('}')) {
      std::string key;
      if (!string(key) || !take(':')) return false;
      bool ok = key == "descr"           ? (descr = string(header.descr))
                : key == "fortran_order" ? (order = boolean(header.fortran))
                : key == "shape"         ? (shape = tuple(header.shape))
                                         : false;
      if (!ok) return false;
      if (!take(',') && !peek('}')) return false;
    }
    return descr && order && shape;
  }

 private:
  void skip() {
    while (pos_ < text_.size() && (text_[pos_] == ' ' || text_[pos_] == '\n')) ++pos_;
  }
  bool peek(char c) {
    skip();
    return pos_ < text_.size() && text_[pos_] == c;
  }
  bool take(char c) {
    if (!peek(c)) return false;
    ++pos_;
    return true;
  }
  bool string(std::string &out) {
    skip();
    if (pos_ >= text_.size() || (text_[pos_] != '\'' && text_[pos_] != '"')) return false;
    size_t end = text_.find(text_[pos_], pos_ + 1);
    if (end == std::string_view::npos) return false;
    out = text_.substr(pos_ + 1, end - pos_ - 1);
    pos_ = end + 1;
    return true;
  }
  bool word(std::string_view w) {
    skip();
    if (text_.substr(pos_, w.size()) != w) return false;
    pos_ += w.size();
    return true;
  }
  bool boolean(bool &out) {
    out = word("True");
    return out || word("False");
  }
  bool tuple(std::vector<int64_t> &out) {
    if (!take('(')) return false;
    while (!take(')')) {
      int64_t value = 0;
      skip();
      size_t begin = pos_;
      for (; pos_ < text_.size() && text_[pos_] >= '0' && text_[pos_] <= '9'; ++pos_) {
        auto scaled = checkedMul(value, 10);
        auto next = scaled ? checkedAdd(*scaled, text_[pos_] - '0') : std::nullopt;
        if (!next) return false;
        value = *next;
      }
      if (pos_ == begin || out.size() == kMaxRank) return false;
      out.push_back(value);
      if (!take(',') && !peek(')')) return false;
    }
    return true;
  }

  std::string_view text_;
  size_t pos_ = 0;
};

/// "<f4" -> kind and size; nullopt for objects, strings and structures.
bool parseDescr(const std::string &descr, NpyArray &array, bool &swap) {
  if (descr.size() < 3 || descr.size() > 4) return false;
  char order = descr[0];
  array.kind = descr[1];
  array.itemBytes = 0;
  for (char c : descr.substr(2)) {
    if (c < '0' || c > '9') return false;
    array.itemBytes = array.itemBytes * 10 + (c - '0');
  }
  constexpr bool little = std::endian::native == std::endian::little;
  swap = (order == '>' && little) || (order == '<' && !little);
  if (std::string_view("<>|=").find(order) == std::string_view::npos) return false;
  auto oneOf = [&](std::initializer_list<int64_t> sizes) {
    return std::find(sizes.begin(), sizes.end(), array.itemBytes) != sizes.end();
  };
  switch (array.kind) {
    case 'b': return array.itemBytes == 1;
    case 'i':
    case 'u': return oneOf({1, 2, 4, 8});
    case 'f': return oneOf({2, 4, 8});
    case 'c': return oneOf({8, 16});
    case 'V': return oneOf({1, 2});
    default: return false;
  }
}

/// Reverses the bytes of each number; a complex is two numbers.
void swapBytes(NpyArray &array) {
  size_t unit = array.kind == 'c' ? array.itemBytes / 2 : array.itemBytes;
  for (size_t i = 0; i + unit <= array.data.size(); i += unit)
    std::reverse(array.data.begin() + i, array.data.begin() + i + unit);
}

/// Column-major -> row-major.
void transposeToRowMajor(NpyArray &array) {
  size_t rank = array.shape.size(), size = array.itemBytes;
  if (rank < 2 || array.data.empty()) return;
  std::vector<std::byte> out(array.data.size());
  std::vector<int64_t> index(rank, 0);
  for (size_t target = 0; target < out.size(); target += size) {
    size_t source = 0;
    for (size_t d = rank; d-- > 0;) source = source * array.shape[d] + index[d];
    std::memcpy(&out[target], &array.data[source * size], size);
    for (size_t d = rank; d-- > 0;) {
      if (++index[d] < array.shape[d]) break;
      index[d] = 0;
    }
  }
  array.data = std::move(out);
}

}  // namespace

std::optional<NpyArray> parseNpy(std::span<const std::byte> file, std::string &error) {
  auto fail = [&](std::string why) {
    error = std::move(why);
    return std::nullopt;
  };
  auto byteAt = [&](size_t i) { return static_cast<size_t>(file[i]); };
  std::string_view text(reinterpret_cast<const char *>(file.data()), file.size());
  if (text.substr(0, kMagic.size()) != kMagic || file.size() < 10) return fail("not an .npy file");
  size_t version = byteAt(6), begin = version == 1 ? 10 : 12;
  if (version < 1 || version > 3) return fail("unknown .npy version");
  if (file.size() < begin) return fail("the file is cut short");
  size_t length = byteAt(8) | byteAt(9) << 8;
  if (version > 1) length |= byteAt(10) << 16 | byteAt(11) << 24;
  if (length > kMaxHeader || length > file.size() - begin) return fail("the header is damaged");

  Header header;
  NpyArray array;
  bool swap = false;
  if (!HeaderParser(text.substr(begin, length)).parse(header)) return fail("the header is damaged");
  if (!parseDescr(header.descr, array, swap))
    return fail("arrays of dtype '" + header.descr.substr(0, 40) + "' cannot be read");
  array.shape = header.shape;
  auto count = checkedNumElements(array.shape);
  auto bytes = count ? checkedMul(*count, array.itemBytes) : std::nullopt;
  if (!bytes || static_cast<uint64_t>(*bytes) != file.size() - begin - length)
    return fail("the data are not as long as the shape says");
  auto data = file.subspan(begin + length);
  array.data.assign(data.begin(), data.end());
  if (swap) swapBytes(array);
  if (header.fortran) transposeToRowMajor(array);
  return array;
}

std::optional<NpyArray> readNpy(const std::string &path, std::string &error) {
  auto file = MappedFile::open(path, error);
  if (!file) return std::nullopt;
  auto array = parseNpy(file->bytes(), error);
  if (!array) error = path + ": " + error;
  return array;
}

bool writeNpy(const std::string &path, const NpyArray &array, std::string &error) {
  std::string header = "{'descr': '";
  header += array.itemBytes == 1 || array.kind == 'V' ? '|' : '<';
  header += array.kind + std::to_string(array.itemBytes) + "', 'fortran_order': False, 'shape': (";
  for (int64_t d : array.shape) header += std::to_string(d) + ",";
  header += "), }";
  // Data begin at a multiple of 64 bytes, and the header ends with a newline.
  header.append((64 - (11 + header.size()) % 64) % 64, ' ');
  header += '\n';
  std::string prefix(kMagic);
  prefix += {'\x01', '\x00', static_cast<char>(header.size() & 255),
             static_cast<char>(header.size() >> 8)};
  AtomicFile file;
  return file.open(path, error) && file.write(prefix.data(), prefix.size(), error) &&
         file.write(header.data(), header.size(), error) &&
         file.write(array.data.data(), array.data.size(), error) && file.commit(error);
}

}  // namespace adze
