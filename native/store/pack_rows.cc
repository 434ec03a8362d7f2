#include "store/pack_rows.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/crc32c.h"
#include "core/little_endian.h"

namespace gdo::store {
namespace {

constexpr size_t kFooterTrailerBytes = 20;  // Offset, checksum and end magic of a footer.
constexpr size_t kRowsWindowBytes = size_t{1024} * 1024;

// Fills `footer` with the footer as it stands, if it is sound.
Outcome ReadFooter(PackFiles& files, uint32_t pack, uint64_t pack_bytes, Bytes& footer) {
  footer.clear();
  if (pack_bytes < kPackHeaderBytes + kFooterBytesMin) return std::nullopt;
  std::array<uint8_t, kFooterTrailerBytes> trailer{};
  if (Outcome fault = files.Read(pack, pack_bytes - kFooterTrailerBytes, trailer)) return fault;
  const uint64_t offset = LoadLittle64(trailer.data());
  if (offset < kPackHeaderBytes || offset > pack_bytes - kFooterBytesMin) return std::nullopt;
  footer.resize(pack_bytes - offset);
  if (Outcome fault = files.Read(pack, offset, footer)) return fault;
  if (!IsFooterSound(footer, offset)) footer.clear();
  return std::nullopt;
}

void VisitFooter(std::span<const uint8_t> footer, const VisitEntry& visit) {
  const size_t count = LoadLittle32(footer.data() + 4);
  for (size_t entry = 0; entry < count; ++entry) {
    const uint8_t* const at = footer.data() + 8 + entry * kFooterEntryBytes;
    visit({LoadId(at), LoadLittle32(at + 32), LoadLittle32(at + 36)});
  }
}

// Goes through a pack record by record, past whatever is damaged.
class Scan {
 public:
  Scan(PackFiles& files, uint32_t pack, uint64_t pack_bytes)
      : files_(files), pack_(pack), pack_bytes_(pack_bytes) {}

  Outcome Run(const VisitEntry& visit) {
    for (uint64_t offset = kPackHeaderBytes; offset + kRecordBytesMin <= pack_bytes_;) {
      std::optional<RecordHeader> header;
      bool is_whole = false;
      if (Outcome fault = ReadItem(offset, header, is_whole)) return fault;
      if (is_whole) {
        const auto bytes = static_cast<uint32_t>(header->RecordBytes());
        if (header->kind != ObjectKind::kMark) {
          visit({header->id, static_cast<uint32_t>(offset), bytes});
        }
        offset += bytes;
      } else if (Outcome fault = Resume(header, offset)) {
        return fault;
      }
    }
    return std::nullopt;
  }

 private:
  // The header that may stand there, and whether all of its record does.
  Outcome ReadItem(uint64_t offset, std::optional<RecordHeader>& header, bool& is_whole) {
    std::array<uint8_t, kRecordHeaderBytes> bytes{};
    is_whole = false;
    if (Outcome fault = files_.Read(pack_, offset, bytes)) return fault;
    header = DecodeRecordHeader(bytes);
    if (!header.has_value() || offset + header->RecordBytes() > pack_bytes_) return std::nullopt;
    record_.resize(header->RecordBytes());
    if (Outcome fault = files_.Read(pack_, offset, record_)) return fault;
    const auto body = std::span(record_).first(record_.size() - kCrcBytes);
    is_whole = LoadLittle32(record_.data() + body.size()) == Crc32c(body);
    return std::nullopt;
  }

  // Where the broken record says that it ends, if a record is there: its payload may hold a pack.
  Outcome Resume(const std::optional<RecordHeader>& broken, uint64_t& offset) {
    if (broken.has_value()) {
      const uint64_t end = offset + broken->RecordBytes();
      if (end + kRecordBytesMin <= pack_bytes_) {
        std::optional<RecordHeader> next;
        bool is_whole = false;
        if (Outcome fault = ReadItem(end, next, is_whole)) return fault;
        if (next.has_value()) {
          offset = end;
          return std::nullopt;
        }
      }
    }
    return Search(offset);
  }

  // The next whole record after `offset`, or the pack's end.
  Outcome Search(uint64_t& offset) {
    Bytes window;
    for (uint64_t base = offset + 1; base + kRecordBytesMin <= pack_bytes_;) {
      window.resize(std::min<uint64_t>(kRowsWindowBytes, pack_bytes_ - base));
      if (Outcome fault = files_.Read(pack_, base, window)) return fault;
      size_t at = 0;
      for (; at + kRecordHeaderBytes <= window.size(); ++at) {
        if (!DecodeRecordHeader(std::span(window).subspan(at)).has_value()) continue;
        std::optional<RecordHeader> header;
        bool is_whole = false;
        if (Outcome fault = ReadItem(base + at, header, is_whole)) return fault;
        if (!is_whole) continue;
        offset = base + at;
        return std::nullopt;
      }
      base += at;
    }
    offset = pack_bytes_;
    return std::nullopt;
  }

  PackFiles& files_;
  const uint32_t pack_;
  const uint64_t pack_bytes_;
  Bytes record_;
};

}  // namespace

Outcome ReadPackEntries(PackFiles& files, uint32_t pack, const VisitEntry& visit) {
  uint64_t pack_bytes = 0;
  if (Outcome fault = files.Size(pack, pack_bytes)) return fault;
  Bytes footer;
  if (Outcome fault = ReadFooter(files, pack, pack_bytes, footer)) return fault;
  if (footer.empty()) return Scan(files, pack, pack_bytes).Run(visit);
  VisitFooter(footer, visit);
  return std::nullopt;
}

}  // namespace gdo::store
