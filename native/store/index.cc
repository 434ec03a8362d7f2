#include "store/index.h"

#include <mutex>

namespace gdo::store {
namespace {

constexpr size_t kSlotsMin = 1024;

}  // namespace

Index::Index() : slots_(kSlotsMin) {}

std::optional<Place> Index::Find(const ObjectId& id) const {
  const std::shared_lock lock(mutex_);
  const Slot& slot = slots_[SlotOf(id)];
  if (slot.place.record_bytes == 0) return std::nullopt;
  return slot.place;
}

bool Index::Has(const ObjectId& id) const {
  const std::shared_lock lock(mutex_);
  return slots_[SlotOf(id)].place.record_bytes != 0 && !damaged_.contains(id);
}

void Index::Set(const ObjectId& id, const Place& place) {
  const std::unique_lock lock(mutex_);
  Slot& slot = slots_[SlotOf(id)];
  if (slot.place.record_bytes == 0) ++count_;
  slot = {id, place};
  damaged_.erase(id);
  if (count_ * 10 > slots_.size() * 7) Grow();
}

void Index::MarkDamaged(const ObjectId& id) {
  const std::unique_lock lock(mutex_);
  damaged_.insert(id);
}

void Index::DropPacks(std::span<const uint32_t> packs) {
  const std::unordered_set<uint32_t> dropped(packs.begin(), packs.end());
  const std::unique_lock lock(mutex_);
  std::vector<Slot> old(slots_.size());
  old.swap(slots_);
  for (Slot& slot : old) {
    if (slot.place.record_bytes == 0 || !dropped.contains(slot.place.pack)) continue;
    damaged_.erase(slot.id);
    slot.place.record_bytes = 0;
    --count_;
  }
  Refill(old);
}

size_t Index::Count() const {
  const std::shared_lock lock(mutex_);
  return count_;
}

std::vector<ObjectId> Index::Ids(size_t& cursor, size_t count) const {
  const std::shared_lock lock(mutex_);
  std::vector<ObjectId> ids;
  for (; cursor < slots_.size() && ids.size() < count; ++cursor) {
    const Slot& slot = slots_[cursor];
    if (slot.place.record_bytes != 0 && !damaged_.contains(slot.id)) ids.push_back(slot.id);
  }
  return ids;
}

// The id's slot, or the free one where it would go. There always is a free one.
size_t Index::SlotOf(const ObjectId& id) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = IdHash{}(id)&mask;
  while (slots_[slot].place.record_bytes != 0 && slots_[slot].id != id) slot = (slot + 1) & mask;
  return slot;
}

void Index::Grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  Refill(old);
}

void Index::Refill(const std::vector<Slot>& slots) {
  for (const Slot& slot : slots) {
    if (slot.place.record_bytes != 0) slots_[SlotOf(slot.id)] = slot;
  }
}

}  // namespace gdo::store
