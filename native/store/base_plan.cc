#include "store/base_plan.h"

#include <algorithm>
#include <limits>

namespace gdo::store {
namespace {

// 2 GiB of a file in chunks of 64 KiB, some 3 MiB of memory.
constexpr size_t kWindowChunks = 32768;
// Chunks that lean on each other in a row, the first of which leans on none.
constexpr size_t kGroupChunks = 4;
constexpr size_t kGroupBases = 2;

uint64_t Distance(const BlobWalk::Chunk& chunk, uint64_t start, uint64_t end) {
  const uint64_t chunk_end = chunk.offset + chunk.entry.length;
  if (chunk_end <= start) return start - chunk_end;
  return chunk.offset >= end ? chunk.offset - end : 0;
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
    plan.stored =
        Neighbours(static_cast<uint64_t>(std::max<int64_t>(0, start)), static_cast<uint64_t>(end));
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
std::vector<ObjectId> BasePlanner::Neighbours(uint64_t start, uint64_t end) const {
  const auto first = std::partition_point(
      window_.begin(), window_.end(),
      [start](const auto& chunk) { return chunk.offset + chunk.entry.length <= start; });
  auto low = first;
  auto high = first;
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
  std::vector<ObjectId> ids;
  for (auto chunk = low; chunk != high; ++chunk) ids.push_back(chunk->entry.id);
  return ids;
}

}  // namespace gdo::store
