#include "store/links.h"

#include <optional>

#include "store/blob_node.h"
#include "store/named_ids.h"

namespace gdo::store {

bool LinksOf(ObjectKind kind, std::span<const uint8_t> bytes, Links& out) {
  if (kind == ObjectKind::kChunk) return true;
  if (kind == ObjectKind::kTree) return TreeLinks(bytes, out.nodes);
  const std::optional<BlobNode> node = DecodeBlobNode(bytes);
  if (kind != ObjectKind::kBlob || !node.has_value()) return false;
  for (const BlobEntry& entry : node->entries) {
    if (entry.id == kZerosId) continue;
    (node->level > 0 ? out.nodes : out.chunks).push_back(entry.id);
  }
  return true;
}

}  // namespace gdo::store
