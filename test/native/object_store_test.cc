#include "store/object_store.h"

#include <algorithm>

#include "store/pack_appender.h"
#include "store_expect.h"

namespace gdo::test {
namespace {

using store::Fault;
using store::ObjectKind;

constexpr uint64_t kPackBytesMax = 100'000;

Bytes RecordOf(const Bytes& object) {
  return store::PayloadCodec().EncodeRecord(ObjectKind::kChunk, ChunkId(object), object);
}

bool EndsWith(const Bytes& whole, const Bytes& end) {
  return whole.size() >= end.size() && std::equal(end.rbegin(), end.rend(), whole.rbegin());
}

// Torn bytes after the last whole item are cut off; what follows begins where they began.
void GoesOnAfterATornAppend(const std::string& path) {
  const Bytes sound = ContentOf(path);
  const store::File file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT(store::WriteAt(file.Fd(), Bytes(33, 0xb7), sound.size()));
  std::unique_ptr<store::PackAppender> appender;
  store::PackState state;
  state.pack = 7;
  state.end_bytes = sound.size();
  state.marked_bytes = sound.size();
  EXPECT(!store::PackAppender::Open(path, std::move(state), appender).has_value());
  EXPECT(ContentOf(path) == sound);
  // Nothing new: no mark, no write.
  EXPECT(!appender->Commit().has_value() && ContentOf(path) == sound);
  uint32_t offset = 0;
  EXPECT(!appender->Append(ChunkId(Bytes{9}), RecordOf({9}), offset).has_value());
  EXPECT(offset == sound.size());
  EXPECT(!appender->Seal().has_value());
}

void FindsOnlyWhatIsIntact(const std::string& folder, const Bytes& object) {
  const std::string path = folder + "/00000001.pack";
  const Bytes sound = ContentOf(path);
  const Bytes record = RecordOf(object);
  const auto offset = static_cast<uint32_t>(
      std::search(sound.begin(), sound.end(), record.begin(), record.end()) - sound.begin());
  const store::FooterEntry entry = {ChunkId(object), offset, static_cast<uint32_t>(record.size())};
  const store::File file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  size_t refused = 0;
  for (size_t bit = 0; bit < 8 * record.size(); ++bit) {
    const size_t place = offset + bit / 8;
    Bytes flipped = {static_cast<uint8_t>(sound[place] ^ 1 << bit % 8)};
    EXPECT(store::WriteAt(file.Fd(), flipped, place));
    store::ObjectStore store(folder, kPackBytesMax);
    store.AddEntries(1, std::span(&entry, 1));
    store::Object out;
    const store::Outcome fault = store.Get(entry.id, out);
    if (fault.has_value()) {
      EXPECT(fault->kind == Fault::Kind::kCorrupt && !store.Entries().Has(entry.id));
      ++refused;
    } else {
      EXPECT(out.bytes == object);
    }
    EXPECT(store::WriteAt(file.Fd(), std::span(sound).subspan(place, 1), place));
  }
  // All but those of the checksum, over right bytes, and of the kind, where the name says no more.
  EXPECT(refused >= 8 * (record.size() - store::kCrcBytes - 1));
}

// [T9] A footer with a right checksum may still be a lie.
void StandsFalsePlaces(const std::string& folder, const Bytes& object) {
  store::ObjectStore store(folder, kPackBytesMax);
  const store::ObjectId id = ChunkId(object);
  for (const uint32_t record_bytes : {1U, 51U, 52U, 1'000'000U, 0xFFFFFFFFU}) {
    for (const uint32_t offset : {0U, 31U, 32U, 5'000'000U, 0xFFFFFFFFU}) {
      const store::FooterEntry entry = {id, offset, record_bytes};
      store.AddEntries(1, std::span(&entry, 1));
      store::Object out;
      const store::Outcome fault = store.Get(id, out);
      EXPECT(fault.has_value() && fault->kind == Fault::Kind::kCorrupt);
      store::ChunkPointer chunk;
      EXPECT(store.GetChunk(id, chunk).has_value());
    }
  }
}

// [T7] However small they are: what the open pack holds is in memory.
void EndsAPackByItsRecords(const std::string& folder) {
  store::ObjectStore store(folder, uint64_t{1} << 27);
  for (size_t count = 0; count <= store::kPackRecordsMax; ++count) {
    const Bytes object = {static_cast<uint8_t>(count), static_cast<uint8_t>(count >> 8), 7};
    const Bytes& other = count < store::kPackRecordsMax ? object : Bytes{8};
    EXPECT(!store.Put(ObjectKind::kChunk, ChunkId(other), other).has_value());
  }
  const auto last = store.Entries().Find(ChunkId(Bytes{8}));
  const auto before = store.Entries().Find(ChunkId(Bytes{0xFF, 0x7F, 7}));
  EXPECT(last.has_value() && last->pack == 2 && before.has_value() && before->pack == 1);
  EXPECT(store::kPackRecordsMax == 32768);  // As lib/store/collect/plan.ts has it.
}

}  // namespace

void TestPackAppender(const std::string& above) {
  const std::string path = NewFolder(above, "appender") + "/00000007.pack";
  std::unique_ptr<store::PackAppender> appender;
  store::PackState fresh;
  fresh.pack = 7;
  EXPECT(!store::PackAppender::Open(path, std::move(fresh), appender).has_value());
  const Bytes object(300, 'o');
  const Bytes record = RecordOf(object);
  uint32_t offset = 0;
  EXPECT(!appender->Append(ChunkId(object), record, offset).has_value());
  EXPECT(offset == store::kPackHeaderBytes && appender->Records() == 1);
  // Readable before it is in the file.
  Bytes read(record.size());
  EXPECT(ContentOf(path).empty() && appender->ReadBuffered(offset, read) && read == record);
  EXPECT(!appender->ReadBuffered(offset + 1, read));
  EXPECT(!appender->Commit().has_value());
  EXPECT(!appender->ReadBuffered(offset, read));
  EXPECT(EndsWith(ContentOf(path), store::EncodeMark()));
  appender.reset();
  GoesOnAfterATornAppend(path);
}

void TestObjectStore(const std::string& above) {
  const std::string folder = NewFolder(above, "objects");
  Random random(50);
  const Bytes object = random.Take(200);
  {
    store::ObjectStore store(folder, kPackBytesMax);
    for (int count = 0; count < 20; ++count) {
      const Bytes other = random.Take(20'000);
      EXPECT(!store.Put(ObjectKind::kChunk, ChunkId(other), other).has_value());
      if (count == 0) {
        EXPECT(!store.Put(ObjectKind::kChunk, ChunkId(object), object).has_value());
      }
    }
    EXPECT(!store.Finish().has_value());
    store::Object out;
    EXPECT(!store.Get(ChunkId(object), out).has_value() && out.bytes == object);
    const store::Outcome fault = store.Get(ChunkId(Bytes{0}), out);
    EXPECT(fault.has_value() && fault->kind == Fault::Kind::kMissing);
    store.Close();
  }
  FindsOnlyWhatIsIntact(folder, object);
  StandsFalsePlaces(folder, object);
  EndsAPackByItsRecords(NewFolder(above, "small"));
}

}  // namespace gdo::test
