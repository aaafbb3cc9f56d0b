// Says what a file is that was given as a model and is none.
#include "lib/Importer/Session.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace adze::importer {

namespace {
struct Magic {
  size_t offset;
  std::string_view bytes;
  const char *what;
};
using namespace std::string_view_literals;

constexpr Magic kMagics[] = {
    {0, "\x89PNG"sv, "a PNG image"},
    {0, "\xff\xd8\xff"sv, "a JPEG image"},
    {0, "GIF8"sv, "a GIF image"},
    {0, "%PDF"sv, "a PDF document"},
    {0, "GGUF"sv, "a GGUF model: convert it to ONNX first"},
    {0, "\x89HDF"sv, "an HDF5 file (Keras?): convert it to ONNX first"},
    {0, "PK\x03\x04"sv, "a zip archive (a PyTorch .pt file, or a packed model?)"},
    {0, "\x1f\x8b"sv, "a gzip file: unpack it first"},
    {0, "\x28\xb5\x2f\xfd"sv, "a Zstandard file: unpack it first"},
    {0, "BZh"sv, "a bzip2 file: unpack it first"},
    {0, "\xfd" "7zXZ"sv, "an xz file: unpack it first"},
    {0, "\x7f" "ELF"sv, "an ELF binary"},
    {0, "\x93NUMPY"sv, "a NumPy array"},
    {0, "\x80\x02"sv, "a Python pickle (a PyTorch .pth file?): export it to ONNX first"},
    {0, "\x80\x03"sv, "a Python pickle: export the model to ONNX first"},
    {0, "\x80\x04"sv, "a Python pickle: export the model to ONNX first"},
    {0, "version https://git-lfs"sv, "a Git LFS pointer: run 'git lfs pull' for the model itself"},
    {0, "<?xml"sv, "an XML file (an OpenVINO model?): use the ONNX model"},
    {0, "<!DOCTYPE"sv, "an HTML page: the download failed?"},
    {0, "<html"sv, "an HTML page: the download failed?"},
    {4, "TFL3"sv, "a TensorFlow Lite model: convert it to ONNX first"},
    {4, "ORTM"sv, "an onnxruntime .ort model: use the .onnx model it was made from"},
    {4, "ADZE"sv, "an adze artifact: it is compiled already"},
    {8, "{\""sv, "a safetensors file: it holds weights without a graph"},
    {257, "ustar"sv, "a tar archive: unpack it first"},
};

bool isText(std::string_view s) {
  s = s.substr(0, 512);
  return std::all_of(s.begin(), s.end(), [](unsigned char c) {
    return (c >= 0x20 && c != 0x7f) || c == '\n' || c == '\r' || c == '\t';
  });
}
}  // namespace

const char *recogniseOther(std::span<const std::byte> bytes) {
  std::string_view s(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  if (s.empty()) return "empty";
  for (const Magic &m : kMagics)
    if (s.size() >= m.offset && s.substr(m.offset).substr(0, m.bytes.size()) == m.bytes)
      return m.what;
  if (s.find_first_not_of('\0') == s.npos) return "all zeros";
  // A model starts with a field tag; "\n" is one too (a text may start so).
  if (isText(s)) return "text (ONNX's text format is read from files named .onnxtxt)";
  return nullptr;
}

}  // namespace adze::importer
