#include "store/file_reader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "store/file.h"

namespace gdo::store {
namespace {

constexpr uint64_t kReadBytes = size_t{512} * 1024;
constexpr uint64_t kToTheEnd = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kBlockBytes = 512;  // Of st_blocks, whatever the file system's own.

const Fault kStopped = {Fault::Kind::kAborted, 0, "stopped"};

struct Stretch {
  uint64_t data;  // Where data begins,
  uint64_t hole;  // and where it ends; both the file's size when there is no more.
};

// What lies at `offset` and after. A file system that knows no holes says that all is data.
Stretch NextStretch(int fd, uint64_t offset, uint64_t size) {
  const off_t data = lseek(fd, static_cast<off_t>(offset), SEEK_DATA);
  if (data < 0) return errno == ENXIO ? Stretch{size, size} : Stretch{offset, kToTheEnd};
  const off_t hole = lseek(fd, data, SEEK_HOLE);
  return {static_cast<uint64_t>(data), hole < 0 ? kToTheEnd : static_cast<uint64_t>(hole)};
}

}  // namespace

void FileReader::Read(const JobPointer& job) {
  Piece end;
  end.job = job;
  end.is_end = true;
  end.fault = ReadAll(job);
  emit_(std::move(end));
}

// To the end as it is found: the file may grow or shrink meanwhile. Not from where the descriptor
// stands, which is moved.
Outcome FileReader::ReadAll(const JobPointer& job) {
  struct stat stats = {};
  if (fstat(job->fd, &stats) != 0) return SystemFault("cannot read the file");
  if (!S_ISREG(stats.st_mode) && !S_ISBLK(stats.st_mode)) {
    return Fault{Fault::Kind::kInvalid, 0, "only a regular file is read by its descriptor"};
  }
  const auto size = std::min<uint64_t>(static_cast<uint64_t>(stats.st_size), job->bytes_max);
  const bool has_holes =
      static_cast<uint64_t>(stats.st_blocks) * kBlockBytes < static_cast<uint64_t>(stats.st_size);
  uint64_t offset = 0;
  for (bool is_at_end = false; !is_at_end && offset < job->bytes_max;) {
    Stretch stretch = has_holes ? NextStretch(job->fd, offset, size) : Stretch{offset, kToTheEnd};
    stretch.data = std::min(stretch.data, job->bytes_max);
    stretch.hole = std::min(stretch.hole, job->bytes_max);
    if (stretch.data > offset) {
      Piece hole;
      hole.job = job;
      hole.zeros = stretch.data - offset;
      emit_(std::move(hole));
      offset = stretch.data;
    }
    if (has_holes && stretch.data >= size) return std::nullopt;
    if (Outcome fault = ReadData(job, offset, stretch.hole, is_at_end)) return fault;
  }
  return std::nullopt;
}

Outcome FileReader::ReadData(const JobPointer& job, uint64_t& offset, uint64_t end,
                             bool& is_at_end) {
  struct stat stats = {};
  if (fstat(job->fd, &stats) != 0) return SystemFault("cannot read the file");
  while (offset < end) {
    if (job->is_aborted) return kStopped;
    // One byte more than there should be, so that a small file takes little memory and its end is
    // seen at once.
    const auto size = static_cast<uint64_t>(stats.st_size);
    const uint64_t left = size > offset ? size - offset + 1 : kReadBytes;
    const size_t want = std::min({kReadBytes, end - offset, left});
    const size_t room = job->profile.bytes_max;
    Piece piece;
    piece.job = job;
    piece.segment = segments_.Take(room + want);
    const ssize_t count = ReadAt(job->fd, std::span(piece.segment->memory).subspan(room), offset);
    if (count < 0) return SystemFault("cannot read the file");
    is_at_end = static_cast<size_t>(count) < want;
    if (count == 0) break;
    piece.bytes = static_cast<size_t>(count);
    offset += piece.bytes;
    emit_(std::move(piece));
    if (is_at_end) break;
  }
  return std::nullopt;
}

}  // namespace gdo::store
