#include "store/index/run_writer.h"

#include <fcntl.h>
#include <unistd.h>

namespace gdo::store {
namespace {

constexpr size_t kBufferBytes = (kBlocksPerGroup + 1) * kPageBytes;

}  // namespace

Outcome RunWriter::Open(const std::string& path, uint32_t number,
                        const std::vector<uint32_t>& packs, std::unique_ptr<RunWriter>& out) {
  File file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.IsOpen()) return SystemFault("cannot make " + path);
  // The constructor is private: make_unique cannot reach it.
  out.reset(new RunWriter(path, std::move(file)));
  out->tail_.number = number;
  for (const uint32_t pack : packs) out->pack_rows_[pack] = 0;
  return std::nullopt;
}

Outcome RunWriter::Add(const Row& row) {
  if (slot_ == 0 && block_.empty()) tail_.fences.push_back(PrefixOf(row.id));
  block_.push_back(row);
  ++tail_.rows;
  ++pack_rows_[row.place.pack];
  if (block_.size() < kRowsPerBlock) return std::nullopt;
  EndBlock();
  if (slot_ == kBlocksPerGroup) EndGroup();
  return buffer_.size() < kBufferBytes ? std::nullopt : Flush();
}

Outcome RunWriter::Finish() {
  if (!block_.empty()) EndBlock();
  if (slot_ > 0) EndGroup();
  for (const auto& [pack, rows] : pack_rows_) tail_.packs.push_back({pack, rows});
  const Bytes tail = EncodeRunTail(tail_);
  buffer_.insert(buffer_.end(), tail.begin(), tail.end());
  if (Outcome fault = Flush()) return fault;
  if (fdatasync(file_.Fd()) != 0) return SystemFault("cannot make " + path_ + " durable");
  return std::nullopt;
}

void RunWriter::EndBlock() {
  Page page;
  EncodeBlock(block_, page);
  SummarizeBlock(block_, slot_, summary_);
  buffer_.insert(buffer_.end(), page.begin(), page.end());
  block_.clear();
  ++slot_;
}

void RunWriter::EndGroup() {
  SealPage(summary_);
  buffer_.insert(buffer_.end(), summary_.begin(), summary_.end());
  summary_ = {};
  slot_ = 0;
}

Outcome RunWriter::Flush() {
  if (!WriteAt(file_.Fd(), buffer_, written_bytes_)) return SystemFault("cannot write " + path_);
  written_bytes_ += buffer_.size();
  buffer_.clear();
  return std::nullopt;
}

}  // namespace gdo::store
