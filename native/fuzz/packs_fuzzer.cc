// [T10] No wrong byte is ever returned, whatever stands in a pack and whatever a footer says of it:
// objects that lean on each other, nodes that lie about lengths, flipped bytes, false places.
#include <map>
#include <optional>

#include "bases.h"
#include "folder.h"
#include "store/blob_node.h"
#include "store/object_store.h"
#include "store/pack_items.h"
#include "store/pack_rows.h"
#include "store/payload.h"
#include "work.h"

namespace gdo::fuzz {
namespace {

using store::ObjectId;
using store::ObjectKind;

constexpr size_t kChunkBytesMax = 150'000;
constexpr size_t kObjectsMax = 40;
constexpr uint64_t kRestoredBytesMax = 4'000'000;
constexpr uint64_t kPackBytesMax = uint64_t{1} << 27;

struct Thing {
  ObjectId id;
  ObjectKind kind;
  Bytes bytes;
};

// What is put into a pack, and the pack.
struct Written {
  std::vector<Thing> things;
  std::vector<store::FooterEntry> entries;
  Bytes pack = store::EncodePackHeader(1);

  const Thing* Find(const ObjectId& id) const {
    for (const Thing& thing : things) {
      if (thing.id == id) return &thing;
    }
    return nullptr;
  }

