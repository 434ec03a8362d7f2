// Files into the store: read, cut, hash, look up, compress, append, each stage on its own thread.
//
//   reader ──pieces──▶ cutter ──items, in order──▶ appender ──▶ on_done
//                        └──new chunks──▶ workers ──records──┘
//
// Memory is bounded by the segments in use. Files follow each other without a pause. The store and
// the workers outlive it.
#pragma once

#include <thread>
#include <unordered_set>

#include "store/cutter.h"
#include "store/file_reader.h"
#include "store/ingest_job.h"
#include "store/object_store.h"
#include "store/worker_pool.h"

namespace gdo::store {

class Ingest {
 public:
  Ingest(ObjectStore& store, WorkerPool& workers);

  // Ends the jobs there are as aborted and joins the threads.
  ~Ingest();

  Ingest(const Ingest&) = delete;
  Ingest& operator=(const Ingest&) = delete;

  JobPointer MakeJob(int fd, uint64_t bytes_max, const Profile& profile);
  void Start(JobPointer job);

 private:
  void ReadJobs();
  void CutPieces();
  void AppendItems();

  void TakeChunk(const JobPointer& job, const std::shared_ptr<Segment>& segment,
                 std::span<const uint8_t> bytes);
  void TakeZeros(const JobPointer& job, uint64_t length);
  bool Claim(const ObjectId& id);
  void Encode(const ItemPointer& item);

  Outcome Append(CutItem& item);
  Outcome AppendChunk(CutItem& item);
  static void End(CutItem& item);

  ObjectStore& store_;
  WorkerPool& workers_;
  std::atomic<bool> is_stopped_ = false;
  SegmentPool segments_;
  BoundedQueue<JobPointer> jobs_;
  BoundedQueue<Piece> pieces_;
  BoundedQueue<ItemPointer> items_;

  // The cutting thread's: of the file it is at.
  std::unique_ptr<BasePlanner> planner_;
  uint64_t cut_offset_ = 0;

  // New chunks that are not in the store's index yet: the second of two equal ones is known.
  std::mutex in_flight_mutex_;
  std::unordered_set<ObjectId, IdHash> in_flight_;

  Outcome last_failure_;  // The appending thread's.

  std::thread reader_;
  std::thread cutter_;
  std::thread appender_;
};

}  // namespace gdo::store
