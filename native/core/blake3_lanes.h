// BLAKE3's kernel, written once over a vector type: a lane is one input, and every operation acts
// on all lanes at once. A word is uint32_t (one lane) or a compiler vector of N uint32_t; both have
// the same operators, so every width is the same code and gives the same bits [N2].
//
// Only for a kernel's file: see kernel.h for why all of it has internal linkage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "core/blake3_kernel.h"
#include "core/kernel.h"
#include "core/vector_word.h"

namespace gdo::blake3 {
namespace {

// Message word order of each round: the paper's permutation applied to the round before.
inline constexpr uint8_t kSchedule[7][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8},
    {3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1},
    {10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6},
    {12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4},
    {9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7},
    {11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13}};

inline constexpr size_t kCvWords = 8;
inline constexpr uint32_t kStart[4] = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A};

template <size_t kLanes>
class Lanes {
 public:
  using Word = typename VectorWord<kLanes>::Type;

  // Runs the seven rounds on `state`. Feed-forward is the caller's.
  static inline void Permute(Word (&state)[16], const Word (&message)[16]) {
    Round<0>(state, message);
    Round<1>(state, message);
    Round<2>(state, message);
    Round<3>(state, message);
    Round<4>(state, message);
    Round<5>(state, message);
    Round<6>(state, message);
  }

  // `count` chunks that follow each other, the first of them number `counter` of its input, one to
  // a lane. Where there are fewer than lanes, the last is hashed again in the lanes left.
  static void HashChunks(const uint8_t* bytes, size_t count, const uint32_t* key, uint64_t counter,
                         uint32_t flags, uint32_t* out) {
    const uint8_t* rows[kLanes];
    uint32_t low[kLanes];
    uint32_t high[kLanes];
    for (size_t lane = 0; lane < kLanes; ++lane) {
      rows[lane] = bytes + Input(lane, count) * kChunkBytes;
      low[lane] = static_cast<uint32_t>(counter + lane);
      high[lane] = static_cast<uint32_t>((counter + lane) >> 32);
    }
    const Word counter_low = LoadWord<kLanes>(low);
    const Word counter_high = LoadWord<kLanes>(high);
    Word cv[kCvWords];
    SetKey(key, cv);
    for (size_t at = 0; at < kChunkBytes; at += kBlockBytes) {
      Word message[16];
      LoadColumns<kLanes>(rows, at, message);
      // The next chunks of these lanes; a prefetch past the input's end is harmless.
      for (size_t lane = 0; lane < kLanes; ++lane) {
        __builtin_prefetch(rows[lane] + kLanes * kChunkBytes + at);
      }
      const uint32_t start = at == 0 ? kChunkStart : 0;
      const uint32_t end = at + kBlockBytes == kChunkBytes ? kChunkEnd : 0;
      Absorb(cv, message, counter_low, counter_high, flags | start | end);
    }
    Store(cv, count, out);
  }

  // `count` pairs of children, in the same way.
  static void HashParents(const uint32_t* children, size_t count, const uint32_t* key,
                          uint32_t flags, uint32_t* out) {
    static_assert(kLanes == 1 || std::endian::native == std::endian::little);
    Word message[16];
    if constexpr (kLanes == 1) {
      for (size_t word = 0; word < 16; ++word) message[word] = children[word];
    } else {
      const uint8_t* rows[kLanes];
      for (size_t lane = 0; lane < kLanes; ++lane) {
        rows[lane] = reinterpret_cast<const uint8_t*>(children + Input(lane, count) * 2 * kCvWords);
      }
      LoadColumns<kLanes>(rows, 0, message);
    }
    Word cv[kCvWords];
    SetKey(key, cv);
    Absorb(cv, message, Broadcast(0), Broadcast(0), flags | kParent);
    Store(cv, count, out);
  }

 private:
  static inline Word Broadcast(uint32_t value) { return Word{} + value; }

  static inline size_t Input(size_t lane, size_t count) { return lane < count ? lane : count - 1; }

  static inline void SetKey(const uint32_t* key, Word (&cv)[kCvWords]) {
    for (size_t word = 0; word < kCvWords; ++word) cv[word] = Broadcast(key[word]);
  }

  template <size_t kRound>
  static inline void Round(Word (&state)[16], const Word (&message)[16]) {
    constexpr const uint8_t(&kOrder)[16] = kSchedule[kRound];
    MixFour<0>(state, message, kOrder);
    MixFour<1>(state, message, kOrder + 8);
  }

