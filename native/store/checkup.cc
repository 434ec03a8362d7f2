#include "store/checkup.h"

#include <bit>

#include "store/named_ids.h"
#include "store/object_store.h"

namespace gdo::store {
namespace {

// Of more it is told again that they are lacking, should another need them too.
constexpr size_t kToldMax = 65536;
// Of a pack whose rows are all wrong, one need not know each.
constexpr size_t kRowFaultsMax = 1000;

bool IsSameOrLater(const Place& place, uint32_t pack, uint32_t offset) {
  return place.pack != pack ? place.pack > pack : place.offset >= offset;
}

Tally::Group GroupOf(const RecordHeader& header) {
  if (header.kind != ObjectKind::kChunk) return Tally::kNodes;
  if (header.codec == Codec::kZstdBase) return Tally::kDelta;
  return header.codec == Codec::kZstd ? Tally::kZstd : Tally::kRaw;
}

}  // namespace

void Checkup::AddRootsIn(std::span<const uint8_t> bytes) {
  IdsNamedIn(bytes, [this](const ObjectId& id) {
    if (store_.Entries().Find(id).has_value()) roots_.push_back(id);
  });
}

Outcome Checkup::Walk(size_t objects_max, WalkPart& part) {
  for (size_t objects = 0; objects < objects_max; ++objects) {
    if (stack_.empty()) {
      if (roots_.empty()) break;
      root_ = roots_.back();
      roots_.pop_back();
      stack_.push_back(root_);
    }
    const ObjectId id = stack_.back();
    stack_.pop_back();
    if (Outcome fault = Look(id, part)) return fault;
  }
  part.is_done = stack_.empty() && roots_.empty();
  return std::nullopt;
}

Outcome Checkup::Look(const ObjectId& id, WalkPart& part) {
  const std::optional<Place> place = store_.Entries().Find(id);
  if (place.has_value() && !IsNew(id, *place)) return std::nullopt;
  Object object;
  Outcome fault = store_.Get(id, object);
  const bool is_lack = fault.has_value() && (fault->kind == Fault::Kind::kMissing ||
                                             fault->kind == Fault::Kind::kCorrupt);
  if (is_lack) {
    Tell(id, fault->kind == Fault::Kind::kCorrupt, fault->what, part);
    return std::nullopt;
  }
  if (fault.has_value()) return fault;
  part.read_bytes += object.bytes.size();
  Links links;
  if (!LinksOf(object.kind, object.bytes, links)) {
    Tell(id, true, "object " + HexOf(id) + " has no form that is known", part);
    return std::nullopt;
  }
  stack_.insert(stack_.end(), links.nodes.begin(), links.nodes.end());
  for (const ObjectId& chunk : links.chunks) LookAtChunk(chunk, part);
  return std::nullopt;
}

void Checkup::LookAtChunk(const ObjectId& id, WalkPart& part) {
  const std::optional<Place> place = store_.Entries().Find(id);
  if (!place.has_value()) {
    Tell(id, false, "chunk " + HexOf(id) + " is not in the store", part);
  } else if (IsNew(id, *place) && !store_.Entries().Has(id)) {
    Tell(id, true, "chunk " + HexOf(id) + " is damaged", part);
  }
}

bool Checkup::IsNew(const ObjectId& id, const Place& place) {
  if (marks_.Knows(place)) return marks_.Set(place, Marks::kNamed);
  return beside_.insert(id).second;
}

void Checkup::Tell(const ObjectId& id, bool is_damaged, std::string what, WalkPart& part) {
  if (told_.contains(id)) return;
  if (told_.size() < kToldMax) told_.insert(id);
  part.lacks.push_back({id, root_, is_damaged, std::move(what)});
}

Outcome Checkup::Count(uint32_t pack, Tally& tally) {
  for (const uint32_t offset : marks_.Offsets(pack)) {
    const Place place{pack, offset, 0};
    if (marks_.Flags(place) == 0) continue;
    std::array<uint8_t, kRecordHeaderBytes> head;
    if (Outcome fault = store_.ReadRecord(place, head)) return fault;
    const auto header = DecodeRecordHeader(head);
    if (!header.has_value()) return Corrupt("the record's header is damaged");
    const Tally::Group group = GroupOf(*header);
    Tally::Sum& sum = tally.sums[group];
    ++sum.objects;
    sum.raw_bytes += header->raw_bytes;
    sum.stored_bytes += header->RecordBytes();
    if (group == Tally::kNodes || header->raw_bytes == 0) continue;
    ++tally.chunks_by_size[static_cast<size_t>(std::bit_width(header->raw_bytes - 1))];
  }
  return std::nullopt;
}

uint64_t CheckRows(ObjectStore& store, uint32_t pack, std::span<const FooterEntry> rows,
                   uint64_t end_bytes, std::vector<RowFault>& faults) {
  uint64_t counting = 0;
  for (const FooterEntry& row : rows) {
    const std::optional<Place> place = store.Entries().Find(row.id);
    const char* what = nullptr;
    if (row.offset < kPackHeaderBytes || uint64_t{row.offset} + row.record_bytes > end_bytes) {
      what = "the footer lists a record beyond the pack's end";
    } else if (!place.has_value()) {
      what = "the index does not have this record";
    } else if (*place == Place{pack, row.offset, row.record_bytes}) {
      ++counting;
    } else if (!IsSameOrLater(*place, pack, row.offset) ||
               (place->pack == pack && place->offset == row.offset)) {
      what = "the index leads elsewhere";
    }
    if (what != nullptr && faults.size() < kRowFaultsMax) faults.push_back({row, what});
  }
  return counting;
}

}  // namespace gdo::store
