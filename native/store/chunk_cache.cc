#include "store/chunk_cache.h"

namespace gdo::store {

ChunkPointer ChunkCache::Find(const ObjectId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return entries_.front().chunk;
}

void ChunkCache::Add(const ObjectId& id, ChunkPointer chunk) {
  const std::lock_guard lock(mutex_);
  const size_t size = chunk->bytes.size();
  if (const auto found = by_id_.find(id); found != by_id_.end()) {
    bytes_left_ += found->second->chunk->bytes.size();
    entries_.erase(found->second);
    by_id_.erase(found);
  }
  while (bytes_left_ < size && !entries_.empty()) {
    bytes_left_ += entries_.back().chunk->bytes.size();
    by_id_.erase(entries_.back().id);
    entries_.pop_back();
  }
  if (bytes_left_ < size) return;
  bytes_left_ -= size;
  entries_.push_front({id, std::move(chunk)});
  by_id_[id] = entries_.begin();
}

}  // namespace gdo::store
