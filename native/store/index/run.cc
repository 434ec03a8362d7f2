#include "store/index/run.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

namespace gdo::store {
namespace {

// The groups, or blocks, that may hold a prefix: more than one only where prefixes collide.
struct Candidates {
  size_t first;
  size_t end;
};

template <typename Fence>
Candidates CandidatesFor(uint64_t prefix, size_t count, const Fence& fence) {
  size_t first = 0;  // The first whose fence is not below the prefix.
  for (size_t high = count; first < high;) {
    const size_t middle = (first + high) / 2;
    const bool is_below = fence(middle) < prefix;
    (is_below ? first : high) = is_below ? middle + 1 : middle;
  }
  size_t end = first;
  while (end < count && fence(end) == prefix) ++end;
  return {first == 0 ? 0 : first - 1, end};
}

std::optional<Place> FindRow(const std::vector<Row>& rows, const ObjectId& id) {
  const auto found =
      std::lower_bound(rows.begin(), rows.end(), id,
                       [](const Row& row, const ObjectId& key) { return row.id < key; });
  if (found == rows.end() || found->id != id) return std::nullopt;
  return found->place;
}

}  // namespace

Run::Run(std::string path, File file, Mender mender, RunTail tail, uint32_t tail_crc,
         uint64_t file_bytes)
    : path_(std::move(path)),
      file_(std::move(file)),
      mender_(std::move(mender)),
      tail_(std::move(tail)),
      tail_crc_(tail_crc),
      file_bytes_(file_bytes),
      groups_(new std::atomic<const Group*>[tail_.fences.size()]()) {}

Run::~Run() = default;

Outcome Run::Open(const std::string& path, Mender mender, std::shared_ptr<Run>& out) {
  File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file.IsOpen() || fstat(file.Fd(), &status) != 0) return SystemFault("cannot read " + path);
  // Reading ahead of single pages would only fill memory.
  static_cast<void>(posix_fadvise(file.Fd(), 0, 0, POSIX_FADV_RANDOM));
  const auto file_bytes = static_cast<uint64_t>(status.st_size);
  std::array<uint8_t, kTrailerBytes> trailer{};
  if (file_bytes < kTrailerBytes) return Corrupt("it is cut off");
  if (ReadAt(file.Fd(), trailer, file_bytes - kTrailerBytes) != ssize_t{kTrailerBytes}) {
    return Corrupt("its end cannot be read");
  }
  const std::optional<uint64_t> tail_bytes = RunTailBytes(trailer);
  if (!tail_bytes.has_value() || *tail_bytes > file_bytes) return Corrupt("its end is damaged");
  Bytes bytes(*tail_bytes);
  const ssize_t count = ReadAt(file.Fd(), bytes, file_bytes - *tail_bytes);
  if (count != static_cast<ssize_t>(bytes.size())) return Corrupt("its end cannot be read");
  std::optional<RunTail> tail = DecodeRunTail(bytes);
  if (!tail.has_value() || PagesBytes(tail->rows) + *tail_bytes != file_bytes) {
    return Corrupt("its end is damaged");
  }
  // The constructor is private: make_shared cannot reach it.
  out.reset(new Run(path, std::move(file), std::move(mender), std::move(*tail), RunTailCrc(bytes),
                    file_bytes));
  return std::nullopt;
}

Outcome Run::Find(const ObjectId& id, std::optional<Place>& out) {
  const auto [first, end] = CandidatesFor(PrefixOf(id), tail_.fences.size(),
                                          [this](size_t group) { return tail_.fences[group]; });
  for (size_t group = first; group < end || group == first; ++group) {
    if (Outcome fault = FindInGroup(group, id, out)) return fault;
    if (out.has_value()) return std::nullopt;
  }
  return std::nullopt;
}

Outcome Run::ReadGroup(size_t group, std::vector<Row>& rows) {
  rows.clear();
  const Group* loaded = groups_[group].load(std::memory_order_acquire);
  if (loaded == nullptr || !loaded->is_mended) {
    Bytes pages(BlocksIn(group) * kPageBytes);
    const ssize_t count = ReadAt(file_.Fd(), pages, OffsetOf(group, 0));
    bool is_sound = count == static_cast<ssize_t>(pages.size());
    for (size_t slot = 0; is_sound && slot < BlocksIn(group); ++slot) {
      const PageView block(pages.data() + slot * kPageBytes, kPageBytes);
      is_sound = IsPageSound(block);
      const size_t rows_in = RowsIn(group, slot);
      for (size_t row = 0; is_sound && row < rows_in; ++row) {
        rows.push_back(RowOf(block, row));
        is_sound = rows.size() == 1 || rows[rows.size() - 2].id < rows.back().id;
      }
    }
    is_sound = is_sound && PrefixOf(rows.front().id) == tail_.fences[group];
    if (is_sound) return std::nullopt;
    if (Outcome fault = Mend(group, loaded)) return fault;
  }
  rows = loaded->mended;
  return std::nullopt;
}

size_t Run::GroupFrom(const ObjectId& id) const {
  const auto found = std::lower_bound(tail_.fences.begin(), tail_.fences.end(), PrefixOf(id));
  return found == tail_.fences.begin() ? 0 : static_cast<size_t>(found - tail_.fences.begin()) - 1;
}

size_t Run::BlocksIn(size_t group) const {
  return static_cast<size_t>(
      std::min<uint64_t>(kBlocksPerGroup, BlocksOf(tail_.rows) - group * kBlocksPerGroup));
}

