// Cuts pieces of files into chunks and names them: same bytes, same cuts as the chunker of
// native/core [T2], with holes and zeros passed over. One thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "store/ingest_job.h"

namespace gdo::store {

class Cutter {
 public:
  // A chunk's bytes, which `segment` keeps.
  using EmitChunk =
      std::function<void(const JobPointer& job, const std::shared_ptr<Segment>& segment,
                         std::span<const uint8_t> bytes)>;
  using EmitZeros = std::function<void(const JobPointer& job, uint64_t length)>;

  Cutter(SegmentPool& segments, EmitChunk emit_chunk, EmitZeros emit_zeros)
      : segments_(segments),
        emit_chunk_(std::move(emit_chunk)),
        emit_zeros_(std::move(emit_zeros)) {}

  // Takes the next piece of a file; files come one after the other. The end cuts what is left.
  void Take(const Piece& piece);

 private:
  void TakeData(const Piece& piece);
  void TakeZeros(const JobPointer& job, uint64_t zeros);
  void CutWhole(const JobPointer& job);
  void CutOne(const JobPointer& job);
  size_t ZeroCut(const Profile& profile);

  SegmentPool& segments_;
  const EmitChunk emit_chunk_;
  const EmitZeros emit_zeros_;

  // What has not been cut yet: the end of `segment_`.
  std::shared_ptr<Segment> segment_;
  std::span<uint8_t> rest_;

  const Profile* zero_profile_ = nullptr;
  size_t zero_cut_ = 0;
};

}  // namespace gdo::store
