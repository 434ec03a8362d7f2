#include "store/index.h"

#include <algorithm>
#include <cerrno>

#include "store/pack_rows.h"

namespace gdo::store {
namespace {

// The ids of rows of a table that are not below `from`: the lowest `count`, ascending.
std::vector<Row> LowestRows(const Table& table, const ObjectId& from, size_t count) {
  std::vector<Row> rows;
  table.ForEach([&](const Row& row) {
    if (row.id >= from) rows.push_back(row);
  });
  const auto by_id = [](const Row& row, const Row& other) { return row.id < other.id; };
  const size_t kept = std::min(count, rows.size());
  std::partial_sort(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(kept), rows.end(), by_id);
  rows.resize(kept);
  return rows;
}

}  // namespace

Index::Index(const std::string& store_folder, PackFiles& packs, IndexLimits limits)
    : folder_(store_folder + "/index"), packs_(packs), limits_(limits) {}

std::optional<Place> Index::Find(const ObjectId& id) const { return Latest(Look(id), id); }

bool Index::Has(const ObjectId& id) const {
  const Snapshot seen = Look(id);
  if (seen.is_damaged) return false;
  return seen.place.has_value() || Latest(seen, id).has_value();
}

void Index::Set(const ObjectId& id, const Place& place) {
  std::optional<Place> in_runs;
  const Outcome fault = FindInRuns(*Runs(), id, in_runs);
  if (fault.has_value()) NoteHidden(*fault);
  const std::unique_lock lock(mutex_);
  damaged_.erase(id);
  // What a run knows of the same record, or a later one, needs no row.
  if (in_runs.has_value() && !IsLater(place, *in_runs)) return;
  if (table_.Set(id, place) && in_runs.has_value()) table_doubles_.insert(id);
}

void Index::MarkDamaged(const ObjectId& id) {
  const std::unique_lock lock(mutex_);
  damaged_.insert(id);
}

void Index::DropPacks(std::span<const uint32_t> packs) {
  const std::unordered_set<uint32_t> dropped(packs.begin(), packs.end());
  const std::lock_guard change(change_mutex_);
  RunSet kept;
  bool is_changed = false;
  for (const LiveRun& live : *Runs()) {
    std::vector<SealedPack> left = live.packs;
    std::erase_if(left, [&](const SealedPack& pack) { return dropped.contains(pack.pack); });
    is_changed = is_changed || left.size() < live.packs.size();
    if (!left.empty()) kept.push_back(MakeLiveRun(live.run, std::move(left)));
  }
  if (is_changed) {
    // Should it fail, the packs' absence tells the next reader.
    if (is_writer_) static_cast<void>(SaveManifest(kept, std::nullopt, false));
    TakeRuns(std::make_shared<RunSet>(std::move(kept)), std::nullopt);
  }
  {
    const std::unique_lock lock(mutex_);
    for (const uint32_t pack : packs) sealed_.erase(pack);
    table_.Filter([&](const Row& row) { return !dropped.contains(row.place.pack); });
    std::erase_if(damaged_, [this](const ObjectId& id) {
      std::optional<Place> place;
      return table_.Find(id) == nullptr && !FindInRuns(*runs_, id, place).has_value() &&
             !place.has_value();
    });
  }
  RecountTable();
}

size_t Index::Count() {
  const std::lock_guard change(change_mutex_);
  // A run that was mended knows all that its packs list, also what had a later place already.
  const std::shared_ptr<const RunSet> runs = Runs();
  const bool is_mended = std::any_of(runs->begin(), runs->end(), IsToBeMended);
  if (is_mended || !run_ids_.has_value()) CountRuns();
  const std::shared_lock lock(mutex_);
  return run_ids_.value_or(0) + table_.Count() - table_doubles_.size();
}

void Index::CountRuns() {
  const std::shared_ptr<const RunSet> runs = Runs();
  RowMerge merge(*runs, {});
  uint64_t ids = 0;
  for (std::optional<Row> row;; ++ids) {
    if (Outcome fault = merge.Next(row)) return NoteHidden(*fault);
    if (!row.has_value()) break;
  }
  {
    const std::unique_lock lock(mutex_);
    run_ids_ = ids;
  }
  RecountTable();
}

std::vector<ObjectId> Index::Ids(const ObjectId& from, size_t count) const {
  std::shared_lock lock(mutex_);
  RowMerge merge(*runs_, LowestRows(table_, from, count + damaged_.size()), from);
  const std::unordered_set<ObjectId, IdHash> damaged = damaged_;
  const std::shared_ptr<const RunSet> held = runs_;
  lock.unlock();
  std::vector<ObjectId> ids;
  while (ids.size() < count) {
    std::optional<Row> row;
    if (Outcome fault = merge.Next(row)) NoteHidden(*fault);
    if (!row.has_value()) break;
    if (!damaged.contains(row->id)) ids.push_back(row->id);
  }
  return ids;
}

Outcome Index::Hidden() const {
  const std::shared_lock lock(mutex_);
  return hidden_;
}

void Index::Seal(uint32_t pack, uint64_t bytes) {
  const std::unique_lock lock(mutex_);
  sealed_[pack] = static_cast<uint32_t>(bytes);
}

Index::Snapshot Index::Look(const ObjectId& id) const {
  const std::shared_lock lock(mutex_);
  const Place* const place = table_.Find(id);
  return {runs_, place == nullptr ? std::nullopt : std::optional(*place), damaged_.contains(id)};
}

std::shared_ptr<const RunSet> Index::Runs() const {
  const std::shared_lock lock(mutex_);
  return runs_;
}

// What the table has is later: else it would not have been set.
std::optional<Place> Index::Latest(const Snapshot& seen, const ObjectId& id) const {
  if (seen.place.has_value()) return seen.place;
  std::optional<Place> place;
  const Outcome fault = FindInRuns(*seen.runs, id, place);
  if (fault.has_value()) NoteHidden(*fault);
  return place;
}

void Index::NoteHidden(const Fault& fault) const {
  const std::unique_lock lock(mutex_);
  hidden_ = fault;
}

// Where the truth is: the packs' footers, or the packs themselves.
Mender Index::MakeMender() const {
  return [&packs = packs_](const std::vector<PackRows>& covered, uint64_t low, uint64_t high,
                           std::vector<Row>& rows) -> Outcome {
    for (const PackRows& pack : covered) {
      const auto take = [&](const FooterEntry& entry) {
        const uint64_t prefix = PrefixOf(entry.id);
        if (prefix < low || prefix > high) return;
        rows.push_back({entry.id, {pack.pack, entry.offset, entry.record_bytes}});
      };
      Outcome fault = ReadPackEntries(packs, pack.pack, take);
      const bool is_gone = fault.has_value() && fault->error_number == ENOENT;
      if (fault.has_value() && !is_gone) return fault;
    }
    std::sort(rows.begin(), rows.end(), [](const Row& row, const Row& other) {
      return row.id != other.id ? row.id < other.id : IsLater(row.place, other.place);
    });
    const auto same_id = [](const Row& row, const Row& other) { return row.id == other.id; };
    rows.erase(std::unique(rows.begin(), rows.end(), same_id), rows.end());
    return std::nullopt;
  };
}

void Index::TakeRuns(std::shared_ptr<const RunSet> runs, std::optional<uint64_t> ids) {
  const std::unique_lock lock(mutex_);
  runs_ = std::move(runs);
  run_ids_ = ids;
}

// Which rows of the table are of ids that runs have too.
void Index::RecountTable() {
  std::vector<ObjectId> ids;
  {
    const std::shared_lock lock(mutex_);
    table_.ForEach([&](const Row& row) { ids.push_back(row.id); });
  }
  const std::shared_ptr<const RunSet> runs = Runs();
  std::unordered_set<ObjectId, IdHash> doubles;
  for (const ObjectId& id : ids) {
    std::optional<Place> place;
    const Outcome fault = FindInRuns(*runs, id, place);
    if (fault.has_value()) NoteHidden(*fault);
    if (place.has_value()) doubles.insert(id);
  }
  const std::unique_lock lock(mutex_);
  table_doubles_ = std::move(doubles);
}

}  // namespace gdo::store
