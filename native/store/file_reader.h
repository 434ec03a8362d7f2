// Reads a file front to back into segments; holes are told, not read.
#pragma once

#include <functional>

#include "store/ingest_job.h"

namespace gdo::store {

class FileReader {
 public:
  using Emit = std::function<void(Piece)>;

  FileReader(SegmentPool& segments, Emit emit) : segments_(segments), emit_(std::move(emit)) {}

  // Emits the whole file and its end. Stops early when the job is aborted.
  void Read(const JobPointer& job);

 private:
  Outcome ReadAll(const JobPointer& job);
  Outcome ReadData(const JobPointer& job, uint64_t& offset, uint64_t end, bool& is_at_end);

  SegmentPool& segments_;
  const Emit emit_;
};

}  // namespace gdo::store
