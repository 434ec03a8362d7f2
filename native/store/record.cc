#include "store/record.h"

#include <algorithm>

#include "core/crc32c.h"
#include "core/little_endian.h"

namespace gdo::store {
namespace {

constexpr std::array<uint8_t, 8> kPackMagic = {0x89, 'g', 'd', 'o', 'p', 'a', 'c', 'k'};
constexpr std::array<uint8_t, 4> kRecordMagic = {0xb7, 0x47, 0x44, 0x52};
constexpr std::array<uint8_t, 4> kFooterMagic = {0xb7, 0x47, 0x44, 0x46};
constexpr std::array<uint8_t, 8> kEndMagic = {0xb7, 'g', 'd', 'o', 'e', 'n', 'd', 0x0a};
constexpr uint8_t kPackVersion = 1;
constexpr uint8_t kAlgorithmBlake3 = 1;

// A length that its codec cannot have tells a damaged header from a record that is cut off.
bool AreLengthsAllowed(const RecordHeader& header) {
  switch (header.codec) {
    case Codec::kRaw:
      return header.stored_bytes == header.raw_bytes;
    case Codec::kZeroRun:
      return header.stored_bytes == 0 && header.raw_bytes > 0;
    case Codec::kZstd:
    case Codec::kZstdBase:
      return header.stored_bytes > 0 && header.stored_bytes < header.raw_bytes;
  }
  return false;
}

void AppendLittle32(Bytes& bytes, uint32_t word) {
  bytes.resize(bytes.size() + 4);
  StoreLittle32(bytes.data() + bytes.size() - 4, word);
}

}  // namespace

std::optional<RecordHeader> DecodeRecordHeader(std::span<const uint8_t> bytes) {
  if (!std::equal(kRecordMagic.begin(), kRecordMagic.end(), bytes.begin())) return std::nullopt;
  if (bytes[4] > static_cast<uint8_t>(ObjectKind::kTree) || bytes[7] != 0) return std::nullopt;
  if (bytes[5] > static_cast<uint8_t>(Codec::kZstdBase)) return std::nullopt;
  RecordHeader header;
  header.kind = static_cast<ObjectKind>(bytes[4]);
  header.codec = static_cast<Codec>(bytes[5]);
  header.bases = bytes[6];
  header.raw_bytes = LoadLittle32(bytes.data() + 8);
  header.stored_bytes = LoadLittle32(bytes.data() + 12);
  header.id = LoadId(bytes.data() + 16);
  const bool is_allowed = (header.bases > 0) == (header.codec == Codec::kZstdBase) &&
                          header.bases <= kBasesMax && header.raw_bytes <= kObjectBytesMax &&
                          (header.kind != ObjectKind::kMark || header.raw_bytes == 0) &&
                          AreLengthsAllowed(header);
  if (!is_allowed) return std::nullopt;
  return header;
}

std::vector<ObjectId> BasesOf(std::span<const uint8_t> record) {
  std::vector<ObjectId> ids;
  const auto header = record.size() < kRecordBytesMin ? std::nullopt : DecodeRecordHeader(record);
  if (!header.has_value() || header->RecordBytes() > record.size()) return ids;
  for (size_t base = 0; base < header->bases; ++base) {
    ids.push_back(LoadId(record.data() + kRecordHeaderBytes + base * kIdBytes));
  }
  return ids;
}

void SealRecord(const RecordHeader& header, std::span<uint8_t> record) {
  std::copy(kRecordMagic.begin(), kRecordMagic.end(), record.begin());
  record[4] = static_cast<uint8_t>(header.kind);
  record[5] = static_cast<uint8_t>(header.codec);
  record[6] = header.bases;
  record[7] = 0;
  StoreLittle32(record.data() + 8, header.raw_bytes);
  StoreLittle32(record.data() + 12, header.stored_bytes);
  std::copy(header.id.begin(), header.id.end(), record.begin() + 16);
  const size_t end = record.size() - kCrcBytes;
  StoreLittle32(record.data() + end, Crc32c(record.first(end)));
}

bool IsRecordIntact(std::span<const uint8_t> record) {
  const size_t end = record.size() - kCrcBytes;
  return LoadLittle32(record.data() + end) == Crc32c(record.first(end));
}

std::array<uint8_t, kFooterEntryBytes> EncodeRow(const FooterEntry& entry) {
  std::array<uint8_t, kFooterEntryBytes> row{};
  std::copy(entry.id.begin(), entry.id.end(), row.begin());
  StoreLittle32(row.data() + 32, entry.offset);
  StoreLittle32(row.data() + 36, entry.record_bytes);
  return row;
}

std::vector<FooterEntry> DecodeRows(std::span<const uint8_t> rows) {
  std::vector<FooterEntry> entries(rows.size() / kFooterEntryBytes);
  for (size_t row = 0; row < entries.size(); ++row) {
    const uint8_t* const bytes = rows.data() + row * kFooterEntryBytes;
    entries[row] = {LoadId(bytes), LoadLittle32(bytes + 32), LoadLittle32(bytes + 36)};
  }
  return entries;
}

Bytes EncodeMark() {
  Bytes mark(kRecordBytesMin);
  SealRecord(RecordHeader{}, mark);
  return mark;
}

Bytes EncodePackHeader(uint32_t pack) {
  Bytes header(kPackMagic.begin(), kPackMagic.end());
  header.push_back(kPackVersion);
  header.push_back(kAlgorithmBlake3);
  header.resize(kPackHeaderBytes);
  StoreLittle32(header.data() + 12, pack);
  const size_t end = kPackHeaderBytes - kCrcBytes;
  StoreLittle32(header.data() + end, Crc32c(std::span(header).first(end)));
  return header;
}

Bytes EncodeFooter(const std::vector<FooterEntry>& entries, uint64_t footer_offset) {
  // By the 40 bytes, as they stand in the file: equal ids by their offset's low byte first.
  std::vector<std::array<uint8_t, kFooterEntryBytes>> rows(entries.size());
  for (size_t index = 0; index < entries.size(); ++index) {
    rows[index] = EncodeRow(entries[index]);
  }
  std::sort(rows.begin(), rows.end());
  Bytes footer(kFooterMagic.begin(), kFooterMagic.end());
  footer.reserve(FooterBytes(entries.size()));
  AppendLittle32(footer, static_cast<uint32_t>(entries.size()));
  for (const auto& row : rows) footer.insert(footer.end(), row.begin(), row.end());
  AppendLittle32(footer, static_cast<uint32_t>(footer_offset));
  AppendLittle32(footer, static_cast<uint32_t>(footer_offset >> 32));
  AppendLittle32(footer, Crc32c(footer));
  footer.insert(footer.end(), kEndMagic.begin(), kEndMagic.end());
  return footer;
}

bool IsFooterSound(std::span<const uint8_t> footer, uint64_t footer_offset) {
  if (footer.size() < kFooterBytesMin ||
      !std::equal(kFooterMagic.begin(), kFooterMagic.end(), footer.begin()) ||
      !std::equal(kEndMagic.begin(), kEndMagic.end(), footer.end() - kEndMagic.size())) {
    return false;
  }
  const size_t crc_offset = footer.size() - kEndMagic.size() - kCrcBytes;
  return FooterBytes(LoadLittle32(footer.data() + 4)) == footer.size() &&
         LoadLittle64(footer.data() + crc_offset - 8) == footer_offset &&
         LoadLittle32(footer.data() + crc_offset) == Crc32c(footer.first(crc_offset));
}

}  // namespace gdo::store
