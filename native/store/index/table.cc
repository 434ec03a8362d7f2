#include "store/index/table.h"

#include <algorithm>
#include <bit>

namespace gdo::store {
namespace {

constexpr size_t kSlotsMin = 1024;

// Seven tenths of the slots are used at most.
size_t SlotsFor(size_t count) { return std::max(kSlotsMin, std::bit_ceil(count * 10 / 7 + 1)); }

}  // namespace

Table::Table() : slots_(kSlotsMin) {}

const Place* Table::Find(const ObjectId& id) const {
  const Row& slot = slots_[SlotOf(id)];
  return slot.place.record_bytes == 0 ? nullptr : &slot.place;
}

bool Table::Set(const ObjectId& id, const Place& place) {
  Row& slot = slots_[SlotOf(id)];
  const bool is_new = slot.place.record_bytes == 0;
  if (is_new || IsLater(place, slot.place)) slot = {id, place};
  if (!is_new) return false;
  ++count_;
  if (SlotsFor(count_) > slots_.size()) {
    Resize(slots_.size() * 2, [](const Row&) { return true; });
  }
  return true;
}

void Table::Filter(const std::function<bool(const Row&)>& is_kept) {
  size_t kept = 0;
  ForEach([&](const Row& row) { kept += is_kept(row) ? 1 : 0; });
  if (kept < count_) Resize(SlotsFor(kept), is_kept);
}

// The id's slot, or the free one where it would go. There always is a free one.
size_t Table::SlotOf(const ObjectId& id) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = IdHash{}(id)&mask;
  while (slots_[slot].place.record_bytes != 0 && slots_[slot].id != id) slot = (slot + 1) & mask;
  return slot;
}

void Table::Resize(size_t slots, const std::function<bool(const Row&)>& is_kept) {
  std::vector<Row> old(slots);
  old.swap(slots_);
  count_ = 0;
  for (const Row& row : old) {
    if (row.place.record_bytes == 0 || !is_kept(row)) continue;
    slots_[SlotOf(row.id)] = row;
    ++count_;
  }
}

}  // namespace gdo::store
