#include "store/cutter.h"

#include <algorithm>
#include <vector>

#include "store/zeros.h"

namespace gdo::store {

void Cutter::Take(const Piece& piece) {
  if (piece.segment != nullptr) TakeData(piece);
  if (piece.zeros != 0) TakeZeros(piece.job, piece.zeros);
  if (!piece.is_end) return;
  while (!rest_.empty()) CutOne(piece.job);
  segment_.reset();
}

// Moves what is uncut in front of what is new.
void Cutter::TakeData(const Piece& piece) {
  const size_t room = piece.job->profile.bytes_max;
  const std::span<uint8_t> memory(piece.segment->memory);
  std::copy(rest_.begin(), rest_.end(), memory.data() + room - rest_.size());
  rest_ = memory.subspan(room - rest_.size(), rest_.size() + piece.bytes);
  segment_ = piece.segment;
  CutWhole(piece.job);
}

// Where nothing but zeros is left uncut, chunk after chunk of them has one length: they are
// counted, not made.
void Cutter::TakeZeros(const JobPointer& job, uint64_t zeros) {
  const size_t bytes_max = job->profile.bytes_max;
  while (zeros != 0 && !job->is_aborted) {
    if (IsAllZero(rest_)) {
      zeros += rest_.size();
      rest_ = {};
      if (zeros >= bytes_max) {
        const uint64_t cut = ZeroCut(job->profile);
        const uint64_t length = ((zeros - bytes_max) / cut + 1) * cut;
        emit_zeros_(job, length);
        zeros -= length;
      }
    }
    const size_t take = std::min<uint64_t>(zeros, bytes_max);
    const size_t kept = rest_.size();
    std::shared_ptr<Segment> segment = segments_.Take(kept + take);
    const std::span<uint8_t> memory(segment->memory);
    std::copy(rest_.begin(), rest_.end(), memory.begin());
    std::fill(memory.data() + kept, memory.data() + memory.size(), uint8_t{0});
    segment_ = std::move(segment);
    rest_ = memory;
    zeros -= take;
    CutWhole(job);
  }
}

void Cutter::CutWhole(const JobPointer& job) {
  while (rest_.size() >= job->profile.bytes_max && !job->is_aborted) CutOne(job);
  if (job->is_aborted) rest_ = {};
}

void Cutter::CutOne(const JobPointer& job) {
  const auto window = rest_.first(std::min(rest_.size(), job->profile.bytes_max));
  if (window.size() == job->profile.bytes_max && IsAllZero(window)) {
    const size_t cut = ZeroCut(job->profile);
    emit_zeros_(job, cut);
    rest_ = rest_.subspan(cut);
    return;
  }
  const size_t length = job->profile.first_cut(job->profile, window);
  const auto chunk = rest_.first(length);
  rest_ = rest_.subspan(length);
  if (IsAllZero(chunk)) {
    emit_zeros_(job, length);
  } else {
    emit_chunk_(job, segment_, chunk);
  }
}

// Where zeros as far as a profile looks are cut.
size_t Cutter::ZeroCut(const Profile& profile) {
  if (zero_profile_ != &profile) {
    const std::vector<uint8_t> zeros(profile.bytes_max);
    zero_cut_ = profile.first_cut(profile, zeros);
    zero_profile_ = &profile;
  }
  return zero_cut_;
}

}  // namespace gdo::store
