// Appends to the one open pack. Nothing written is ever changed; a failed append is repeated at the
// same place with the same bytes, so a reader beside it never sees two versions of one offset [T7].
// One thread at a time, but for ReadBuffered.
#pragma once

#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "store/fault.h"
#include "store/file.h"
#include "store/record.h"

namespace gdo::store {

// What is known of an unsealed pack.
struct PackState {
  uint32_t pack = 0;
  std::vector<FooterEntry> entries;
  uint64_t end_bytes = 0;     // End of the last whole item; 0: not even a header.
  uint64_t marked_bytes = 0;  // End of the last commit mark.
};

class PackAppender {
 public:
  // Goes on with a pack, cutting off a torn append; with end_bytes 0, begins one.
  static Outcome Open(const std::string& path, PackState state, std::unique_ptr<PackAppender>& out);

  uint32_t Pack() const { return pack_; }
  size_t Records() const { return entries_.size(); }
  // Where the next record goes; also the pack's size, buffered bytes included.
  uint64_t EndBytes() const { return written_bytes_ + buffer_.size(); }

  // Takes a record. It is readable at once, and durable after the next commit.
  Outcome Append(const ObjectId& id, const Bytes& record, uint32_t& offset);

  // Everything appended before is durable when it succeeds.
  Outcome Commit();

  // Ends the pack with its footer, durably.
  Outcome Seal();

  // Bytes that are not in the file yet; false when they are. Any thread.
  bool ReadBuffered(uint64_t offset, std::span<uint8_t> out) const;

 private:
  PackAppender(const std::string& path, File file, PackState state);

  Outcome Flush();
  Outcome Sync();
  Outcome AssertUsable() const;
  void Push(const Bytes& bytes);
  void DropBuffer();

  const std::string path_;
  const File file_;
  const uint32_t pack_;
  std::vector<FooterEntry> entries_;

  // Guards the next two against ReadBuffered: the appending thread locks only to change them.
  mutable std::shared_mutex buffer_mutex_;
  uint64_t written_bytes_;
  Bytes buffer_;

  bool needs_mark_;  // Some record has no commit mark after it.
  bool needs_sync_;
  // A sync failed: the kernel may have dropped what it could not write, so nothing more is
  // promised.
  Outcome failure_;
};

}  // namespace gdo::store
