// Looks after a store without reading chunks: goes through all that names need [T10], compares the
// index with footers [T9], and counts what it met. A byte and an offset in memory for each record,
// whatever the names need. One thread at a time; lib/store/verify/ says in which order.
#pragma once

#include <array>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "store/fault.h"
#include "store/links.h"
#include "store/marks.h"

namespace gdo::store {

class ObjectStore;

// Something that a root needs and that cannot be had.
struct Lack {
  ObjectId id;
  ObjectId root;
  bool is_damaged;  // Else it is not in the store.
  std::string what;
};

struct WalkPart {
  bool is_done = false;
  uint64_t read_bytes = 0;
  std::vector<Lack> lacks;
};

// Records by the way in which they are stored.
struct Tally {
  enum Group : uint8_t { kNodes, kRaw, kZstd, kDelta, kGroups };
  struct Sum {
    uint64_t objects = 0;
    uint64_t raw_bytes = 0;
    uint64_t stored_bytes = 0;
  };
  std::array<Sum, kGroups> sums{};
  // Chunks that have up to 2^n bytes, and more than half of it.
  std::array<uint64_t, 33> chunks_by_size{};
};

struct RowFault {
  FooterEntry entry;
  const char* what;
};

class Checkup {
 public:
  explicit Checkup(ObjectStore& store) : store_(store) {}

  Marks& Packs() { return marks_; }

  // These must be there, with all that they need.
  void AddRoots(std::span<const ObjectId> ids) {
    roots_.insert(roots_.end(), ids.begin(), ids.end());
  }
  // Of what canonical bytes may name, what is there must be whole.
  void AddRootsIn(std::span<const uint8_t> bytes);

  // Looks at so many objects. What is lacking is told once, to the first root that needs it.
  Outcome Walk(size_t objects_max, WalkPart& part);

  // Adds what the walk met in a pack.
  Outcome Count(uint32_t pack, Tally& tally);

 private:
  using Ids = std::vector<ObjectId>;

  Outcome Look(const ObjectId& id, WalkPart& part);
  void LookAtChunk(const ObjectId& id, WalkPart& part);
  bool IsNew(const ObjectId& id, const Place& place);
  void Tell(const ObjectId& id, bool is_damaged, std::string what, WalkPart& part);

  ObjectStore& store_;
  Marks marks_;
  Ids roots_;
  Ids stack_;
  ObjectId root_{};
  std::unordered_set<ObjectId, IdHash> beside_;  // Met outside the marked packs.
  std::unordered_set<ObjectId, IdHash> told_;
};

// Compares a pack's rows with the index: each must be led to, or to a later record of the same id;
// and lie before `end_bytes`. Gives how many are the ones that count.
uint64_t CheckRows(ObjectStore& store, uint32_t pack, std::span<const FooterEntry> rows,
                   uint64_t end_bytes, std::vector<RowFault>& faults);

}  // namespace gdo::store
