#include "core/fast_cdc.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/md5.h"

namespace gdo {
namespace {

using GearTable = std::array<uint64_t, 256>;

GearTable MakeGearTable() {
  GearTable table;
  for (size_t byte = 0; byte < table.size(); ++byte) {
    std::array<uint8_t, 64> same;
    same.fill(static_cast<uint8_t>(byte));
    const Md5Digest digest = Md5(same);
    uint64_t word = 0;
    for (size_t at = 0; at < 8; ++at) word = (word << 8) | digest[at];
    table[byte] = word;
  }
  return table;
}

const GearTable& Gear() {
  static const GearTable table = MakeGearTable();
  return table;
}

// Masks of 5 to 21 bits as the authors' own programs have them. Their bits are spread, which widens
// the window; nothing derives them.
constexpr int kBitsMin = 5;
constexpr uint64_t kMasks[] = {0x0000000001804110, 0x0000000001803110, 0x0000000018035100,
                               0x0000001800035300, 0x0000019000353000, 0x0000590003530000,
                               0x0000d90003530000, 0x0000d90103530000, 0x0000d90303530000,
                               0x0000d90313530000, 0x0000d90f03530000, 0x0000d90303537000,
                               0x0000d90703537000, 0x0000d90707537000, 0x0000d91707537000,
                               0x0000d91747537000, 0x0000d91767537000};

uint64_t MaskOf(int bits) { return kMasks[bits - kBitsMin]; }

struct Range {
  size_t center;  // Where the mask changes.
  size_t end;
};

Range RangeOf(const FastCdc& rule, size_t size) {
  const size_t end = std::min(size, rule.bytes_max);
  return {std::min(rule.bytes_average, end), end};
}

}  // namespace

FastCdc FastCdcOf(size_t bytes_min, size_t bytes_average, size_t bytes_max, int level) {
  const int bits = static_cast<int>(std::lround(std::log2(static_cast<double>(bytes_average))));
  return {bytes_min, bytes_average, bytes_max, MaskOf(bits + level), MaskOf(bits - level)};
}

uint64_t GearOf(uint8_t byte) { return Gear()[byte]; }

size_t FastCdc2016Cut(const FastCdc& rule, std::span<const uint8_t> bytes) {
  if (bytes.size() <= rule.bytes_min) return bytes.size();
  const uint64_t* const gear = Gear().data();
  const uint8_t* const at = bytes.data();
  const Range range = RangeOf(rule, bytes.size());
  uint64_t hash = 0;
  size_t index = rule.bytes_min;
  for (; index < range.center; ++index) {
    hash = (hash << 1) + gear[at[index]];
    if ((hash & rule.mask_small) == 0) return index;
  }
  for (; index < range.end; ++index) {
    hash = (hash << 1) + gear[at[index]];
    if ((hash & rule.mask_large) == 0) return index;
  }
  return range.end;
}

size_t FastCdc2020Cut(const FastCdc& rule, std::span<const uint8_t> bytes) {
  if (bytes.size() <= rule.bytes_min) return bytes.size();
  const uint64_t* const gear = Gear().data();
  const Range range = RangeOf(rule, bytes.size());
  uint64_t hash = 0;
  // The first byte of a pair is judged one place further left, where the pair's shift has put it.
  const auto pair_cut = [&](size_t index, uint64_t mask) -> size_t {
    hash = (hash << 2) + (gear[bytes[index]] << 1);
    if ((hash & (mask << 1)) == 0) return index;
    hash += gear[bytes[index + 1]];
    return (hash & mask) == 0 ? index + 1 : 0;
  };
  size_t index = rule.bytes_min / 2 * 2;
  for (; index < range.center / 2 * 2; index += 2) {
    if (const size_t cut = pair_cut(index, rule.mask_small)) return cut;
  }
  for (; index < range.end / 2 * 2; index += 2) {
    if (const size_t cut = pair_cut(index, rule.mask_large)) return cut;
  }
  return range.end;
}

}  // namespace gdo
