// The window-minimum loop, written once over a vector type. Four unaligned loads, one byte apart,
// hold the word that ends at every position of a block; the hash needs no table, so all positions
// of a block are hashed at once. A group of blocks is only looked at closer if it holds a hash
// not above the least so far, which happens about ln(range / group) times and where words repeat.
// Where exactly the least hash stands is asked at the end, of the groups that hold it.
//
// The loop works on the complement of the hash, because x * K - 1 is ~(x * -K): the greatest
// complement is the least hash, and the addition is saved.
//
// `Ops` is what plain operators cannot say: kLanes, HasAbove. Only for a kernel's file.
#pragma once

#include "core/kernel.h"
#include "core/vector_word.h"
#include "core/window_hash.h"

namespace gdo {
namespace {

template <typename Ops>
class WindowLanes {
 public:
  static size_t Minimum(const uint8_t* bytes, size_t first, size_t last) {
    if (first >= last || last - first < kGroup) return ScalarMinimum(bytes, first, last);
    Search search;
    size_t at = first;
    for (; last - at >= kGroup; at += kGroup) {
      Prefetch(bytes + at);
      Look(bytes, at, search);
    }
    // The rest, with some of what was seen: a position counts once, however often it is seen.
    if (at != last) Look(bytes, last - kGroup, search);
    return search.greatest == 0 ? last : Best(bytes, last, search);
  }

 private:
  using Word = typename VectorWord<Ops::kLanes>::Type;
  static constexpr size_t kBlock = sizeof(Word);
  static constexpr size_t kGroup = 4 * kBlock;
  static_assert(kWindowOffset == 0xFFFFFFFF);

  // Groups with the same least hash that are remembered; from the last of them on, all positions
  // are asked.
  static constexpr size_t kTiesMax = 16;
  // What the processor's own prefetching, which stops at each page, leaves to be waited for.
  static constexpr size_t kPrefetchBytes = 4096;
  static constexpr size_t kLineBytes = 64;

  struct Search {
    uint32_t greatest = 0;  // The least hash's complement; 0 cannot win.
    size_t count = 0;
    size_t groups[kTiesMax];  // Where the groups with that hash begin.
  };

  static inline Word Max(Word a, Word b) { return a > b ? a : b; }

  static inline Word ComplementOf(const uint8_t* end) {
    const Word older = LoadWord<Ops::kLanes>(end - 8);
    const Word newer = LoadWord<Ops::kLanes>(end - 4);
    return (newer ^ RotateRight<Ops::kLanes, 32 - kWindowRotation>(older)) *
           (0 - kWindowMultiplier);
  }

  static inline Word OfBlock(const uint8_t* end) {
    return Max(Max(ComplementOf(end), ComplementOf(end + 1)),
               Max(ComplementOf(end + 2), ComplementOf(end + 3)));
  }

  static inline void Look(const uint8_t* bytes, size_t at, Search& search) {
    const uint8_t* const end = bytes + at;
    const Word greatest = Max(Max(OfBlock(end), OfBlock(end + kBlock)),
                              Max(OfBlock(end + 2 * kBlock), OfBlock(end + 3 * kBlock)));
    const uint32_t too_great = search.greatest - (search.greatest == 0 ? 0 : 1);
    if (Ops::HasAbove(greatest, Word{} + too_great)) [[unlikely]]
      Note(greatest, at, search);
  }

  static inline void Note(Word greatest, size_t at, Search& search) {
    uint32_t lanes[Ops::kLanes];
    std::memcpy(lanes, &greatest, sizeof lanes);
    uint32_t found = 0;
    for (const uint32_t lane : lanes) {
      if (lane > found) found = lane;
    }
    if (found != search.greatest) search.count = 0;
    search.greatest = found;
    if (search.count != kTiesMax) search.groups[search.count++] = at;
  }

  static inline void Prefetch(const uint8_t* end) {
    for (size_t line = 0; line < kGroup; line += kLineBytes) {
      __builtin_prefetch(end + kPrefetchBytes + line);
    }
  }

  static size_t Best(const uint8_t* bytes, size_t last, const Search& search) {
    const uint32_t hash = ~search.greatest;
    RankedPosition best = {last, 0};
    for (size_t group = 0; group < search.count; ++group) {
      const size_t from = search.groups[group];
      const size_t to = group + 1 == kTiesMax ? last : from + kGroup;
      for (size_t at = from; at != to; ++at) {
        if (WindowHashOf(bytes + at) != hash) continue;
        if (best.position == last) {
          best = {at, WindowRankOf(bytes + at)};
        } else {
          best.Take(bytes, at);
        }
      }
    }
    return best.position;
  }
};

}  // namespace
}  // namespace gdo
