// The form in which a new chunk is stored: alone, or against chunks that it is like [T6].
#pragma once

#include <vector>

#include "store/base_plan.h"
#include "store/object_store.h"

namespace gdo::store {

struct EncodedChunk {
  Bytes record;
  std::vector<ObjectId> bases;  // What the record leans on.
};

// One thread at a time; the store outlives it.
class ChunkEncoder {
 public:
  ChunkEncoder(ObjectStore& store, const ObjectId& id, std::span<const uint8_t> bytes)
      : store_(store), codec_(store.Codecs()), id_(id), bytes_(bytes) {}

  EncodedChunk Encode(const BasePlan& plan);

 private:
  // A zstd frame, or nothing where the bytes themselves are shorter.
  struct Form {
    Bytes frame;
    std::vector<ObjectId> bases;
  };

  Form AgainstStored(const BasePlan& plan);
  Form AgainstRecent(const std::vector<RecentChunk>& recent);
  Form Alone();
  Form Against(const std::vector<ObjectId>& ids, const std::vector<ChunkPointer>& chunks,
               Effort effort);
  void Read(const std::vector<ObjectId>& ids, size_t first, size_t count,
            std::vector<ChunkPointer>& chunks);
  size_t CostOf(const Form& form) const;

  ObjectStore& store_;
  CodecPool::Lease codec_;
  const ObjectId& id_;
  const std::span<const uint8_t> bytes_;
};

}  // namespace gdo::store
