// The chunker of casync: a rolling hash of the last 48 bytes (Buzhash: R. Uzgalis), cut where its
// remainder by a number that follows from the average is the greatest. Here to read and write the
// chunk stores of casync and desync.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace gdo {

struct Buzhash {
  size_t bytes_min;
  size_t bytes_max;
  uint32_t divisor;
};

// casync's rule for an average of 2 KiB to 4 MiB: from a quarter of it to four times it.
Buzhash BuzhashOf(size_t bytes_average);

// Length of the first chunk of `bytes`, which must not be empty.
size_t BuzhashCut(const Buzhash& rule, std::span<const uint8_t> bytes);

}  // namespace gdo
