// Cuts a stream of bytes into chunks and names them. Same bytes, same cuts, however the stream is
// split into pieces [T2].
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/blake3.h"
#include "core/profile.h"

namespace gdo {

struct Cut {
  uint64_t offset;
  uint64_t length;
  Blake3::Digest id;  // BLAKE3 of the chunk's bytes [T1].
};

// One thread at a time. Holds at most bytes_max bytes of the stream.
class Chunker {
 public:
  explicit Chunker(const Profile& profile);

  // Appends the cuts that `bytes` settle.
  void Update(std::span<const uint8_t> bytes, std::vector<Cut>& cuts);

  // Appends the cuts of what is left. The next Update begins at the current offset.
  void Finish(std::vector<Cut>& cuts);

 private:
  void UpdatePending(std::span<const uint8_t>& bytes, std::vector<Cut>& cuts);
  size_t CutOne(std::span<const uint8_t> bytes, std::vector<Cut>& cuts);

  const Profile& profile_;
  uint64_t offset_ = 0;
  std::vector<uint8_t> pending_;  // Bytes after the last cut; fewer than bytes_max between calls.
};

}  // namespace gdo