size_t Run::RowsIn(size_t group, size_t slot) const {
  const uint64_t before = (group * kBlocksPerGroup + slot) * kRowsPerBlock;
  return static_cast<size_t>(std::min<uint64_t>(kRowsPerBlock, tail_.rows - before));
}

// The summary follows the last block.
uint64_t Run::OffsetOf(size_t group, size_t slot) const {
  return (uint64_t{group} * (kBlocksPerGroup + 1) + slot) * kPageBytes;
}

bool Run::ReadPage(uint64_t offset, PageSpan page) const {
  return ReadAt(file_.Fd(), page, offset) == ssize_t{kPageBytes} && IsPageSound(page);
}

// A checksum does not say where its page belongs.
bool Run::IsSummaryOf(PageView page, size_t group) const {
  return FenceOf(page, 0) == tail_.fences[group] && IsSummary(page, BlocksIn(group));
}

Outcome Run::Load(size_t group, const Group*& out) {
  out = groups_[group].load(std::memory_order_acquire);
  if (out != nullptr) return std::nullopt;
  auto read = std::make_unique<Group>();
  if (!ReadPage(OffsetOf(group, BlocksIn(group)), read->summary) ||
      !IsSummaryOf(read->summary, group)) {
    return Mend(group, out);
  }
  const std::lock_guard lock(load_mutex_);
  out = groups_[group].load(std::memory_order_acquire);
  if (out != nullptr) return std::nullopt;  // Another thread was first.
  out = read.get();
  loaded_.push_back(std::move(read));
  groups_[group].store(out, std::memory_order_release);
  return std::nullopt;
}

Outcome Run::Mend(size_t group, const Group*& out) {
  const std::lock_guard lock(load_mutex_);
  is_damaged_ = true;
  out = groups_[group].load(std::memory_order_acquire);
  if (out != nullptr && out->is_mended) return std::nullopt;
  const bool is_last = group + 1 == tail_.fences.size();
  const uint64_t high = is_last ? UINT64_MAX : tail_.fences[group + 1];
  auto mended = std::make_unique<Group>();
  mended->is_mended = true;
  if (Outcome fault = mender_(tail_.packs, tail_.fences[group], high, mended->mended)) return fault;
  out = mended.get();
  loaded_.push_back(std::move(mended));
  groups_[group].store(out, std::memory_order_release);
  return std::nullopt;
}

Outcome Run::FindInGroup(size_t group, const ObjectId& id, std::optional<Place>& out) {
  const Group* read = nullptr;
  if (Outcome fault = Load(group, read)) return fault;
  if (!read->is_mended && FindInBlocks(group, *read, id, out)) return std::nullopt;
  if (!read->is_mended) {
    if (Outcome fault = Mend(group, read)) return fault;
  }
  out = FindRow(read->mended, id);
  return std::nullopt;
}

bool Run::FindInBlocks(size_t group, const Group& read, const ObjectId& id,
                       std::optional<Place>& out) const {
  const auto fence = [&read](size_t slot) { return FenceOf(read.summary, slot); };
  const auto [first, end] = CandidatesFor(PrefixOf(id), BlocksIn(group), fence);
  for (size_t slot = first; slot < end || slot == first; ++slot) {
    if (!MayHold(read.summary, slot, id)) continue;
    Page block;
    if (!ReadPage(OffsetOf(group, slot), block)) return false;
    // A checksum does not say where its page belongs.
    if (PrefixOf(RowOf(block, 0).id) != fence(slot)) return false;
    const size_t count = RowsIn(group, slot);
    const size_t at = LowerBound(block, count, id);
    if (at == count) continue;
    const Row row = RowOf(block, at);
    if (row.id != id) continue;
    out = row.place;
    return true;
  }
  return true;
}

void Run::Verify(std::vector<IndexFault>& faults) const {
  Bytes tail(EncodeRunTail(tail_).size());
  const uint64_t tail_offset = file_bytes_ - tail.size();
  if (ReadAt(file_.Fd(), tail, tail_offset) != static_cast<ssize_t>(tail.size()) ||
      tail != EncodeRunTail(tail_)) {
    faults.push_back({path_, tail_offset, "its end is damaged"});
  }
  for (size_t group = 0; group < Groups(); ++group) VerifyGroup(group, faults);
}

void Run::VerifyGroup(size_t group, std::vector<IndexFault>& faults) const {
  Page summary;
  const uint64_t summary_offset = OffsetOf(group, BlocksIn(group));
  if (!ReadPage(summary_offset, summary)) {
    faults.push_back({path_, summary_offset, "a summary's checksum is wrong"});
    return;
  }
  if (!IsSummaryOf(summary, group)) {
    faults.push_back({path_, summary_offset, "a summary is out of its place"});
    return;
  }
  for (size_t slot = 0; slot < BlocksIn(group); ++slot) {
    Page block;
    const uint64_t offset = OffsetOf(group, slot);
    const char* const what = ReadPage(offset, block)
                                 ? BlockFault(block, RowsIn(group, slot), summary, slot)
                                 : "a block's checksum is wrong";
    if (what != nullptr) faults.push_back({path_, offset, what});
  }
}

// Null where it is as a writer makes it.
const char* Run::BlockFault(PageView block, size_t count, PageView summary, size_t slot) const {
  if (PrefixOf(RowOf(block, 0).id) != FenceOf(summary, slot)) return "a block is out of its place";
  ObjectId last{};
  for (size_t at = 0; at < count; ++at) {
    const Row row = RowOf(block, at);
    if (at > 0 && row.id <= last) return "a block's rows are out of order";
    if (!MayHold(summary, slot, row.id)) return "a filter leaves out what its block holds";
    last = row.id;
  }
  return nullptr;
}

}  // namespace gdo::store
