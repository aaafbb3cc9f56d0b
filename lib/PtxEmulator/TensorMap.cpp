// Tensor maps: our own 128 bytes in place of the driver's opaque ones, with the
// same rules.
#include "lib/PtxEmulator/Machine.h"

#include <bit>
#include <cstring>

namespace adze::ptx {

static constexpr uint64_t kMagic = 0x70616d20657a6461;  // "adze map"

namespace {
struct Packed {
  uint64_t magic, address, extents[5];
  uint32_t strides16[5];   ///< in 16 bytes; [0]: element bytes
  uint16_t box[5];
  uint8_t rank, swizzle, nanFill, elementBytes;
};
static_assert(sizeof(Packed) <= 128);
}  // namespace

std::optional<std::array<uint8_t, 128>> encodeTensorMap(const TensorMap &m, std::string &error) {
  auto refuse = [&](const char *why) { return error = why, std::nullopt; };
  if (m.rank < 1 || m.rank > 5) return refuse("a tensor map has rank 1 to 5");
  if (!std::has_single_bit(m.elementBytes) || m.elementBytes > 8) return refuse("elements have 1, 2, 4 or 8 bytes");
  if (m.address % 16) return refuse("the tensor's address is no multiple of 16");
  if (m.swizzle != 0 && m.swizzle != 32 && m.swizzle != 64 && m.swizzle != 128) return refuse("a swizzle spans 32, 64 or 128 bytes");
  Packed p{};
  p.magic = kMagic, p.address = m.address, p.rank = m.rank, p.swizzle = m.swizzle, p.nanFill = m.nanFill;
  p.elementBytes = m.elementBytes;
  for (int i = 0; i < m.rank; ++i) {
    if (m.extents[i] == 0 || m.extents[i] > uint64_t{1} << 32) return refuse("an extent outside 1 to 2^32");
    if (m.box[i] == 0 || m.box[i] > 256) return refuse("a box extent outside 1 to 256");
    if (i && (m.strides[i] % 16 || m.strides[i] >= uint64_t{1} << 36)) return refuse("a stride that is no multiple of 16 below 2^36");
    p.extents[i] = m.extents[i], p.box[i] = static_cast<uint16_t>(m.box[i]);
    p.strides16[i] = i ? static_cast<uint32_t>(m.strides[i] / 16) : m.elementBytes;
  }
  uint32_t inner = m.box[0] * m.elementBytes;
  if (inner % 16) return refuse("the box's rows are no multiple of 16 bytes");
  if (m.swizzle && inner > m.swizzle) return refuse("the box's rows are wider than the swizzle");
  std::array<uint8_t, 128> bytes{};
  std::memcpy(bytes.data(), &p, sizeof p);
  return bytes;
}

std::optional<TensorMap> decodeTensorMap(const uint8_t *bytes) {
  Packed p;
  std::memcpy(&p, bytes, sizeof p);
  if (p.magic != kMagic || p.rank < 1 || p.rank > 5) return std::nullopt;
  TensorMap m;
  m.address = p.address, m.rank = p.rank, m.elementBytes = p.elementBytes, m.swizzle = p.swizzle, m.nanFill = p.nanFill;
  for (int i = 0; i < p.rank; ++i) {
    m.extents[i] = p.extents[i], m.box[i] = p.box[i];
    m.strides[i] = i ? uint64_t{p.strides16[i]} * 16 : p.elementBytes;
  }
  std::string error;
  return encodeTensorMap(m, error) ? std::optional(m) : std::nullopt;
}

/// Swizzling exchanges 16-byte pieces by address bits 7 to 9, as many of them
/// as the pattern has pieces to exchange.
static uint32_t swizzled(uint32_t address, uint32_t span) {
  if (!span) return address;
  uint32_t pieces = span / 16 - 1;
  return address ^ (address >> 7 & pieces) << 4;
}

uint64_t boxRoom(const TensorMap &m) {
  uint64_t bytes = m.swizzle ? m.swizzle : m.box[0] * m.elementBytes;
  for (int i = 1; i < m.rank; ++i) bytes *= m.box[i];
  return bytes;
}

void eachBoxPiece(const TensorMap &m, const int32_t *coordinates, uint32_t shared,
                  const std::function<void(uint32_t, uint64_t, uint32_t)> &f) {
  // A swizzled row takes the pattern's whole width, however narrow the box.
  uint32_t rows = 1, inner = m.box[0] * m.elementBytes, pitch = m.swizzle ? m.swizzle : inner;
  for (int i = 1; i < m.rank; ++i) rows *= m.box[i];
  for (uint32_t row = 0; row < rows; ++row) {
    uint64_t address = m.address;
    bool inside = true;
    for (uint32_t i = 1, left = row; i < m.rank; left /= m.box[i++]) {
      int64_t at = int64_t{coordinates[i]} + left % m.box[i];
      inside &= at >= 0 && static_cast<uint64_t>(at) < m.extents[i];
      address += static_cast<uint64_t>(at) * m.strides[i];
    }
    // Pieces of 16 bytes, cut where the tensor ends.
    for (uint32_t at = 0; at < inner; at += 16) {
      uint32_t to = swizzled(shared + row * pitch + at, m.swizzle);
      int64_t first = int64_t{coordinates[0]} * m.elementBytes + at;
      int64_t end = static_cast<int64_t>(m.extents[0] * m.elementBytes);
      if (inside && first >= 0 && first + 16 <= end) {
        f(to, address + static_cast<uint64_t>(first), 16);
        continue;
      }
      for (uint32_t b = 0; b < 16; b += m.elementBytes) {
        bool there = inside && first + b >= 0 && first + b < end;
        f(to + b, there ? address + static_cast<uint64_t>(first + b) : 0, m.elementBytes);
      }
    }
  }
}

}  // namespace adze::ptx
