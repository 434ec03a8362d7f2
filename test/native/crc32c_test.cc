#include "core/crc32c.h"

#include <numeric>
#include <string_view>

#include "expect.h"

namespace gdo::test {
namespace {

// RFC 3720, appendix B.4, and the check value of the CRC catalogues.
void KnownValues() {
  Bytes counting(32);
  std::iota(counting.begin(), counting.end(), uint8_t{0});
  constexpr std::string_view kDigits = "123456789";
  EXPECT(Crc32c({}) == 0);
  EXPECT(Crc32c(Bytes(32, 0x00)) == 0x8A9136AA);
  EXPECT(Crc32c(Bytes(32, 0xFF)) == 0x62A8AB43);
  EXPECT(Crc32c(counting) == 0x46DD794E);
  EXPECT(Crc32c(Bytes(kDigits.begin(), kDigits.end())) == 0xE3069283);
}

void KernelsAgreeAndContinue() {
  Random random(5);
  for (int round = 0; round < 200; ++round) {
    const Bytes bytes = random.Take(random.Below(3'000));
    const std::span<const uint8_t> whole = bytes;
    const size_t split = random.Below(bytes.size() + 1);
    const uint32_t crc = Crc32c(whole);
    EXPECT(crc == Crc32cPortable(whole));
    EXPECT(crc == Crc32c(whole.subspan(split), Crc32c(whole.first(split))));
    EXPECT(crc == Crc32cPortable(whole.subspan(split), Crc32cPortable(whole.first(split))));
  }
}

}  // namespace

void TestCrc32c() {
  KnownValues();
  KernelsAgreeAndContinue();
}

}  // namespace gdo::test
