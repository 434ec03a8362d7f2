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

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace gdo {
namespace {

template <size_t kLanes>
struct VectorWord {
  typedef uint32_t Type __attribute__((vector_size(kLanes * sizeof(uint32_t))));
  typedef uint64_t Pairs __attribute__((vector_size(kLanes * sizeof(uint32_t))));
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

// The same with pairs of lanes: a0 a1 b0 b1, or a2 a3 b2 b3. Said of 64-bit lanes, for which
// compilers know the cheap instruction.
template <size_t kLanes, bool kHigh, typename Word, size_t... kAt>
inline Word ZipPairs(Word a, Word b, std::index_sequence<kAt...>) {
  constexpr size_t kPairs = kLanes / 2;
  const auto wide_a = reinterpret_cast<typename VectorWord<kLanes>::Pairs>(a);
  const auto wide_b = reinterpret_cast<typename VectorWord<kLanes>::Pairs>(b);
  return reinterpret_cast<Word>(__builtin_shufflevector(
      wide_a, wide_b, (kAt / 2 * 2 + (kHigh ? 1 : 0) + (kAt % 2 == 1 ? kPairs : 0))...));
}

// In each group of four lanes: rows[i] lane j becomes rows[j] lane i.
template <size_t kLanes, typename Word>
inline void TransposeFours(Word* rows) {
  constexpr auto kAll = std::make_index_sequence<kLanes>();
  constexpr auto kPairs = std::make_index_sequence<kLanes / 2>();
  const Word low01 = ZipWords<kLanes, false>(rows[0], rows[1], kAll);
  const Word high01 = ZipWords<kLanes, true>(rows[0], rows[1], kAll);
  const Word low23 = ZipWords<kLanes, false>(rows[2], rows[3], kAll);
  const Word high23 = ZipWords<kLanes, true>(rows[2], rows[3], kAll);
  rows[0] = ZipPairs<kLanes, false>(low01, low23, kPairs);
  rows[1] = ZipPairs<kLanes, true>(low01, low23, kPairs);
  rows[2] = ZipPairs<kLanes, false>(high01, high23, kPairs);
  rows[3] = ZipPairs<kLanes, true>(high01, high23, kPairs);
}

// Half a vector from each of two places. The second is blended in while it is loaded, which costs
// less than a move between lanes of what is loaded already.
template <size_t kLanes, size_t... kAt>
inline typename VectorWord<kLanes>::Type LoadHalves(const uint8_t* low, const uint8_t* high,
                                                    std::index_sequence<kAt...>) {
#if defined(__AVX512F__)
  if constexpr (kLanes == 16) {
    constexpr __mmask8 kUpperHalf = 0xF0;
    const __m256i below = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(low));
    const __m256i above = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(high));
    return reinterpret_cast<VectorWord<16>::Type>(
        _mm512_mask_broadcast_i64x4(_mm512_castsi256_si512(below), kUpperHalf, above));
  }
#endif
  return __builtin_shufflevector(LoadWord<kLanes / 2>(low), LoadWord<kLanes / 2>(high), kAt...);
}

// Of two vectors, every second group of four lanes, beginning with the first or the second (kOdd).
template <size_t kLanes, bool kOdd, typename Word, size_t... kAt>
inline Word EverySecondFour(Word a, Word b, std::index_sequence<kAt...>) {
  return __builtin_shufflevector(a, b, (kAt / 4 * 8 + (kOdd ? 4 : 0) + kAt % 4)...);
}

// Rows so that transposing fours brings each word of a row into its column, or, of 16 lanes, a pair
// of words four apart into a pair of columns.
template <size_t kLanes>
inline void LoadRows(const uint8_t* const (&rows)[kLanes], size_t offset,
                     typename VectorWord<kLanes>::Type (&columns)[16]) {
  constexpr size_t kHalfBytes = 2 * kLanes;
  constexpr auto kAll = std::make_index_sequence<kLanes>();
  for (size_t at = 0; at < 16; ++at) {
    const size_t row = at % 4;
    const size_t group = at / 4;
    if constexpr (kLanes == 4) {
      columns[at] = LoadWord<kLanes>(rows[row] + offset + 16 * group);
    } else if constexpr (kLanes == 8) {
      const size_t from = offset + kHalfBytes * group;
      columns[at] = LoadHalves<kLanes>(rows[row] + from, rows[row + 4] + from, kAll);
    } else {
      const size_t from = offset + kHalfBytes * (group / 2);
      const size_t pair = row + group % 2 * 8;
      columns[at] = LoadHalves<kLanes>(rows[pair] + from, rows[pair + 4] + from, kAll);
    }
  }
}

template <size_t kLanes>
inline void UntangleFours(typename VectorWord<kLanes>::Type (&columns)[16]) {
  constexpr auto kAll = std::make_index_sequence<kLanes>();
  for (size_t half = 0; half < 16; half += 8) {
    for (size_t at = half; at < half + 4; ++at) {
      const auto a = columns[at];
      const auto b = columns[at + 4];
      columns[at] = EverySecondFour<kLanes, false>(a, b, kAll);
      columns[at + 4] = EverySecondFour<kLanes, true>(a, b, kAll);
    }
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
    LoadRows<kLanes>(rows, offset, columns);
    for (size_t group = 0; group < 16; group += 4) TransposeFours<kLanes>(columns + group);
    if constexpr (kLanes == 16) UntangleFours<kLanes>(columns);
  }
}

}  // namespace
}  // namespace gdo
