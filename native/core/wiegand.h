// Wiegand: two lines, a falling edge on D0 is a 0, on D1 a 1, and silence ends the frame. Decides
// where frames end [N5] and keeps the bits raw; what they mean is decided elsewhere.
#pragma once

#include <cstdint>
#include <optional>

namespace gdo {

enum class WiegandFault : uint8_t {
  kNone,
  kShortInterval,  // Two edges closer than a reader makes them: a bounce, or both lines at once.
  kOverrun,        // More bits than a frame may have; those past the limit are lost.
};

inline constexpr uint32_t kWiegandBitsMax = 64;

struct WiegandFrame {
  uint64_t bits;  // The first bit is the most significant of `bit_count`.
  uint32_t bit_count;
  uint64_t last_edge_ns;
  WiegandFault fault;
};

// No threads, no clock, no allocation: time comes in with the edges.
class WiegandDecoder {
 public:
  // Takes one edge. Gives the frame before it when the edge comes after that frame's gap.
  std::optional<WiegandFrame> Edge(bool is_one, uint64_t timestamp_ns);

  // When the open frame ends if no more edges come; none when no frame is open.
  std::optional<uint64_t> DeadlineNs() const;

  // Gives the open frame if its deadline has passed.
  std::optional<WiegandFrame> Poll(uint64_t now_ns);

 private:
  uint64_t GapNs() const;
  void Append(bool is_one, uint64_t timestamp_ns);
  void NoteInterval(uint64_t timestamp_ns);

  WiegandFrame frame_ = {};
  uint64_t longest_interval_ns_ = 0;
};

}  // namespace gdo
