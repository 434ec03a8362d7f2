#include "store/blob_node.h"

#include <algorithm>

#include "core/profile.h"

namespace gdo::store {
namespace {

constexpr size_t kEntriesMin = 64;
constexpr size_t kEntriesMax = 1024;
// One id in 192 ends a node: 64 + 192 = 256 entries on average.
constexpr uint32_t kCutBelow = static_cast<uint32_t>((uint64_t{1} << 32) / 192);
constexpr uint64_t kLevelMax = 10;
constexpr uint64_t kLengthMax = (uint64_t{1} << 53) - 1;
constexpr uint64_t kVersion = 1;

// Major types of CBOR, RFC 8949.
constexpr uint8_t kUnsigned = 0;
constexpr uint8_t kByteString = 2;
constexpr uint8_t kText = 3;
constexpr uint8_t kArray = 4;
constexpr uint8_t kMap = 5;

// The shortest head [L1].
void PutHead(Bytes& out, uint8_t major, uint64_t value) {
  int width = 0;
  uint8_t info = 0;
  if (value < 24) {
    info = static_cast<uint8_t>(value);
  } else if (value <= 0xFF) {
    info = 24, width = 1;
  } else if (value <= 0xFFFF) {
    info = 25, width = 2;
  } else if (value <= 0xFFFFFFFF) {
    info = 26, width = 4;
  } else {
    info = 27, width = 8;
  }
  out.push_back(static_cast<uint8_t>(major << 5 | info));
  while (width-- > 0) out.push_back(static_cast<uint8_t>(value >> (8 * width)));
}

void PutText(Bytes& out, std::string_view text) {
  PutHead(out, kText, text.size());
  out.insert(out.end(), text.begin(), text.end());
}

// Reads heads and bytes from front to back; is_good turns false where there is something else.
class NodeReader {
 public:
  explicit NodeReader(std::span<const uint8_t> bytes) : rest_(bytes) {}

  uint64_t Head(uint8_t major) {
    const auto first = Take(1);
    if (!is_good || first[0] >> 5 != major) return Fail();
    const uint8_t info = first[0] & 31;
    if (info < 24) return info;
    if (info > 27) return Fail();
    const auto wide = Take(size_t{1} << (info - 24));
    uint64_t value = 0;
    for (const uint8_t byte : wide) value = value << 8 | byte;
    return value;
  }

  std::span<const uint8_t> Take(uint64_t size) {
    if (size > rest_.size()) {
      Fail();
      return {};
    }
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  void Key(char key) {
    if (Head(kText) != 1) Fail();
    const auto name = Take(1);
    if (is_good && name[0] != static_cast<uint8_t>(key)) Fail();
  }

  bool is_good = true;

 private:
  uint64_t Fail() {
    is_good = false;
    return 0;
  }

  std::span<const uint8_t> rest_;
};

bool IsPossible(const BlobNode& node) {
  if (FindProfile(node.profile) == nullptr || node.level > kLevelMax) return false;
  uint64_t length = 0;
  for (const BlobEntry& entry : node.entries) {
    if (entry.length == 0 || entry.length > kLengthMax - length) return false;
    length += entry.length;
    if (node.level > 0 && entry.id == kZerosId) return false;
  }
  return node.level == 0 || !node.entries.empty();
}

}  // namespace

uint64_t BlobNode::Length() const {
  uint64_t length = 0;
  for (const BlobEntry& entry : entries) length += entry.length;
  return length;
}

bool EndsNode(size_t count, const ObjectId& id) {
  if (count >= kEntriesMax) return true;
  if (count < kEntriesMin || id == kZerosId) return false;
  const uint32_t bits =
      uint32_t{id[0]} << 24 | uint32_t{id[1]} << 16 | uint32_t{id[2]} << 8 | id[3];
  return bits < kCutBelow;
}

Bytes EncodeBlobNode(const BlobNode& node) {
  Bytes out;
  PutHead(out, kMap, 5);
  PutText(out, "f");
  PutText(out, node.profile);
  PutText(out, "h");
  PutHead(out, kUnsigned, node.level);
  PutText(out, "i");
  PutHead(out, kByteString, node.entries.size() * kIdBytes);
  for (const BlobEntry& entry : node.entries)
    out.insert(out.end(), entry.id.begin(), entry.id.end());
  PutText(out, "l");
  PutHead(out, kArray, node.entries.size());
  for (const BlobEntry& entry : node.entries) PutHead(out, kUnsigned, entry.length);
  PutText(out, "v");
  PutHead(out, kUnsigned, kVersion);
  return out;
}

std::optional<BlobNode> DecodeBlobNode(std::span<const uint8_t> bytes) {
  NodeReader reader(bytes);
  BlobNode node;
  if (reader.Head(kMap) != 5) return std::nullopt;
  reader.Key('f');
  const auto profile = reader.Take(reader.Head(kText));
  node.profile.assign(profile.begin(), profile.end());
  reader.Key('h');
  node.level = reader.Head(kUnsigned);
  reader.Key('i');
  const auto ids = reader.Take(reader.Head(kByteString));
  reader.Key('l');
  const uint64_t count = reader.Head(kArray);
  if (!reader.is_good || count > kEntriesMax || ids.size() != count * kIdBytes) return std::nullopt;
  for (size_t index = 0; index < count; ++index) {
    node.entries.push_back({LoadId(ids.data() + index * kIdBytes), reader.Head(kUnsigned)});
  }
  if (!reader.is_good || !IsPossible(node)) return std::nullopt;
  // What is written again as it was is canonical: order, shortest heads, version and end [L1].
  const Bytes again = EncodeBlobNode(node);
  if (!std::equal(again.begin(), again.end(), bytes.begin(), bytes.end())) return std::nullopt;
  return node;
}

}  // namespace gdo::store
