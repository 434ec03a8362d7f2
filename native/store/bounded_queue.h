// A queue between two threads. Push waits while it is full, Pop while it is empty.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace gdo::store {

template <typename Item>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t items_max) : items_max_(items_max) {}

  // Drops the item when the queue is closed.
  void Push(Item item) {
    std::unique_lock lock(mutex_);
    has_room_.wait(lock, [this] { return is_closed_ || items_.size() < items_max_; });
    if (is_closed_) return;
    items_.push_back(std::move(item));
    has_item_.notify_one();
  }

  // Empty when the queue is closed and has no more.
  std::optional<Item> Pop() {
    std::unique_lock lock(mutex_);
    has_item_.wait(lock, [this] { return is_closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    std::optional<Item> item(std::move(items_.front()));
    items_.pop_front();
    has_room_.notify_one();
    return item;
  }

  void Close() {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    has_room_.notify_all();
    has_item_.notify_all();
  }

 private:
  const size_t items_max_;
  std::mutex mutex_;
  std::condition_variable has_room_;
  std::condition_variable has_item_;
  std::deque<Item> items_;
  bool is_closed_ = false;
};

}  // namespace gdo::store
