// What the fuzzers share: long inputs out of short ones, and a check that ends the run.
//
// libFuzzer changes a few hundred bytes at a time; chunkers look at hundreds of kilobytes. So its
// bytes are read as a recipe: literals, runs, noise, and copies of what came before.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

// Prints what does not hold, and ends as a crash that libFuzzer keeps.
#define FUZZ_CHECK(condition)                                                             \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

namespace gdo::fuzz {

using Bytes = std::vector<uint8_t>;

// What each fuzzer does with an input.
void Try(FuzzedDataProvider& input);

// SplitMix64 (Steele, Lea, Flood 2014), so that a kept input means the same everywhere.
class Noise {
 public:
  explicit Noise(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t word = state_ += 0x9E3779B97F4A7C15;
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB;
    return word ^ (word >> 31);
  }

  size_t Below(size_t limit) { return static_cast<size_t>(Next() % limit); }

 private:
  uint64_t state_;
};

inline void AppendStep(FuzzedDataProvider& input, Bytes& out) {
  const size_t length = size_t{1} << input.ConsumeIntegralInRange(0, 17);
  const size_t more = input.ConsumeIntegral<uint16_t>();
  switch (input.ConsumeIntegralInRange(0, 3)) {
    case 0: {
      const Bytes literal = input.ConsumeBytes<uint8_t>(more % 64);
      out.insert(out.end(), literal.begin(), literal.end());
      return;
    }
    case 1:
      out.insert(out.end(), length + more % length, input.ConsumeIntegral<uint8_t>());
      return;
    case 2: {
      Noise noise(more);
      for (size_t count = length; count != 0; --count) {
        out.push_back(static_cast<uint8_t>(noise.Next() >> 56));
      }
      return;
    }
    default: {
      if (out.empty()) return;
      const size_t start = (size_t{more} << 4) % out.size();
      const Bytes copy(out.begin() + static_cast<ptrdiff_t>(start),
                       out.begin() + static_cast<ptrdiff_t>(std::min(out.size(), start + length)));
      out.insert(out.end(), copy.begin(), copy.end());
    }
  }
}

// Follows the recipe to its end, or until there are bytes_max bytes.
inline Bytes Expand(FuzzedDataProvider& input, size_t bytes_max) {
  Bytes out;
  while (input.remaining_bytes() != 0 && out.size() < bytes_max) AppendStep(input, out);
  out.resize(std::min(out.size(), bytes_max));
  return out;
}

// Gives `bytes` in pieces, each a copy of its own size: a read past it is one that the sanitizer
// sees.
template <typename Take>
void InPieces(std::span<const uint8_t> bytes, uint64_t seed, Take take) {
  Noise noise(seed);
  const size_t piece_max = std::max(size_t{1} << noise.Below(19), bytes.size() / 2000);
  while (!bytes.empty()) {
    const size_t size = std::min(bytes.size(), noise.Below(piece_max) + 1);
    const Bytes piece(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
    take(std::span<const uint8_t>(piece));
    bytes = bytes.subspan(size);
  }
}

}  // namespace gdo::fuzz
