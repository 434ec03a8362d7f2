#include "store/pack_appender.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>

namespace gdo::store {
namespace {

constexpr size_t kBufferBytesMax = size_t{512} * 1024;

// Else a crash could take a new file's name with it.
Outcome SyncFolderOf(const std::string& path) {
  const std::string folder = path.substr(0, path.find_last_of('/'));
  const File file(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.IsOpen() || fsync(file.Fd()) != 0) return SystemFault("cannot open " + folder);
  return std::nullopt;
}

}  // namespace

PackAppender::PackAppender(const std::string& path, File file, PackState state)
    : path_(path),
      file_(std::move(file)),
      pack_(state.pack),
      entries_(std::move(state.entries)),
      written_bytes_(state.end_bytes),
      needs_mark_(state.end_bytes > state.marked_bytes),
      needs_sync_(needs_mark_) {}

Outcome PackAppender::Open(const std::string& path, PackState state,
                           std::unique_ptr<PackAppender>& out) {
  const bool is_new = state.end_bytes == 0;
  const uint64_t end_bytes = state.end_bytes;
  const int flags = O_RDWR | O_CLOEXEC | (is_new ? O_CREAT | O_TRUNC : 0);
  File file(open(path.c_str(), flags, 0600));
  if (!file.IsOpen()) return SystemFault("cannot open " + path);
  if (ftruncate(file.Fd(), static_cast<off_t>(end_bytes)) != 0) {
    return SystemFault("cannot open " + path);
  }
  if (is_new) {
    if (Outcome fault = SyncFolderOf(path)) return fault;
  }
  // The constructor is private: make_unique cannot reach it.
  out.reset(new PackAppender(path, std::move(file), std::move(state)));
  if (is_new) out->Push(EncodePackHeader(out->pack_));
  return std::nullopt;
}

Outcome PackAppender::Append(const ObjectId& id, const Bytes& record, uint32_t& offset) {
  if (Outcome fault = AssertUsable()) return fault;
  // Before taking more: on a full disk the caller hears of it, and memory stays bounded.
  if (buffer_.size() >= kBufferBytesMax) {
    if (Outcome fault = Flush()) return fault;
  }
  offset = static_cast<uint32_t>(EndBytes());
  Push(record);
  entries_.push_back({id, offset, static_cast<uint32_t>(record.size())});
  needs_mark_ = true;
  return std::nullopt;
}

Outcome PackAppender::Commit() {
  if (Outcome fault = AssertUsable()) return fault;
  if (needs_mark_) Push(EncodeMark());
  needs_mark_ = false;
  if (Outcome fault = Flush()) return fault;
  return needs_sync_ ? Sync() : std::nullopt;
}

Outcome PackAppender::Seal() {
  if (Outcome fault = AssertUsable()) return fault;
  if (Outcome fault = Flush()) return fault;
  Push(EncodeFooter(entries_, written_bytes_));
  if (Outcome fault = Flush()) {
    DropBuffer();  // The pack stays open for a later attempt.
    // If this fails too, what stays is a torn tail: harmless.
    static_cast<void>(ftruncate(file_.Fd(), static_cast<off_t>(written_bytes_)) == 0);
    return fault;
  }
  return Sync();
}

bool PackAppender::ReadBuffered(uint64_t offset, std::span<uint8_t> out) const {
  const std::shared_lock lock(buffer_mutex_);
  if (offset < written_bytes_ || offset - written_bytes_ + out.size() > buffer_.size()) {
    return false;
  }
  const auto start = buffer_.begin() + static_cast<ptrdiff_t>(offset - written_bytes_);
  std::copy_n(start, out.size(), out.begin());
  return true;
}

Outcome PackAppender::Flush() {
  if (buffer_.empty()) return std::nullopt;
  needs_sync_ = true;
  if (!WriteAt(file_.Fd(), buffer_, written_bytes_)) return SystemFault("cannot write " + path_);
  const std::unique_lock lock(buffer_mutex_);
  written_bytes_ += buffer_.size();
  buffer_.clear();
  return std::nullopt;
}

Outcome PackAppender::Sync() {
  if (fdatasync(file_.Fd()) != 0) {
    failure_ = SystemFault("cannot make " + path_ + " durable");
    return failure_;
  }
  needs_sync_ = false;
  return std::nullopt;
}

Outcome PackAppender::AssertUsable() const {
  if (!failure_.has_value()) return std::nullopt;
  return Fault{Fault::Kind::kClosed, 0, "the store must be opened anew: " + failure_->what};
}

void PackAppender::Push(const Bytes& bytes) {
  const std::unique_lock lock(buffer_mutex_);
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void PackAppender::DropBuffer() {
  const std::unique_lock lock(buffer_mutex_);
  buffer_.clear();
}

}  // namespace gdo::store
