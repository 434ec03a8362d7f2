// Files by descriptor: whole reads and writes at an offset.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <utility>

namespace gdo::store {

// Owns a descriptor.
class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  ~File();
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int Fd() const { return fd_; }
  bool IsOpen() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// How many bytes there were, fewer than asked for only at the file's end; negative with errno set.
ssize_t ReadAt(int fd, std::span<uint8_t> out, uint64_t offset);

// False with errno set.
bool WriteAt(int fd, std::span<const uint8_t> bytes, uint64_t offset);

}  // namespace gdo::store
