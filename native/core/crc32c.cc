#include "core/crc32c.h"

#include <array>

#include "core/little_endian.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace gdo {
namespace {

constexpr uint32_t kPolynomialReversed = 0x82F63B78;

using Tables = std::array<std::array<uint32_t, 256>, 8>;

// tables[k][b]: what byte b does to the CRC when k more bytes follow it.
constexpr Tables MakeTables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) * kPolynomialReversed);
    tables[0][byte] = crc;
  }
  for (size_t more = 1; more < tables.size(); ++more) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t crc = tables[more - 1][byte];
      tables[more][byte] = (crc >> 8) ^ tables[0][crc & 0xFF];
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

uint32_t StepPortable(std::span<const uint8_t> bytes, uint32_t crc) {
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    const uint64_t word = LoadLittle64(bytes.data()) ^ crc;
    crc = 0;
    for (size_t at = 0; at < 8; ++at) crc ^= kTables[7 - at][(word >> (8 * at)) & 0xFF];
  }
  for (const uint8_t byte : bytes) crc = (crc >> 8) ^ kTables[0][(crc ^ byte) & 0xFF];
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t StepSse42(std::span<const uint8_t> bytes, uint32_t crc) {
  uint64_t wide = crc;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    wide = _mm_crc32_u64(wide, LoadLittle64(bytes.data()));
  }
  crc = static_cast<uint32_t>(wide);
  for (const uint8_t byte : bytes) crc = _mm_crc32_u8(crc, byte);
  return crc;
}

bool HasSse42() {
  static const bool has = static_cast<bool>(__builtin_cpu_supports("sse4.2"));
  return has;
}
#endif

}  // namespace

uint32_t Crc32cPortable(std::span<const uint8_t> bytes, uint32_t crc) {
  return ~StepPortable(bytes, ~crc);
}

uint32_t Crc32c(std::span<const uint8_t> bytes, uint32_t crc) {
#if defined(__x86_64__)
  if (HasSse42()) return ~StepSse42(bytes, ~crc);
#endif
  return Crc32cPortable(bytes, crc);
}

std::string_view Crc32cKernelName() {
#if defined(__x86_64__)
  if (HasSse42()) return "sse4.2";
#endif
  return "portable";
}

}  // namespace gdo
