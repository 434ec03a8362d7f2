// [T3] A node that decodes is written again as it was: there is one form for each. What could not
// have been written does not decode, and lengths never overflow.
#include "core/profile.h"
#include "store/blob_node.h"
#include "stream.h"

namespace gdo::fuzz {
namespace {

constexpr uint64_t kLengthMax = (uint64_t{1} << 53) - 1;

void CheckArbitrary(FuzzedDataProvider& input) {
  const Bytes bytes = input.ConsumeRemainingBytes<uint8_t>();
  const auto node = store::DecodeBlobNode(bytes);
  if (!node.has_value()) return;
  FUZZ_CHECK(store::EncodeBlobNode(*node) == bytes);
  FUZZ_CHECK(FindProfile(node->profile) != nullptr);
  uint64_t length = 0;
  for (const store::BlobEntry& entry : node->entries) {
    FUZZ_CHECK(entry.length != 0 && entry.length <= kLengthMax - length);
    length += entry.length;
  }
  FUZZ_CHECK(node->Length() == length);
}

store::BlobEntry EntryOf(FuzzedDataProvider& input) {
  store::BlobEntry entry{};
  entry.id[0] = input.ConsumeIntegral<uint8_t>();
  entry.length = input.ConsumeIntegral<uint64_t>() >> input.ConsumeIntegralInRange(0, 63);
  return entry;
}

// Of what is written, all that is possible comes back.
void CheckWritten(FuzzedDataProvider& input) {
  store::BlobNode node;
  node.profile = input.ConsumeBool() ? "min8-64k" : input.ConsumeRandomLengthString(20);
  node.level = input.ConsumeIntegralInRange<uint64_t>(0, 12);
  const size_t repeat = input.ConsumeIntegralInRange<size_t>(1, 200);
  bool is_possible = FindProfile(node.profile) != nullptr && node.level <= 10;
  uint64_t left = kLengthMax;
  while (input.remaining_bytes() != 0 && node.entries.size() < 1500) {
    node.entries.insert(node.entries.end(), repeat, EntryOf(input));
  }
  for (const auto& entry : node.entries) {
    is_possible = is_possible && entry.length != 0 && entry.length <= left &&
                  (node.level == 0 || entry.id != store::kZerosId);
    left -= std::min(left, entry.length);
  }
  is_possible = is_possible && node.entries.size() <= 1024;
  is_possible = is_possible && (node.level == 0 || !node.entries.empty());
  const Bytes bytes = store::EncodeBlobNode(node);
  const auto again = store::DecodeBlobNode(bytes);
  FUZZ_CHECK(again.has_value() == is_possible);
  if (again.has_value()) FUZZ_CHECK(store::EncodeBlobNode(*again) == bytes);
}

}  // namespace

void Try(FuzzedDataProvider& input) {
  if (input.ConsumeBool()) {
    CheckArbitrary(input);
  } else {
    CheckWritten(input);
  }
}

}  // namespace gdo::fuzz
