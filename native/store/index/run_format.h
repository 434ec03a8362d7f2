// The end of a run: where its groups begin, which packs it covers [T9]. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "store/record.h"

namespace gdo::store {

// How many rows of a run lie in a pack.
struct PackRows {
  uint32_t pack;
  uint32_t rows;
};

struct RunTail {
  uint32_t number = 0;
  uint64_t rows = 0;             // Never 0.
  std::vector<uint64_t> fences;  // Of each group, the prefix of its first id.
  std::vector<PackRows> packs;   // That the run covers, ascending; all rows lie in them.
};

inline constexpr size_t kTrailerBytes = 32;

// From the number of rows.
uint64_t BlocksOf(uint64_t rows);
uint64_t GroupsOf(uint64_t rows);
// Where the tail begins.
uint64_t PagesBytes(uint64_t rows);

Bytes EncodeRunTail(const RunTail& tail);

// How long the tail is that ends with this trailer; empty where none can be, or of a newer version.
std::optional<uint64_t> RunTailBytes(std::span<const uint8_t, kTrailerBytes> trailer);
// Of a whole tail; empty when any byte of it is damaged.
std::optional<RunTail> DecodeRunTail(std::span<const uint8_t> bytes);
// The tail's checksum, by which a manifest knows the run.
uint32_t RunTailCrc(std::span<const uint8_t> bytes);

}  // namespace gdo::store