  // Four quarters of the state that touch nothing of each other, in step: columns, or diagonals
  // (kShift 1). Written one after the other they would wait for their own results.
  template <size_t kShift>
  static inline void MixFour(Word (&v)[16], const Word (&message)[16], const uint8_t* order) {
    HalfMix<kShift, 16, 12>(v, message, order);
    HalfMix<kShift, 8, 7>(v, message, order + 1);
  }

  template <size_t kShift, int kTurnD, int kTurnB>
  static inline void HalfMix(Word (&v)[16], const Word (&message)[16], const uint8_t* order) {
    const auto b = [](size_t at) { return 4 + (at + kShift) % 4; };
    const auto c = [](size_t at) { return 8 + (at + 2 * kShift) % 4; };
    const auto d = [](size_t at) { return 12 + (at + 3 * kShift) % 4; };
    for (size_t a = 0; a < 4; ++a) v[a] += message[order[2 * a]];
    for (size_t a = 0; a < 4; ++a) v[a] += v[b(a)];
    for (size_t a = 0; a < 4; ++a) v[d(a)] ^= v[a];
    for (size_t at = 12; at < 16; ++at) v[at] = RotateRight<kLanes, kTurnD>(v[at]);
    for (size_t a = 0; a < 4; ++a) v[c(a)] += v[d(a)];
    for (size_t a = 0; a < 4; ++a) v[b(a)] ^= v[c(a)];
    for (size_t at = 4; at < 8; ++at) v[at] = RotateRight<kLanes, kTurnB>(v[at]);
  }

  // One full block into every lane's chaining value.
  static inline void Absorb(Word (&cv)[kCvWords], const Word (&message)[16], Word counter_low,
                            Word counter_high, uint32_t flags) {
    Word state[16];
    for (size_t word = 0; word < kCvWords; ++word) state[word] = cv[word];
    for (size_t word = 0; word < 4; ++word) state[8 + word] = Broadcast(kStart[word]);
    state[12] = counter_low;
    state[13] = counter_high;
    state[14] = Broadcast(static_cast<uint32_t>(kBlockBytes));
    state[15] = Broadcast(flags);
    Permute(state, message);
    for (size_t word = 0; word < kCvWords; ++word) cv[word] = state[word] ^ state[8 + word];
  }

  static inline void Store(const Word (&cv)[kCvWords], size_t count, uint32_t* out) {
    if constexpr (kLanes == 1) {
      for (size_t word = 0; word < kCvWords; ++word) out[word] = cv[word];
    } else {
      Word fours[kCvWords];
      for (size_t word = 0; word < kCvWords; ++word) fours[word] = cv[word];
      TransposeFours<kLanes>(fours);
      TransposeFours<kLanes>(fours + 4);
      uint32_t words[kCvWords][kLanes];
      std::memcpy(words, fours, sizeof words);
      for (size_t lane = 0; lane < count; ++lane) {
        uint32_t* const to = out + lane * kCvWords;
        std::memcpy(to, words[lane % 4] + lane / 4 * 4, 16);
        std::memcpy(to + 4, words[4 + lane % 4] + lane / 4 * 4, 16);
      }
    }
  }
};

// Takes as many inputs at a time as the first width has lanes. What is left is taken by the
// narrowest width that takes all of it: lanes that hash something twice cost less than more rounds.
template <size_t kWidth, size_t... kNarrower>
struct Blake3Widths {
  static void HashChunks(const uint8_t* bytes, size_t count, const uint32_t* key, uint64_t counter,
                         uint32_t flags, uint32_t* out) {
    while (count > kNext) {
      const size_t take = count < kWidth ? count : kWidth;
      Lanes<kWidth>::HashChunks(bytes, take, key, counter, flags, out);
      bytes += take * kChunkBytes;
      counter += take;
      out += take * kCvWords;
      count -= take;
    }
    if constexpr (kNext != 0) {
      Blake3Widths<kNarrower...>::HashChunks(bytes, count, key, counter, flags, out);
    }
  }

  static void HashParents(const uint32_t* children, size_t count, const uint32_t* key,
                          uint32_t flags, uint32_t* out) {
    while (count > kNext) {
      const size_t take = count < kWidth ? count : kWidth;
      Lanes<kWidth>::HashParents(children, take, key, flags, out);
      children += take * 2 * kCvWords;
      out += take * kCvWords;
      count -= take;
    }
    if constexpr (kNext != 0) {
      Blake3Widths<kNarrower...>::HashParents(children, count, key, flags, out);
    }
  }

 private:
  static constexpr size_t kNext = [] {
    const size_t narrower[] = {kNarrower..., 0};
    return narrower[0];
  }();
};

}  // namespace
}  // namespace gdo::blake3
