#include "store/ingest.h"

#include <algorithm>
#include <limits>

#include "store/chunk_encoder.h"

namespace gdo::store {
namespace {

constexpr size_t kSegmentBytesMax = size_t{6} * 1024 * 1024;
// Those waiting, one in the hand of either thread: never all that there may be, or both would wait.
constexpr size_t kPiecesMax = 3;
constexpr size_t kItemsMax = 128;

}  // namespace

Ingest::Ingest(ObjectStore& store, WorkerPool& workers)
    : store_(store),
      workers_(workers),
      segments_(kSegmentBytesMax),
      jobs_(std::numeric_limits<size_t>::max()),
      pieces_(kPiecesMax),
      items_(kItemsMax) {
  reader_ = std::thread([this] { ReadJobs(); });
  cutter_ = std::thread([this] { CutPieces(); });
  appender_ = std::thread([this] { AppendItems(); });
}

// Each stage ends when the one before it has, so that every job comes to its end.
Ingest::~Ingest() {
  is_stopped_ = true;
  jobs_.Close();
  reader_.join();
  pieces_.Close();
  cutter_.join();
  items_.Close();
  appender_.join();
}

JobPointer Ingest::MakeJob(int fd, uint64_t bytes_max, const Profile& profile) {
  const auto put = [this](const ObjectId& id, const Bytes& node) {
    return store_.Put(ObjectKind::kBlob, id, node);
  };
  return std::make_shared<IngestJob>(fd, bytes_max, profile, put);
}

void Ingest::Start(JobPointer job) { jobs_.Push(std::move(job)); }

void Ingest::ReadJobs() {
  FileReader reader(segments_, [this](Piece piece) {
    if (is_stopped_) piece.job->is_aborted = true;
    pieces_.Push(std::move(piece));
  });
  while (std::optional<JobPointer> job = jobs_.Pop()) {
    if (is_stopped_) (*job)->is_aborted = true;
    reader.Read(*job);
  }
}

void Ingest::CutPieces() {
  Cutter cutter(
      segments_,
      [this](const JobPointer& job, const std::shared_ptr<Segment>& segment,
             std::span<const uint8_t> bytes) { TakeChunk(job, segment, bytes); },
      [this](const JobPointer& job, uint64_t length) { TakeZeros(job, length); });
  while (std::optional<Piece> piece = pieces_.Pop()) {
    if (planner_ == nullptr) {
      planner_ = std::make_unique<BasePlanner>(store_, piece->job->previous);
      cut_offset_ = 0;
    }
    cutter.Take(*piece);
    if (!piece->is_end) continue;
    planner_.reset();
    auto end = std::make_shared<CutItem>();
    end->job = piece->job;
    end->is_end = true;
    end->fault = std::move(piece->fault);
    items_.Push(std::move(end));
  }
}

void Ingest::TakeZeros(const JobPointer& job, uint64_t length) {
  auto item = std::make_shared<CutItem>();
  item->job = job;
  item->length = length;
  items_.Push(std::move(item));
  planner_->Zeros();
  cut_offset_ += length;
}

void Ingest::TakeChunk(const JobPointer& job, const std::shared_ptr<Segment>& segment,
                       std::span<const uint8_t> bytes) {
  auto item = std::make_shared<CutItem>();
  item->job = job;
  item->length = bytes.size();
  item->id = NameOf(ObjectKind::kChunk, bytes);
  if (Claim(item->id)) {
    item->bytes = bytes;
    item->segment = segment;
    item->plan = planner_->New({item->id, segment, bytes}, cut_offset_);
    item->is_ready = false;
    workers_.Run([this, item] { Encode(item); });
  } else {
    planner_->Known(item->id, cut_offset_);
  }
  cut_offset_ += bytes.size();
  items_.Push(std::move(item));
}

// Whether the chunk is new, so that somebody must store it.
bool Ingest::Claim(const ObjectId& id) {
  if (store_.Has(id)) return false;
  const std::lock_guard lock(in_flight_mutex_);
  // It may have arrived between the two looks: then it is stored once more, and found by Append.
  return in_flight_.insert(id).second;
}

void Ingest::Encode(const ItemPointer& item) {
  // Also for a job that was aborted meanwhile: another may count on the chunk.
  EncodedChunk encoded = ChunkEncoder(store_, item->id, item->bytes).Encode(item->plan);
  item->record = std::move(encoded.record);
  item->bases = std::move(encoded.bases);
  item->plan = {};
  item->is_ready = true;
  item->is_ready.notify_one();
}

void Ingest::AppendItems() {
  while (std::optional<ItemPointer> next = items_.Pop()) {
    CutItem& item = **next;
    item.is_ready.wait(false);
    if (Outcome fault = Append(item); fault.has_value() && !item.job->fault.has_value()) {
      item.job->fault = std::move(fault);
      item.job->is_aborted = true;  // The stages before need not go on.
    }
    if (item.is_end) End(item);
  }
}

Outcome Ingest::Append(CutItem& item) {
  IngestJob& job = *item.job;
  if (item.is_end) return item.fault;
  job.counts.read_bytes += item.length;
  Outcome fault;
  if (item.id == kZerosId) {
    if (!job.is_aborted) job.list.AddZeros(item.length);
  } else {
    fault = AppendChunk(item);
    if (!fault.has_value() && !job.is_aborted) fault = job.list.Add({item.id, item.length});
  }
  if (job.on_progress) job.on_progress(job.counts);
  return fault;
}

Outcome Ingest::AppendChunk(CutItem& item) {
  if (item.bytes.empty()) {
    // Known when it was cut; but the one before it that was to be stored may have failed.
    if (store_.Entries().Has(item.id) || item.job->is_aborted) return std::nullopt;
    return last_failure_;
  }
  const bool has_bases = std::all_of(item.bases.begin(), item.bases.end(),
                                     [this](const auto& id) { return store_.Entries().Has(id); });
  if (!has_bases) {  // One that was on its way could not be stored.
    item.record =
        CodecPool::Lease(store_.Codecs())->EncodeRecord(ObjectKind::kChunk, item.id, item.bytes);
  }
  Outcome fault = store_.Append(item.id, item.record);
  if (fault.has_value()) last_failure_ = fault;
  item.job->counts.new_chunks += 1;
  item.job->counts.new_bytes += item.length;
  item.job->counts.stored_bytes += item.record.size();
  const std::lock_guard lock(in_flight_mutex_);
  in_flight_.erase(item.id);
  return fault;
}

void Ingest::End(CutItem& item) {
  IngestJob& job = *item.job;
  if (!job.fault.has_value() && job.is_aborted) {
    job.fault = Fault{Fault::Kind::kAborted, 0, "the work was stopped"};
  }
  if (!job.fault.has_value()) job.fault = job.list.Finish(job.root);
  job.on_done();
}

}  // namespace gdo::store
