#include "core/zstd_codec.h"

#include "expect.h"

namespace gdo::test {
namespace {

Bytes Compressible(Random& random, size_t size) {
  Bytes bytes = random.Take(size);
  for (uint8_t& byte : bytes) byte &= 3;
  return bytes;
}

void RoundTrips() {
  Random random(6);
  ZstdCodec codec;
  for (int round = 0; round < 60; ++round) {
    const Bytes bytes = Compressible(random, random.Below(70'000));
    const auto frame = codec.Compress(bytes, 1 + static_cast<int>(random.Below(5)));
    EXPECT(frame.has_value());
    Bytes out(bytes.size());
    EXPECT(codec.Decompress(*frame, out));
    EXPECT(out == bytes);
  }
}

void RefusesOtherSizes() {
  Random random(7);
  ZstdCodec codec;
  const Bytes bytes = Compressible(random, 10'000);
  const Bytes frame = *codec.Compress(bytes, 3);
  for (const size_t size : {size_t{0}, bytes.size() - 1, bytes.size() + 1}) {
    Bytes out(size);
    EXPECT(!codec.Decompress(frame, out));
  }
  Bytes twice = frame;
  twice.insert(twice.end(), frame.begin(), frame.end());
  Bytes out(2 * bytes.size());
  EXPECT(!codec.Decompress(twice, out));
  Bytes followed = frame;
  const Bytes empty = *codec.Compress({}, 3);
  followed.insert(followed.end(), empty.begin(), empty.end());
  out.resize(bytes.size());
  EXPECT(codec.Decompress(frame, out) && !codec.Decompress(followed, out));
  EXPECT(!codec.Compress(bytes, 0).has_value());
  EXPECT(!codec.Compress(bytes, 23).has_value());
}

// Whatever is stored, reading it stays within its buffers; a cut frame is never taken.
void SurvivesDamage() {
  Random random(8);
  ZstdCodec codec;
  const Bytes bytes = Compressible(random, 5'000);
  const Bytes frame = *codec.Compress(bytes, 3);
  Bytes out(bytes.size());
  for (size_t size = 0; size < frame.size(); ++size) {
    const Bytes cut(frame.begin(), frame.begin() + static_cast<ptrdiff_t>(size));
    EXPECT(!codec.Decompress(cut, out));
  }
  for (int round = 0; round < 3'000; ++round) {
    Bytes damaged = frame;
    damaged[random.Below(damaged.size())] ^= static_cast<uint8_t>(1 + random.Below(255));
    (void)codec.Decompress(damaged, out);
  }
  EXPECT(codec.Decompress(frame, out) && out == bytes);
}

}  // namespace

void TestZstdCodec() {
  RoundTrips();
  RefusesOtherSizes();
  SurvivesDamage();
}

}  // namespace gdo::test
