#include "store/chunk_list.h"

#include <utility>

namespace gdo::store {

Outcome ChunkList::Add(const BlobEntry& chunk) {
  if (Outcome fault = EndZeros()) return fault;
  return Push(0, chunk);
}

Outcome ChunkList::Finish(ObjectId& root) {
  if (Outcome fault = EndZeros()) return fault;
  for (size_t level = 0;; ++level) {
    const bool is_top = level + 1 == levels_.size();
    if (is_top && level > 0 && levels_[level].size() == 1) {
      root = levels_[level].front().id;
      return std::nullopt;
    }
    if (is_top) return Put({profile_, level, std::move(levels_[level])}, root);
    if (levels_[level].empty()) continue;
    if (Outcome fault = End(level)) return fault;
  }
}

Outcome ChunkList::EndZeros() {
  const uint64_t length = std::exchange(zeros_, 0);
  return length == 0 ? std::nullopt : Push(0, {kZerosId, length});
}

Outcome ChunkList::Push(size_t level, const BlobEntry& entry) {
  if (level == levels_.size()) levels_.emplace_back();
  levels_[level].push_back(entry);
  return EndsNode(levels_[level].size(), entry.id) ? End(level) : std::nullopt;
}

Outcome ChunkList::End(size_t level) {
  const BlobNode node{profile_, level, std::exchange(levels_[level], {})};
  ObjectId id;
  if (Outcome fault = Put(node, id)) return fault;
  return Push(level + 1, {id, node.Length()});
}

Outcome ChunkList::Put(const BlobNode& node, ObjectId& id) {
  const Bytes bytes = EncodeBlobNode(node);
  id = NameOf(ObjectKind::kBlob, bytes);
  return put_(id, bytes);
}

}  // namespace gdo::store
