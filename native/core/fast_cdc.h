// FastCDC, as others cut: W. Xia et al., "FastCDC: a Fast and Efficient Content-Defined Chunking
// Approach for Data Deduplication" (USENIX ATC 2016), and the form of 2020 (IEEE TPDS) that rolls
// two bytes at a time. Both cut alike, except that the later form does not look at the last byte of
// an odd length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace gdo {

struct FastCdc {
  size_t bytes_min;
  size_t bytes_average;
  size_t bytes_max;
  uint64_t mask_small;  // Before the average: harder to meet.
  uint64_t mask_large;
};

// The parameters for bounds and a normalization level of 0 to 3: `level` more bits of the mask than
// log2 of the average (rounded) before the average, as many fewer after it. The average is 2^8 to
// 2^18 bytes.
FastCdc FastCdcOf(size_t bytes_min, size_t bytes_average, size_t bytes_max, int level);

// Length of the first chunk of `bytes`, which must not be empty.
size_t FastCdc2016Cut(const FastCdc& rule, std::span<const uint8_t> bytes);
size_t FastCdc2020Cut(const FastCdc& rule, std::span<const uint8_t> bytes);

// The random number that stands for a byte: the first eight bytes of the MD5 of 64 such bytes.
uint64_t GearOf(uint8_t byte);

}  // namespace gdo
