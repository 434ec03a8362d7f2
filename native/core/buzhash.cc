#include "core/buzhash.h"

#include <algorithm>
#include <bit>

#include "core/buzhash_table.h"

namespace gdo {
namespace {

constexpr size_t kWindow = 48;

}  // namespace

Buzhash BuzhashOf(size_t bytes_average) {
  // casync's own fit: least and greatest length move the mean away from the divisor.
  const auto average = static_cast<double>(bytes_average);
  const auto divisor = static_cast<uint32_t>(average / (-1.42888852e-7 * average + 1.33237515));
  return {bytes_average / 4, bytes_average * 4, divisor};
}

size_t BuzhashCut(const Buzhash& rule, std::span<const uint8_t> bytes) {
  if (bytes.size() <= rule.bytes_min) return bytes.size();
  const size_t last = std::min(bytes.size(), rule.bytes_max);
  uint32_t hash = 0;
  for (size_t at = rule.bytes_min - kWindow; at < rule.bytes_min; ++at) {
    hash = std::rotl(hash, 1) ^ kBuzhashTable[bytes[at]];
  }
  for (size_t length = rule.bytes_min; length < last; ++length) {
    if (hash % rule.divisor == rule.divisor - 1) return length;
    const uint32_t leaving = kBuzhashTable[bytes[length - kWindow]];
    hash = std::rotl(hash, 1) ^ std::rotl(leaving, static_cast<int>(kWindow % 32)) ^
           kBuzhashTable[bytes[length]];
  }
  return last;
}

}  // namespace gdo
