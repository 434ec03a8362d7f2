// [T7] [N2] The processor's checksum, the one by tables and the definition agree, for any split.
#include "core/crc32c.h"
#include "stream.h"

namespace gdo::fuzz {
namespace {

constexpr size_t kBytesMax = 20'000;

// Bit by bit, as RFC 3720 defines it.
uint32_t ByDefinition(std::span<const uint8_t> bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82F63B78 : 0);
  }
  return ~crc;
}

}  // namespace

void Try(FuzzedDataProvider& input) {
  const uint64_t seed = input.ConsumeIntegral<uint64_t>();
  const Bytes bytes = Expand(input, kBytesMax);
  const uint32_t expected = ByDefinition(bytes);
  FUZZ_CHECK(Crc32c(bytes) == expected);
  FUZZ_CHECK(Crc32cPortable(bytes) == expected);
  uint32_t crc = 0;
  uint32_t portable = 0;
  InPieces(bytes, seed, [&](std::span<const uint8_t> piece) {
    crc = Crc32c(piece, crc);
    portable = Crc32cPortable(piece, portable);
  });
  FUZZ_CHECK(crc == expected && portable == expected);
}

}  // namespace gdo::fuzz
