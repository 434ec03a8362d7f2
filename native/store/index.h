// Where each object lies [T9]: immutable sorted runs on disk for what sealed packs hold, and a
// table for what came since. Footers are the truth; what a run has lost is read from them again.
// Any thread.
//
// A run covers whole packs. The manifest names the runs and their packs; a pack that is not named,
// or is not there with that size, is not covered, and whoever opens the store adds what it holds.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "store/fault.h"
#include "store/index/run_set.h"
#include "store/index/table.h"
#include "store/object_id.h"
#include "store/pack_files.h"
#include "store/place.h"

namespace gdo::store {

struct IndexLimits {
  // So many rows of sealed packs are written out.
  size_t table_rows = size_t{32} * 1024;
  // Four runs below four times this many rows become one; and so on, by fours.
  uint64_t tier_rows = size_t{8} * 1024;
};

class Index {
 public:
  // The index is the folder `index` in the store's; it is made with the first run.
  Index(const std::string& store_folder, PackFiles& packs, IndexLimits limits = {});

  std::optional<Place> Find(const ObjectId& id) const;

  // Whether the object is held and not known to be damaged.
  bool Has(const ObjectId& id) const;

  // A later place of the same id replaces an earlier one: it was written because that one was
  // damaged. One thread at a time sets.
  void Set(const ObjectId& id, const Place& place);

  // [T10] From now on it counts as missing, so that it can be put or fetched again.
  void MarkDamaged(const ObjectId& id);

  // What lies in these packs vanishes, unless a later place has replaced it. Of a writer's index
  // the manifest says so before this returns, or does not: then the packs' absence says it.
  void DropPacks(std::span<const uint32_t> packs);

  size_t Count();

  // Ids held, ascending, at most `count`, from the first that is not below `from`.
  std::vector<ObjectId> Ids(const ObjectId& from, size_t count) const;

  // Why ids may seem not to be held that are; empty when nothing is hidden.
  Outcome Hidden() const;

  // Takes in the manifest as it is now; gives the packs that the runs cover, ascending. What the
  // table held of them is let go. Never fails: where the index cannot be used it covers less.
  std::vector<uint32_t> Load(bool is_writer);

  // Every row of this pack has been set, and it will have no more.
  void Seal(uint32_t pack, uint64_t bytes);

  // Writes what sealed packs hold into a run, when it is due or asked for, and merges runs. When it
  // fails nothing is lost: the table keeps the rows.
  Outcome Flush(bool is_asked_for);

  // No pack has had a higher number, as far as the index knows.
  uint32_t LastPack() const;

  // What is damaged, as it was opened or when read through now.
  std::vector<IndexFault> Verify() const;

 private:
  struct Snapshot {
    std::shared_ptr<const RunSet> runs;
    std::optional<Place> place;  // As the table has it.
    bool is_damaged;
  };

  Snapshot Look(const ObjectId& id) const;
  std::shared_ptr<const RunSet> Runs() const;
  std::optional<Place> Latest(const Snapshot& seen, const ObjectId& id) const;
  void NoteHidden(const Fault& fault) const;
  std::string RunPath(uint32_t number) const;
  Mender MakeMender() const;

  bool ReadChanges();
  Outcome OpenRuns(const Manifest& manifest, RunSet& runs);
  bool IsThere(const SealedPack& pack) const;
  void RemoveStrays() const;
  void LeaveToRuns(const std::vector<uint32_t>& covered);

  std::vector<Row> SealedRows(std::vector<SealedPack>& sealed) const;
  std::vector<bool> ChooseRuns(const RunSet& runs, size_t rows) const;
  Outcome WriteRun(const RunSet& inputs, std::vector<Row> rows,
                   const std::vector<SealedPack>& sealed, RunSet& outputs);
  std::optional<uint64_t> IdsWith(const std::vector<SealedPack>& sealed, size_t rows) const;
  Outcome SaveManifest(const RunSet& runs, std::optional<uint64_t> ids, bool is_lasting);
  void TakeRuns(std::shared_ptr<const RunSet> runs, std::optional<uint64_t> ids);
  void CountRuns();
  void RecountTable();

  const std::string folder_;
  PackFiles& packs_;
  const IndexLimits limits_;

  mutable std::mutex change_mutex_;  // Runs change one step at a time. Taken before mutex_.
  bool is_writer_ = false;
  Manifest manifest_;  // As it was last read or written.
  std::vector<IndexFault> open_faults_;

  mutable std::shared_mutex mutex_;  // Guards what follows.
  Table table_;
  std::shared_ptr<const RunSet> runs_ = std::make_shared<RunSet>();
  std::unordered_map<uint32_t, uint32_t> sealed_;  // Packs that no run covers, and their bytes.
  std::unordered_set<ObjectId, IdHash> damaged_;
  std::unordered_set<ObjectId, IdHash> table_doubles_;  // In the table and in a run.
  std::optional<uint64_t> run_ids_ = 0;                 // In runs. Empty: not counted.
  mutable Outcome hidden_;
};

}  // namespace gdo::store
