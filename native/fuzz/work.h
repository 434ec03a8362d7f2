// Runs the store's jobs to their end.
#pragma once

#include <atomic>
#include <memory>

#include "store/ingest.h"
#include "store/restore.h"

namespace gdo::fuzz {

inline store::WorkerPool& Workers() {
  static store::WorkerPool workers(2);
  return workers;
}

// What is restored into `fd`, a new empty file.
inline std::shared_ptr<store::RestoreJob> Restore(store::ObjectStore& store,
                                                  const store::ObjectId& blob, int fd) {
  auto job = std::make_shared<store::RestoreJob>(store, blob, fd);
  std::atomic<bool> is_done = false;
  job->on_done = [&is_done] {
    is_done = true;
    is_done.notify_one();
  };
  job->Start(Workers());
  is_done.wait(false);
  return job;
}

}  // namespace gdo::fuzz
