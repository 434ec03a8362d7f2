// [T10] Frames that come in pieces: how they are cut and how much room there is changes nothing of
// what comes out of frames that are taken; what was compressed comes back; every call keeps to its
// room and moves on or ends.
#include "core/zstd_codec.h"
#include "core/zstd_stream.h"
#include "stream.h"

namespace gdo::fuzz {
namespace {

constexpr size_t kBytesMax = 20'000;
constexpr size_t kRoomMax = 5'000;
constexpr size_t kContentMax = 4'000'000;  // A few bytes may stand for very many.
constexpr int kLevelMax = 5;

struct Outcome {
  Bytes content;
  bool is_refused = false;
  bool is_whole = true;
};

// All of `frames`, `in_bytes` at a time into `out_bytes` of room; no more than kContentMax of it.
Outcome Streamed(const Bytes& frames, size_t in_bytes, size_t out_bytes) {
  ZstdStream stream;
  Outcome outcome;
  Bytes out(out_bytes);
  for (size_t at = 0; outcome.content.size() < kContentMax;) {
    const size_t size = std::min(in_bytes, frames.size() - at);
    const auto step = stream.Advance(std::span(frames).subspan(at, size), out);
    outcome.is_refused = !step.has_value();
    if (!step.has_value()) break;
    FUZZ_CHECK(step->used_bytes <= size && step->written_bytes <= out_bytes);
    outcome.content.insert(outcome.content.end(), out.begin(),
                           out.begin() + static_cast<ptrdiff_t>(step->written_bytes));
    at += step->used_bytes;
    outcome.is_whole = step->is_whole;
    if (step->used_bytes > 0 || step->written_bytes > 0) continue;
    FUZZ_CHECK(size == 0);  // With input and room, it moves.
    break;
  }
  return outcome;
}

void CheckCutsChangeNothing(const Bytes& frames, size_t in_bytes, size_t out_bytes) {
  const Outcome pieces = Streamed(frames, in_bytes, out_bytes);
  const Outcome whole = Streamed(frames, std::max<size_t>(frames.size(), 1), kContentMax);
  const size_t common = std::min(pieces.content.size(), whole.content.size());
  FUZZ_CHECK(std::equal(pieces.content.begin(),
                        pieces.content.begin() + static_cast<ptrdiff_t>(common),
                        whole.content.begin()));
  if (pieces.content.size() >= kContentMax || whole.content.size() >= kContentMax) return;
  // zstd reads a frame that it has whole in another way, which sees some damage later or never.
  if (pieces.is_refused || whole.is_refused) return;
  FUZZ_CHECK(pieces.content.size() == whole.content.size() && pieces.is_whole == whole.is_whole);
}

Bytes Twice(const Bytes& bytes) {
  Bytes twice = bytes;
  twice.insert(twice.end(), bytes.begin(), bytes.end());
  return twice;
}

// Two frames, one of which may have a changed byte, or lack its end.
void CheckRoundTrip(FuzzedDataProvider& input, size_t in_bytes, size_t out_bytes) {
  ZstdCodec codec;
  const int level = input.ConsumeIntegralInRange<int>(1, kLevelMax);
  const size_t place = input.ConsumeIntegral<uint32_t>();
  const auto change = input.ConsumeIntegral<uint8_t>();
  const bool is_cut = input.ConsumeBool();
  Bytes bytes = Expand(input, kBytesMax);
  Bytes frames = *codec.Compress(bytes, level);
  frames = Twice(frames);
  bytes = Twice(bytes);
  const Outcome outcome = Streamed(frames, in_bytes, out_bytes);
  FUZZ_CHECK(!outcome.is_refused && outcome.is_whole && outcome.content == bytes);
  frames[place % frames.size()] ^= change;
  if (is_cut) frames.resize(place % frames.size());
  CheckCutsChangeNothing(frames, in_bytes, out_bytes);
}

}  // namespace

void Try(FuzzedDataProvider& input) {
  const auto in_bytes = input.ConsumeIntegralInRange<size_t>(1, kRoomMax);
  const auto out_bytes = input.ConsumeIntegralInRange<size_t>(1, kRoomMax);
  if (input.ConsumeBool()) {
    CheckCutsChangeNothing(input.ConsumeRemainingBytes<uint8_t>(), in_bytes, out_bytes);
  } else {
    CheckRoundTrip(input, in_bytes, out_bytes);
  }
}

}  // namespace gdo::fuzz
