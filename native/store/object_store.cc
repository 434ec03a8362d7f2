#include "store/object_store.h"

#include <algorithm>

namespace gdo::store {
namespace {

// A pack this full is sealed on close.
constexpr uint64_t kSealOnClosePart = 8;

// Enough for what the chunks that are read next lean on too.
constexpr size_t kCacheBytesMax = size_t{4} * 1024 * 1024;
// Larger chunks are nobody's base.
constexpr size_t kCachedBytesMax = size_t{256} * 1024;

}  // namespace

ObjectStore::ObjectStore(const std::string& folder, uint64_t pack_bytes_max)
    : pack_bytes_max_(pack_bytes_max),
      files_(folder),
      index_(folder, files_),
      chunks_(kCacheBytesMax) {}

void ObjectStore::AddEntries(uint32_t pack, std::span<const FooterEntry> entries) {
  for (const FooterEntry& entry : entries) {
    index_.Set(entry.id, {pack, entry.offset, entry.record_bytes});
  }
}

Outcome ObjectStore::Seal(uint32_t pack, uint64_t pack_bytes) {
  index_.Seal(pack, pack_bytes);
  return index_.Flush(false);
}

void ObjectStore::SetLastPack(uint32_t pack, std::unique_ptr<PackState> state) {
  const std::lock_guard lock(append_mutex_);
  // A number is never given again: the index may still speak of the pack that had it.
  last_pack_ = std::max(pack, index_.LastPack());
  continuable_ = std::move(state);
}

bool ObjectStore::Has(const ObjectId& id) const {
  if (!index_.Has(id)) return false;
  const std::shared_ptr<Collection> collection = Collecting();
  if (collection == nullptr) return true;
  const std::optional<Place> place = index_.Find(id);
  return place.has_value() && !collection->IsCondemned(*place);
}

Outcome ObjectStore::Put(ObjectKind kind, const ObjectId& id, std::span<const uint8_t> bytes) {
  if (Has(id)) return std::nullopt;
  const Bytes record = CodecPool::Lease(codecs_)->EncodeRecord(kind, id, bytes);
  return Append(id, record);
}

Outcome ObjectStore::Append(const ObjectId& id, const Bytes& record) {
  const std::lock_guard lock(append_mutex_);
  if (Has(id)) return std::nullopt;  // Another put of it was first.
  if (Outcome fault = OpenAppender(record.size())) return fault;
  uint32_t offset = 0;
  if (Outcome fault = appender_->Append(id, record, offset)) return fault;
  index_.Set(id, {appender_->Pack(), offset, static_cast<uint32_t>(record.size())});
  const std::shared_ptr<Collection> collection = Collecting();
  if (collection != nullptr) collection->NoteYoung(id, record);
  return std::nullopt;
}

Outcome ObjectStore::Get(const ObjectId& id, Object& out) {
  return WhereItLies([&] { return ReadOnce(id, out); });
}

Outcome ObjectStore::ReadOnce(const ObjectId& id, Object& out) {
  const std::optional<Place> place = index_.Find(id);
  if (!place.has_value()) return Missing(id);
  RawBytes record;
  Outcome fault = ReadWhole(*place, record);
  if (!fault.has_value()) fault = OpenRecord(record, id, out);
  if (!fault.has_value()) return fault;
  return Damaged(id, *place, std::move(*fault));
}

// [T10] What a damaged index hides is not called missing.
Fault ObjectStore::Missing(const ObjectId& id) const {
  const Outcome hidden = index_.Hidden();
  if (hidden.has_value())
    return Corrupt("the index is damaged and cannot be mended: " + hidden->what);
  return {Fault::Kind::kMissing, 0, "object " + HexOf(id) + " is not in the store"};
}

Outcome ObjectStore::OpenRecord(std::span<const uint8_t> record, const ObjectId& id, Object& out) {
  const auto header = record.size() < kRecordBytesMin ? std::nullopt : DecodeRecordHeader(record);
  if (!header.has_value()) return Corrupt("the record's header is damaged");
  out.kind = header->kind;
  out.bytes.resize(header->raw_bytes);
  return OpenRecordInto(record, id, header->kind, out.bytes);
}

Outcome ObjectStore::OpenRecordInto(std::span<const uint8_t> record, const ObjectId& id,
                                    ObjectKind kind, std::span<uint8_t> out) {
  const auto header = record.size() < kRecordBytesMin ? std::nullopt : DecodeRecordHeader(record);
  const bool is_it = header.has_value() && header->kind != ObjectKind::kMark && header->id == id &&
                     header->RecordBytes() == record.size();
  if (!is_it) return Corrupt("the record's header is damaged");
  if (header->kind != kind || header->raw_bytes != out.size()) {
    // In a sound record it is not the object that is to blame, but what needs it.
    const bool is_sound = IsRecordIntact(record);
    return Fault{is_sound ? Fault::Kind::kInvalid : Fault::Kind::kCorrupt, 0,
                 HexOf(id) + " is of another kind or length than what needs it says"};
  }
  // The id says it all: a checksum that is wrong over right bytes is for verify to tell.
  return DecodeChecked(*header, record, out);
}

void ObjectStore::KeepAtHand(const ObjectId& id, std::span<const uint8_t> record,
                             std::span<const uint8_t> bytes) {
  if (bytes.size() > kCachedBytesMax) return;
  auto chunk = std::make_shared<ReadChunk>();
  chunk->bytes.assign(bytes.begin(), bytes.end());
  chunk->is_verified = true;
  for (const ObjectId& base : BasesOf(record)) {
    const ChunkPointer below = chunks_.Find(base);
    if (below == nullptr) return;  // How deep it is cannot be told.
    chunk->depth = std::max(chunk->depth, below->depth + 1);
  }
  chunks_.Add(id, std::move(chunk));
}

Outcome ObjectStore::GetChunk(const ObjectId& id, ChunkPointer& out) {
  Outcome fault = ReadBase(id, {Trust::kUnchecked}, out);
  if (!fault.has_value() && !out->is_verified) {
    out->is_verified = NameOf(ObjectKind::kChunk, out->bytes) == id;
    if (!out->is_verified) fault = ReadBase(id, {Trust::kChecked}, out);
  }
  return fault;
}

Outcome ObjectStore::ReadRecord(const Place& place, std::span<uint8_t> out) {
  const std::shared_ptr<PackAppender> open = CurrentAppender();
  const bool is_buffered =
      open != nullptr && open->Pack() == place.pack && open->ReadBuffered(place.offset, out);
  return is_buffered ? std::nullopt : files_.Read(place.pack, place.offset, out);
}

// A footer that lies must not make us ask for more memory than any record takes.
Outcome ObjectStore::ReadWhole(const Place& place, RawBytes& record) {
  if (place.record_bytes > RecordBytesMax(kObjectBytesMax)) {
    return Corrupt("no record is as long as this one is said to be");
  }
  record.resize(place.record_bytes);
  return ReadRecord(place, record);
}

Fault ObjectStore::Damaged(const ObjectId& id, const Place& place, Fault fault) {
  if (fault.kind != Fault::Kind::kCorrupt) return fault;
  index_.MarkDamaged(id);
  return Corrupt("object " + HexOf(id) + " is damaged (" + files_.PathOf(place.pack) + ", offset " +
                 std::to_string(place.offset) + "): " + fault.what);
}

Outcome ObjectStore::DecodeChecked(const RecordHeader& header, std::span<const uint8_t> record,
                                   std::span<uint8_t> out) {
  int depth = 0;
  Outcome fault = Decode(header, record, {Trust::kUnchecked}, out, depth);
  if (!fault.has_value() && NameOf(header.kind, out) == header.id) return std::nullopt;
  if (header.bases > 0) {
    fault = Decode(header, record, {Trust::kChecked}, out, depth);
    if (!fault.has_value() && NameOf(header.kind, out) == header.id) return std::nullopt;
  }
  return fault.has_value() ? fault : Corrupt("the content does not have this id");
}

Outcome ObjectStore::Decode(const RecordHeader& header, std::span<const uint8_t> record,
                            Reading reading, std::span<uint8_t> out, int& depth) {
  std::vector<ChunkPointer> bases;
  if (Outcome fault = ReadBases(header, record, reading, bases)) return fault;
  std::vector<std::span<const uint8_t>> parts;
  for (const ChunkPointer& base : bases) {
    depth = std::max(depth, base->depth + 1);
    parts.emplace_back(base->bytes);
  }
  const CodecPool::Lease codec(codecs_);
  const auto payload = record.subspan(header.PayloadOffset(), header.stored_bytes);
  if (codec->Decode(header, payload, codec->Join(parts), out)) return std::nullopt;
  return Corrupt("the payload cannot be decompressed");
}

Outcome ObjectStore::ReadBases(const RecordHeader& header, std::span<const uint8_t> record,
                               Reading reading, std::vector<ChunkPointer>& out) {
  if (header.codec != Codec::kZstdBase) return std::nullopt;
  if (reading.above >= kDepthMax) return Corrupt("it leans on too long a row of others");
  for (const ObjectId& id : BasesOf(record)) {
    ChunkPointer chunk;
    if (Outcome fault = ReadBase(id, {reading.trust, reading.above + 1}, chunk)) {
      if (fault->kind == Fault::Kind::kSystem) return fault;
      return Corrupt("it leans on chunk " + HexOf(id) + ", which is missing or damaged");
    }
    out.push_back(std::move(chunk));
  }
  return std::nullopt;
}

Outcome ObjectStore::ReadBase(const ObjectId& id, Reading reading, ChunkPointer& out) {
  out = chunks_.Find(id);
  if (out != nullptr && (reading.trust == Trust::kUnchecked || out->is_verified)) {
    return std::nullopt;
  }
  const std::optional<Place> place = index_.Find(id);
  if (!place.has_value()) return Fault{Fault::Kind::kMissing, 0, "a base"};
  RawBytes record;
  if (Outcome fault = ReadWhole(*place, record)) return fault;
  const auto header = record.size() < kRecordBytesMin ? std::nullopt : DecodeRecordHeader(record);
  const bool is_chunk = header.has_value() && header->kind == ObjectKind::kChunk &&
                        header->id == id && header->RecordBytes() == record.size();
  if (!is_chunk) return Corrupt("the record's header is damaged");
  auto chunk = std::make_shared<ReadChunk>();
  chunk->bytes.resize(header->raw_bytes);
  if (Outcome fault = Decode(*header, record, reading, chunk->bytes, chunk->depth)) return fault;
  if (reading.trust == Trust::kChecked) {
    chunk->is_verified = NameOf(ObjectKind::kChunk, chunk->bytes) == id;
    if (!chunk->is_verified) return Corrupt("the content does not have this id");
  }
  out = std::move(chunk);
  chunks_.Add(id, out);
  return std::nullopt;
}

Outcome ObjectStore::Commit() {
  const std::lock_guard lock(append_mutex_);
  // What a killed writer had appended counts as held, so it must become durable too [T10].
  if (continuable_ != nullptr && continuable_->end_bytes > continuable_->marked_bytes) {
    if (Outcome fault = Continue()) return fault;
  }
  return appender_ == nullptr ? std::nullopt : appender_->Commit();
}

Outcome ObjectStore::BeginCollection(bool is_dry, uint32_t& last_pack) {
  if (is_dry) {
    if (Outcome fault = Commit()) return fault;
  }
  const std::lock_guard lock(append_mutex_);
  if (Collecting() != nullptr) return Fault{Fault::Kind::kInvalid, 0, "the store is being cleaned"};
  last_pack = last_pack_;
  if (!is_dry) {
    if (Outcome fault = SealAll(last_pack)) return fault;
  }
  const std::unique_lock inner(collection_mutex_);
  collection_ = std::make_shared<Collection>(*this);
  return std::nullopt;
}

// A pack without records may stay open: nothing of it can be dead.
Outcome ObjectStore::SealAll(uint32_t& last_pack) {
  if (appender_ == nullptr && continuable_ != nullptr && !continuable_->entries.empty()) {
    if (Outcome fault = Continue()) return fault;
  }
  if (appender_ != nullptr && appender_->Records() > 0) {
    if (Outcome fault = appender_->Seal()) return fault;
    SetAppender(nullptr);
  }
  if (appender_ != nullptr || continuable_ != nullptr) last_pack = last_pack_ - 1;
  return std::nullopt;
}

std::shared_ptr<Collection> ObjectStore::Collecting() const {
  const std::shared_lock lock(collection_mutex_);
  return collection_;
}

void ObjectStore::EndCollection() {
  const std::unique_lock lock(collection_mutex_);
  collection_.reset();
}

Outcome ObjectStore::Move(const ObjectId& id, const Place& from, const Bytes& record) {
  const std::lock_guard lock(append_mutex_);
  if (index_.Find(id) != from) return std::nullopt;
  if (Outcome fault = OpenAppender(record.size())) return fault;
  uint32_t offset = 0;
  if (Outcome fault = appender_->Append(id, record, offset)) return fault;
  index_.Set(id, {appender_->Pack(), offset, static_cast<uint32_t>(record.size())});
  return std::nullopt;
}

Outcome ObjectStore::BeginPack() {
  const std::lock_guard lock(append_mutex_);
  if (Outcome fault = OpenAppender(0)) return fault;
  return appender_->Commit();
}

void ObjectStore::DropPacks(std::span<const uint32_t> packs) {
  index_.DropPacks(packs);
  for (const uint32_t pack : packs) files_.Forget(pack);
}

Outcome ObjectStore::Finish() {
  if (Outcome fault = Commit()) return fault;
  const std::lock_guard lock(append_mutex_);
  const uint64_t seal_bytes = pack_bytes_max_ / kSealOnClosePart;
  if (appender_ == nullptr && continuable_ != nullptr && continuable_->end_bytes >= seal_bytes) {
    if (Outcome fault = Continue()) return fault;
  }
  if (appender_ != nullptr && appender_->EndBytes() >= seal_bytes) {
    if (Outcome fault = SealAppender()) return fault;
  }
  static_cast<void>(index_.Flush(true));  // As in SealAppender.
  return std::nullopt;
}

void ObjectStore::Close() {
  const std::lock_guard lock(append_mutex_);
  SetAppender(nullptr);
  files_.ForgetAll();
}

// The pack that has room for one more record of this size.
Outcome ObjectStore::OpenAppender(uint64_t record_bytes) {
  if (appender_ == nullptr && continuable_ != nullptr) {
    if (Outcome fault = Continue()) return fault;
  }
  if (appender_ != nullptr) {
    const uint64_t size =
        appender_->EndBytes() + record_bytes + FooterBytes(appender_->Records() + 1);
    const bool has_room = size <= pack_bytes_max_ && appender_->Records() < kPackRecordsMax;
    if (has_room || appender_->Records() == 0) return std::nullopt;
    if (Outcome fault = SealAppender()) return fault;
  }
  PackState fresh;
  fresh.pack = last_pack_ + 1;
  const std::string path = files_.PathOf(fresh.pack);
  std::unique_ptr<PackAppender> opened;
  if (Outcome fault = PackAppender::Open(path, std::move(fresh), opened)) return fault;
  last_pack_ = opened->Pack();
  SetAppender(std::move(opened));
  return std::nullopt;
}

Outcome ObjectStore::SealAppender() {
  if (Outcome fault = appender_->Seal()) return fault;
  const uint32_t pack = appender_->Pack();
  const uint64_t pack_bytes = appender_->EndBytes();
  SetAppender(nullptr);
  // [T8] The pack is durable first. The index only saves reading: where it cannot be written, what
  // it would say stays in memory, and is read from the footers when the store is opened next.
  static_cast<void>(Seal(pack, pack_bytes));
  return std::nullopt;
}

Outcome ObjectStore::Continue() {
  std::unique_ptr<PackAppender> opened;
  if (Outcome fault =
          PackAppender::Open(files_.PathOf(continuable_->pack), *continuable_, opened)) {
    return fault;
  }
  continuable_.reset();
  SetAppender(std::move(opened));
  return std::nullopt;
}

std::shared_ptr<PackAppender> ObjectStore::CurrentAppender() const {
  const std::shared_lock lock(appender_mutex_);
  return appender_;
}

void ObjectStore::SetAppender(std::shared_ptr<PackAppender> appender) {
  const std::unique_lock lock(appender_mutex_);
  appender_ = std::move(appender);
}

}  // namespace gdo::store
