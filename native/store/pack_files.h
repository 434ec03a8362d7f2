// Pack files for reading, a bounded number of them held open. Any thread.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "store/fault.h"
#include "store/file.h"

namespace gdo::store {

class PackFiles {
 public:
  explicit PackFiles(std::string folder) : folder_(std::move(folder)) {}

  std::string PathOf(uint32_t pack) const;

  // Exactly these bytes, or a corrupt outcome where the file ends before.
  Outcome Read(uint32_t pack, uint64_t offset, std::span<uint8_t> out);

  // How long the pack is now.
  Outcome Size(uint32_t pack, uint64_t& bytes);

  // Lets go of a pack that is to be removed or replaced, or of all of them.
  void Forget(uint32_t pack);
  void ForgetAll();

 private:
  struct OpenPack {
    uint32_t pack;
    std::shared_ptr<const File> file;  // A reader keeps it open beyond Forget.
  };

  Outcome Open(uint32_t pack, std::shared_ptr<const File>& out);

  const std::string folder_;
  std::mutex mutex_;
  std::list<OpenPack> open_;  // Most recently used first.
  std::unordered_map<uint32_t, std::list<OpenPack>::iterator> by_pack_;
};

}  // namespace gdo::store
