// What the index knows that no run on disk covers yet. Not locked.
#pragma once

#include <functional>
#include <vector>

#include "store/index/page.h"

namespace gdo::store {

class Table {
 public:
  Table();

  // Null when it does not hold the id. Valid until the next change.
  const Place* Find(const ObjectId& id) const;

  // A later place of an id replaces an earlier one. Whether the id was not there before.
  bool Set(const ObjectId& id, const Place& place);

  // Keeps only the rows that the caller wants.
  void Filter(const std::function<bool(const Row&)>& is_kept);

  size_t Count() const { return count_; }

  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (const Row& row : slots_) {
      if (row.place.record_bytes != 0) visit(row);
    }
  }

 private:
  size_t SlotOf(const ObjectId& id) const;
  void Resize(size_t slots, const std::function<bool(const Row&)>& is_kept);

  std::vector<Row> slots_;  // Open addressing; a power of two; record_bytes 0 marks a free slot.
  size_t count_ = 0;
};

}  // namespace gdo::store
