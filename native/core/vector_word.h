// Vectors of 32-bit words as the compiler has them for every processor, and the moves between lanes
// that plain operators cannot say. One lane is uint32_t itself.
//
// Only for a kernel's file: see kernel.h for why all of it has internal linkage.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace gdo {
namespace {

template <size_t kLanes>
struct VectorWord {
  typedef uint32_t Type __attribute__((vector_size(kLanes * sizeof(uint32_t))));
  typedef uint8_t Bytes __attribute__((vector_size(kLanes * sizeof(uint32_t))));
};
template <>
struct VectorWord<1> {
  using Type = uint32_t;
};

// Lanes from memory in the processor's byte order, anywhere.
template <size_t kLanes>
inline typename VectorWord<kLanes>::Type LoadWord(const void* from) {
  typename VectorWord<kLanes>::Type word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// A rotation by whole bytes is one shuffle of bytes.
template <size_t kLanes, size_t kByteShift, size_t... kAt>
inline typename VectorWord<kLanes>::Type RotateBytes(typename VectorWord<kLanes>::Type word,
                                                     std::index_sequence<kAt...>) {
  const auto bytes = reinterpret_cast<typename VectorWord<kLanes>::Bytes>(word);
  const auto moved =
      __builtin_shufflevector(bytes, bytes, (kAt / 4 * 4 + (kAt + kByteShift) % 4)...);
  return reinterpret_cast<typename VectorWord<kLanes>::Type>(moved);
}

template <size_t kLanes, int kBits>
inline typename VectorWord<kLanes>::Type RotateRight(typename VectorWord<kLanes>::Type word) {
#if defined(__AVX512VL__)
  constexpr bool kHasRotate = true;
#else
  constexpr bool kHasRotate = kLanes == 1;
#endif
  if constexpr (!kHasRotate && kBits % 8 == 0 && std::endian::native == std::endian::little) {
    return RotateBytes<kLanes, kBits / 8>(word, std::make_index_sequence<4 * kLanes>());
  } else {
    return (word >> kBits) | (word << (32 - kBits));
  }
}

// Of two vectors a and b, in each group of four lanes: a0 b0 a1 b1, or a2 b2 a3 b3 (kHigh).
template <size_t kLanes, bool kHigh, typename Word, size_t... kAt>
inline Word ZipWords(Word a, Word b, std::index_sequence<kAt...>) {
  return __builtin_shufflevector(
      a, b, (kAt / 4 * 4 + (kHigh ? 2 : 0) + kAt % 4 / 2 + (kAt % 2 == 1 ? kLanes : 0))...);
}

// The same with pairs of lanes: a0 a1 b0 b1, or a2 a3 b2 b3.
template <size_t kLanes, bool kHigh, typename Word, size_t... kAt>
inline Word ZipPairs(Word a, Word b, std::index_sequence<kAt...>) {
  return __builtin_shufflevector(
      a, b, (kAt / 4 * 4 + (kHigh ? 2 : 0) + kAt % 2 + (kAt % 4 / 2 == 1 ? kLanes : 0))...);
}

// Exchanges a's lanes that have bit kStep in their number with b's that have not.
template <size_t kLanes, size_t kStep, typename Word, size_t... kAt>
inline void SwapLanes(Word& a, Word& b, std::index_sequence<kAt...>) {
  const Word low =
      __builtin_shufflevector(a, b, ((kAt & kStep) == 0 ? kAt : (kAt ^ kStep) + kLanes)...);
  const Word high =
      __builtin_shufflevector(a, b, ((kAt & kStep) == 0 ? (kAt ^ kStep) : kAt + kLanes)...);
  a = low;
  b = high;
}

// rows[i] lane j becomes rows[j] lane i.
template <size_t kLanes, typename Word>
inline void Transpose(Word* rows) {
  constexpr auto kAll = std::make_index_sequence<kLanes>();
  for (size_t row = 0; row < kLanes; row += 4) {
    Word* const four = rows + row;
    const Word low01 = ZipWords<kLanes, false>(four[0], four[1], kAll);
    const Word high01 = ZipWords<kLanes, true>(four[0], four[1], kAll);
    const Word low23 = ZipWords<kLanes, false>(four[2], four[3], kAll);
    const Word high23 = ZipWords<kLanes, true>(four[2], four[3], kAll);
    four[0] = ZipPairs<kLanes, false>(low01, low23, kAll);
    four[1] = ZipPairs<kLanes, true>(low01, low23, kAll);
    four[2] = ZipPairs<kLanes, false>(high01, high23, kAll);
    four[3] = ZipPairs<kLanes, true>(high01, high23, kAll);
  }
  if constexpr (kLanes >= 8) {
    for (size_t row = 0; row < kLanes; ++row) {
      if ((row & 4) == 0) SwapLanes<kLanes, 4>(rows[row], rows[row + 4], kAll);
    }
  }
  if constexpr (kLanes >= 16) {
    for (size_t row = 0; row < 8; ++row) SwapLanes<kLanes, 8>(rows[row], rows[row + 8], kAll);
  }
}

// columns[w] holds word w of every row, of 16 little-endian words each.
template <size_t kLanes>
inline void LoadColumns(const uint8_t* const (&rows)[kLanes], size_t offset,
                        typename VectorWord<kLanes>::Type (&columns)[16]) {
  static_assert(kLanes == 1 || std::endian::native == std::endian::little);
  if constexpr (kLanes == 1) {
    for (size_t word = 0; word < 16; ++word) {
      std::memcpy(&columns[word], rows[0] + offset + 4 * word, 4);
      if constexpr (std::endian::native == std::endian::big) {
        columns[word] = __builtin_bswap32(columns[word]);
      }
    }
  } else {
    for (size_t group = 0; group < 16; group += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        columns[group + lane] = LoadWord<kLanes>(rows[lane] + offset + 4 * group);
      }
      Transpose<kLanes>(columns + group);
    }
  }
}

}  // namespace
}  // namespace gdo
