// Which runs of the index become one, and making it [T9].
#include <unistd.h>

#include <algorithm>

#include "store/index.h"
#include "store/index/run_writer.h"

namespace gdo::store {
namespace {

// So many runs of a tier become one.
constexpr size_t kTierRuns = 4;

size_t TierOf(uint64_t rows, uint64_t tier_rows) {
  size_t tier = 0;
  for (; rows >= tier_rows * kTierRuns; rows /= kTierRuns) ++tier;
  return tier;
}

Outcome WriteRows(RowMerge& merge, const Row& first, const std::string& path, uint32_t number,
                  const std::vector<uint32_t>& packs) {
  std::unique_ptr<RunWriter> writer;
  if (Outcome fault = RunWriter::Open(path, number, packs, writer)) return fault;
  for (std::optional<Row> row = first; row.has_value();) {
    if (Outcome fault = writer->Add(*row)) return fault;
    if (Outcome fault = merge.Next(row)) return fault;
  }
  return writer->Finish();
}

}  // namespace

// Those that are damaged, and three others of the new run's size, so that there are few of each.
std::vector<bool> Index::ChooseRuns(const RunSet& runs, size_t rows) const {
  std::vector<bool> is_chosen(runs.size());
  uint64_t total = rows;
  for (size_t at = 0; at < runs.size(); ++at) {
    is_chosen[at] = IsToBeMended(runs[at]);
    if (is_chosen[at]) total += runs[at].run->Rows();
  }
  for (;;) {
    const size_t tier = TierOf(total, limits_.tier_rows);
    std::vector<size_t> same;
    for (size_t at = 0; at < runs.size(); ++at) {
      if (!is_chosen[at] && TierOf(runs[at].run->Rows(), limits_.tier_rows) == tier) {
        same.push_back(at);
      }
    }
    if (same.size() + 1 < kTierRuns) return is_chosen;
    for (const size_t at : same) {
      is_chosen[at] = true;
      total += runs[at].run->Rows();
    }
  }
}

// Adds the run to the outputs, if a row is left for it.
Outcome Index::WriteRun(const RunSet& inputs, std::vector<Row> rows,
                        const std::vector<SealedPack>& sealed, RunSet& outputs) {
  std::vector<SealedPack> packs = PacksOf(inputs);
  packs.insert(packs.end(), sealed.begin(), sealed.end());
  std::sort(packs.begin(), packs.end(),
            [](const SealedPack& pack, const SealedPack& other) { return pack.pack < other.pack; });
  RowMerge merge(inputs, std::move(rows));
  std::optional<Row> row;
  if (Outcome fault = merge.Next(row)) return fault;
  if (!row.has_value()) return std::nullopt;
  const uint32_t number = manifest_.last_run + 1;
  const std::string path = RunPath(number);
  static_cast<void>(unlink(path.c_str()));  // Of an attempt that failed.
  Outcome fault = WriteRows(merge, *row, path, number, NumbersOf(packs));
  std::shared_ptr<Run> run;
  if (!fault.has_value()) fault = Run::Open(path, MakeMender(), run);
  if (fault.has_value()) {
    static_cast<void>(unlink(path.c_str()));
    return fault;
  }
  outputs.push_back(MakeLiveRun(std::move(run), std::move(packs)));
  return std::nullopt;
}

}  // namespace gdo::store