  void Add(ObjectKind kind, Bytes bytes, const Bases& bases) {
    static store::PayloadCodec codec;
    const ObjectId id = store::NameOf(kind, bytes);
    const Bytes record = RecordOf(codec, kind, id, bytes, bases);
    entries.push_back(
        {id, static_cast<uint32_t>(pack.size()), static_cast<uint32_t>(record.size())});
    pack.insert(pack.end(), record.begin(), record.end());
    things.push_back({id, kind, std::move(bytes)});
  }
};

// A chunk that may lean on any before it; where it says that it does not, on none.
void AddChunk(FuzzedDataProvider& input, Written& out) {
  Bases bases;
  Bytes bytes;
  for (size_t count = input.ConsumeIntegralInRange<size_t>(0, store::kBasesMax); count != 0;
       --count) {
    if (out.things.empty()) break;
    const Thing& base = out.things[input.ConsumeIntegral<uint8_t>() % out.things.size()];
    bases.ids.push_back(base.id);
    bases.bytes.insert(bases.bytes.end(), base.bytes.begin(), base.bytes.end());
    bytes = base.bytes;
  }
  for (int steps = input.ConsumeIntegralInRange(0, 3); steps != 0; --steps) {
    AppendStep(input, bytes);
  }
  bytes.resize(std::min(bytes.size(), kChunkBytesMax));
  out.Add(ObjectKind::kChunk, std::move(bytes), bases);
}

uint64_t LengthOf(const Thing& thing) {
  if (thing.kind != ObjectKind::kBlob) return thing.bytes.size();
  const auto node = store::DecodeBlobNode(thing.bytes);
  return node.has_value() ? node->Length() : 0;
}

void AddNode(FuzzedDataProvider& input, Written& out) {
  store::BlobNode node;
  node.profile = "min8-64k";
  node.level = input.ConsumeIntegralInRange<uint64_t>(0, 11);
  constexpr size_t kRepeats[] = {1, 1, 2, 100, 1024};
  for (int kinds = input.ConsumeIntegralInRange(0, 6); kinds != 0; --kinds) {
    const size_t repeat = input.PickValueInArray(kRepeats);
    const uint8_t choice = input.ConsumeIntegral<uint8_t>();
    store::BlobEntry entry{};
    entry.length = input.ConsumeIntegralInRange<uint64_t>(0, 200'000);
    if (choice != 0 && !out.things.empty()) {
      const Thing& child = out.things[choice % out.things.size()];
      entry.id = child.id;
      if (input.ConsumeIntegralInRange(0, 3) != 0) entry.length = LengthOf(child);
    }
    node.entries.insert(node.entries.end(), repeat, entry);
  }
  node.entries.resize(std::min<size_t>(node.entries.size(), 1024));
  out.Add(ObjectKind::kBlob, store::EncodeBlobNode(node), {});
}

void Damage(FuzzedDataProvider& input, Written& out) {
  if (out.entries.empty()) return;
  store::FooterEntry& entry = out.entries[input.ConsumeIntegral<uint8_t>() % out.entries.size()];
  const size_t place = input.ConsumeIntegral<uint32_t>();
  switch (input.ConsumeIntegralInRange(0, 5)) {
    case 0:
      entry.offset = input.ConsumeIntegral<uint32_t>();
      return;
    case 1:
      entry.record_bytes = std::max(1U, input.ConsumeIntegral<uint32_t>());
      return;
    case 2:
      entry.id = out.entries[place % out.entries.size()].id;
      return;
    case 3:
      out.pack.resize(out.pack.size() - place % out.pack.size());
      return;
    default:
      // Near the record's front, where the header is, as often as anywhere.
      if (entry.offset >= out.pack.size()) return;
      out.pack[entry.offset + place % std::min<size_t>(out.pack.size() - entry.offset, 200)] ^=
          input.ConsumeIntegral<uint8_t>();
  }
}

Written Write(FuzzedDataProvider& input) {
  Written out;
  const int damages = input.ConsumeIntegralInRange(0, 4);
  const Bytes damage = input.ConsumeBytes<uint8_t>(static_cast<size_t>(damages) * 14);
  while (input.remaining_bytes() != 0 && out.things.size() < kObjectsMax) {
    switch (input.ConsumeIntegralInRange(0, 5)) {
      case 0:
      case 1:
        AddNode(input, out);
        break;
      case 2:
        out.Add(ObjectKind::kBlob, input.ConsumeBytes<uint8_t>(100), {});
        break;
      case 3:
        out.Add(ObjectKind::kTree, input.ConsumeBytes<uint8_t>(100), {});
        break;
      default:
        AddChunk(input, out);
    }
  }
  FuzzedDataProvider damage_input(damage.data(), damage.size());
  for (int count = 0; count < damages; ++count) Damage(damage_input, out);
  return out;
}

// What a blob stands for, by its objects as they were before any damage; none where it lies.
std::optional<Bytes> Content(const Written& written, const ObjectId& id, bool is_root,
                             uint64_t level, uint64_t length) {
  const Thing* const thing = written.Find(id);
  if (thing == nullptr || thing->kind != ObjectKind::kBlob) return std::nullopt;
  const auto node = store::DecodeBlobNode(thing->bytes);
  if (!node.has_value()) return std::nullopt;
  if (!is_root && (node->level != level || node->Length() != length)) return std::nullopt;
  Bytes out;
  for (const auto& entry : node->entries) {
    std::optional<Bytes> part;
    const Thing* const child = written.Find(entry.id);
    if (node->level > 0) {
      part = Content(written, entry.id, false, node->level - 1, entry.length);
    } else if (entry.id == store::kZerosId) {
      part = Bytes(entry.length);
    } else if (child != nullptr && child->kind == ObjectKind::kChunk &&
               child->bytes.size() == entry.length) {
      part = child->bytes;
    }
    if (!part.has_value()) return std::nullopt;
    out.insert(out.end(), part->begin(), part->end());
  }
  return out;
}

void CheckRestore(store::ObjectStore& store, const Written& written, const Thing& blob) {
  const auto node = store::DecodeBlobNode(blob.bytes);
  if (node.has_value() && node->Length() > kRestoredBytesMax) return;
  const store::File file = NamelessFile();
  const auto job = Restore(store, blob.id, file.Fd());
  if (job->Failure().has_value()) return;
  const std::optional<Bytes> expected = Content(written, blob.id, true, 0, 0);
  FUZZ_CHECK(expected.has_value());
  FUZZ_CHECK(ContentOf(file) == *expected);
}

// What reads only as far as nothing is wrong finds what reads past damage finds, as far as it goes.
void CheckItems(const Folder& folder, const Written& written) {
  store::PackItems items;
  FUZZ_CHECK(!store::ReadItems(folder.PackPath(1), store::kPackHeaderBytes, items).has_value());
  Bytes rows;
  store::PackFiles files(folder.Path());
  const auto add = [&](const store::FooterEntry& entry) {
    const auto row = store::EncodeRow(entry);
    rows.insert(rows.end(), row.begin(), row.end());
  };
  FUZZ_CHECK(!store::ReadPackEntries(files, 1, add).has_value());
  FUZZ_CHECK(items.rows.size() <= rows.size() &&
             std::equal(items.rows.begin(), items.rows.end(), rows.begin()));
  if (items.end_bytes == written.pack.size()) FUZZ_CHECK(items.rows.size() == rows.size());
}

void CheckStore(const Folder& folder, const Written& written) {
  const store::File pack(
      open(folder.PackPath(1).c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600));
  FUZZ_CHECK(store::WriteAt(pack.Fd(), written.pack, 0));
  CheckItems(folder, written);
  store::ObjectStore store(folder.Path(), kPackBytesMax);
  store.AddEntries(1, written.entries);
  for (const Thing& thing : written.things) {
    store::ChunkPointer chunk;
    if (!store.GetChunk(thing.id, chunk).has_value())
      FUZZ_CHECK(std::ranges::equal(chunk->bytes, thing.bytes));
    if (thing.kind == ObjectKind::kBlob) CheckRestore(store, written, thing);
    store::Object object;
    if (store.Get(thing.id, object).has_value()) continue;
    FUZZ_CHECK(object.kind == thing.kind && object.bytes == thing.bytes);
  }
}

}  // namespace

void Try(FuzzedDataProvider& input) {
  static const Folder folder;
  CheckStore(folder, Write(input));
}

}  // namespace gdo::fuzz
