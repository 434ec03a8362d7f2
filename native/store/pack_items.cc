#include "store/pack_items.h"

#include <fcntl.h>

#include <algorithm>

#include "store/file.h"

namespace gdo::store {
namespace {

constexpr size_t kWindowBytes = size_t{512} * 1024;

// Part of a file in memory, which moves on with what is asked of it.
class Window {
 public:
  explicit Window(int fd) : fd_(fd) {}

  // The file's bytes from `offset` on: at least `bytes_min`, unless it ends before.
  Outcome At(uint64_t offset, size_t bytes_min, std::span<const uint8_t>& out) {
    const bool is_here = offset >= start_ && offset + bytes_min <= start_ + memory_.size();
    if (!is_here) {
      memory_.resize(std::max(bytes_min, kWindowBytes));
      const ssize_t count = ReadAt(fd_, memory_, offset);
      if (count < 0) return SystemFault("cannot read the pack");
      memory_.resize(static_cast<size_t>(count));
      start_ = offset;
    }
    out = std::span(memory_).subspan(offset - start_);
    return std::nullopt;
  }

 private:
  const int fd_;
  uint64_t start_ = 0;
  RawBytes memory_;
};

}  // namespace

Outcome ReadItems(const std::string& path, uint64_t from, PackItems& out) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.IsOpen()) return SystemFault("cannot read " + path);
  Window window(file.Fd());
  out.end_bytes = out.marked_bytes = from;
  for (;;) {
    std::span<const uint8_t> bytes;
    if (Outcome fault = window.At(out.end_bytes, kRecordBytesMin, bytes)) return fault;
    const auto header = bytes.size() < kRecordBytesMin ? std::nullopt : DecodeRecordHeader(bytes);
    if (!header.has_value()) return std::nullopt;
    const size_t size = header->RecordBytes();
    if (Outcome fault = window.At(out.end_bytes, size, bytes)) return fault;
    if (bytes.size() < size || !IsRecordIntact(bytes.first(size))) return std::nullopt;
    if (header->kind == ObjectKind::kMark) {
      out.marked_bytes = out.end_bytes + size;
    } else {
      const auto row = EncodeRow(
          {header->id, static_cast<uint32_t>(out.end_bytes), static_cast<uint32_t>(size)});
      out.rows.insert(out.rows.end(), row.begin(), row.end());
    }
    out.end_bytes += size;
  }
}

}  // namespace gdo::store
