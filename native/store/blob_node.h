// The node of a blob's chunk list [T3], as lib/store/blob/blob-node.ts has it: a canonical map
// f profile | h level | i ids | l lengths | v 1. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/object_id.h"
#include "store/record.h"

namespace gdo::store {

struct BlobEntry {
  ObjectId id;
  uint64_t length;
};

struct BlobNode {
  std::string profile;
  uint64_t level = 0;
  std::vector<BlobEntry> entries;

  uint64_t Length() const;
};

// Whether a node ends after its `count`-th entry, which has this id: a rule of contents, not of
// position.
bool EndsNode(size_t count, const ObjectId& id);

Bytes EncodeBlobNode(const BlobNode& node);

// Empty for anything that EncodeBlobNode does not write.
std::optional<BlobNode> DecodeBlobNode(std::span<const uint8_t> bytes);

}  // namespace gdo::store
