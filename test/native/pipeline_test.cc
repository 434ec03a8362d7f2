// Files through all of the store's threads. Under ThreadSanitizer these find races; so each runs
// what real use runs at once.
#include <atomic>
#include <thread>

#include "core/chunker.h"
#include "store/ingest.h"
#include "store/restore.h"
#include "store_expect.h"

namespace gdo::test {
namespace {

using store::Fault;
using store::ObjectId;

constexpr uint64_t kPipelinePackBytesMax = 1'000'000;
constexpr size_t kFileBytes = 1'500'000;

const Profile& SmallChunks() { return *FindProfile("min8-16k"); }

class Waiting {
 public:
  void Done() {
    is_done_ = true;
    is_done_.notify_one();
  }
  void Wait() { is_done_.wait(false); }

 private:
  std::atomic<bool> is_done_ = false;
};

store::JobPointer StartPut(store::Ingest& ingest, const store::File& file, Waiting& waiting,
                           const std::optional<ObjectId>& previous) {
  store::JobPointer job = ingest.MakeJob(file.Fd(), uint64_t{1} << 40, SmallChunks());
  job->previous = previous;
  job->on_progress = [](const store::IngestCounts&) {};
  job->on_done = [&waiting] { waiting.Done(); };
  ingest.Start(job);
  return job;
}

ObjectId Put(store::Ingest& ingest, const store::File& file,
             const std::optional<ObjectId>& previous) {
  Waiting waiting;
  const store::JobPointer job = StartPut(ingest, file, waiting, previous);
  waiting.Wait();
  EXPECT(!job->fault.has_value());
  return job->root;
}

store::Outcome Restore(store::ObjectStore& store, store::WorkerPool& workers, const ObjectId& id,
                       const store::File& out) {
  Waiting waiting;
  const auto job = std::make_shared<store::RestoreJob>(store, id, out.Fd());
  job->on_progress = [](uint64_t) {};
  job->on_done = [&waiting] { waiting.Done(); };
  job->Start(workers);
  waiting.Wait();
  return job->Failure();
}

// Noise, text and a run of zeros in the middle.
Bytes VersionOne() {
  Random random(60);
  Bytes bytes = random.Take(kFileBytes);
  std::fill(bytes.begin() + 200'000, bytes.begin() + 500'000, uint8_t{0});
  std::fill(bytes.begin() + 700'000, bytes.begin() + 800'000, uint8_t{'t'});
  return bytes;
}

Bytes VersionTwo() {
  Bytes bytes = VersionOne();
  for (size_t at = 0; at < bytes.size(); at += 40'000) bytes[at] ^= 1;
  bytes.insert(bytes.begin() + 900'000, 5'000, 'n');
  return bytes;
}

store::File FileWith(const std::string& path, const Bytes& bytes) {
  store::File file = NewFile(path);
  EXPECT(store::WriteAt(file.Fd(), bytes, 0));
  return file;
}

void CheckRestored(store::ObjectStore& store, store::WorkerPool& workers, const ObjectId& id,
                   const std::string& path, const Bytes& expected) {
  const store::File out = NewFile(path);
  EXPECT(!Restore(store, workers, id, out).has_value());
  EXPECT(ContentOf(out) == expected);
}

// A leaf that says of a large chunk that it is one byte long, a thousand times over: what it would
// take to read all of them at once is more than a machine has.
void RefusesLyingLengths(store::ObjectStore& store, store::WorkerPool& workers,
                         const std::string& folder) {
  Random random(61);
  const Bytes chunk = random.Take(400'000);
  EXPECT(!store.Put(store::ObjectKind::kChunk, ChunkId(chunk), chunk).has_value());
  for (const uint64_t length : {uint64_t{1}, uint64_t{399'999}, uint64_t{400'001}}) {
    const store::BlobNode node = {"min8-64k", 0,
                                  std::vector<store::BlobEntry>(1000, {ChunkId(chunk), length})};
    const Bytes bytes = store::EncodeBlobNode(node);
    const ObjectId id = store::NameOf(store::ObjectKind::kBlob, bytes);
    EXPECT(!store.Put(store::ObjectKind::kBlob, id, bytes).has_value());
    EXPECT(Restore(store, workers, id, NewFile(folder + "/lies")).has_value());
    // The chunk is not to blame.
    EXPECT(store.Entries().Has(ChunkId(chunk)));
  }
}

void EndsWorkThatIsGivenUp(store::ObjectStore& store, store::WorkerPool& workers,
                           const store::File& file) {
  Waiting waiting;
  store::JobPointer job;
  {
    store::Ingest ingest(store, workers);
    job = StartPut(ingest, file, waiting, std::nullopt);
    // Its end ends the job, wherever that is.
  }
  waiting.Wait();
  EXPECT(!job->fault.has_value() || job->fault->kind == Fault::Kind::kAborted);
}

}  // namespace

void TestPipeline(const std::string& above) {
  const std::string folder = NewFolder(above, "pipeline");
  store::WorkerPool workers(3);
  store::ObjectStore store(folder, kPipelinePackBytesMax);
  const store::File one = FileWith(folder + "/one", VersionOne());
  const store::File two = FileWith(folder + "/two", VersionTwo());
  {
    store::Ingest ingest(store, workers);
    const ObjectId first = Put(ingest, one, std::nullopt);
    const ObjectId second = Put(ingest, two, first);
    EXPECT(Put(ingest, one, second) == first);
    EXPECT(!store.Commit().has_value());
    CheckRestored(store, workers, first, folder + "/copy", VersionOne());
    CheckRestored(store, workers, second, folder + "/copy", VersionTwo());
    RefusesLyingLengths(store, workers, folder);
  }
  for (int round = 0; round < 10; ++round) EndsWorkThatIsGivenUp(store, workers, one);
  EXPECT(!store.Finish().has_value());
}

// One thread puts and commits, three restore, get and look up what is there already.
void TestReadersBesideWriter(const std::string& above) {
  const std::string folder = NewFolder(above, "beside");
  store::WorkerPool workers(2);
  store::WorkerPool readers_workers(2);
  store::ObjectStore store(folder, kPipelinePackBytesMax);
  store::Ingest ingest(store, workers);
  const Bytes content = VersionOne();
  const store::File first = FileWith(folder + "/one", content);
  const ObjectId id = Put(ingest, first, std::nullopt);
  std::atomic<bool> is_over = false;
  std::vector<std::thread> readers;
  for (const char* const name : {"/a", "/b", "/c"}) {
    readers.emplace_back([&, path = folder + name] {
      do {
        CheckRestored(store, readers_workers, id, path, content);
        store::Object object;
        EXPECT(!store.Get(id, object).has_value());
        EXPECT(store.Entries().Has(id) && !store.Entries().Has(ChunkId(Bytes{1})));
      } while (!is_over);
    });
  }
  std::optional<ObjectId> previous = id;
  Bytes bytes = content;
  for (int round = 0; round < 6; ++round) {
    for (size_t at = static_cast<size_t>(round); at < bytes.size(); at += 50'000) bytes[at] ^= 7;
    previous = Put(ingest, FileWith(folder + "/next", bytes), previous);
    EXPECT(!store.Commit().has_value());
  }
  is_over = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT(!store.Finish().has_value());
  CheckRestored(store, workers, *previous, folder + "/a", bytes);
}

}  // namespace gdo::test
