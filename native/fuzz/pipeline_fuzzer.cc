// [T2] [T3] [T6] What goes into the store through its threads comes out again, and its blob is the
// one that cutting it plainly gives: with holes, with an earlier version to lean on, with small
// packs, and when a file before it was given up half-way.
#include "core/chunker.h"
#include "folder.h"
#include "store/zeros.h"
#include "work.h"

namespace gdo::fuzz {
namespace {

using store::ObjectId;

constexpr size_t kBytesMax = 400'000;
constexpr size_t kPageBytes = 4096;
constexpr const char* kProfiles[] = {"min8-64k", "min8-16k", "fastcdc2020-16k", "fixed-64k"};

ObjectId PlainRoot(const Profile& profile, std::span<const uint8_t> bytes) {
  Chunker chunker(profile);
  std::vector<Cut> cuts;
  chunker.Update(bytes, cuts);
  chunker.Finish(cuts);
  const auto keep_none = [](const ObjectId&, const Bytes&) { return store::Outcome(); };
  store::ChunkList list(profile.name, keep_none);
  for (const Cut& cut : cuts) {
    if (store::IsAllZero(bytes.subspan(cut.offset, cut.length))) {
      list.AddZeros(cut.length);
    } else {
      FUZZ_CHECK(!list.Add({cut.id, cut.length}).has_value());
    }
  }
  ObjectId root;
  FUZZ_CHECK(!list.Finish(root).has_value());
  return root;
}

// A later version: something else in the middle of it.
Bytes Edited(FuzzedDataProvider& input, const Bytes& bytes) {
  const size_t start = (size_t{input.ConsumeIntegral<uint16_t>()} << 3) % (bytes.size() + 1);
  const size_t end = std::min(bytes.size(), start + input.ConsumeIntegral<uint16_t>());
  Bytes out(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(start));
  for (int steps = input.ConsumeIntegralInRange(0, 2); steps != 0; --steps) AppendStep(input, out);
  out.insert(out.end(), bytes.begin() + static_cast<ptrdiff_t>(end), bytes.end());
  return out;
}

store::File FileOf(std::span<const uint8_t> bytes, bool has_holes) {
  store::File file = NamelessFile();
  FUZZ_CHECK(ftruncate(file.Fd(), static_cast<off_t>(bytes.size())) == 0);
  for (size_t at = 0; at < bytes.size(); at += kPageBytes) {
    const auto page = bytes.subspan(at, std::min(kPageBytes, bytes.size() - at));
    if (has_holes && store::IsAllZero(page)) continue;
    FUZZ_CHECK(store::WriteAt(file.Fd(), page, at));
  }
  return file;
}

void Run(store::Ingest& ingest, const store::JobPointer& job, bool is_given_up) {
  std::atomic<bool> is_done = false;
  job->on_done = [&is_done] {
    is_done = true;
    is_done.notify_one();
  };
  ingest.Start(job);
  if (is_given_up) job->is_aborted = true;
  is_done.wait(false);
}

struct Choices {
  const Profile& profile;
  bool has_holes;
  bool has_previous;
  bool gives_up;
};

void CheckVersions(store::ObjectStore& store, const Choices& choices,
                   const std::vector<Bytes>& versions) {
  store::Ingest ingest(store, Workers());
  std::optional<ObjectId> previous;
  for (const Bytes& bytes : versions) {
    const store::File file = FileOf(bytes, choices.has_holes);
    if (choices.gives_up) {
      const auto job = ingest.MakeJob(file.Fd(), bytes.size(), choices.profile);
      Run(ingest, job, true);
    }
    const auto job = ingest.MakeJob(file.Fd(), bytes.size() + 1, choices.profile);
    if (choices.has_previous) job->previous = previous;
    Run(ingest, job, false);
    FUZZ_CHECK(!job->fault.has_value());
    FUZZ_CHECK(job->counts.read_bytes == bytes.size());
    FUZZ_CHECK(job->root == PlainRoot(choices.profile, bytes));
    previous = job->root;
    const store::File copy = NamelessFile();
    const auto restored = Restore(store, job->root, copy.Fd());
    FUZZ_CHECK(!restored->Failure().has_value() && restored->Length() == bytes.size());
    FUZZ_CHECK(ContentOf(copy) == bytes);
    FUZZ_CHECK(!store.Commit().has_value());
  }
  FUZZ_CHECK(!store.Finish().has_value());
}

}  // namespace

void Try(FuzzedDataProvider& input) {
  static const Folder folder;
  folder.Clear();
  const Choices choices = {*FindProfile(input.PickValueInArray(kProfiles)), input.ConsumeBool(),
                           input.ConsumeBool(), input.ConsumeBool()};
  const uint64_t pack_bytes_max = uint64_t{1} << input.ConsumeIntegralInRange(12, 27);
  const Bytes edits = input.ConsumeBytes<uint8_t>(40);
  std::vector<Bytes> versions = {Expand(input, kBytesMax)};
  FuzzedDataProvider edit_input(edits.data(), edits.size());
  for (int count = input.ConsumeIntegralInRange(1, 3); count != 0; --count) {
    versions.push_back(Edited(edit_input, versions.back()));
  }
  store::ObjectStore store(folder.Path(), pack_bytes_max);
  CheckVersions(store, choices, versions);
}

}  // namespace gdo::fuzz
