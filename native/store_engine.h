// What one open pack store runs natively: the objects and the threads that work on them.
// Owner: shared by its JavaScript object and the calls in flight. Threads: any; Stop once, on the
// JavaScript thread, before the environment ends [N4].
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "store/ingest.h"
#include "store/object_store.h"
#include "store/restore.h"
#include "store/worker_pool.h"

namespace gdo {

class StoreEngine {
 public:
  StoreEngine(const std::string& folder, uint64_t pack_bytes_max)
      : objects(folder, pack_bytes_max) {}
  ~StoreEngine() { Stop(); }
  StoreEngine(const StoreEngine&) = delete;
  StoreEngine& operator=(const StoreEngine&) = delete;

  // Null when it has been stopped. Threads start with the first use.
  store::Ingest* Ingesting();

  // False when it has been stopped. `on_done` is called in any case otherwise.
  bool StartRestore(const std::shared_ptr<store::RestoreJob>& job, std::function<void()> on_done);

  // Aborts what is under way, waits for its end and ends the threads.
  void Stop();

  store::ObjectStore objects;

 private:
  store::WorkerPool& Workers();

  std::mutex mutex_;
  std::condition_variable restored_;
  bool is_stopped_ = false;
  std::unique_ptr<store::WorkerPool> workers_;
  std::unique_ptr<store::Ingest> ingest_;
  std::unordered_set<std::shared_ptr<store::RestoreJob>> restores_;
};

}  // namespace gdo
