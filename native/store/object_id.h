// Objects and their names [T1].
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "core/blake3.h"

namespace gdo::store {

using ObjectId = Blake3::Digest;

// As in a record's header; 0 is a commit mark there.
enum class ObjectKind : uint8_t { kMark = 0, kChunk = 1, kBlob = 2, kTree = 3 };

inline constexpr size_t kIdBytes = sizeof(ObjectId);
inline constexpr size_t kObjectBytesMax = size_t{32} * 1024 * 1024;

// What stands for a run of zeros in a leaf of a blob.
inline constexpr ObjectId kZerosId{};

ObjectId NameOf(ObjectKind kind, std::span<const uint8_t> bytes);

std::string HexOf(const ObjectId& id);

ObjectId LoadId(const uint8_t* bytes);

// Ids are hashes already.
struct IdHash {
  size_t operator()(const ObjectId& id) const {
    size_t word;
    std::memcpy(&word, id.data(), sizeof word);
    return word;
  }
};

}  // namespace gdo::store
