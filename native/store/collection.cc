#include "store/collection.h"

#include <algorithm>
#include <array>

#include "store/links.h"
#include "store/named_ids.h"
#include "store/object_store.h"

namespace gdo::store {
namespace {

constexpr size_t kHeadBytesMax = kRecordHeaderBytes + kBasesMax * kIdBytes;

Fault Stopped() { return {Fault::Kind::kAborted, 0, "the work was stopped"}; }

}  // namespace

Outcome Collection::Name(std::span<const ObjectId> roots, bool is_all_needed) {
  return Walk({roots.begin(), roots.end()}, is_all_needed);
}

Outcome Collection::NameAllIn(std::span<const uint8_t> bytes) {
  Ids held;
  IdsNamedIn(bytes, [&](const ObjectId& id) {
    if (store_.Entries().Find(id).has_value()) held.push_back(id);
  });
  return Walk(std::move(held), false);
}

Outcome Collection::NameYoung() {
  Ids roots;
  Ids bases;
  {
    const std::lock_guard lock(young_mutex_);
    roots.swap(young_);
    bases.swap(young_bases_);
  }
  for (const ObjectId& id : bases) {
    const auto place = store_.Entries().Find(id);
    if (place.has_value()) marks_.Set(*place, Marks::kNamed);
  }
  return Walk(std::move(roots), false);
}

void Collection::NoteYoung(const ObjectId& id, std::span<const uint8_t> record) {
  const auto header = DecodeRecordHeader(record);
  if (!header.has_value()) return;
  const std::lock_guard lock(young_mutex_);
  if (header->kind != ObjectKind::kChunk) young_.push_back(id);
  for (size_t base = 0; base < header->bases; ++base) {
    young_bases_.push_back(LoadId(record.data() + kRecordHeaderBytes + base * kIdBytes));
  }
}

bool Collection::IsCondemned(const Place& place) const {
  return is_condemning_ && marks_.Knows(place) && (marks_.Flags(place) & Marks::kNamed) == 0;
}

Outcome Collection::Walk(Ids stack, bool is_all_needed) {
  while (!stack.empty()) {
    if (is_aborted) return Stopped();
    const ObjectId id = stack.back();
    stack.pop_back();
    const std::optional<Place> place = store_.Entries().Find(id);
    if (!place.has_value() && is_all_needed) {
      return Fault{Fault::Kind::kMissing, 0,
                   "object " + HexOf(id) + ", which a snapshot needs, is not in the store"};
    }
    if (!place.has_value() || !Mark(id, *place)) continue;
    if (Outcome fault = PushLinks(id, stack)) return fault;
  }
  return std::nullopt;
}

bool Collection::Mark(const ObjectId& id, const Place& place) {
  if (marks_.Knows(place)) return marks_.Set(place, Marks::kNamed);
  return walked_.insert(id).second;
}

// Chunks are marked at once: nothing lies below them. A node of a form that is not known here may
// need anything.
Outcome Collection::PushLinks(const ObjectId& id, Ids& nodes) {
  Object object;
  if (Outcome fault = store_.Get(id, object)) return fault;
  Links links;
  if (!LinksOf(object.kind, object.bytes, links)) {
    links = {};
    IdsNamedIn(object.bytes, [&](const ObjectId& named) {
      if (store_.Entries().Find(named).has_value()) links.nodes.push_back(named);
    });
  }
  nodes.insert(nodes.end(), links.nodes.begin(), links.nodes.end());
  for (const ObjectId& chunk : links.chunks) {
    const auto place = store_.Entries().Find(chunk);
    if (place.has_value()) marks_.Set(*place, Marks::kNamed);
  }
  return std::nullopt;
}

// A pack that stays keeps also what is dead in it: held as before, so it must stay readable.
Outcome Collection::FindLeaning() {
  std::unordered_set<uint32_t> kept;
  std::vector<uint32_t> packs;
  for (const Marks::Use& use : marks_.Uses()) {
    if (use.live_records == 0) continue;
    kept.insert(use.pack);
    packs.push_back(use.pack);
  }
  while (!packs.empty()) {
    const uint32_t pack = packs.back();
    packs.pop_back();
    Ids bases;
    if (Outcome fault = ReadBasesOfPack(pack, bases)) return fault;
    for (const ObjectId& base : bases) {
      const auto place = store_.Entries().Find(base);
      if (!place.has_value() || IsNamed(base)) continue;
      marks_.Set(*place, Marks::kLeaned);
      if (kept.insert(place->pack).second) packs.push_back(place->pack);
    }
  }
  return std::nullopt;
}

Outcome Collection::ReadBasesOfPack(uint32_t pack, Ids& out) {
  for (const uint32_t offset : marks_.Offsets(pack)) {
    if (is_aborted) return Stopped();
    if (Outcome fault = ReadBaseIds({pack, offset, 0}, out)) return fault;
  }
  return std::nullopt;
}

bool Collection::IsNamed(const ObjectId& id) const {
  const auto place = store_.Entries().Find(id);
  return !place.has_value() || !marks_.Knows(*place) || (marks_.Flags(*place) & Marks::kNamed) != 0;
}

// Of a record whose head is damaged none are known, and of one that has been stored again elsewhere
// none are needed.
Outcome Collection::ReadBaseIds(const Place& place, Ids& out) {
  std::array<uint8_t, kHeadBytesMax> head;
  const auto begin = std::span(head).first(kRecordHeaderBytes);
  if (Outcome fault = store_.ReadRecord(place, begin)) {
    return fault->kind == Fault::Kind::kCorrupt ? std::nullopt : fault;
  }
  const auto header = DecodeRecordHeader(begin);
  if (!header.has_value() || header->bases == 0) return std::nullopt;
  const auto now = store_.Entries().Find(header->id);
  if (!now.has_value() || now->pack != place.pack || now->offset != place.offset)
    return std::nullopt;
  const auto ids = std::span(head).subspan(kRecordHeaderBytes, header->bases * kIdBytes);
  const Place rest{place.pack, static_cast<uint32_t>(place.offset + kRecordHeaderBytes), 0};
  if (Outcome fault = store_.ReadRecord(rest, ids)) {
    return fault->kind == Fault::Kind::kCorrupt ? std::nullopt : fault;
  }
  for (size_t at = 0; at < ids.size(); at += kIdBytes) out.push_back(LoadId(ids.data() + at));
  return std::nullopt;
}

Outcome Collection::Repack(uint32_t pack, uint64_t bytes_max, Moved& moved) {
  for (const uint32_t offset : marks_.Offsets(pack)) {
    if (marks_.Flags({pack, offset, 0}) == 0) continue;
    if (moved.written_bytes >= bytes_max) {
      moved.is_done = false;
      return std::nullopt;
    }
    if (Outcome fault = Move({pack, offset, 0}, moved)) return fault;
  }
  return std::nullopt;
}

Outcome Collection::Move(Place place, Moved& moved) {
  if (is_aborted) return Stopped();
  Bytes record;
  ObjectId id;
  Outcome fault = ReadWhole(place, record, id);
  if (!fault.has_value() && store_.Entries().Find(id) != place) {
    marks_.Clear(place);  // It has been stored again meanwhile.
    return std::nullopt;
  }
  if (!fault.has_value()) fault = Renew(id, record);
  if (!fault.has_value()) fault = store_.Move(id, place, record);
  if (fault.has_value() && fault->kind == Fault::Kind::kCorrupt) {
    ++moved.damaged;
    return std::nullopt;
  }
  if (fault.has_value()) return fault;
  moved.written_bytes += record.size();
  marks_.Clear(place);
  return std::nullopt;
}

Outcome Collection::ReadWhole(Place& place, Bytes& record, ObjectId& id) {
  std::array<uint8_t, kRecordHeaderBytes> head;
  if (Outcome fault = store_.ReadRecord(place, head)) return fault;
  const auto header = DecodeRecordHeader(head);
  if (!header.has_value()) return Corrupt("the record's header is damaged");
  place.record_bytes = static_cast<uint32_t>(header->RecordBytes());
  record.resize(place.record_bytes);
  id = header->id;
  return store_.ReadRecord(place, record);
}

// Checks the object; where its record leans on what is not named, or is not whole itself, makes one
// that needs no other.
Outcome Collection::Renew(const ObjectId& id, Bytes& record) {
  Object object;
  if (Outcome fault = store_.OpenRecord(record, id, object)) return fault;
  const size_t bases = DecodeRecordHeader(record)->bases;
  bool is_kept = IsRecordIntact(record);
  for (size_t base = 0; base < bases; ++base) {
    is_kept = is_kept && IsNamed(LoadId(record.data() + kRecordHeaderBytes + base * kIdBytes));
  }
  if (!is_kept) {
    record = CodecPool::Lease(store_.Codecs())->EncodeRecord(object.kind, id, object.bytes);
  }
  return std::nullopt;
}

}  // namespace gdo::store
