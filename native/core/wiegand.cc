#include "core/wiegand.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace gdo {
namespace {

constexpr uint64_t kGapMinNs = 3'000'000;
constexpr uint64_t kGapMaxNs = 25'000'000;
constexpr uint64_t kGapIntervals = 4;

// Readers space their edges 200 us to 20 ms; half of the least leaves room for a coarse time stamp.
constexpr uint64_t kIntervalMinNs = 100'000;

}  // namespace

// While one bit is all there is, the reader's pace is unknown: the slowest is allowed for.
uint64_t WiegandDecoder::GapNs() const {
  if (frame_.bit_count < 2) return kGapMaxNs;
  if (longest_interval_ns_ >= kGapMaxNs / kGapIntervals) return kGapMaxNs;
  return std::max(kGapIntervals * longest_interval_ns_, kGapMinNs);
}

std::optional<uint64_t> WiegandDecoder::DeadlineNs() const {
  if (frame_.bit_count == 0) return std::nullopt;
  // A time stamp from the end of the range must not make the deadline one of long ago.
  const uint64_t left = std::numeric_limits<uint64_t>::max() - frame_.last_edge_ns;
  return frame_.last_edge_ns + std::min(GapNs(), left);
}

std::optional<WiegandFrame> WiegandDecoder::Edge(bool is_one, uint64_t timestamp_ns) {
  const std::optional<WiegandFrame> ended = Poll(timestamp_ns);
  Append(is_one, timestamp_ns);
  return ended;
}

std::optional<WiegandFrame> WiegandDecoder::Poll(uint64_t now_ns) {
  const std::optional<uint64_t> deadline = DeadlineNs();
  if (!deadline.has_value() || now_ns < *deadline) return std::nullopt;
  longest_interval_ns_ = 0;
  return std::exchange(frame_, WiegandFrame{});
}

void WiegandDecoder::Append(bool is_one, uint64_t timestamp_ns) {
  if (frame_.bit_count != 0) NoteInterval(timestamp_ns);
  frame_.last_edge_ns = std::max(frame_.last_edge_ns, timestamp_ns);
  if (frame_.bit_count == kWiegandBitsMax) {
    frame_.fault = WiegandFault::kOverrun;
    return;
  }
  frame_.bits = (frame_.bits << 1) | (is_one ? 1 : 0);
  frame_.bit_count += 1;
}

// A time stamp that goes back counts as no interval at all.
void WiegandDecoder::NoteInterval(uint64_t timestamp_ns) {
  const uint64_t interval_ns =
      timestamp_ns > frame_.last_edge_ns ? timestamp_ns - frame_.last_edge_ns : 0;
  longest_interval_ns_ = std::max(longest_interval_ns_, interval_ns);
  if (interval_ns < kIntervalMinNs && frame_.fault == WiegandFault::kNone) {
    frame_.fault = WiegandFault::kShortInterval;
  }
}

}  // namespace gdo
