// [T11] A cleaning, whatever leans on what and whatever is put meanwhile: all that a root needs
// stays, and what counts as held can be read, now and by the next who opens the store.
#include <set>

#include "bases.h"
#include "folder.h"
#include "store/blob_node.h"
#include "store/object_store.h"
#include "store/pack_rows.h"

namespace gdo::fuzz {
namespace {

using store::ObjectId;
using store::ObjectKind;

constexpr size_t kThingsMax = 60;
constexpr size_t kChunkBytesMax = 60'000;

struct Thing {
  ObjectId id;
  ObjectKind kind;
  Bytes bytes;
  std::vector<size_t> needs;  // Of a node: what it lists.
};

class World {
 public:
  explicit World(uint64_t pack_bytes_max)
      : pack_bytes_max_(pack_bytes_max), store_(folder_.Path(), pack_bytes_max) {}

  void PutSome(FuzzedDataProvider& input, size_t count) {
    for (; count != 0 && input.remaining_bytes() != 0 && things_.size() < kThingsMax; --count) {
      switch (input.ConsumeIntegralInRange(0, 5)) {
        case 0:
          AddNode(input);
          break;
        case 1:
          if (!things_.empty()) PutAgain(input.ConsumeIntegral<uint8_t>() % things_.size());
          break;
        default:
          AddChunk(input);
      }
    }
  }

  void Clean(FuzzedDataProvider& input) {
    const std::set<size_t> roots = ChooseRoots(input);
    uint32_t last_pack = 0;
    FUZZ_CHECK(!store_.BeginCollection(false, last_pack).has_value());
    const auto collection = store_.Collecting();
    for (uint32_t pack = 1; pack <= last_pack; ++pack) Tell(pack, collection->Packs());
    FUZZ_CHECK(!collection->Name(IdsOf(roots), true).has_value());
    collection->Condemn();
    const size_t before = things_.size();
    put_again_.clear();
    PutSome(input, input.ConsumeIntegralInRange<size_t>(0, 10));
    FUZZ_CHECK(!collection->NameYoung().has_value());
    FUZZ_CHECK(!collection->FindLeaning().has_value());
    for (const auto& use : collection->Packs().Uses()) Sweep(input, *collection, use);
    store_.EndCollection();
    std::set<size_t> kept = roots;
    kept.insert(put_again_.begin(), put_again_.end());
    for (size_t at = before; at < things_.size(); ++at) kept.insert(at);
    CheckHeld(store_, kept);
    FUZZ_CHECK(!store_.Commit().has_value());
    store::ObjectStore again(folder_.Path(), pack_bytes_max_);
    for (const uint32_t pack : Packs()) again.AddEntries(pack, EntriesOf(pack));
    CheckHeld(again, kept);
  }

 private:
  void Put(const Thing& thing) {
    FUZZ_CHECK(!store_.Put(thing.kind, thing.id, thing.bytes).has_value());
  }

  // With all that it needs, as whoever puts it does.
  void PutAgain(size_t at) {
    for (const size_t need : things_[at].needs) PutAgain(need);
    Put(things_[at]);
    put_again_.insert(at);
  }

  void AddChunk(FuzzedDataProvider& input) {
    Bases bases;
    Bytes bytes;
    for (int count = input.ConsumeIntegralInRange(0, 3); count != 0 && !things_.empty(); --count) {
      const Thing& base = things_[input.ConsumeIntegral<uint8_t>() % things_.size()];
      store::ChunkPointer read;
      if (base.kind != ObjectKind::kChunk || !store_.Has(base.id)) continue;
      FUZZ_CHECK(!store_.GetChunk(base.id, read).has_value());
      if (read->depth >= store::kDepthMax) continue;
      bases.ids.push_back(base.id);
      bases.bytes.insert(bases.bytes.end(), base.bytes.begin(), base.bytes.end());
      bytes = base.bytes;
    }
    for (int steps = input.ConsumeIntegralInRange(1, 3); steps != 0; --steps) {
      AppendStep(input, bytes);
    }
    bytes.resize(std::min(bytes.size(), kChunkBytesMax));
    const ObjectId id = store::NameOf(ObjectKind::kChunk, bytes);
    if (!store_.Has(id)) {
      const Bytes record = RecordOf(codec_, ObjectKind::kChunk, id, bytes, bases);
      FUZZ_CHECK(!store_.Append(id, record).has_value());
    }
    things_.push_back({id, ObjectKind::kChunk, std::move(bytes), {}});
  }

