// Objects on disk, in append-only packs: the index, the one open pack, and reading [T7][T8][T10].
// Any thread. TypeScript opens it: lists the packs, recovers what a crash left, holds the lock.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "store/chunk_cache.h"
#include "store/collection.h"
#include "store/fault.h"
#include "store/index.h"
#include "store/pack_appender.h"
#include "store/pack_files.h"
#include "store/payload.h"

namespace gdo::store {

struct Object {
  ObjectKind kind = ObjectKind::kMark;
  Bytes bytes;
};

// What the open pack holds is in memory, some 100 bytes a record: a pack of small ones ends by
// their number. lib/store/collect/plan.ts has the same.
inline constexpr size_t kPackRecordsMax = 32768;

class ObjectStore {
 public:
  ObjectStore(const std::string& folder, uint64_t pack_bytes_max);

  Index& Entries() { return index_; }
  CodecPool& Codecs() { return codecs_; }

  // Takes in the index on disk; gives the packs that need not be added, ascending [T9].
  std::vector<uint32_t> LoadIndex(bool is_writer) { return index_.Load(is_writer); }

  // What a pack holds; its footer's entries as they stand on disk.
  void AddEntries(uint32_t pack, std::span<const FooterEntry> entries);

  // All of a sealed pack has been added. The index on disk takes it over when enough has come
  // together.
  Outcome Seal(uint32_t pack, uint64_t pack_bytes);

  // The highest pack there is. When it may be continued, `state` is what it holds: it is opened by
  // the first append.
  void SetLastPack(uint32_t pack, std::unique_ptr<PackState> state);

  // Whether the object is held, not known to be damaged, and not about to be removed: then whoever
  // needs it need not put it.
  bool Has(const ObjectId& id) const;

  // Keeps an object that is not held yet.
  Outcome Put(ObjectKind kind, const ObjectId& id, std::span<const uint8_t> bytes);

  // As Put, when the record is made already.
  Outcome Append(const ObjectId& id, const Bytes& record);

  // The object, its id checked. One found damaged counts as missing from then on.
  Outcome Get(const ObjectId& id, Object& out);

  // The object of a whole record that has been read, its id checked.
  Outcome OpenRecord(std::span<const uint8_t> record, const ObjectId& id, Object& out);
  // The same into memory that has the object's length.
  Outcome OpenRecordInto(std::span<const uint8_t> record, const ObjectId& id, ObjectKind kind,
                         std::span<uint8_t> out);

  // Keeps a chunk, its id checked, at hand for those that lean on it.
  void KeepAtHand(const ObjectId& id, std::span<const uint8_t> record,
                  std::span<const uint8_t> bytes);

  // A chunk to lean on, its id checked.
  Outcome GetChunk(const ObjectId& id, ChunkPointer& out);

  // A record's bytes; `out` is as long as it is.
  Outcome ReadRecord(const Place& place, std::span<uint8_t> out);

  Outcome Commit();

  // Begins a cleaning of all packs that there are: nothing is appended to any of them from here on,
  // but in a dry one. Only one at a time.
  Outcome BeginCollection(bool is_dry, uint32_t& last_pack);
  std::shared_ptr<Collection> Collecting() const;
  void EndCollection();

  // Stores a record anew that lies at `from`; nothing happens if it does not any more.
  Outcome Move(const ObjectId& id, const Place& from, const Bytes& record);

  // A pack that is later than all others is on disk when it succeeds: no number is given twice.
  Outcome BeginPack();

  // Lets go of packs that are to be removed, or are gone; what is needed of them lies elsewhere, or
  // nowhere [T11].
  void DropPacks(std::span<const uint32_t> packs);

  // Commits, seals a pack that is an eighth full, and writes the index of what is sealed, so that
  // the next open need not read it.
  Outcome Finish();

  // Lets go of all files, as they are.
  void Close();

  // Marks as damaged and says where; other faults pass unchanged.
  Fault Damaged(const ObjectId& id, const Place& place, Fault fault);

 private:
  Outcome ReadOnce(const ObjectId& id, Object& out);
  Fault Missing(const ObjectId& id) const;

  // Of the objects that one leans on. Where the last one's id is right, so was all before it:
  // each is checked only to tell which is not.
  enum class Trust : uint8_t { kUnchecked, kChecked };
  // `above` objects lean on what is read.
  struct Reading {
    Trust trust;
    int above = 0;
  };

  // What comes out has the id.
  Outcome DecodeChecked(const RecordHeader& header, std::span<const uint8_t> record,
                        std::span<uint8_t> out);
  // `depth` is how many it leans on in a row.
  Outcome Decode(const RecordHeader& header, std::span<const uint8_t> record, Reading reading,
                 std::span<uint8_t> out, int& depth);
  Outcome ReadWhole(const Place& place, RawBytes& record);
  Outcome ReadBases(const RecordHeader& header, std::span<const uint8_t> record, Reading reading,
                    std::vector<ChunkPointer>& out);
  Outcome ReadBase(const ObjectId& id, Reading reading, ChunkPointer& out);

  Outcome SealAll(uint32_t& last_pack);
  Outcome OpenAppender(uint64_t record_bytes);
  Outcome SealAppender();
  Outcome Continue();
  std::shared_ptr<PackAppender> CurrentAppender() const;
  void SetAppender(std::shared_ptr<PackAppender> appender);

  const uint64_t pack_bytes_max_;
  PackFiles files_;
  Index index_;
  CodecPool codecs_;
  ChunkCache chunks_;

  std::mutex append_mutex_;  // Writing happens one step at a time.
  std::unique_ptr<PackState> continuable_;
  uint32_t last_pack_ = 0;

  mutable std::shared_mutex collection_mutex_;  // Guards the pointer only.
  std::shared_ptr<Collection> collection_;

  mutable std::shared_mutex appender_mutex_;  // Guards the pointer only.
  std::shared_ptr<PackAppender> appender_;
};

}  // namespace gdo::store
