// CRC-32C (Castagnoli, as in RFC 3720 appendix B.4): finds torn and damaged records [T7]. Not a
// name: a chunk's id is its BLAKE3.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace gdo {

// CRC of `bytes`, continuing from `crc`, the CRC of what came before.
uint32_t Crc32c(std::span<const uint8_t> bytes, uint32_t crc = 0);

// The same by tables, whatever the processor can do.
uint32_t Crc32cPortable(std::span<const uint8_t> bytes, uint32_t crc = 0);

std::string_view Crc32cKernelName();

}  // namespace gdo