  // A leaf of chunks that are held.
  void AddNode(FuzzedDataProvider& input) {
    store::BlobNode node;
    node.profile = "min8-64k";
    std::vector<size_t> needs;
    for (int count = input.ConsumeIntegralInRange(1, 6); count != 0 && !things_.empty(); --count) {
      const size_t at = input.ConsumeIntegral<uint8_t>() % things_.size();
      const Thing& chunk = things_[at];
      if (chunk.kind != ObjectKind::kChunk || chunk.bytes.empty()) continue;
      PutAgain(at);
      node.entries.push_back({chunk.id, chunk.bytes.size()});
      needs.push_back(at);
    }
    Bytes bytes = store::EncodeBlobNode(node);
    const ObjectId id = store::NameOf(ObjectKind::kBlob, bytes);
    things_.push_back({id, ObjectKind::kBlob, std::move(bytes), std::move(needs)});
    Put(things_.back());
  }

  // What is not held any more nobody can name.
  std::set<size_t> ChooseRoots(FuzzedDataProvider& input) const {
    std::set<size_t> roots;
    for (size_t at = 0; at < things_.size(); ++at) {
      const bool is_whole = std::all_of(things_[at].needs.begin(), things_[at].needs.end(),
                                        [this](size_t need) { return IsHeld(need); });
      if (input.ConsumeBool() && is_whole && IsHeld(at)) roots.insert(at);
    }
    return roots;
  }

  bool IsHeld(size_t at) const { return store_.Has(things_[at].id); }

  std::vector<ObjectId> IdsOf(const std::set<size_t>& places) const {
    std::vector<ObjectId> ids;
    ids.reserve(places.size());
    for (const size_t at : places) ids.push_back(things_[at].id);
    return ids;
  }

  std::vector<store::FooterEntry> EntriesOf(uint32_t pack) {
    store::PackFiles files(folder_.Path());
    std::vector<store::FooterEntry> entries;
    const auto add = [&](const store::FooterEntry& entry) { entries.push_back(entry); };
    FUZZ_CHECK(!store::ReadPackEntries(files, pack, add).has_value());
    return entries;
  }

  bool IsThere(uint32_t pack) const { return access(folder_.PackPath(pack).c_str(), F_OK) == 0; }

  std::vector<uint32_t> Packs() const {
    std::vector<uint32_t> packs;
    for (uint32_t pack = 1; pack <= 1000; ++pack) {
      if (IsThere(pack)) packs.push_back(pack);
    }
    return packs;
  }

  void Tell(uint32_t pack, store::Marks& marks) {
    if (!IsThere(pack)) return;
    const auto entries = EntriesOf(pack);
    store::PackFiles files(folder_.Path());
    uint64_t bytes = 0;
    FUZZ_CHECK(!files.Size(pack, bytes).has_value());
    marks.AddPack(pack, entries, bytes - store::FooterBytes(entries.size()));
  }

  void Sweep(FuzzedDataProvider& input, store::Collection& collection,
             const store::Marks::Use& use) {
    store::Moved moved;
    if (use.live_records != 0) {
      if (input.ConsumeBool()) return;
      const uint64_t bytes_max = input.ConsumeBool() ? UINT64_MAX : 1;
      FUZZ_CHECK(!collection.Repack(use.pack, bytes_max, moved).has_value());
      FUZZ_CHECK(moved.damaged == 0);
    }
    if (!moved.is_done) return;
    FUZZ_CHECK(!store_.BeginPack().has_value());
    FUZZ_CHECK(!store_.Commit().has_value());
    store_.DropPacks(std::span(&use.pack, 1));
    FUZZ_CHECK(unlink(folder_.PackPath(use.pack).c_str()) == 0);
  }

  void CheckThing(store::ObjectStore& store, const Thing& thing) const {
    store::Object object;
    FUZZ_CHECK(!store.Get(thing.id, object).has_value());
    FUZZ_CHECK(object.kind == thing.kind && object.bytes == thing.bytes);
  }

  void CheckHeld(store::ObjectStore& store, const std::set<size_t>& kept) const {
    for (const size_t at : kept) {
      CheckThing(store, things_[at]);
      for (const size_t need : things_[at].needs) CheckThing(store, things_[need]);
    }
    for (const Thing& thing : things_) {
      if (store.Has(thing.id)) CheckThing(store, thing);
    }
  }

  const Folder folder_;
  const uint64_t pack_bytes_max_;
  store::ObjectStore store_;
  store::PayloadCodec codec_;
  std::vector<Thing> things_;
  std::set<size_t> put_again_;
};

}  // namespace

void Try(FuzzedDataProvider& input) {
  World world(input.ConsumeIntegralInRange<uint64_t>(2'000, 100'000));
  world.PutSome(input, kThingsMax / 2);
  for (int round = input.ConsumeIntegralInRange(1, 3); round != 0; --round) world.Clean(input);
}

}  // namespace gdo::fuzz
