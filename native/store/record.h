// The bytes of a pack [T7]: docs/design/pack-format.md is the specification. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "store/object_id.h"

namespace gdo::store {

using Bytes = std::vector<uint8_t>;

// Leaves new elements as they are: for memory that is written next in any case.
// NOLINTBEGIN(readability-identifier-naming): the names are the standard's.
template <typename Item>
struct UninitializedAllocator : std::allocator<Item> {
  template <typename Other>
  struct rebind {
    using other = UninitializedAllocator<Other>;
  };
  template <typename Other>
  void construct(Other* item) noexcept {
    ::new (static_cast<void*>(item)) Other;
  }
  template <typename Other, typename... Values>
  void construct(Other* item, Values&&... values) {
    ::new (static_cast<void*>(item)) Other(std::forward<Values>(values)...);
  }
};
// NOLINTEND(readability-identifier-naming)

using RawBytes = std::vector<uint8_t, UninitializedAllocator<uint8_t>>;

enum class Codec : uint8_t { kRaw = 0, kZeroRun = 1, kZstd = 2, kZstdBase = 3 };

inline constexpr size_t kPackHeaderBytes = 32;
inline constexpr size_t kRecordHeaderBytes = 48;
inline constexpr size_t kCrcBytes = 4;
inline constexpr size_t kRecordBytesMin = kRecordHeaderBytes + kCrcBytes;
inline constexpr size_t kFooterEntryBytes = 40;
inline constexpr size_t kFooterBytesMin = 28;
inline constexpr size_t kBasesMax = 4;

struct RecordHeader {
  ObjectKind kind = ObjectKind::kMark;
  Codec codec = Codec::kRaw;
  uint8_t bases = 0;
  uint32_t raw_bytes = 0;
  uint32_t stored_bytes = 0;
  ObjectId id{};

  size_t PayloadOffset() const { return kRecordHeaderBytes + bases * kIdBytes; }
  size_t RecordBytes() const { return PayloadOffset() + stored_bytes + kCrcBytes; }
};

struct FooterEntry {
  ObjectId id;
  uint32_t offset;
  uint32_t record_bytes;
};

// One of a footer's rows, as it stands in the file.
std::array<uint8_t, kFooterEntryBytes> EncodeRow(const FooterEntry& entry);

// A footer's rows, as they stand in the file.
std::vector<FooterEntry> DecodeRows(std::span<const uint8_t> rows);

// Empty where no header that the format allows can be. `bytes` has at least kRecordHeaderBytes.
std::optional<RecordHeader> DecodeRecordHeader(std::span<const uint8_t> bytes);

// What a record leans on; none where no header that the format allows can be.
std::vector<ObjectId> BasesOf(std::span<const uint8_t> record);

// Completes a record whose base ids and payload are in place: `record` is as long as it will be.
void SealRecord(const RecordHeader& header, std::span<uint8_t> record);

// Whether the checksum of a whole record is right.
bool IsRecordIntact(std::span<const uint8_t> record);

Bytes EncodeMark();
Bytes EncodePackHeader(uint32_t pack);
Bytes EncodeFooter(const std::vector<FooterEntry>& entries, uint64_t footer_offset);

// Whether these bytes are a whole footer that stands at this offset.
bool IsFooterSound(std::span<const uint8_t> footer, uint64_t footer_offset);

// How many records in a row a reader goes through for one object; writers keep to it [T6].
inline constexpr int kDepthMax = 8;

// No record of an object of this length is longer.
constexpr uint64_t RecordBytesMax(uint64_t raw_bytes) {
  return kRecordBytesMin + kBasesMax * kIdBytes + raw_bytes;
}

constexpr uint64_t FooterBytes(size_t count) { return kFooterBytesMin + count * kFooterEntryBytes; }

}  // namespace gdo::store
