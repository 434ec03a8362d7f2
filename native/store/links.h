// What a node needs: the one place that knows for all who walk down from a name. Pure.
#pragma once

#include <span>
#include <vector>

#include "store/object_id.h"

namespace gdo::store {

struct Links {
  std::vector<ObjectId> nodes;   // Folders and lists of chunks.
  std::vector<ObjectId> chunks;  // Nothing lies below them; zeros are not among them.
};

// False when the object has no form that is known here: it may need anything.
bool LinksOf(ObjectKind kind, std::span<const uint8_t> bytes, Links& out);

}  // namespace gdo::store
