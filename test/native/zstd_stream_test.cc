#include "core/zstd_stream.h"

#include <algorithm>
#include <optional>

#include "core/zstd_codec.h"
#include "expect.h"

namespace gdo::test {
namespace {

// The content of `frames`, taken in pieces of `in_bytes` and given in pieces of `out_bytes`; empty
// when it is refused or ends too early.
std::optional<Bytes> Streamed(const Bytes& frames, size_t in_bytes, size_t out_bytes) {
  ZstdStream stream;
  Bytes content;
  Bytes out(out_bytes);
  bool is_whole = true;
  for (size_t at = 0; at < frames.size();) {
    const size_t size = std::min(in_bytes, frames.size() - at);
    const auto step = stream.Advance(std::span(frames).subspan(at, size), out);
    if (!step.has_value()) return std::nullopt;
    EXPECT(step->written_bytes <= out_bytes);
    content.insert(content.end(), out.begin(),
                   out.begin() + static_cast<ptrdiff_t>(step->written_bytes));
    at += step->used_bytes;
    is_whole = step->is_whole;
    if (at < frames.size()) continue;
    for (auto rest = step; rest.has_value() && rest->written_bytes == out_bytes;) {
      rest = stream.Advance({}, out);
      if (!rest.has_value()) return std::nullopt;
      content.insert(content.end(), out.begin(),
                     out.begin() + static_cast<ptrdiff_t>(rest->written_bytes));
      is_whole = rest->is_whole;
    }
  }
  if (!is_whole) return std::nullopt;
  return content;
}

void StreamsFramesInPiecesOfAnySize() {
  Random random(8);
  ZstdCodec codec;
  Bytes bytes = random.Take(300'000);
  for (uint8_t& byte : bytes) byte &= 3;
  Bytes frames = *codec.Compress(bytes, 3);
  const Bytes second = *codec.Compress(bytes, 1);
  frames.insert(frames.end(), second.begin(), second.end());
  Bytes twice = bytes;
  twice.insert(twice.end(), bytes.begin(), bytes.end());
  for (const size_t in_bytes : {size_t{1}, size_t{1000}, frames.size()}) {
    for (const size_t out_bytes : {size_t{7000}, size_t{1} << 20}) {
      EXPECT(Streamed(frames, in_bytes, out_bytes) == twice);
    }
  }
}

void RefusesGarbageAndAnEarlyEnd() {
  Random random(9);
  ZstdCodec codec;
  const Bytes frame = *codec.Compress(random.Take(50'000), 3);
  EXPECT(!Streamed(random.Take(1000), 1000, 1000).has_value());
  for (const size_t size : {size_t{1}, size_t{20}, frame.size() - 1}) {
    const Bytes cut(frame.begin(), frame.begin() + static_cast<ptrdiff_t>(size));
    EXPECT(!Streamed(cut, 100, 1000).has_value());
  }
}

}  // namespace

void TestZstdStream() {
  StreamsFramesInPiecesOfAnySize();
  RefusesGarbageAndAnEarlyEnd();
}

}  // namespace gdo::test
