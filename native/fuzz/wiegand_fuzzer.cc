// [N5] Frames end where the rule says, whatever the edges: compared with the rule in other words.
#include <limits>
#include <optional>

#include "core/wiegand.h"
#include "stream.h"

namespace gdo::fuzz {
namespace {

struct Edge {
  bool is_one;
  uint64_t at_ns;
};

constexpr uint64_t kMillisecondNs = 1'000'000;

// Where the frame of these edges ends; numbers past the last are as good as never.
uint64_t EndOf(const std::vector<Edge>& edges) {
  uint64_t newest = 0;
  uint64_t longest = 0;
  for (size_t index = 0; index < edges.size(); ++index) {
    const uint64_t at = edges[index].at_ns;
    if (index != 0 && at > newest) longest = std::max(longest, at - newest);
    newest = std::max(newest, at);
  }
  uint64_t gap = 25 * kMillisecondNs;
  if (edges.size() > 1) gap = std::clamp(std::min(longest, gap) * 4, 3 * kMillisecondNs, gap);
  const uint64_t never = std::numeric_limits<uint64_t>::max();
  return newest > never - gap ? never : newest + gap;
}

void CheckFrame(const WiegandFrame& frame, const std::vector<Edge>& edges) {
  FUZZ_CHECK(!edges.empty());
  uint64_t bits = 0;
  uint64_t newest = 0;
  bool is_short = false;
  for (size_t index = 0; index < edges.size(); ++index) {
    const auto& [is_one, at] = edges[index];
    if (index < kWiegandBitsMax) bits = bits << 1 | (is_one ? 1 : 0);
    is_short = is_short || (index != 0 && (at <= newest || at - newest < 100'000));
    newest = std::max(newest, at);
  }
  FUZZ_CHECK(frame.bit_count == std::min<size_t>(edges.size(), kWiegandBitsMax));
  FUZZ_CHECK(frame.bits == bits);
  FUZZ_CHECK(frame.last_edge_ns == newest);
  const WiegandFault expected = edges.size() > kWiegandBitsMax ? WiegandFault::kOverrun
                                : is_short                     ? WiegandFault::kShortInterval
                                                               : WiegandFault::kNone;
  FUZZ_CHECK(frame.fault == expected);
}

class Model {
 public:
  void Poll(uint64_t now_ns) { Take(decoder_.Poll(now_ns), now_ns); }

  void Add(const Edge& edge) {
    Take(decoder_.Edge(edge.is_one, edge.at_ns), edge.at_ns);
    edges_.push_back(edge);
    FUZZ_CHECK(decoder_.DeadlineNs() == EndOf(edges_));
  }

 private:
  void Take(const std::optional<WiegandFrame>& frame, uint64_t now_ns) {
    const bool is_due = !edges_.empty() && now_ns >= EndOf(edges_);
    FUZZ_CHECK(frame.has_value() == is_due);
    if (!frame.has_value()) return;
    CheckFrame(*frame, edges_);
    edges_.clear();
  }

  WiegandDecoder decoder_;
  std::vector<Edge> edges_;
};

// Steps as readers make them, and steps that none makes.
uint64_t Step(FuzzedDataProvider& input, uint64_t now_ns) {
  switch (input.ConsumeIntegralInRange(0, 4)) {
    case 0:
      return now_ns + input.ConsumeIntegralInRange<uint64_t>(0, 150'000);
    case 1:
      return now_ns + input.ConsumeIntegralInRange<uint64_t>(0, 30 * kMillisecondNs);
    case 2:
      return now_ns - std::min<uint64_t>(now_ns, input.ConsumeIntegral<uint32_t>());
    case 3:
      return input.ConsumeIntegral<uint64_t>();
    default:
      return now_ns + kMillisecondNs;
  }
}

}  // namespace

void Try(FuzzedDataProvider& input) {
  Model model;
  uint64_t now_ns = 0;
  while (input.remaining_bytes() != 0) {
    now_ns = Step(input, now_ns);
    const auto action = input.ConsumeIntegralInRange<uint8_t>(0, 3);
    if (action == 3) {
      model.Poll(now_ns);
    } else {
      model.Add({action == 1, now_ns});
    }
  }
}

}  // namespace gdo::fuzz
