// Chunks that others lean on, as read lately, in bounded memory. Any thread.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "store/record.h"

namespace gdo::store {

struct ReadChunk {
  RawBytes bytes;
  int depth = 0;  // How many more must be read in a row before this one can be [T6].
  // Whether the bytes have been found to have the id. Where they are only a step on the way to
  // others, it is theirs that tells [T10].
  mutable std::atomic<bool> is_verified = false;
};

using ChunkPointer = std::shared_ptr<const ReadChunk>;

class ChunkCache {
 public:
  explicit ChunkCache(size_t bytes_max) : bytes_left_(bytes_max) {}

  // Null when it is not here.
  ChunkPointer Find(const ObjectId& id);

  // In place of what there is.
  void Add(const ObjectId& id, ChunkPointer chunk);

 private:
  struct Entry {
    ObjectId id;
    ChunkPointer chunk;
  };

  std::mutex mutex_;
  size_t bytes_left_;
  std::list<Entry> entries_;  // Most recently used first.
  std::unordered_map<ObjectId, std::list<Entry>::iterator, IdHash> by_id_;
};

}  // namespace gdo::store
