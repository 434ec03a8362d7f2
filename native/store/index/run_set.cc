#include "store/index/run_set.h"

#include <algorithm>

namespace gdo::store {

bool LiveRun::IsVoid(uint32_t pack) const {
  return !voids.empty() && std::binary_search(voids.begin(), voids.end(), pack);
}

LiveRun MakeLiveRun(std::shared_ptr<Run> run, std::vector<SealedPack> packs) {
  LiveRun live{std::move(run), std::move(packs), {}};
  for (const PackRows& pack : live.run->Packs()) {
    const auto found = std::lower_bound(
        live.packs.begin(), live.packs.end(), pack.pack,
        [](const SealedPack& sealed, uint32_t number) { return sealed.pack < number; });
    const bool is_there = found != live.packs.end() && found->pack == pack.pack;
    if (!is_there) live.voids.push_back(pack.pack);
  }
  return live;
}

std::vector<SealedPack> PacksOf(const RunSet& runs) {
  std::vector<SealedPack> packs;
  for (const LiveRun& live : runs) {
    packs.insert(packs.end(), live.packs.begin(), live.packs.end());
  }
  return packs;
}

std::vector<uint32_t> NumbersOf(const std::vector<SealedPack>& packs) {
  std::vector<uint32_t> numbers;
  numbers.reserve(packs.size());
  for (const SealedPack& pack : packs) numbers.push_back(pack.pack);
  return numbers;
}

Outcome FindInRuns(const RunSet& runs, const ObjectId& id, std::optional<Place>& out) {
  Outcome failed;
  out.reset();
  for (const LiveRun& live : runs) {
    std::optional<Place> place;
    if (Outcome fault = live.run->Find(id, place)) failed = std::move(fault);
    if (!place.has_value() || live.IsVoid(place->pack)) continue;
    if (!out.has_value() || IsLater(*place, *out)) out = place;
  }
  return out.has_value() ? std::nullopt : failed;
}

RowMerge::RowMerge(const RunSet& runs, std::vector<Row> rows, const ObjectId& from) : from_(from) {
  for (const LiveRun& live : runs) cursors_.push_back({&live, live.run->GroupFrom(from), {}, 0});
  if (!rows.empty()) cursors_.push_back({nullptr, 0, std::move(rows), 0});
}

Outcome RowMerge::Next(std::optional<Row>& out) {
  out.reset();
  for (Cursor& cursor : cursors_) {
    const bool is_settled = is_begun_ && (cursor.rows.empty() || !IsPassed(IdAt(cursor)));
    if (is_settled) continue;
    if (Outcome fault = Settle(cursor)) return fault;
  }
  is_begun_ = true;
  const Cursor* first = nullptr;
  for (const Cursor& cursor : cursors_) {
    if (cursor.rows.empty()) continue;
    if (first == nullptr || IdAt(cursor) < IdAt(*first)) first = &cursor;
  }
  if (first == nullptr) return std::nullopt;
  out = first->rows[first->at];
  for (const Cursor& cursor : cursors_) {
    if (&cursor == first || cursor.rows.empty() || IdAt(cursor) != out->id) continue;
    if (IsLater(cursor.rows[cursor.at].place, out->place)) out = cursor.rows[cursor.at];
  }
  last_ = out->id;
  has_last_ = true;
  return std::nullopt;
}

Outcome RowMerge::Settle(Cursor& cursor) {
  for (;;) {
    for (; cursor.at < cursor.rows.size(); ++cursor.at) {
      const Row& row = cursor.rows[cursor.at];
      const bool is_void = cursor.run != nullptr && cursor.run->IsVoid(row.place.pack);
      if (!is_void && !IsPassed(row.id)) return std::nullopt;
    }
    cursor.rows.clear();
    cursor.at = 0;
    if (cursor.run == nullptr || cursor.group >= cursor.run->run->Groups()) return std::nullopt;
    if (Outcome fault = cursor.run->run->ReadGroup(cursor.group, cursor.rows)) return fault;
    ++cursor.group;
  }
}

}  // namespace gdo::store
