// One cleaning of a store [T11]: marks what is needed, then moves it out of packs that are mostly
// dead. lib/store/collect/collection.ts says in which order, and removes the packs.
//
// From Condemn on, what is not named counts as not held, so whoever needs it puts it again; what is
// written from the beginning on is not the cleaning's business, but what it names is. One thread at
// a time, but for IsCondemned and NoteYoung.
#pragma once

#include <atomic>
#include <mutex>
#include <span>
#include <unordered_set>
#include <vector>

#include "store/fault.h"
#include "store/marks.h"
#include "store/payload.h"

namespace gdo::store {

class ObjectStore;

// What moving records came to.
struct Moved {
  uint64_t written_bytes = 0;
  uint64_t damaged = 0;  // Records that cannot be moved: they are not what they should be.
  bool is_done = true;   // Else the budget ended it.
};

class Collection {
 public:
  explicit Collection(ObjectStore& store) : store_(store) {}

  Marks& Packs() { return marks_; }

  // Names these and all that they need. A node that is damaged is a fault, and where all must be
  // there, one that is missing: what it needs would seem dead.
  Outcome Name(std::span<const ObjectId> roots, bool is_all_needed);
  // The same for whatever canonical bytes may name; what is not held is passed over.
  Outcome NameAllIn(std::span<const uint8_t> bytes);
  // The same for what has been written since the beginning.
  Outcome NameYoung();

  void Condemn() { is_condemning_ = true; }
  bool IsCondemned(const Place& place) const;
  // A record that is being appended.
  void NoteYoung(const ObjectId& id, std::span<const uint8_t> record);

  // Which records are needed only to read others that stay.
  Outcome FindLeaning();
  // Stores what is needed of a pack anew; what leans on records that nothing names, without them
  // [T6].
  Outcome Repack(uint32_t pack, uint64_t bytes_max, Moved& moved);

  std::atomic<bool> is_aborted = false;

 private:
  using Ids = std::vector<ObjectId>;

  Outcome Walk(Ids stack, bool is_all_needed);
  Outcome PushLinks(const ObjectId& id, Ids& nodes);
  // Whether it is marked now, and was not.
  bool Mark(const ObjectId& id, const Place& place);
  Outcome ReadBaseIds(const Place& place, Ids& out);
  Outcome ReadBasesOfPack(uint32_t pack, Ids& out);
  bool IsNamed(const ObjectId& id) const;
  Outcome Move(Place place, Moved& moved);
  Outcome ReadWhole(Place& place, Bytes& record, ObjectId& id);
  Outcome Renew(const ObjectId& id, Bytes& record);

  ObjectStore& store_;
  Marks marks_;
  std::atomic<bool> is_condemning_ = false;

  std::mutex young_mutex_;
  Ids young_;
  Ids young_bases_;
  std::unordered_set<ObjectId, IdHash> walked_;  // Nodes outside the marked packs.
};

}  // namespace gdo::store
