// Which runs the index is, and what they cover [T9]. It is replaced as a whole.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/fault.h"
#include "store/record.h"

namespace gdo::store {

// A sealed pack by its number and size: another file of its name is another pack.
struct SealedPack {
  uint32_t pack = 0;
  uint32_t bytes = 0;

  bool operator==(const SealedPack&) const = default;
};

struct ManifestRun {
  uint32_t number = 0;
  uint32_t tail_crc = 0;
  uint64_t file_bytes = 0;
  // Ascending. Rows of packs that are not named are void: the pack is gone.
  std::vector<SealedPack> packs;
};

struct Manifest {
  // How many ids the runs hold; empty when nobody has counted.
  std::optional<uint64_t> ids = 0;
  // No run has had a higher number.
  uint32_t last_run = 0;
  // No pack that was ever covered had a higher number: none is given again.
  uint32_t last_pack = 0;
  std::vector<ManifestRun> runs;
};

Bytes EncodeManifest(const Manifest& manifest);

// Empty when any byte is damaged, or it is of a version that this reader does not know.
std::optional<Manifest> DecodeManifest(std::span<const uint8_t> bytes);

// Reads it from a folder; kSystem with ENOENT when there is none, kCorrupt when it is damaged.
Outcome ReadManifest(const std::string& path, Manifest& out);

// Puts it in the place of the one before, durable as a file. Whether the new name survives a loss
// of power is for the folder's sync.
Outcome ReplaceManifest(const std::string& path, const Manifest& manifest);

}  // namespace gdo::store
