// One immutable sorted run of the index, read from its file [T9]. Any thread.
//
// Nothing is mapped: a page that a disk cannot give would end the process, and one that is read
// again later need not be what was checked. Summaries are read when they are first needed, and
// kept.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/fault.h"
#include "store/file.h"
#include "store/index/page.h"
#include "store/index/run_format.h"

namespace gdo::store {

// Rows of some packs whose prefixes are within [low, high], from where the truth is, ascending by
// id; of equal ids the latest.
using Mender = std::function<Outcome(const std::vector<PackRows>& packs, uint64_t low,
                                     uint64_t high, std::vector<Row>& rows)>;

// Something damaged in a file of the index.
struct IndexFault {
  std::string file;
  uint64_t offset = 0;
  std::string what;
};

class Run {
 public:
  // kCorrupt where the file as a whole cannot be used. Damaged pages are met later, and mended.
  static Outcome Open(const std::string& path, Mender mender, std::shared_ptr<Run>& out);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  const std::string& Path() const { return path_; }
  uint32_t Number() const { return tail_.number; }
  uint64_t Rows() const { return tail_.rows; }
  const std::vector<PackRows>& Packs() const { return tail_.packs; }
  uint32_t TailCrc() const { return tail_crc_; }
  uint64_t FileBytes() const { return file_bytes_; }
  size_t Groups() const { return tail_.fences.size(); }

  // Fails only where the file is damaged and so is what it was made from.
  Outcome Find(const ObjectId& id, std::optional<Place>& out);

  // The rows of a group, ascending. Groups follow each other, but of one that was mended some rows
  // may stand in its neighbours as well.
  Outcome ReadGroup(size_t group, std::vector<Row>& rows);
  // The first group that can hold this id or a higher one.
  size_t GroupFrom(const ObjectId& id) const;

  // Some page was found damaged since it was opened.
  bool IsDamaged() const { return is_damaged_; }

  // Reads every page; tells what is damaged.
  void Verify(std::vector<IndexFault>& faults) const;

 private:
  struct Group {
    Page summary{};
    bool is_mended = false;
    std::vector<Row> mended;
  };

  Run(std::string path, File file, Mender mender, RunTail tail, uint32_t tail_crc,
      uint64_t file_bytes);

  size_t BlocksIn(size_t group) const;
  size_t RowsIn(size_t group, size_t slot) const;
  uint64_t OffsetOf(size_t group, size_t slot) const;
  bool IsSummaryOf(PageView page, size_t group) const;
  bool ReadPage(uint64_t offset, PageSpan page) const;

  Outcome Load(size_t group, const Group*& out);
  Outcome Mend(size_t group, const Group*& out);
  Outcome FindInGroup(size_t group, const ObjectId& id, std::optional<Place>& out);
  // Whether it is in a group that was not mended; false where a block is damaged.
  bool FindInBlocks(size_t group, const Group& read, const ObjectId& id,
                    std::optional<Place>& out) const;
  void VerifyGroup(size_t group, std::vector<IndexFault>& faults) const;
  const char* BlockFault(PageView block, size_t count, PageView summary, size_t slot) const;

  const std::string path_;
  const File file_;
  const Mender mender_;
  const RunTail tail_;
  const uint32_t tail_crc_;
  const uint64_t file_bytes_;

  std::unique_ptr<std::atomic<const Group*>[]> groups_;
  std::atomic<bool> is_damaged_ = false;
  std::mutex load_mutex_;
  std::vector<std::unique_ptr<const Group>> loaded_;  // Owns them; none goes before the run.
};

}  // namespace gdo::store
