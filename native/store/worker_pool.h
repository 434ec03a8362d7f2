// A few threads that run tasks in the order they are given. Tasks do not wait for other tasks.
#pragma once

#include <functional>
#include <limits>
#include <thread>
#include <vector>

#include "store/bounded_queue.h"

namespace gdo::store {

class WorkerPool {
 public:
  using Task = std::function<void()>;

  explicit WorkerPool(size_t threads) : size_(threads) {
    for (size_t thread = 0; thread < threads; ++thread) {
      threads_.emplace_back([this] {
        while (std::optional<Task> task = tasks_.Pop()) (*task)();
      });
    }
  }

  // Runs what has been given, then ends.
  ~WorkerPool() {
    tasks_.Close();
    for (std::thread& thread : threads_) thread.join();
  }

  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  size_t Size() const { return size_; }
  void Run(Task task) { tasks_.Push(std::move(task)); }

 private:
  const size_t size_;
  BoundedQueue<Task> tasks_{std::numeric_limits<size_t>::max()};
  std::vector<std::thread> threads_;
};

}  // namespace gdo::store
