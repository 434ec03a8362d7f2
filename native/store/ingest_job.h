// One file on its way into the store, and what travels between the stages.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/profile.h"
#include "store/base_plan.h"
#include "store/chunk_list.h"
#include "store/segment.h"

namespace gdo::store {

struct IngestCounts {
  uint64_t read_bytes = 0;    // Of the file, holes included.
  uint64_t new_chunks = 0;    // That the store did not have.
  uint64_t new_bytes = 0;     // Theirs, uncompressed.
  uint64_t stored_bytes = 0;  // Of their records.
};

struct IngestJob {
  // The caller keeps `fd` open until on_done.
  IngestJob(int file, uint64_t limit, const Profile& cut_by, ChunkList::PutNode put)
      : fd(file), bytes_max(limit), profile(cut_by), list(cut_by.name, std::move(put)) {}

  // The blob of an earlier version of the file, to lean on [T6].
  std::optional<ObjectId> previous;

  const int fd;
  const uint64_t bytes_max;  // No more is read: a file that grows all the time has an end too.
  const Profile& profile;
  std::atomic<bool> is_aborted = false;

  // Called on the appending thread: progress after pieces of work, done once, last.
  std::function<void(const IngestCounts&)> on_progress;
  std::function<void()> on_done;

  // The appending thread's; the caller's in on_done.
  ChunkList list;
  IngestCounts counts;
  Outcome fault;
  ObjectId root{};
};

using JobPointer = std::shared_ptr<IngestJob>;

// From the reading to the cutting thread: data, or zeros, or the end.
struct Piece {
  JobPointer job;
  std::shared_ptr<Segment> segment;  // With room for profile.bytes_max in front of the data.
  size_t bytes = 0;
  uint64_t zeros = 0;
  bool is_end = false;
  Outcome fault;  // At the end: why the file could not be read.
};

// From the cutting to the appending thread, in the file's order.
struct CutItem {
  JobPointer job;
  uint64_t length = 0;
  ObjectId id = kZerosId;
  bool is_end = false;
  Outcome fault;

  // Of a chunk that the store lacks: its bytes, and the record that a worker makes of them.
  std::span<const uint8_t> bytes;
  std::shared_ptr<Segment> segment;
  BasePlan plan;
  std::vector<ObjectId> bases;  // What the record leans on.
  Bytes record;
  std::atomic<bool> is_ready = true;
};

using ItemPointer = std::shared_ptr<CutItem>;

}  // namespace gdo::store
