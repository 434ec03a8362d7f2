// A blob out of the store into an open file, several chunks at a time on several threads. Every
// chunk's id is checked before a byte of it is written [T10]; runs of zeros stay holes.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "store/blob_node.h"
#include "store/object_store.h"
#include "store/worker_pool.h"

namespace gdo::store {

// Goes through the chunks of a blob, from front to back, holding one node a level.
class BlobWalk {
 public:
  BlobWalk(ObjectStore& store, const ObjectId& root) : store_(store), root_(root) {}

  struct Chunk {
    BlobEntry entry;
    uint64_t offset;
  };

  // The next chunk, runs of zeros passed over. False at the end, or with `fault` set.
  bool Next(Chunk& out, Outcome& fault);

  // Of all that has been passed; at the end, the blob's length.
  uint64_t Offset() const { return offset_; }

 private:
  struct Level {
    BlobNode node;
    size_t next = 0;
  };

  Outcome Enter(const ObjectId& id, const BlobEntry* expected);

  ObjectStore& store_;
  const ObjectId root_;
  std::vector<Level> levels_;
  uint64_t offset_ = 0;
  bool is_begun_ = false;
};

class RestoreJob : public std::enable_shared_from_this<RestoreJob> {
 public:
  // The caller keeps `fd`, a new empty file, open until on_done, which is called on any thread.
  RestoreJob(ObjectStore& store, const ObjectId& root, int fd)
      : fd_(fd), store_(store), walk_(store, root) {}

  void Start(WorkerPool& workers);

  std::atomic<bool> is_aborted = false;
  std::function<void(uint64_t written_bytes)> on_progress;
  std::function<void()> on_done;

  // In on_done.
  const Outcome& Failure() const { return fault_; }
  uint64_t Length() const { return walk_.Offset(); }

 private:
  using Batch = std::vector<BlobWalk::Chunk>;

  void Work();
  Batch NextBatch();
  Outcome Write(const Batch& batch);
  Outcome TryWrite(const Batch& batch);
  Outcome ReadRecords(const Batch& batch, std::vector<Place>& places, RawBytes& records);
  void Fail(Fault fault);
  void EndWorker();

  const int fd_;
  ObjectStore& store_;
  std::atomic<size_t> workers_left_ = 0;
  std::mutex mutex_;  // Guards the rest.
  BlobWalk walk_;
  uint64_t written_bytes_ = 0;
  bool is_at_end_ = false;
  Outcome fault_;
};

}  // namespace gdo::store
