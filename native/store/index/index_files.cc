// The index's files: opening and writing them [T9]. index_merge.cc has the merging of runs.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <set>

#include "store/index.h"

namespace gdo::store {
namespace {

constexpr const char* kManifestName = "/manifest";
// A writer may replace runs between a reader's look at the manifest and at them.
constexpr int kLoadsMax = 5;

bool IsAbsent(const Fault& fault) {
  return fault.kind == Fault::Kind::kSystem && fault.error_number == ENOENT;
}

std::string RunName(uint32_t number) {
  std::array<char, 16> name{};
  std::snprintf(name.data(), name.size(), "%08x.run", number);
  return name.data();
}

Outcome SyncFolder(const std::string& folder) {
  const File file(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.IsOpen() || fsync(file.Fd()) != 0) return SystemFault("cannot open " + folder);
  return std::nullopt;
}

std::vector<uint32_t> CoveredPacks(const RunSet& runs) {
  std::vector<uint32_t> covered = NumbersOf(PacksOf(runs));
  std::sort(covered.begin(), covered.end());
  return covered;
}

bool IsSame(const LiveRun& live, const ManifestRun& entry) {
  return live.run->Number() == entry.number && live.run->TailCrc() == entry.tail_crc &&
         live.run->FileBytes() == entry.file_bytes;
}

}  // namespace

std::string Index::RunPath(uint32_t number) const { return folder_ + "/" + RunName(number); }

std::vector<uint32_t> Index::Load(bool is_writer) {
  const std::lock_guard change(change_mutex_);
  is_writer_ = is_writer;
  RunSet runs;
  for (int attempt = 0; attempt < kLoadsMax; ++attempt) {
    const bool is_changed = ReadChanges();
    if (!is_changed) return CoveredPacks(*Runs());
    if (!OpenRuns(manifest_, runs).has_value()) break;
  }
  if (is_writer) RemoveStrays();
  const bool is_whole =
      runs.size() == manifest_.runs.size() &&
      std::all_of(runs.begin(), runs.end(), [](const LiveRun& live) { return live.voids.empty(); });
  std::vector<uint32_t> covered = CoveredPacks(runs);
  TakeRuns(std::make_shared<RunSet>(std::move(runs)), is_whole ? manifest_.ids : std::nullopt);
  LeaveToRuns(covered);
  RecountTable();
  return covered;
}

// Whether the manifest is another than the one that the runs were opened by.
bool Index::ReadChanges() {
  const std::string path = folder_ + kManifestName;
  Manifest read;
  const Outcome fault = ReadManifest(path, read);
  const bool is_damaged = fault.has_value() && !IsAbsent(*fault);
  if (open_faults_.empty() && !is_damaged && EncodeManifest(read) == EncodeManifest(manifest_)) {
    return false;
  }
  open_faults_.clear();
  if (is_damaged) open_faults_.push_back({path, 0, fault->what});
  manifest_ = std::move(read);
  return true;
}

// Fails where a run is gone: a writer has replaced it since, or somebody has removed it.
Outcome Index::OpenRuns(const Manifest& manifest, RunSet& runs) {
  runs.clear();
  const std::shared_ptr<const RunSet> before = Runs();
  Outcome gone;
  for (const ManifestRun& entry : manifest.runs) {
    std::shared_ptr<Run> run;
    for (const LiveRun& live : *before) {
      if (IsSame(live, entry)) run = live.run;
    }
    if (run == nullptr) {
      Outcome fault = Run::Open(RunPath(entry.number), MakeMender(), run);
      if (!fault.has_value() && !IsSame({run, {}, {}}, entry)) fault = Corrupt("it is another run");
      if (fault.has_value()) {
        open_faults_.push_back({RunPath(entry.number), 0, fault->what});
        if (IsAbsent(*fault)) gone = std::move(fault);
        continue;
      }
    }
    std::vector<SealedPack> packs = entry.packs;
    std::erase_if(packs, [this](const SealedPack& pack) { return !IsThere(pack); });
    if (!packs.empty()) runs.push_back(MakeLiveRun(std::move(run), std::move(packs)));
  }
  return gone;
}

bool Index::IsThere(const SealedPack& pack) const {
  struct stat status {};
  return stat(packs_.PathOf(pack.pack).c_str(), &status) == 0 &&
         static_cast<uint64_t>(status.st_size) == pack.bytes;
}

// What a writer left that was killed, or could not use.
void Index::RemoveStrays() const {
  std::set<std::string> named;
  for (const ManifestRun& run : manifest_.runs) named.insert(RunName(run.number));
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, ignored)) {
    const std::filesystem::path& path = entry.path();
    const bool is_stray = path.extension() == ".run" && !named.contains(path.filename());
    if (is_stray || path.extension() == ".tmp") static_cast<void>(unlink(path.c_str()));
  }
}

uint32_t Index::LastPack() const {
  const std::lock_guard change(change_mutex_);
  return manifest_.last_pack;
}

