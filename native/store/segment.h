// Memory that data is read into, and how much of it there may be at once.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "store/record.h"

namespace gdo::store {

// A stretch of a file. In front there is room for what the stretch before left uncut, so that
// every chunk is in one piece.
struct Segment {
  RawBytes memory;
};

// Hands out segments as long as those in use have fewer than bytes_max. Any thread.
class SegmentPool {
 public:
  explicit SegmentPool(size_t bytes_max) : bytes_left_(bytes_max) {}

  // Waits for memory. At most bytes_max.
  std::shared_ptr<Segment> Take(size_t bytes);

 private:
  void Give(std::unique_ptr<Segment> segment);

  std::mutex mutex_;
  std::condition_variable has_room_;
  size_t bytes_left_;
  std::vector<std::unique_ptr<Segment>> free_;  // Large ones: to ask the kernel for each is slow.
};

}  // namespace gdo::store
