// The runs that are the index on disk at one moment, and going through their rows in order [T9].
// Immutable but for what each run keeps of its file. Any thread.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "store/index/manifest.h"
#include "store/index/run.h"

namespace gdo::store {

// A run, and which of the packs in it are still there.
struct LiveRun {
  std::shared_ptr<Run> run;
  std::vector<SealedPack> packs;  // Ascending.
  std::vector<uint32_t>
      voids;  // Ascending: packs of the run that are gone. Their rows do not count.

  bool IsVoid(uint32_t pack) const;
};

// A run of which only these packs are left.
LiveRun MakeLiveRun(std::shared_ptr<Run> run, std::vector<SealedPack> packs);

// A writer makes a new run in the place of one that was found damaged.
inline bool IsToBeMended(const LiveRun& live) { return live.run->IsDamaged(); }

using RunSet = std::vector<LiveRun>;

// All packs of the runs, and the numbers of packs, in their order.
std::vector<SealedPack> PacksOf(const RunSet& runs);
std::vector<uint32_t> NumbersOf(const std::vector<SealedPack>& packs);

// The latest place of the id. Fails where it was not found and a run could not be read.
Outcome FindInRuns(const RunSet& runs, const ObjectId& id, std::optional<Place>& out);

// Gives the rows of runs, and of a list, in the order of their ids; each id once, its latest place.
class RowMerge {
 public:
  // `rows` is ascending, each id once. Begins at the first id that is not below `from`.
  RowMerge(const RunSet& runs, std::vector<Row> rows, const ObjectId& from = {});

  // Empty at the end.
  Outcome Next(std::optional<Row>& out);

 private:
  struct Cursor {
    const LiveRun* run;  // Null for the list.
    size_t group;        // The next to be read.
    std::vector<Row> rows;
    size_t at;
  };

  static const ObjectId& IdAt(const Cursor& cursor) { return cursor.rows[cursor.at].id; }

  // Goes on to a row that counts and comes after `last_`; at the end its rows are empty.
  Outcome Settle(Cursor& cursor);
  bool IsPassed(const ObjectId& id) const { return has_last_ ? id <= last_ : id < from_; }

  const ObjectId from_;
  std::vector<Cursor> cursors_;
  ObjectId last_{};
  bool has_last_ = false;
  bool is_begun_ = false;
};

}  // namespace gdo::store
