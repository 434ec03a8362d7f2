#include "store/index/page.h"

#include <algorithm>
#include <cstring>

#include "core/crc32c.h"
#include "core/little_endian.h"

namespace gdo::store {
namespace {

constexpr size_t kCrcOffset = kPageBytes - 4;
constexpr size_t kFenceBytes = 8;
constexpr size_t kFiltersOffset = kBlocksPerGroup * kFenceBytes;
// A Bloom filter of 8.3 bits a row (Bloom 1970); six bits a row are about the best for that.
constexpr size_t kFilterBytes = 96;
constexpr size_t kFilterBits = kFilterBytes * 8;
constexpr size_t kFilterProbes = 6;
// The id's bytes that choose the filter's bits: not those of the prefix, which a block's ids share.
constexpr size_t kProbeOffset = 8;

static_assert(kRowsPerBlock * kRowBytes <= kCrcOffset);
static_assert(kFiltersOffset + kBlocksPerGroup * kFilterBytes <= kCrcOffset);
static_assert(kProbeOffset + kFilterProbes * 2 <= kIdBytes);

// Ids are hashes: any two bytes of one are as good as a hash of it.
size_t FilterBit(const ObjectId& id, size_t probe) {
  const uint8_t* const bytes = id.data() + kProbeOffset + probe * 2;
  const size_t word = bytes[0] | size_t{bytes[1]} << 8;
  return (word * kFilterBits) >> 16;
}

}  // namespace

uint64_t PrefixOf(const ObjectId& id) {
  uint64_t prefix = 0;
  for (size_t at = 0; at < kFenceBytes; ++at) prefix = prefix << 8 | id[at];
  return prefix;
}

bool IsPageSound(PageView page) {
  return LoadLittle32(page.data() + kCrcOffset) == Crc32c(page.first(kCrcOffset));
}

void SealPage(PageSpan page) {
  StoreLittle32(page.data() + kCrcOffset, Crc32c(page.first(kCrcOffset)));
}

void EncodeBlock(std::span<const Row> rows, PageSpan page) {
  std::fill(page.begin(), page.end(), uint8_t{0});
  uint8_t* at = page.data();
  for (const Row& row : rows) {
    std::copy(row.id.begin(), row.id.end(), at);
    StoreLittle32(at + 32, row.place.pack);
    StoreLittle32(at + 36, row.place.offset);
    StoreLittle32(at + 40, row.place.record_bytes);
    at += kRowBytes;
  }
  SealPage(page);
}

Row RowOf(PageView block, size_t row) {
  const uint8_t* const at = block.data() + row * kRowBytes;
  return {LoadId(at), {LoadLittle32(at + 32), LoadLittle32(at + 36), LoadLittle32(at + 40)}};
}

size_t LowerBound(PageView block, size_t count, const ObjectId& id) {
  size_t low = 0;
  for (size_t high = count; low < high;) {
    const size_t middle = (low + high) / 2;
    const bool is_below = std::memcmp(block.data() + middle * kRowBytes, id.data(), kIdBytes) < 0;
    (is_below ? low : high) = is_below ? middle + 1 : middle;
  }
  return low;
}

void SummarizeBlock(std::span<const Row> rows, size_t slot, PageSpan summary) {
  std::copy_n(rows.front().id.begin(), kFenceBytes, summary.data() + slot * kFenceBytes);
  uint8_t* const filter = summary.data() + kFiltersOffset + slot * kFilterBytes;
  for (const Row& row : rows) {
    for (size_t probe = 0; probe < kFilterProbes; ++probe) {
      const size_t bit = FilterBit(row.id, probe);
      filter[bit / 8] |= static_cast<uint8_t>(1U << (bit % 8));
    }
  }
}

uint64_t FenceOf(PageView summary, size_t slot) {
  uint64_t fence = 0;
  for (size_t at = 0; at < kFenceBytes; ++at) {
    fence = fence << 8 | summary[slot * kFenceBytes + at];
  }
  return fence;
}

bool IsSummary(PageView page, size_t blocks) {
  for (size_t slot = 1; slot < kBlocksPerGroup; ++slot) {
    const bool is_right =
        slot < blocks ? FenceOf(page, slot - 1) <= FenceOf(page, slot) : FenceOf(page, slot) == 0;
    if (!is_right) return false;
  }
  return true;
}

bool MayHold(PageView summary, size_t slot, const ObjectId& id) {
  const uint8_t* const filter = summary.data() + kFiltersOffset + slot * kFilterBytes;
  for (size_t probe = 0; probe < kFilterProbes; ++probe) {
    const size_t bit = FilterBit(id, probe);
    if ((filter[bit / 8] >> (bit % 8) & 1) == 0) return false;
  }
  return true;
}

}  // namespace gdo::store
