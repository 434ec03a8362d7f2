#include "core/wiegand.h"

#include "expect.h"

namespace gdo::test {
namespace {

constexpr uint64_t kUs = 1'000;
constexpr uint64_t kMs = 1'000'000;

// Sends `bit_count` bits, the interval before each but the first; gives the time of the last edge.
uint64_t Send(WiegandDecoder& decoder, uint64_t start_ns, uint64_t interval_ns,
              uint32_t bit_count) {
  uint64_t now_ns = start_ns;
  for (uint32_t bit = 0; bit < bit_count; ++bit) {
    if (bit != 0) now_ns += interval_ns;
    EXPECT(!decoder.Edge(bit % 2 == 1, now_ns).has_value());
  }
  return now_ns;
}

void EndsBySilence() {
  struct Case {
    uint64_t interval_ns;
    uint64_t gap_ns;
  };
  for (const Case& pace : {Case{200 * kUs, 3 * kMs}, Case{1 * kMs, 4 * kMs}, Case{2 * kMs, 8 * kMs},
                           Case{20 * kMs, 25 * kMs}}) {
    WiegandDecoder decoder;
    EXPECT(!decoder.DeadlineNs().has_value());
    const uint64_t last_ns = Send(decoder, 5 * kMs, pace.interval_ns, 26);
    EXPECT(decoder.DeadlineNs() == last_ns + pace.gap_ns);
    EXPECT(!decoder.Poll(last_ns + pace.gap_ns - 1).has_value());
    const auto frame = decoder.Poll(last_ns + pace.gap_ns);
    EXPECT(frame.has_value() && frame->bit_count == 26 && frame->last_edge_ns == last_ns);
    EXPECT(frame->fault == WiegandFault::kNone && frame->bits == 0x1555555);
    EXPECT(!decoder.Poll(last_ns + 100 * kMs).has_value());
  }
}

// One bit says nothing of the reader's pace: a slow reader's second bit still belongs to it.
void SlowReaderKeepsItsFirstBit() {
  WiegandDecoder decoder;
  EXPECT(!decoder.Edge(true, 0).has_value());
  EXPECT(decoder.DeadlineNs() == 25 * kMs);
  EXPECT(!decoder.Edge(false, 20 * kMs).has_value());
  EXPECT(decoder.Poll(45 * kMs)->bit_count == 2);
}

void NextCardEndsTheFrameBefore() {
  WiegandDecoder decoder;
  const uint64_t last_ns = Send(decoder, kMs, kMs, 26);
  const auto first = decoder.Edge(true, last_ns + 30 * kMs);
  EXPECT(first.has_value() && first->bit_count == 26 && first->last_edge_ns == last_ns);
  EXPECT(decoder.Poll(last_ns + 60 * kMs)->bit_count == 1);
}

// The gap follows the frame at hand, not the reader's past.
void EachFrameHasItsOwnPace() {
  WiegandDecoder decoder;
  const uint64_t slow_ns = Send(decoder, kMs, 20 * kMs, 26);
  EXPECT(decoder.Poll(slow_ns + 25 * kMs).has_value());
  const uint64_t fast_ns = Send(decoder, slow_ns + 100 * kMs, kMs, 26);
  EXPECT(decoder.DeadlineNs() == fast_ns + 4 * kMs);
}

void FlagsShortIntervals() {
  WiegandDecoder decoder;
  Send(decoder, kMs, kMs, 5);
  EXPECT(!decoder.Edge(true, 5 * kMs + 99 * kUs).has_value());  // The last edge was at 5 ms.
  EXPECT(!decoder.Edge(true, 4 * kMs).has_value());             // Time that goes back.
  const auto frame = decoder.Poll(100 * kMs);
  EXPECT(frame->fault == WiegandFault::kShortInterval && frame->bit_count == 7);
  EXPECT(frame->last_edge_ns == 5 * kMs + 99 * kUs);
  Send(decoder, 200 * kMs, 100 * kUs, 26);
  EXPECT(decoder.Poll(300 * kMs)->fault == WiegandFault::kNone);
}

void FlagsOverrunAndRecovers() {
  WiegandDecoder decoder;
  const uint64_t full_ns = Send(decoder, kMs, kMs, 64);
  EXPECT(decoder.Poll(full_ns + 4 * kMs)->fault == WiegandFault::kNone);
  const uint64_t last_ns = Send(decoder, 200 * kMs, kMs, 1'000);
  const auto frame = decoder.Poll(last_ns + 4 * kMs);
  EXPECT(frame->fault == WiegandFault::kOverrun && frame->bit_count == 64);
  EXPECT(frame->bits == 0x5555555555555555 && frame->last_edge_ns == last_ns);
  const uint64_t honest_ns = Send(decoder, last_ns + 30 * kMs, kMs, 26);
  EXPECT(decoder.Poll(honest_ns + 4 * kMs)->fault == WiegandFault::kNone);
}

}  // namespace

void TestWiegand() {
  EndsBySilence();
  SlowReaderKeepsItsFirstBit();
  NextCardEndsTheFrameBefore();
  EachFrameHasItsOwnPace();
  FlagsShortIntervals();
  FlagsOverrunAndRecovers();
}

}  // namespace gdo::test
