// Where each object lies. Any thread.
#pragma once

#include <optional>
#include <shared_mutex>
#include <span>
#include <unordered_set>
#include <vector>

#include "store/object_id.h"

namespace gdo::store {

// A record's place. `record_bytes` is never 0.
struct Place {
  uint32_t pack;
  uint32_t offset;
  uint32_t record_bytes;

  bool operator==(const Place&) const = default;
};

class Index {
 public:
  Index();

  std::optional<Place> Find(const ObjectId& id) const;

  // Whether the object is held and not known to be damaged.
  bool Has(const ObjectId& id) const;

  // A later place of the same id replaces an earlier one: it was written because that one was
  // damaged.
  void Set(const ObjectId& id, const Place& place);

  // [T10] From now on it counts as missing, so that it can be put or fetched again.
  void MarkDamaged(const ObjectId& id);

  // These packs are about to be removed: what lies in them is no longer held [T11]. An id that has
  // a later place elsewhere stays.
  void DropPacks(std::span<const uint32_t> packs);

  size_t Count() const;

  // Ids held from slot `cursor` on, at most `count`; moves the cursor, to the end at last.
  std::vector<ObjectId> Ids(size_t& cursor, size_t count) const;

 private:
  struct Slot {
    ObjectId id;
    Place place;  // record_bytes 0 marks a free slot.
  };

  size_t SlotOf(const ObjectId& id) const;
  void Grow();
  void Refill(const std::vector<Slot>& slots);

  mutable std::shared_mutex mutex_;
  std::vector<Slot> slots_;  // Open addressing; a power of two.
  size_t count_ = 0;
  std::unordered_set<ObjectId, IdHash> damaged_;
};

}  // namespace gdo::store
