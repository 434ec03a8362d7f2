// What stands in a pack without a footer, as far as nothing is wrong with it: what an open reads of
// the pack that the last writer left open [T9].
#pragma once

#include <string>

#include "store/fault.h"
#include "store/record.h"

namespace gdo::store {

struct PackItems {
  Bytes rows;                 // As in a footer, in the order of the pack.
  uint64_t end_bytes = 0;     // Of the last whole item.
  uint64_t marked_bytes = 0;  // Of the last mark among them.
};

// Reads records and marks from `from` on, where an item begins, up to the first that is not whole,
// whatever is the matter with it. In the memory of the longest record, and of the rows.
Outcome ReadItems(const std::string& path, uint64_t from, PackItems& out);

}  // namespace gdo::store
