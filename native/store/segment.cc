#include "store/segment.h"

namespace gdo::store {
namespace {

constexpr size_t kKeptBytesMin = size_t{256} * 1024;
constexpr size_t kKeptMax = 8;

}  // namespace

std::shared_ptr<Segment> SegmentPool::Take(size_t bytes) {
  std::unique_lock lock(mutex_);
  has_room_.wait(lock, [&] { return bytes_left_ >= bytes; });
  bytes_left_ -= bytes;
  std::unique_ptr<Segment> segment;
  if (bytes >= kKeptBytesMin && !free_.empty()) {
    segment = std::move(free_.back());
    free_.pop_back();
  }
  lock.unlock();
  if (segment == nullptr) segment = std::make_unique<Segment>();
  segment->memory.resize(bytes);
  return {segment.release(), [this](Segment* used) { Give(std::unique_ptr<Segment>(used)); }};
}

void SegmentPool::Give(std::unique_ptr<Segment> segment) {
  const std::lock_guard lock(mutex_);
  const size_t bytes = segment->memory.size();
  bytes_left_ += bytes;
  if (bytes >= kKeptBytesMin && free_.size() < kKeptMax) free_.push_back(std::move(segment));
  has_room_.notify_all();
}

}  // namespace gdo::store
