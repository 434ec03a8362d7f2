// Where a record lies.
#pragma once

#include <cstdint>
#include <tuple>

namespace gdo::store {

// `record_bytes` is never 0.
struct Place {
  uint32_t pack;
  uint32_t offset;
  uint32_t record_bytes;

  bool operator==(const Place&) const = default;
};

// Where an id occurs twice, the later record counts [T10].
inline bool IsLater(const Place& place, const Place& other) {
  return std::tie(place.pack, place.offset) > std::tie(other.pack, other.offset);
}

}  // namespace gdo::store
