// MD5 (RFC 1321), only to derive FastCDC's table of random numbers: it protects nothing here.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace gdo {

using Md5Digest = std::array<uint8_t, 16>;

Md5Digest Md5(std::span<const uint8_t> bytes);

}  // namespace gdo
