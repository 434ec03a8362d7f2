#include "store/marks.h"

#include <algorithm>

namespace gdo::store {

void Marks::AddPack(uint32_t pack, std::span<const FooterEntry> entries, uint64_t end_bytes) {
  PackMarks& marks = packs_[pack];
  marks.offsets.reserve(entries.size());
  for (const FooterEntry& entry : entries) marks.offsets.push_back(entry.offset);
  std::sort(marks.offsets.begin(), marks.offsets.end());
  marks.end_bytes = end_bytes;
  marks.flags = std::make_unique<Flag[]>(entries.size());
}

bool Marks::Set(const Place& place, uint8_t flag) {
  Flag* const flags = FlagsAt(place);
  return flags != nullptr && (flags->fetch_or(flag) & flag) == 0;
}

void Marks::Clear(const Place& place) {
  Flag* const flags = FlagsAt(place);
  if (flags != nullptr) *flags = 0;
}

uint8_t Marks::Flags(const Place& place) const {
  const Flag* const flags = FlagsAt(place);
  return flags == nullptr ? uint8_t{0} : flags->load();
}

std::vector<Marks::Use> Marks::Uses() const {
  std::vector<Use> uses;
  for (const uint32_t pack : Packs()) {
    const PackMarks& marks = packs_.at(pack);
    Use use{pack, marks.offsets.size()};
    for (size_t at = 0; at < marks.offsets.size(); ++at) {
      if (marks.flags[at] == 0) continue;
      const bool is_last = at + 1 == marks.offsets.size();
      ++use.live_records;
      use.live_bytes += (is_last ? marks.end_bytes : marks.offsets[at + 1]) - marks.offsets[at];
    }
    uses.push_back(use);
  }
  return uses;
}

std::vector<uint32_t> Marks::Offsets(uint32_t pack) const {
  const auto found = packs_.find(pack);
  return found == packs_.end() ? std::vector<uint32_t>{} : found->second.offsets;
}

std::vector<uint32_t> Marks::Packs() const {
  std::vector<uint32_t> packs;
  packs.reserve(packs_.size());
  for (const auto& [pack, marks] : packs_) packs.push_back(pack);
  std::sort(packs.begin(), packs.end());
  return packs;
}

Marks::Flag* Marks::FlagsAt(const Place& place) const {
  const auto found = packs_.find(place.pack);
  if (found == packs_.end()) return nullptr;
  const PackMarks& marks = found->second;
  const auto at = std::lower_bound(marks.offsets.begin(), marks.offsets.end(), place.offset);
  if (at == marks.offsets.end() || *at != place.offset) return nullptr;
  return &marks.flags[static_cast<size_t>(at - marks.offsets.begin())];
}

}  // namespace gdo::store
