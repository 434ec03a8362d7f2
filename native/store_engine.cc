#include "store_engine.h"

#include <algorithm>
#include <thread>

namespace gdo {
namespace {

constexpr unsigned kWorkersMin = 2;
constexpr unsigned kWorkersMax = 4;  // Each has memory of its own.

}  // namespace

store::Ingest* StoreEngine::Ingesting() {
  const std::lock_guard lock(mutex_);
  if (is_stopped_) return nullptr;
  if (ingest_ == nullptr) ingest_ = std::make_unique<store::Ingest>(objects, Workers());
  return ingest_.get();
}

bool StoreEngine::StartRestore(const std::shared_ptr<store::RestoreJob>& job,
                               std::function<void()> on_done) {
  const std::lock_guard lock(mutex_);
  if (is_stopped_) return false;
  restores_.insert(job);
  job->on_done = [this, raw = job.get(), done = std::move(on_done)] {
    done();
    const std::lock_guard inner(mutex_);
    restores_.erase(raw->shared_from_this());
    restored_.notify_all();
  };
  job->Start(Workers());
  return true;
}

void StoreEngine::Stop() {
  std::unique_lock lock(mutex_);
  is_stopped_ = true;
  for (const auto& job : restores_) job->is_aborted = true;
  restored_.wait(lock, [this] { return restores_.empty(); });
  // Nobody starts anything from here on.
  lock.unlock();
  ingest_.reset();
  workers_.reset();
  objects.Close();
}

store::WorkerPool& StoreEngine::Workers() {
  if (workers_ == nullptr) {
    const unsigned cores = std::thread::hardware_concurrency();
    workers_ = std::make_unique<store::WorkerPool>(std::clamp(cores, kWorkersMin, kWorkersMax));
  }
  return *workers_;
}

}  // namespace gdo
