// The inner loop of window-minimum chunking: where in a range is the hash of the last 8 bytes
// least?
//
// The formula is the format [T2]. A kernel for another processor must give the same position, bit
// for bit, for every input [N2]; nothing else about it is fixed.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/little_endian.h"

namespace gdo {

inline constexpr size_t kWindowBytes = 8;

// Floor of 2^32 over the golden ratio, made odd: spreads low differences over the high bits, which
// decide the minimum.
inline constexpr uint32_t kWindowMultiplier = 0x9E3779B1;

// Added last, so that a window of zeros has the greatest hash of all: a hole never attracts a cut.
inline constexpr uint32_t kWindowOffset = 0xFFFFFFFF;
inline constexpr uint32_t kWindowHashMax = 0xFFFFFFFF;

// Hash of the 8 bytes that end right before `end`. Depends on these bytes only, not on where they
// stand, so every position can be hashed at once.
inline uint32_t WindowHash(const uint8_t* end) {
  const uint32_t older = LoadLittle32(end - 8);
  const uint32_t newer = LoadLittle32(end - 4);
  return (newer ^ std::rotl(older, 15)) * kWindowMultiplier + kWindowOffset;
}

// The first position in [first, last) with the least hash; `last` if no hash is below the maximum.
// `first` is at least kWindowBytes.
size_t WindowMinimum(const uint8_t* bytes, size_t first, size_t last);

std::string_view WindowKernelName();

}  // namespace gdo
