// Runs of zeros: never stored as data [T4][T7].
#pragma once

#include <cstring>
#include <span>

namespace gdo::store {

// Also true of no bytes.
inline bool IsAllZero(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return true;
  return bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

}  // namespace gdo::store
