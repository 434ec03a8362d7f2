// The kernel itself, written once over a vector type: a lane is one input, and every operation acts
// on all lanes at once. Word is uint32_t (one lane) or a compiler vector of N uint32_t; both have
// the same operators, so every width is the same code and gives the same bits [N2].
//
// Include only from a file that is compiled for one processor target.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/blake3_kernel.h"
#include "core/little_endian.h"

namespace gdo::blake3 {

template <size_t kLanes>
struct LaneWord {
  typedef uint32_t Type __attribute__((vector_size(kLanes * sizeof(uint32_t))));
};
template <>
struct LaneWord<1> {
  using Type = uint32_t;
};

// Message word order of each round: the paper's permutation applied to the round before.
inline constexpr uint8_t kSchedule[7][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8},
    {3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1},
    {10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6},
    {12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4},
    {9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7},
    {11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13}};

template <size_t kLanes>
class Lanes {
 public:
  using Word = typename LaneWord<kLanes>::Type;

  // Runs the seven rounds on `state`. Feed-forward is the caller's.
  static inline void Permute(Word (&state)[16], const Word (&message)[16]) {
#pragma GCC unroll 7
    for (size_t round = 0; round < 7; ++round) {
      const uint8_t(&order)[16] = kSchedule[round];
      Mix(state, 0, 4, 8, 12, message[order[0]], message[order[1]]);
      Mix(state, 1, 5, 9, 13, message[order[2]], message[order[3]]);
      Mix(state, 2, 6, 10, 14, message[order[4]], message[order[5]]);
      Mix(state, 3, 7, 11, 15, message[order[6]], message[order[7]]);
      Mix(state, 0, 5, 10, 15, message[order[8]], message[order[9]]);
      Mix(state, 1, 6, 11, 12, message[order[10]], message[order[11]]);
      Mix(state, 2, 7, 8, 13, message[order[12]], message[order[13]]);
      Mix(state, 3, 4, 9, 14, message[order[14]], message[order[15]]);
    }
  }

  // Chunks `counter`, `counter` + 1, ... of an input, one to a lane.
  static void HashChunks(const uint8_t* bytes, const ChainingValue& key, uint64_t counter,
                         uint32_t flags, ChainingValue* out) {
    Word cv[8];
    for (size_t word = 0; word < 8; ++word) cv[word] = Broadcast(key[word]);
    Word counter_low = Broadcast(0);
    Word counter_high = Broadcast(0);
    for (size_t lane = 0; lane < kLanes; ++lane) {
      Set(counter_low, lane, static_cast<uint32_t>(counter + lane));
      Set(counter_high, lane, static_cast<uint32_t>((counter + lane) >> 32));
    }
    for (size_t at = 0; at < kChunkBytes; at += kBlockBytes) {
      Word message[16];
      for (size_t word = 0; word < 16; ++word) {
        message[word] = Broadcast(0);
        for (size_t lane = 0; lane < kLanes; ++lane) {
          Set(message[word], lane, LoadLittle32(bytes + lane * kChunkBytes + at + 4 * word));
        }
      }
      const uint32_t start = at == 0 ? kChunkStart : 0;
      const uint32_t end = at + kBlockBytes == kChunkBytes ? kChunkEnd : 0;
      Absorb(cv, message, counter_low, counter_high, flags | start | end);
    }
    Store(cv, out);
  }

  static void HashParents(const ChainingValue* children, const ChainingValue& key, uint32_t flags,
                          ChainingValue* out) {
    Word cv[8];
    for (size_t word = 0; word < 8; ++word) cv[word] = Broadcast(key[word]);
    Word message[16];
    for (size_t word = 0; word < 16; ++word) {
      message[word] = Broadcast(0);
      for (size_t lane = 0; lane < kLanes; ++lane) {
        Set(message[word], lane, children[2 * lane + word / 8][word % 8]);
      }
    }
    Absorb(cv, message, Broadcast(0), Broadcast(0), flags | kParent);
    Store(cv, out);
  }

 private:
  static inline Word Broadcast(uint32_t value) { return Word{} + value; }

  static inline void Set(Word& word, size_t lane, uint32_t value) {
    if constexpr (kLanes == 1) {
      word = value;
    } else {
      word[lane] = value;
    }
  }

  static inline uint32_t Get(const Word& word, size_t lane) {
    if constexpr (kLanes == 1) {
      return word;
    } else {
      return word[lane];
    }
  }

  static inline Word RotateRight(Word word, int bits) {
    return (word >> bits) | (word << (32 - bits));
  }

  static inline void Mix(Word (&v)[16], size_t a, size_t b, size_t c, size_t d, Word x, Word y) {
    v[a] = v[a] + v[b] + x;
    v[d] = RotateRight(v[d] ^ v[a], 16);
    v[c] = v[c] + v[d];
    v[b] = RotateRight(v[b] ^ v[c], 12);
    v[a] = v[a] + v[b] + y;
    v[d] = RotateRight(v[d] ^ v[a], 8);
    v[c] = v[c] + v[d];
    v[b] = RotateRight(v[b] ^ v[c], 7);
  }

  // One full block into every lane's chaining value.
  static inline void Absorb(Word (&cv)[8], const Word (&message)[16], Word counter_low,
                            Word counter_high, uint32_t flags) {
    Word state[16];
    for (size_t word = 0; word < 8; ++word) state[word] = cv[word];
    for (size_t word = 0; word < 4; ++word) state[8 + word] = Broadcast(kInitialValue[word]);
    state[12] = counter_low;
    state[13] = counter_high;
    state[14] = Broadcast(static_cast<uint32_t>(kBlockBytes));
    state[15] = Broadcast(flags);
    Permute(state, message);
    for (size_t word = 0; word < 8; ++word) cv[word] = state[word] ^ state[8 + word];
  }

  static inline void Store(const Word (&cv)[8], ChainingValue* out) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      for (size_t word = 0; word < 8; ++word) out[lane][word] = Get(cv[word], lane);
    }
  }
};

}  // namespace gdo::blake3
