// The pages of an index's run [T9]: docs/design/pack-format.md is the specification. Pure.
//
// A run is groups of pages, and a tail. A group is up to 39 blocks of 93 sorted rows, then a
// summary: for each of its blocks where it begins and a filter of the ids in it. So a look-up reads
// one block, and a run can be written front to back in the memory of one group.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "store/object_id.h"
#include "store/place.h"

namespace gdo::store {

struct Row {
  ObjectId id;
  Place place;
};

inline constexpr size_t kPageBytes = 4096;
inline constexpr size_t kRowBytes = 44;
inline constexpr size_t kRowsPerBlock = 93;
inline constexpr size_t kBlocksPerGroup = 39;
inline constexpr size_t kRowsPerGroup = kRowsPerBlock * kBlocksPerGroup;

using Page = std::array<uint8_t, kPageBytes>;
using PageView = std::span<const uint8_t, kPageBytes>;
using PageSpan = std::span<uint8_t, kPageBytes>;

// The first 8 bytes of an id, as a number that sorts like the id.
uint64_t PrefixOf(const ObjectId& id);

// A page ends with the checksum of what is before it.
bool IsPageSound(PageView page);
void SealPage(PageSpan page);

// A block's rows, at most kRowsPerBlock, ascending by id.
void EncodeBlock(std::span<const Row> rows, PageSpan page);
Row RowOf(PageView block, size_t row);
// The first of a block's `count` rows that is not below the id.
size_t LowerBound(PageView block, size_t count, const ObjectId& id);

// Whether a page can be the summary of so many blocks: a block of rows has a right checksum too.
bool IsSummary(PageView page, size_t blocks);

// What a summary says of the block at `slot`, which has these rows. It begins as zeros.
void SummarizeBlock(std::span<const Row> rows, size_t slot, PageSpan summary);
// The prefix of the block's first id.
uint64_t FenceOf(PageView summary, size_t slot);
// False only if the block does not hold the id; true of 2 % of those that it does not hold.
bool MayHold(PageView summary, size_t slot, const ObjectId& id);

}  // namespace gdo::store
