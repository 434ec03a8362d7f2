// Which stored chunks a new chunk of a file may lean on [T6]: those of the file's previous version
// around the place where it would stand there, else its own predecessors. One thread at a time.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "store/restore.h"
#include "store/segment.h"

namespace gdo::store {

// A chunk that is on its way into the store.
struct RecentChunk {
  ObjectId id;
  std::shared_ptr<Segment> segment;
  std::span<const uint8_t> bytes;
};

struct BasePlan {
  std::vector<ObjectId> stored;  // Of the previous version, in its order; or
  // those of them that stand where the chunk would stand there;
  size_t near_first = 0;
  size_t near_count = 0;
  std::vector<RecentChunk> recent;  // of this file, in its order.
};

class BasePlanner {
 public:
  // Without a previous version, or where it cannot be read, only predecessors are given.
  BasePlanner(ObjectStore& store, const std::optional<ObjectId>& previous);

  // Where the previous version has a chunk that the file has too, it is followed from there.
  void Known(const ObjectId& id, uint64_t offset);

  // The plan for a new chunk at this place of the file.
  BasePlan New(const RecentChunk& chunk, uint64_t offset);

  void Zeros() { group_.clear(); }

 private:
  void Advance(uint64_t position);
  void AddNeighbours(uint64_t start, uint64_t end, BasePlan& plan) const;

  std::optional<BlobWalk> walk_;
  // Part of the previous version, around the place where this one stands.
  std::deque<BlobWalk::Chunk> window_;
  std::unordered_map<ObjectId, uint64_t, IdHash> offsets_;
  int64_t shift_ = 0;  // From an offset here to the same content's offset there.
  std::vector<RecentChunk> group_;
};

}  // namespace gdo::store
