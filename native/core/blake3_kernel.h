// BLAKE3's compression, for any number of inputs side by side, by the active kernel of kernel.h.
// Everything above it (chunks, tree, modes) is in blake3.h. Source: the BLAKE3 paper (O'Connor,
// Aumasson, Neves, Wilcox-O'Hearn).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace gdo::blake3 {

inline constexpr size_t kBlockBytes = 64;
inline constexpr size_t kChunkBytes = 1024;
inline constexpr size_t kOutBytes = 32;

using ChainingValue = std::array<uint32_t, 8>;
using Block = std::array<uint32_t, 16>;

// Domain flags of section 2.2 of the paper.
inline constexpr uint32_t kChunkStart = 1;
inline constexpr uint32_t kChunkEnd = 2;
inline constexpr uint32_t kParent = 4;
inline constexpr uint32_t kRoot = 8;
inline constexpr uint32_t kKeyedHash = 16;
inline constexpr uint32_t kDeriveKeyContext = 32;
inline constexpr uint32_t kDeriveKeyMaterial = 64;

inline constexpr ChainingValue kInitialValue = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                                                0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};

struct BlockInfo {
  uint64_t counter;
  uint32_t block_bytes;
  uint32_t flags;
};

// One block, all 16 words of output: the first 8 are the next chaining value, all 16 are root
// output.
Block Compress(const ChainingValue& cv, const Block& block, const BlockInfo& info);

// Chaining values of `count` whole chunks that follow each other in memory, the first of them being
// chunk number `counter` of its input.
void HashChunks(const uint8_t* bytes, size_t count, const ChainingValue& key, uint64_t counter,
                uint32_t flags, ChainingValue* out);

// Joins 2 * `count` chaining values pairwise. `out` may be `children`.
void HashParents(const ChainingValue* children, size_t count, const ChainingValue& key,
                 uint32_t flags, ChainingValue* out);

// The little-endian words of up to 64 bytes, the rest zero.
Block LoadBlock(const uint8_t* bytes, size_t size);

}  // namespace gdo::blake3