Outcome Index::Flush(bool is_asked_for) {
  const std::lock_guard change(change_mutex_);
  std::vector<SealedPack> sealed;
  std::vector<Row> rows = SealedRows(sealed);
  const std::shared_ptr<const RunSet> before = Runs();
  const bool is_damaged = std::any_of(before->begin(), before->end(), IsToBeMended);
  const bool is_due =
      rows.size() >= limits_.table_rows || (is_asked_for && (!sealed.empty() || is_damaged));
  if (!is_due) return std::nullopt;
  // A folder that is not there is told by the next call.
  static_cast<void>(mkdir(folder_.c_str(), 0700));
  const std::vector<bool> is_chosen = ChooseRuns(*before, rows.size());
  RunSet inputs;
  RunSet outputs;
  for (size_t at = 0; at < before->size(); ++at) {
    (is_chosen[at] ? inputs : outputs).push_back((*before)[at]);
  }
  const bool is_replacing = !inputs.empty() || !open_faults_.empty();
  std::optional<uint64_t> ids = IdsWith(sealed, rows.size());
  if (Outcome fault = WriteRun(inputs, std::move(rows), sealed, outputs)) return fault;
  // By now it may be known of one more, which merging has met; it counts otherwise: see Count.
  if (std::any_of(before->begin(), before->end(), IsToBeMended)) ids.reset();
  if (Outcome fault = SaveManifest(outputs, ids, is_replacing)) {
    static_cast<void>(unlink(RunPath(manifest_.last_run + 1).c_str()));
    return fault;
  }
  TakeRuns(std::make_shared<RunSet>(std::move(outputs)), ids);
  LeaveToRuns(NumbersOf(sealed));
  if (is_replacing) RemoveStrays();  // Readers that have them open read on.
  return std::nullopt;
}

// The table's rows of packs that are sealed, ascending, and those packs.
std::vector<Row> Index::SealedRows(std::vector<SealedPack>& sealed) const {
  const std::shared_lock lock(mutex_);
  for (const auto& [pack, bytes] : sealed_) sealed.push_back({pack, bytes});
  std::sort(sealed.begin(), sealed.end(),
            [](const SealedPack& pack, const SealedPack& other) { return pack.pack < other.pack; });
  std::vector<Row> rows;
  table_.ForEach([&](const Row& row) {
    if (sealed_.contains(row.place.pack)) rows.push_back(row);
  });
  std::sort(rows.begin(), rows.end(),
            [](const Row& row, const Row& other) { return row.id < other.id; });
  return rows;
}

// How many ids the runs hold once these packs' rows of the table, so many, are in them.
std::optional<uint64_t> Index::IdsWith(const std::vector<SealedPack>& sealed, size_t rows) const {
  const std::shared_lock lock(mutex_);
  if (!run_ids_.has_value()) return std::nullopt;
  uint64_t known = 0;
  for (const ObjectId& id : table_doubles_) {
    const Place* const place = table_.Find(id);
    const bool is_moved =
        place != nullptr && std::any_of(sealed.begin(), sealed.end(), [place](const auto& pack) {
          return pack.pack == place->pack;
        });
    known += is_moved ? 1 : 0;
  }
  return *run_ids_ + rows - known;
}

// Before a file that the manifest named is removed, the new name must be lasting.
Outcome Index::SaveManifest(const RunSet& runs, std::optional<uint64_t> ids, bool is_lasting) {
  Manifest manifest;
  manifest.ids = ids;
  manifest.last_run = manifest_.last_run;
  manifest.last_pack = manifest_.last_pack;
  for (const LiveRun& live : runs) {
    const Run& run = *live.run;
    manifest.runs.push_back({run.Number(), run.TailCrc(), run.FileBytes(), live.packs});
    manifest.last_run = std::max(manifest.last_run, run.Number());
    manifest.last_pack = std::max(manifest.last_pack, live.packs.back().pack);
  }
  if (Outcome fault = ReplaceManifest(folder_ + kManifestName, manifest)) return fault;
  manifest_ = std::move(manifest);
  open_faults_.clear();
  return is_lasting ? SyncFolder(folder_) : std::nullopt;
}

// Runs cover these packs from now on.
void Index::LeaveToRuns(const std::vector<uint32_t>& covered) {
  const auto is_left = [&](const Place& place) {
    return std::binary_search(covered.begin(), covered.end(), place.pack);
  };
  const std::unique_lock lock(mutex_);
  for (const uint32_t pack : covered) sealed_.erase(pack);
  std::erase_if(table_doubles_, [&](const ObjectId& id) {
    const Place* const place = table_.Find(id);
    return place == nullptr || is_left(*place);
  });
  table_.Filter([&](const Row& row) { return !is_left(row.place); });
}

std::vector<IndexFault> Index::Verify() const {
  std::vector<IndexFault> faults;
  {
    const std::lock_guard change(change_mutex_);
    faults = open_faults_;
    Manifest read;
    const Outcome fault = ReadManifest(folder_ + kManifestName, read);
    // One that is gone, or another by now, is no damage.
    const bool is_told = !faults.empty() && faults.front().file == folder_ + kManifestName;
    if (fault.has_value() && !IsAbsent(*fault) && !is_told) {
      faults.push_back({folder_ + kManifestName, 0, fault->what});
    }
  }
  for (const LiveRun& live : *Runs()) live.run->Verify(faults);
  return faults;
}

}  // namespace gdo::store
