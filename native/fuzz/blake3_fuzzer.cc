// [T1] A hash depends on the bytes, not on how they arrive, and more output begins like less;
// [N2] every kernel computes what the plain one does.
#include "core/blake3.h"
#include "core/kernel.h"
#include "stream.h"

namespace gdo::fuzz {
namespace {

constexpr size_t kBytesMax = 300'000;
constexpr size_t kOutBytesMax = 300;
constexpr size_t kWordsPerValue = 8;

Blake3 HasherOf(uint8_t mode, FuzzedDataProvider& input) {
  if (mode == 0) return Blake3::Hash();
  if (mode == 1) {
    Bytes key = input.ConsumeBytes<uint8_t>(32);
    key.resize(32);
    return Blake3::Keyed(std::span<const uint8_t, 32>(key));
  }
  return Blake3::DeriveKey(input.ConsumeRandomLengthString(100));
}

void CheckSplit(const Blake3& fresh, std::span<const uint8_t> bytes, uint64_t seed) {
  Blake3 whole = fresh;
  whole.Update(bytes);
  Bytes expected(kOutBytesMax);
  whole.Finish(expected);

  Blake3 split = fresh;
  Noise noise(seed);
  InPieces(bytes, seed, [&](std::span<const uint8_t> piece) {
    split.Update(piece);
    // To look at it in between changes nothing.
    if (noise.Below(8) == 0) static_cast<void>(split.Finish());
  });
  Bytes out(seed % kOutBytesMax);
  split.Finish(out);
  FUZZ_CHECK(std::equal(out.begin(), out.end(), expected.begin()));
  const Blake3::Digest digest = split.Finish();
  FUZZ_CHECK(std::equal(digest.begin(), digest.end(), expected.begin()));
}

// All that this processor runs, the plain one first.
void CheckKernels(std::span<const uint8_t> bytes, uint64_t counter, uint32_t flags) {
  const size_t count = std::min<size_t>(bytes.size() / blake3::kChunkBytes, 70);
  if (count == 0) return;
  std::vector<uint32_t> key(kWordsPerValue, static_cast<uint32_t>(counter * 2654435761));
  std::vector<uint32_t> values;
  std::vector<uint32_t> parents;
  for (const Kernel* const kernel : Kernels()) {
    if (!kernel->is_present()) continue;
    std::vector<uint32_t> out(kWordsPerValue * count);
    kernel->hash_chunks(bytes.data(), count, key.data(), counter, flags, out.data());
    if (values.empty()) values = out;
    FUZZ_CHECK(out == values);
    if (count < 2) continue;
    kernel->hash_parents(out.data(), count / 2, key.data(), flags, out.data());
    out.resize(kWordsPerValue * (count / 2));
    if (parents.empty()) parents = out;
    FUZZ_CHECK(out == parents);
  }
}

}  // namespace

void Try(FuzzedDataProvider& input) {
  const uint64_t seed = input.ConsumeIntegral<uint64_t>();
  const auto flags = input.ConsumeIntegralInRange<uint32_t>(0, 127);
  const Blake3 hasher = HasherOf(input.ConsumeIntegralInRange<uint8_t>(0, 2), input);
  const Bytes bytes = Expand(input, kBytesMax);
  CheckSplit(hasher, bytes, seed);
  CheckKernels(bytes, seed, flags);
}

}  // namespace gdo::fuzz
