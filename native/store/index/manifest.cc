#include "store/index/manifest.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/crc32c.h"
#include "core/little_endian.h"
#include "store/file.h"

namespace gdo::store {
namespace {

// magic 8 | version 1 | zero 3 | runs 4 | ids 8 | last run 4 | last pack 4 | per run, below |
// CRC 4 run = number 4 | checksum of its tail 4 | its bytes 8 | packs 4 | per pack: number 4, bytes
// 4
constexpr std::array<uint8_t, 8> kManifestMagic = {0x89, 'g', 'd', 'o', 'i', 'd', 'x', 0x0a};
constexpr uint8_t kManifestVersion = 1;
constexpr size_t kHeadBytes = 32;
constexpr size_t kRunBytes = 20;
constexpr size_t kPackBytes = 8;
constexpr uint64_t kIdsUnknown = UINT64_MAX;

void Append32(Bytes& bytes, uint32_t word) {
  bytes.resize(bytes.size() + 4);
  StoreLittle32(bytes.data() + bytes.size() - 4, word);
}

void Append64(Bytes& bytes, uint64_t word) {
  Append32(bytes, static_cast<uint32_t>(word));
  Append32(bytes, static_cast<uint32_t>(word >> 32));
}

// Takes a run from the front; empty where the bytes end before.
std::optional<ManifestRun> TakeRun(std::span<const uint8_t>& bytes) {
  if (bytes.size() < kRunBytes) return std::nullopt;
  ManifestRun run;
  run.number = LoadLittle32(bytes.data());
  run.tail_crc = LoadLittle32(bytes.data() + 4);
  run.file_bytes = LoadLittle64(bytes.data() + 8);
  const uint32_t packs = LoadLittle32(bytes.data() + 16);
  bytes = bytes.subspan(kRunBytes);
  if (bytes.size() / kPackBytes < packs) return std::nullopt;
  run.packs.resize(packs);
  for (SealedPack& pack : run.packs) {
    pack = {LoadLittle32(bytes.data()), LoadLittle32(bytes.data() + 4)};
    bytes = bytes.subspan(kPackBytes);
  }
  return run;
}

}  // namespace

Bytes EncodeManifest(const Manifest& manifest) {
  Bytes bytes(kManifestMagic.begin(), kManifestMagic.end());
  bytes.push_back(kManifestVersion);
  bytes.resize(bytes.size() + 3);
  Append32(bytes, static_cast<uint32_t>(manifest.runs.size()));
  Append64(bytes, manifest.ids.value_or(kIdsUnknown));
  Append32(bytes, manifest.last_run);
  Append32(bytes, manifest.last_pack);
  for (const ManifestRun& run : manifest.runs) {
    Append32(bytes, run.number);
    Append32(bytes, run.tail_crc);
    Append64(bytes, run.file_bytes);
    Append32(bytes, static_cast<uint32_t>(run.packs.size()));
    for (const SealedPack& pack : run.packs) {
      Append32(bytes, pack.pack);
      Append32(bytes, pack.bytes);
    }
  }
  Append32(bytes, Crc32c(bytes));
  return bytes;
}

std::optional<Manifest> DecodeManifest(std::span<const uint8_t> bytes) {
  if (bytes.size() < kHeadBytes + kCrcBytes) return std::nullopt;
  const auto body = bytes.first(bytes.size() - kCrcBytes);
  if (!std::equal(kManifestMagic.begin(), kManifestMagic.end(), body.begin()) ||
      body[8] != kManifestVersion || LoadLittle32(bytes.data() + body.size()) != Crc32c(body)) {
    return std::nullopt;
  }
  Manifest manifest;
  const uint32_t runs = LoadLittle32(body.data() + 12);
  const uint64_t ids = LoadLittle64(body.data() + 16);
  manifest.ids = ids == kIdsUnknown ? std::nullopt : std::optional(ids);
  manifest.last_run = LoadLittle32(body.data() + 24);
  manifest.last_pack = LoadLittle32(body.data() + 28);
  auto rest = body.subspan(kHeadBytes);
  for (uint32_t count = 0; count < runs; ++count) {
    std::optional<ManifestRun> run = TakeRun(rest);
    if (!run.has_value()) return std::nullopt;
    manifest.runs.push_back(std::move(*run));
  }
  if (!rest.empty()) return std::nullopt;
  return manifest;
}

Outcome ReadManifest(const std::string& path, Manifest& out) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file.IsOpen() || fstat(file.Fd(), &status) != 0) return SystemFault("cannot read " + path);
  Bytes bytes(static_cast<size_t>(status.st_size));
  const ssize_t count = ReadAt(file.Fd(), bytes, 0);
  if (count < 0) return SystemFault("cannot read " + path);
  std::optional<Manifest> manifest =
      DecodeManifest(std::span(bytes).first(static_cast<size_t>(count)));
  if (!manifest.has_value()) return Corrupt("it is damaged, or of another version");
  out = std::move(*manifest);
  return std::nullopt;
}

Outcome ReplaceManifest(const std::string& path, const Manifest& manifest) {
  const std::string fresh = path + ".tmp";
  const File file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.IsOpen()) return SystemFault("cannot make " + fresh);
  if (!WriteAt(file.Fd(), EncodeManifest(manifest), 0)) return SystemFault("cannot write " + fresh);
  if (fdatasync(file.Fd()) != 0) return SystemFault("cannot make " + fresh + " durable");
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return SystemFault("cannot write " + path);
  return std::nullopt;
}

}  // namespace gdo::store
