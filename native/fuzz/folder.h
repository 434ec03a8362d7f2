// Files of the fuzzers that have some: in memory where the system has a place for that.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "store/file.h"
#include "stream.h"

namespace gdo::fuzz {

// A folder of its own for each run, gone when the run ends well.
class Folder {
 public:
  Folder() {
    const auto shared = std::filesystem::path("/dev/shm");
    const auto base = std::filesystem::exists(shared) ? shared : std::filesystem::path("/tmp");
    path_ = base / "gdo-fuzz-XXXXXX";
    FUZZ_CHECK(mkdtemp(path_.data()) != nullptr);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& Path() const { return path_; }
  std::string PackPath(uint32_t pack) const {
    char name[32];
    std::snprintf(name, sizeof name, "/%08x.pack", pack);
    return path_ + name;
  }
  void Clear() const {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      std::filesystem::remove_all(entry.path());
    }
  }

 private:
  std::string path_;
};

// An open file without a name.
inline store::File NamelessFile() {
  store::File file(memfd_create("gdo-fuzz", MFD_CLOEXEC));
  FUZZ_CHECK(file.IsOpen());
  return file;
}

inline Bytes ContentOf(const store::File& file) {
  struct stat stats = {};
  FUZZ_CHECK(fstat(file.Fd(), &stats) == 0);
  Bytes bytes(static_cast<size_t>(stats.st_size));
  FUZZ_CHECK(store::ReadAt(file.Fd(), bytes, 0) == stats.st_size);
  return bytes;
}

}  // namespace gdo::fuzz
