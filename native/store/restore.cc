#include "store/restore.h"

#include <unistd.h>

#include <algorithm>
#include <unordered_set>

#include "store/zeros.h"

namespace gdo::store {
namespace {

constexpr size_t kBatchBytes = size_t{512} * 1024;
// What a file system allocates at once; a hole is at least so large.
constexpr size_t kSparsePageBytes = 4096;

Fault NoBlobNode(const ObjectId& id, const char* why) {
  return Corrupt("blob node " + HexOf(id) + " " + why);
}

bool IsZeroPage(std::span<const uint8_t> bytes, size_t page) {
  return page + kSparsePageBytes <= bytes.size() &&
         IsAllZero(bytes.subspan(page, kSparsePageBytes));
}

// Leaves out the pages of the file that are all zeros.
bool WriteSparsely(int fd, std::span<const uint8_t> bytes, uint64_t offset) {
  size_t start = 0;
  for (size_t page = (kSparsePageBytes - offset % kSparsePageBytes) % kSparsePageBytes;
       page < bytes.size(); page += kSparsePageBytes) {
    if (!IsZeroPage(bytes, page)) continue;
    if (!WriteAt(fd, bytes.subspan(start, page - start), offset + start)) return false;
    start = page + kSparsePageBytes;
  }
  return WriteAt(fd, bytes.subspan(std::min(start, bytes.size())), offset + start);
}

bool FollowsOn(const Place& before, const Place& place) {
  return before.pack == place.pack && before.offset + before.record_bytes == place.offset;
}

// All that the records lean on.
std::unordered_set<ObjectId, IdHash> BasesWithin(std::span<const uint8_t> records,
                                                 const std::vector<Place>& places) {
  std::unordered_set<ObjectId, IdHash> ids;
  for (const Place& place : places) {
    for (const ObjectId& id : BasesOf(records.first(place.record_bytes))) ids.insert(id);
    records = records.subspan(place.record_bytes);
  }
  return ids;
}

}  // namespace

bool BlobWalk::Next(Chunk& out, Outcome& fault) {
  if (!is_begun_) {
    is_begun_ = true;
    fault = Enter(root_, nullptr);
  }
  while (!fault.has_value() && !levels_.empty()) {
    Level& level = levels_.back();
    if (level.next == level.node.entries.size()) {
      levels_.pop_back();
      continue;
    }
    const BlobEntry entry = level.node.entries[level.next++];
    if (level.node.level > 0) {
      fault = Enter(entry.id, &entry);
      continue;
    }
    out = {entry, offset_};
    offset_ += entry.length;
    if (entry.id != kZerosId) return true;
  }
  return false;
}

// A child must be what its parent says: a forged one could loop or lie about lengths.
Outcome BlobWalk::Enter(const ObjectId& id, const BlobEntry* expected) {
  Object object;
  if (Outcome fault = store_.Get(id, object)) return fault;
  if (object.kind != ObjectKind::kBlob) {
    return Fault{Fault::Kind::kInvalid, 0, HexOf(id) + " is not a blob"};
  }
  std::optional<BlobNode> node = DecodeBlobNode(object.bytes);
  if (!node.has_value()) return NoBlobNode(id, "is malformed");
  if (expected != nullptr) {
    const BlobNode& parent = levels_.back().node;
    const bool is_right = node->level + 1 == parent.level && node->profile == parent.profile &&
                          node->Length() == expected->length;
    if (!is_right) return NoBlobNode(id, "is not what its parent says");
  }
  levels_.push_back({std::move(*node), 0});
  return std::nullopt;
}

// A small file is one task; a large one as many as there are workers.
void RestoreJob::Start(WorkerPool& workers) {
  workers_left_ = 1;
  workers.Run([self = shared_from_this(), &workers] {
    Batch first = self->NextBatch();
    const bool is_large = [&] {
      const std::lock_guard lock(self->mutex_);
      return !self->is_at_end_;
    }();
    if (is_large) {
      self->workers_left_ += workers.Size() - 1;
      for (size_t more = 1; more < workers.Size(); ++more) {
        workers.Run([self] { self->Work(); });
      }
    }
    if (Outcome fault = self->Write(first)) self->Fail(std::move(*fault));
    self->Work();
  });
}

void RestoreJob::Work() {
  for (;;) {
    const Batch batch = NextBatch();
    if (batch.empty()) break;
    if (Outcome fault = Write(batch)) Fail(std::move(*fault));
  }
  EndWorker();
}

// Empty at the end, or when there is no sense in going on.
RestoreJob::Batch RestoreJob::NextBatch() {
  const std::lock_guard lock(mutex_);
  Batch batch;
  if (is_aborted && !fault_.has_value()) {
    fault_ = Fault{Fault::Kind::kAborted, 0, "the work was stopped"};
  }
  uint64_t bytes = 0;
  while (!is_at_end_ && !fault_.has_value() && bytes < kBatchBytes) {
    BlobWalk::Chunk chunk;
    is_at_end_ = !walk_.Next(chunk, fault_);
    if (is_at_end_) break;
    if (chunk.entry.length > kObjectBytesMax) {
      fault_ = NoBlobNode(chunk.entry.id, "cannot be a chunk of this length");
      break;
    }
    bytes += chunk.entry.length;
    batch.push_back(chunk);
  }
  return batch;
}

Outcome RestoreJob::Write(const Batch& batch) {
  return WhereItLies([&] { return TryWrite(batch); });
}

Outcome RestoreJob::TryWrite(const Batch& batch) {
  std::vector<Place> places;
  RawBytes records;
  if (Outcome fault = ReadRecords(batch, places, records)) return fault;
  size_t size = 0;
  for (const BlobWalk::Chunk& chunk : batch) size += chunk.entry.length;
  RawBytes out(size);
  const auto leant_on = BasesWithin(records, places);
  size_t at = 0;
  size_t record_at = 0;
  size_t unwritten = 0;  // Where in `out` what follows the last hole begins.
  for (size_t index = 0; index < batch.size(); ++index) {
    const auto& [entry, offset] = batch[index];
    const auto record = std::span(records).subspan(record_at, places[index].record_bytes);
    if (Outcome fault = store_.OpenRecordInto(record, entry.id, ObjectKind::kChunk,
                                              std::span(out).subspan(at, entry.length))) {
      return store_.Damaged(entry.id, places[index], std::move(*fault));
    }
    if (leant_on.contains(entry.id)) {
      store_.KeepAtHand(entry.id, record, std::span(out).subspan(at, entry.length));
    }
    at += entry.length;
    record_at += places[index].record_bytes;
    const bool is_last = index + 1 == batch.size();
    if (!is_last && batch[index + 1].offset == offset + entry.length) continue;
    const auto run = std::span(out).subspan(unwritten, at - unwritten);
    if (!WriteSparsely(fd_, run, offset + entry.length - run.size())) {
      return SystemFault("cannot write the file");
    }
    unwritten = at;
  }
  const std::lock_guard lock(mutex_);
  written_bytes_ += size;
  if (on_progress) on_progress(written_bytes_);
  return std::nullopt;
}

// End to end; what follows on in a pack is read at once.
Outcome RestoreJob::ReadRecords(const Batch& batch, std::vector<Place>& places, RawBytes& records) {
  size_t size = 0;
  for (const BlobWalk::Chunk& chunk : batch) {
    const std::optional<Place> place = store_.Entries().Find(chunk.entry.id);
    if (!place.has_value()) {
      return Fault{Fault::Kind::kMissing, 0,
                   "object " + HexOf(chunk.entry.id) + " is not in the store"};
    }
    // A blob may say of a large chunk that it is small, and that a million times over.
    if (place->record_bytes > RecordBytesMax(chunk.entry.length)) {
      return Corrupt("chunk " + HexOf(chunk.entry.id) + " is longer than its blob says");
    }
    places.push_back(*place);
    size += place->record_bytes;
  }
  records.resize(size);
  auto rest = std::span(records);
  for (size_t first = 0; first < places.size();) {
    size_t last = first;
    size_t run = places[first].record_bytes;
    while (last + 1 < places.size() && FollowsOn(places[last], places[last + 1])) {
      run += places[++last].record_bytes;
    }
    // Not all of a run need be in the file yet, or still be there: then each is read alone.
    if (store_.ReadRecord(places[first], rest.first(run)).has_value()) {
      last = first;
      run = places[first].record_bytes;
      if (Outcome fault = store_.ReadRecord(places[first], rest.first(run))) {
        return store_.Damaged(batch[first].entry.id, places[first], std::move(*fault));
      }
    }
    rest = rest.subspan(run);
    first = last + 1;
  }
  return std::nullopt;
}

void RestoreJob::Fail(Fault fault) {
  const std::lock_guard lock(mutex_);
  if (!fault_.has_value()) fault_ = std::move(fault);
}

void RestoreJob::EndWorker() {
  if (--workers_left_ != 0) return;
  // A hole at the end.
  if (!fault_.has_value() && ftruncate(fd_, static_cast<off_t>(walk_.Offset())) != 0) {
    fault_ = SystemFault("cannot write the file");
  }
  on_done();
}

}  // namespace gdo::store
