// [T2] The same bytes have the same cuts, for any split into pieces, with every profile; [N2] every
// kernel finds the same minimum. The store's cutter, which passes over zeros, cuts alike.
#include <array>
#include <memory>

#include "core/chunker.h"
#include "core/kernel.h"
#include "core/window_hash.h"
#include "store/cutter.h"
#include "stream.h"

namespace gdo::fuzz {
namespace {

constexpr size_t kBytesMax = 600'000;
constexpr size_t kSegmentBytesMax = size_t{12} * 1024 * 1024;
constexpr std::array kProfiles = {"min8-64k",        "min8-16k",        "fixed-64k",
                                  "fastcdc2016-16k", "fastcdc2016-64k", "fastcdc2020-16k",
                                  "fastcdc2020-64k", "buzhash-casync"};

std::vector<Cut> CutWhole(const Profile& profile, std::span<const uint8_t> bytes) {
  Chunker chunker(profile);
  std::vector<Cut> cuts;
  chunker.Update(bytes, cuts);
  chunker.Finish(cuts);
  return cuts;
}

void CheckCover(const Profile& profile, std::span<const uint8_t> bytes,
                const std::vector<Cut>& cuts) {
  uint64_t offset = 0;
  for (const Cut& cut : cuts) {
    FUZZ_CHECK(cut.offset == offset && cut.length > 0 && cut.length <= profile.bytes_max);
    offset += cut.length;
    FUZZ_CHECK(cut.length >= profile.bytes_min || offset == bytes.size());
  }
  FUZZ_CHECK(offset == bytes.size());
}

void CheckSplit(const Profile& profile, std::span<const uint8_t> bytes, uint64_t seed,
                const std::vector<Cut>& expected) {
  Chunker chunker(profile);
  std::vector<Cut> cuts;
  InPieces(bytes, seed, [&](std::span<const uint8_t> piece) { chunker.Update(piece, cuts); });
  chunker.Finish(cuts);
  FUZZ_CHECK(std::equal(cuts.begin(), cuts.end(), expected.begin(), expected.end(),
                        [](const Cut& left, const Cut& right) {
                          return left.offset == right.offset && left.length == right.length &&
                                 left.id == right.id;
                        }));
}

void CheckKernels(const Profile& profile, std::span<const uint8_t> bytes) {
  if (bytes.size() < kWindowBytes) return;
  const size_t last = std::min(bytes.size(), profile.bytes_max);
  const size_t first = std::clamp(profile.bytes_min, kWindowBytes, last);
  const size_t expected = kScalarKernel.window_minimum(bytes.data(), first, last);
  for (const Kernel* const kernel : Kernels()) {
    if (!kernel->is_present()) continue;
    FUZZ_CHECK(kernel->window_minimum(bytes.data(), first, last) == expected);
  }
}

// A piece that is all zeros may come as a hole, as a file's reader tells it.
store::Piece PieceOf(const store::JobPointer& job, store::SegmentPool& segments,
                     std::span<const uint8_t> bytes, bool may_be_hole) {
  store::Piece piece;
  piece.job = job;
  if (may_be_hole && std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; })) {
    piece.zeros = bytes.size();
    return piece;
  }
  const size_t room = job->profile.bytes_max;
  piece.segment = segments.Take(room + bytes.size());
  std::copy(bytes.begin(), bytes.end(),
            piece.segment->memory.begin() + static_cast<ptrdiff_t>(room));
  piece.bytes = bytes.size();
  return piece;
}

void CheckCutter(const Profile& profile, std::span<const uint8_t> bytes, uint64_t seed,
                 const std::vector<Cut>& expected) {
  store::SegmentPool segments(kSegmentBytesMax);
  const auto job = std::make_shared<store::IngestJob>(-1, bytes.size(), profile, nullptr);
  uint64_t offset = 0;
  std::vector<uint64_t> ends;
  store::Cutter cutter(
      segments,
      [&](const store::JobPointer&, const auto&, std::span<const uint8_t> chunk) {
        FUZZ_CHECK(
            std::equal(chunk.begin(), chunk.end(), bytes.begin() + static_cast<ptrdiff_t>(offset)));
        ends.push_back(offset += chunk.size());
      },
      [&](const store::JobPointer&, uint64_t length) { offset += length; });
  Noise noise(seed);
  InPieces(bytes, seed, [&](std::span<const uint8_t> piece) {
    cutter.Take(PieceOf(job, segments, piece, noise.Below(2) == 0));
  });
  store::Piece end;
  end.job = job;
  end.is_end = true;
  cutter.Take(end);
  FUZZ_CHECK(offset == bytes.size());
  for (const uint64_t end_of_chunk : ends) {
    FUZZ_CHECK(std::any_of(expected.begin(), expected.end(), [end_of_chunk](const Cut& cut) {
      return cut.offset + cut.length == end_of_chunk;
    }));
  }
}

}  // namespace

void Try(FuzzedDataProvider& input) {
  const Profile& profile = *FindProfile(input.PickValueInArray(kProfiles));
  const uint64_t seed = input.ConsumeIntegral<uint64_t>();
  const Bytes bytes = Expand(input, kBytesMax);
  const std::vector<Cut> cuts = CutWhole(profile, bytes);
  CheckCover(profile, bytes, cuts);
  CheckSplit(profile, bytes, seed, cuts);
  CheckCutter(profile, bytes, seed, cuts);
  CheckKernels(profile, bytes);
}

}  // namespace gdo::fuzz
