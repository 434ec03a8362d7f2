#include "store/record.h"

#include <algorithm>

#include "core/crc32c.h"
#include "core/little_endian.h"
#include "store/payload.h"
#include "store_expect.h"

namespace gdo::test {
namespace {

using store::Codec;
using store::ObjectKind;

// A header as it stands on disk, with a given byte changed.
bool IsAllowed(Bytes record, size_t place, uint8_t value) {
  record[place] = value;
  return store::DecodeRecordHeader(record).has_value();
}

void HeadersThatNoWriterMakes() {
  const Bytes object = {1, 2, 3};
  const Bytes record =
      store::PayloadCodec().EncodeRecord(ObjectKind::kChunk, ChunkId(object), object);
  const auto header = store::DecodeRecordHeader(record);
  EXPECT(header.has_value() && header->codec == Codec::kRaw && header->raw_bytes == 3);
  EXPECT(header->RecordBytes() == record.size() && header->id == ChunkId(object));
  EXPECT(store::IsRecordIntact(record));
  EXPECT(!IsAllowed(record, 0, 0));      // Magic.
  EXPECT(!IsAllowed(record, 4, 4));      // Kind.
  EXPECT(!IsAllowed(record, 4, 0));      // A mark has no bytes.
  EXPECT(!IsAllowed(record, 5, 1));      // Zeros have no payload.
  EXPECT(!IsAllowed(record, 5, 2));      // A frame is shorter than its object.
  EXPECT(!IsAllowed(record, 5, 4));      // Codec.
  EXPECT(!IsAllowed(record, 6, 1));      // Bases without their codec.
  EXPECT(!IsAllowed(record, 7, 1));      // Reserved.
  EXPECT(!IsAllowed(record, 11, 0xFF));  // Longer than any object.
  EXPECT(!IsAllowed(record, 12, 2));     // Raw bytes are stored as they are.
}

void EveryBitOfARecordCounts() {
  const Bytes object(1000, 'x');
  const Bytes record =
      store::PayloadCodec().EncodeRecord(ObjectKind::kTree, ChunkId(object), object);
  for (size_t bit = 0; bit < 8 * record.size(); ++bit) {
    Bytes damaged = record;
    damaged[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT(!store::IsRecordIntact(damaged));
  }
}

void FootersAreSorted() {
  std::vector<store::FooterEntry> entries(3);
  entries[0] = {ChunkId(Bytes{1}), 32, 55};
  entries[1] = {ChunkId(Bytes{2}), 87, 60};
  entries[2] = {ChunkId(Bytes{1}), 147, 55};  // Once more: the later counts.
  const Bytes footer = store::EncodeFooter(entries, 202);
  EXPECT(footer.size() == store::FooterBytes(3));
  EXPECT(LoadLittle32(footer.data() + 4) == 3);
  for (size_t row = 1; row < 3; ++row) {
    const auto* const at = footer.data() + 8 + row * store::kFooterEntryBytes;
    EXPECT(std::lexicographical_compare(at - store::kFooterEntryBytes, at, at,
                                        at + store::kFooterEntryBytes));
  }
  EXPECT(LoadLittle32(footer.data() + footer.size() - 20) == 202);
  const auto covered = std::span(footer).first(footer.size() - 12);
  EXPECT(LoadLittle32(footer.data() + covered.size()) == Crc32c(covered));
}

// What is decoded is the object, or is refused.
bool Decodes(const Bytes& record, std::span<const uint8_t> bases, const Bytes& object) {
  const auto header = store::DecodeRecordHeader(record);
  EXPECT(header.has_value() && header->RecordBytes() == record.size());
  Bytes out(object.size(), 0xEE);
  store::PayloadCodec codec;
  const auto payload =
      std::span(record).subspan(header->PayloadOffset()).first(header->stored_bytes);
  return codec.Decode(*header, payload, bases, out) && out == object;
}

void CheckForm(const Bytes& object, Codec expected) {
  const Bytes record =
      store::PayloadCodec().EncodeRecord(ObjectKind::kChunk, ChunkId(object), object);
  EXPECT(record[5] == static_cast<uint8_t>(expected));
  EXPECT(record.size() <= store::RecordBytesMax(object.size()));
  EXPECT(Decodes(record, {}, object));
}

void EachFormComesBack() {
  Random random(40);
  CheckForm({}, Codec::kRaw);
  CheckForm({0}, Codec::kZeroRun);
  CheckForm(Bytes(90'000), Codec::kZeroRun);
  CheckForm(random.Take(70'000), Codec::kRaw);
  CheckForm(Bytes(70'000, 'a'), Codec::kZstd);
}

// The frame of one changed byte is small, and without the bases it was made with it is nothing.
void LeansOnOthers(store::Effort effort) {
  Random random(41);
  const Bytes base = random.Take(60'000);
  Bytes object = base;
  object[30'000] ^= 1;
  const Bytes frame = store::PayloadCodec().Compress(object, base, effort);
  EXPECT(!frame.empty() && frame.size() < 1000);
  store::RecordHeader header;
  header.kind = ObjectKind::kChunk;
  header.codec = Codec::kZstdBase;
  header.id = ChunkId(object);
  header.raw_bytes = static_cast<uint32_t>(object.size());
  const std::vector<store::ObjectId> ids = {ChunkId(base)};
  const Bytes record = store::MakeRecord(header, ids, frame);
  EXPECT(store::IsRecordIntact(record) && Decodes(record, base, object));
  EXPECT(!Decodes(record, {}, object));
  EXPECT(!Decodes(record, random.Take(60'000), object));
}

}  // namespace

void TestRecords() {
  HeadersThatNoWriterMakes();
  EveryBitOfARecordCounts();
  FootersAreSorted();
}

void TestPayloads() {
  EachFormComesBack();
  LeansOnOthers(store::Effort::kQuick);
  LeansOnOthers(store::Effort::kThorough);
}

}  // namespace gdo::test
