#include "store/pack_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>

namespace gdo::store {
namespace {

// 1 TB is 8,192 packs; a process may have 1,024 files open.
constexpr size_t kOpenMax = 64;

}  // namespace

std::string PackFiles::PathOf(uint32_t pack) const {
  std::array<char, 16> name{};
  std::snprintf(name.data(), name.size(), "/%08x.pack", pack);
  return folder_ + name.data();
}

Outcome PackFiles::Read(uint32_t pack, uint64_t offset, std::span<uint8_t> out) {
  std::shared_ptr<const File> file;
  if (Outcome fault = Open(pack, file)) return fault;
  const ssize_t count = ReadAt(file->Fd(), out, offset);
  if (count < 0) {
    Outcome fault = SystemFault("cannot read " + PathOf(pack));
    Forget(pack);  // The file may be gone or replaced: the next reader opens it anew.
    return fault;
  }
  if (static_cast<size_t>(count) == out.size()) return std::nullopt;
  Forget(pack);
  return Corrupt("the pack ends before offset " + std::to_string(offset + out.size()));
}

Outcome PackFiles::Size(uint32_t pack, uint64_t& bytes) {
  struct stat status {};
  if (stat(PathOf(pack).c_str(), &status) != 0) return SystemFault("cannot read " + PathOf(pack));
  bytes = static_cast<uint64_t>(status.st_size);
  return std::nullopt;
}

void PackFiles::Forget(uint32_t pack) {
  const std::lock_guard lock(mutex_);
  const auto found = by_pack_.find(pack);
  if (found == by_pack_.end()) return;
  open_.erase(found->second);
  by_pack_.erase(found);
}

void PackFiles::ForgetAll() {
  const std::lock_guard lock(mutex_);
  open_.clear();
  by_pack_.clear();
}

Outcome PackFiles::Open(uint32_t pack, std::shared_ptr<const File>& out) {
  const std::lock_guard lock(mutex_);
  const auto found = by_pack_.find(pack);
  if (found != by_pack_.end()) {
    open_.splice(open_.begin(), open_, found->second);
    out = open_.front().file;
    return std::nullopt;
  }
  File file(open(PathOf(pack).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.IsOpen()) return SystemFault("cannot read " + PathOf(pack));
  out = std::make_shared<const File>(std::move(file));
  open_.push_front({pack, out});
  by_pack_[pack] = open_.begin();
  if (open_.size() > kOpenMax) {
    by_pack_.erase(open_.back().pack);
    open_.pop_back();
  }
  return std::nullopt;
}

}  // namespace gdo::store
