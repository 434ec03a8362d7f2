// Which records of a store's packs are needed [T11]: a byte and an offset for each record. Any
// thread, once the packs are told.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "store/index.h"
#include "store/record.h"

namespace gdo::store {

class Marks {
 public:
  // Named: reachable from what is kept by name. Leaned on: needed only to read others [T6].
  static constexpr uint8_t kNamed = 1;
  static constexpr uint8_t kLeaned = 2;

  // What a pack holds up to `end_bytes`. Packs that are not told are nobody's business.
  void AddPack(uint32_t pack, std::span<const FooterEntry> entries, uint64_t end_bytes);

  bool Knows(const Place& place) const { return FlagsAt(place) != nullptr; }
  // False when it had the flag before, or is not known.
  bool Set(const Place& place, uint8_t flag);
  void Clear(const Place& place);
  uint8_t Flags(const Place& place) const;

  struct Use {
    uint32_t pack;
    uint64_t records = 0;
    uint64_t live_records = 0;
    uint64_t live_bytes = 0;
  };
  // Ascending by pack.
  std::vector<Use> Uses() const;

  // Of a pack's records, ascending.
  std::vector<uint32_t> Offsets(uint32_t pack) const;

  std::vector<uint32_t> Packs() const;

 private:
  using Flag = std::atomic<uint8_t>;
  struct PackMarks {
    std::vector<uint32_t> offsets;  // Ascending.
    uint64_t end_bytes = 0;
    std::unique_ptr<Flag[]> flags;
  };

  Flag* FlagsAt(const Place& place) const;

  std::unordered_map<uint32_t, PackMarks> packs_;
};

}  // namespace gdo::store
