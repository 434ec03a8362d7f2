// The hash of window-minimum chunking and the plain search for its minimum. The formula is the
// format [T2]; docs/design/native.md has it in words.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace gdo {

inline constexpr size_t kWindowBytes = 8;

// Positions of the same hash, mostly of the same word, are told apart by more of what stands before
// them: else the first of a frequent word would take the cut, and depend on the cut before.
inline constexpr size_t kRankBytes = 32;
inline constexpr uint64_t kRankMultiplier = 0x9E3779B185EBCA77;
inline constexpr int kRankShift = 29;

// Floor of 2^32 over the golden ratio, made odd: spreads low differences over the high bits, which
// decide the minimum.
inline constexpr uint32_t kWindowMultiplier = 0x9E3779B1;

// Added last, so that a window of zeros, or of one byte repeated, has the greatest hash of all: a
// hole never attracts a cut.
inline constexpr uint32_t kWindowOffset = 0xFFFFFFFF;
inline constexpr uint32_t kWindowHashMax = 0xFFFFFFFF;

// Exchanges the halves of the older word: eight equal bytes then cancel out, and so do four equal
// pairs, so that a run of spaces attracts no cut either. docs/adr/0009-hash-mix.md has the numbers.
inline constexpr int kWindowRotation = 16;

// Internal linkage, since kernels' files use them: see kernel.h.
namespace {

inline uint32_t WindowLittle32(const uint8_t* bytes) {
  uint32_t word;
  std::memcpy(&word, bytes, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap32(word);
  return word;
}

// Hash of the 8 bytes that end right before `end`. Depends on these bytes only, not on where they
// stand, so every position can be hashed at once.
inline uint32_t WindowHashOf(const uint8_t* end) {
  const uint32_t older = WindowLittle32(end - 8);
  const uint32_t newer = WindowLittle32(end - 4);
  const uint32_t rotated = (older << kWindowRotation) | (older >> (32 - kWindowRotation));
  return (newer ^ rotated) * kWindowMultiplier + kWindowOffset;
}

inline uint64_t WindowLittle64(const uint8_t* bytes) {
  return uint64_t{WindowLittle32(bytes + 4)} << 32 | WindowLittle32(bytes);
}

// A number for the kRankBytes bytes before `end`.
inline uint64_t WindowRankOf(const uint8_t* end) {
  uint64_t rank = 0;
  for (size_t back = kRankBytes; back != 0; back -= 8) {
    rank = (rank ^ WindowLittle64(end - back)) * kRankMultiplier;
    rank ^= rank >> kRankShift;
  }
  return rank;
}

// The best of the positions with the least hash seen so far: the first with the least rank.
struct RankedPosition {
  size_t position;
  uint64_t rank;

  inline void Take(const uint8_t* bytes, size_t other) {
    const uint64_t other_rank = WindowRankOf(bytes + other);
    if (other_rank < rank) *this = {other, other_rank};
  }
};

inline size_t ScalarMinimum(const uint8_t* bytes, size_t first, size_t last) {
  RankedPosition best = {last, 0};
  uint32_t least = kWindowHashMax;
  for (size_t position = first; position < last; ++position) {
    const uint32_t hash = WindowHashOf(bytes + position);
    if (hash < least) {
      least = hash;
      best = {position, WindowRankOf(bytes + position)};
    } else if (hash == least && best.position != last) {
      best.Take(bytes, position);
    }
  }
  return best.position;
}

}  // namespace
}  // namespace gdo
