// A blob's chunk list, built from below as a content-defined tree, holding one open node a level
// [T3]: the same nodes as lib/store/blob/chunk-list.ts makes. One thread at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "store/blob_node.h"
#include "store/fault.h"

namespace gdo::store {

class ChunkList {
 public:
  using PutNode = std::function<Outcome(const ObjectId& id, const Bytes& node)>;

  // Each node is put when it ends.
  ChunkList(std::string_view profile, PutNode put) : profile_(profile), put_(std::move(put)) {}

  void AddZeros(uint64_t length) { zeros_ += length; }
  Outcome Add(const BlobEntry& chunk);
  // The root's id: the lowest node that stands for everything.
  Outcome Finish(ObjectId& root);

 private:
  Outcome EndZeros();
  Outcome Push(size_t level, const BlobEntry& entry);
  Outcome End(size_t level);
  Outcome Put(const BlobNode& node, ObjectId& id);

  const std::string profile_;
  const PutNode put_;
  std::vector<std::vector<BlobEntry>> levels_{1};
  uint64_t zeros_ = 0;  // In a row they become one entry: a hole costs nothing.
};

}  // namespace gdo::store
