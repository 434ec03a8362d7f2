// [T10] Whatever a frame holds, it fills the stated length exactly or is refused; what was
// compressed comes back, and no changed frame passes for a longer or shorter one.
#include "core/zstd_codec.h"
#include "stream.h"

namespace gdo::fuzz {
namespace {

constexpr size_t kBytesMax = 100'000;
constexpr size_t kLevelMax = 5;

ZstdCodec& Codec() {
  static ZstdCodec codec;
  return codec;
}

void CheckArbitrary(FuzzedDataProvider& input) {
  Bytes out(input.ConsumeIntegralInRange<size_t>(0, kBytesMax));
  const Bytes frame = input.ConsumeRemainingBytes<uint8_t>();
  static_cast<void>(Codec().Decompress(frame, out));
}

void CheckRoundTrip(FuzzedDataProvider& input) {
  const int level = input.ConsumeIntegralInRange<int>(1, kLevelMax);
  const size_t place = input.ConsumeIntegral<uint32_t>();
  const auto change = input.ConsumeIntegral<uint8_t>();
  const Bytes bytes = Expand(input, kBytesMax);
  auto frame = Codec().Compress(bytes, level);
  FUZZ_CHECK(frame.has_value());
  Bytes out(bytes.size());
  FUZZ_CHECK(Codec().Decompress(*frame, out) && out == bytes);
  Bytes longer(bytes.size() + 1);
  FUZZ_CHECK(!Codec().Decompress(*frame, longer));
  (*frame)[place % frame->size()] ^= change;
  static_cast<void>(Codec().Decompress(*frame, out));
}

}  // namespace

void Try(FuzzedDataProvider& input) {
  if (input.ConsumeBool()) {
    CheckArbitrary(input);
  } else {
    CheckRoundTrip(input);
  }
}

}  // namespace gdo::fuzz
