// The window-minimum loop, written once over a vector type. Four unaligned loads, one byte apart,
// hold the word that ends at every position of a block; the hash needs no table, so all positions
// of a block are hashed at once. A group of blocks is only looked at closer if it holds a hash
// below the least so far, which happens about ln(range / group) times; where exactly that hash
// stands is asked once, of the last such group.
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
    Search search{last, 0};
    size_t at = first;
    for (; last - at >= kGroup; at += kGroup) Look(bytes, at, search);
    // The rest, with some of what was seen: that cannot be above itself.
    if (at != last) Look(bytes, last - kGroup, search);
    if (search.group == last) return last;
    return FirstEqual(bytes + search.group, ~search.greatest) + search.group;
  }

 private:
  using Word = typename VectorWord<Ops::kLanes>::Type;
  static constexpr size_t kBlock = sizeof(Word);
  static constexpr size_t kGroup = 4 * kBlock;
  static_assert(kWindowOffset == 0xFFFFFFFF);

  struct Search {
    size_t group;       // Where the first group with the least hash begins.
    uint32_t greatest;  // That hash's complement; 0 cannot win.
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
    if (Ops::HasAbove(greatest, Word{} + search.greatest)) [[unlikely]] {
      uint32_t lanes[Ops::kLanes];
      std::memcpy(lanes, &greatest, sizeof lanes);
      for (const uint32_t lane : lanes) {
        if (lane > search.greatest) search.greatest = lane;
      }
      search.group = at;
    }
  }

  static size_t FirstEqual(const uint8_t* end, uint32_t hash) {
    size_t at = 0;
    while (WindowHashOf(end + at) != hash) ++at;
    return at;
  }
};

}  // namespace
}  // namespace gdo
