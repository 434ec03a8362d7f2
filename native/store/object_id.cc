#include "store/object_id.h"

#include <algorithm>

namespace gdo::store {
namespace {

Blake3 HasherOf(ObjectKind kind) {
  // Deriving a key hashes the context, so it is done once.
  static const Blake3 blob = Blake3::DeriveKey("gdo v1 blob");
  static const Blake3 tree = Blake3::DeriveKey("gdo v1 tree");
  if (kind == ObjectKind::kBlob) return blob;
  if (kind == ObjectKind::kTree) return tree;
  return Blake3::Hash();
}

}  // namespace

ObjectId NameOf(ObjectKind kind, std::span<const uint8_t> bytes) {
  Blake3 hash = HasherOf(kind);
  hash.Update(bytes);
  return hash.Finish();
}

std::string HexOf(const ObjectId& id) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const uint8_t byte : id) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

ObjectId LoadId(const uint8_t* bytes) {
  ObjectId id;
  std::copy_n(bytes, id.size(), id.begin());
  return id;
}

}  // namespace gdo::store
