// Writes a run front to back, in the memory of one group [T9]. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/fault.h"
#include "store/file.h"
#include "store/index/page.h"
#include "store/index/run_format.h"

namespace gdo::store {

class RunWriter {
 public:
  // The file must not be there. The run covers these packs, whether or not a row lies in each.
  static Outcome Open(const std::string& path, uint32_t number, const std::vector<uint32_t>& packs,
                      std::unique_ptr<RunWriter>& out);

  // Ascending by id, each id once.
  Outcome Add(const Row& row);

  // The file is whole and durable when it succeeds. At least one row must have been added.
  Outcome Finish();

  uint64_t Rows() const { return tail_.rows; }

 private:
  RunWriter(std::string path, File file) : path_(std::move(path)), file_(std::move(file)) {}

  void EndBlock();
  void EndGroup();
  Outcome Flush();

  const std::string path_;
  const File file_;
  RunTail tail_;
  std::map<uint32_t, uint32_t> pack_rows_;
  std::vector<Row> block_;
  Page summary_{};
  size_t slot_ = 0;
  uint64_t written_bytes_ = 0;
  Bytes buffer_;
};

}  // namespace gdo::store
