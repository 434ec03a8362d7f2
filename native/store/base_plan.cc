#include "store/base_plan.h"

#include <algorithm>
#include <limits>

namespace gdo::store {
namespace {

// 2 GiB of a file in chunks of 64 KiB, some 3 MiB of memory.
constexpr size_t kWindowChunks = 32768;
// Chunks that lean on each other in a row, the first of which leans on none.
constexpr size_t kGroupChunks = 4;
constexpr size_t kGroupBases = 1;
// Of a chunk of the previous version that stands in another's place: with less of it, it is not
// worth its id.
constexpr uint64_t kOverlapBytesMin = 1024;

uint64_t EndOf(const BlobWalk::Chunk& chunk) { return chunk.offset + chunk.entry.length; }

uint64_t Distance(const BlobWalk::Chunk& chunk, uint64_t start, uint64_t end) {
  if (EndOf(chunk) <= start) return start - EndOf(chunk);
  return chunk.offset >= end ? chunk.offset - end : 0;
}

uint64_t Overlap(const BlobWalk::Chunk& chunk, uint64_t start, uint64_t end) {
  const uint64_t from = std::max(chunk.offset, start);
  const uint64_t to = std::min(EndOf(chunk), end);
  return from < to ? to - from : 0;
}

}  // namespace

BasePlanner::BasePlanner(ObjectStore& store, const std::optional<ObjectId>& previous) {
  if (previous.has_value()) walk_.emplace(store, *previous);
}

void BasePlanner::Known(const ObjectId& id, uint64_t offset) {
  group_.clear();
  Advance(static_cast<uint64_t>(std::max<int64_t>(0, static_cast<int64_t>(offset) + shift_)));
  const auto found = offsets_.find(id);
  if (found == offsets_.end()) return;
  shift_ = static_cast<int64_t>(found->second) - static_cast<int64_t>(offset);
}

BasePlan BasePlanner::New(const RecentChunk& chunk, uint64_t offset) {
  const int64_t start = static_cast<int64_t>(offset) + shift_;
  const int64_t end = start + static_cast<int64_t>(chunk.bytes.size());
  BasePlan plan;
  if (end > 0) {
    Advance(static_cast<uint64_t>(end));
    AddNeighbours(static_cast<uint64_t>(std::max<int64_t>(0, start)), static_cast<uint64_t>(end),
                  plan);
  }
  if (!plan.stored.empty()) {
    group_.clear();
    return plan;
  }
  if (group_.size() == kGroupChunks) group_.clear();
  plan.recent.assign(group_.end() - static_cast<ptrdiff_t>(std::min(group_.size(), kGroupBases)),
                     group_.end());
  group_.push_back(chunk);
  return plan;
}

// Reads the previous version on, so far that half of the window lies ahead, and forgets what lies
// behind.
void BasePlanner::Advance(uint64_t position) {
  while (walk_.has_value()) {
    const bool is_enough =
        window_.size() >= kWindowChunks && window_[kWindowChunks / 2].offset > position;
    if (is_enough) return;
    BlobWalk::Chunk chunk;
    Outcome fault;
    if (!walk_->Next(chunk, fault)) {
      walk_.reset();
      return;
    }
    window_.push_back(chunk);
    offsets_[chunk.entry.id] = chunk.offset;
    if (window_.size() <= kWindowChunks) continue;
    const auto found = offsets_.find(window_.front().entry.id);
    if (found != offsets_.end() && found->second == window_.front().offset) offsets_.erase(found);
    window_.pop_front();
  }
}

// Up to four that follow each other: those that overlap the range, and the nearest beside them.
void BasePlanner::AddNeighbours(uint64_t start, uint64_t end, BasePlan& plan) const {
  auto low = std::partition_point(window_.begin(), window_.end(),
                                  [start](const auto& chunk) { return EndOf(chunk) <= start; });
  auto high = std::partition_point(low, window_.end(),
                                   [end](const auto& chunk) { return chunk.offset < end; });
  while (low != high) {
    const uint64_t first = Overlap(*low, start, end);
    const uint64_t last = Overlap(*(high - 1), start, end);
    const bool is_few = high - low <= static_cast<ptrdiff_t>(kBasesMax);
    if (is_few && (std::min(first, last) >= kOverlapBytesMin || high - low == 1)) break;
    if (first < last) {
      ++low;
    } else {
      --high;
    }
  }
  const auto near_low = low;
  const auto near_high = high;
  const auto far = std::numeric_limits<uint64_t>::max();
  while (high - low < static_cast<ptrdiff_t>(kBasesMax)) {
    const uint64_t below = low == window_.begin() ? far : Distance(*(low - 1), start, end);
    const uint64_t above = high == window_.end() ? far : Distance(*high, start, end);
    // Beyond a neighbour's own length there is nothing alike.
    if (std::min(below, above) > (end - start)) break;
    if (above <= below) {
      ++high;
    } else {
      --low;
    }
  }
  for (auto chunk = low; chunk != high; ++chunk) plan.stored.push_back(chunk->entry.id);
  plan.near_first = near_low == near_high ? 0 : static_cast<size_t>(near_low - low);
  plan.near_count =
      near_low == near_high ? plan.stored.size() : static_cast<size_t>(near_high - near_low);
}

}  // namespace gdo::store
