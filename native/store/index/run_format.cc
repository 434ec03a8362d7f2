#include "store/index/run_format.h"

#include <algorithm>
#include <array>

#include "core/crc32c.h"
#include "core/little_endian.h"
#include "store/index/page.h"

namespace gdo::store {
namespace {

// tail = fence 8 * groups | (pack 4, rows 4) * packs | trailer
// trailer = magic 8 | version 1 | zero 3 | number 4 | rows 8 | packs 4 | CRC of the tail so far 4
constexpr std::array<uint8_t, 8> kRunMagic = {0x89, 'g', 'd', 'o', 'r', 'u', 'n', 0x0a};
constexpr uint8_t kRunVersion = 1;
constexpr size_t kFencePrefixBytes = 8;
constexpr size_t kPackRowsBytes = 8;
// 16 PB of chunks; keeps what follows from it within bounds.
constexpr uint64_t kRowsMax = uint64_t{1} << 38;
constexpr uint32_t kPacksMax = uint32_t{1} << 28;

uint64_t Divide(uint64_t rows, uint64_t per) { return (rows + per - 1) / per; }

uint64_t TailBytes(uint64_t rows, uint32_t packs) {
  return GroupsOf(rows) * kFencePrefixBytes + uint64_t{packs} * kPackRowsBytes + kTrailerBytes;
}

void StoreLittle64(uint8_t* bytes, uint64_t word) {
  StoreLittle32(bytes, static_cast<uint32_t>(word));
  StoreLittle32(bytes + 4, static_cast<uint32_t>(word >> 32));
}

}  // namespace

uint64_t BlocksOf(uint64_t rows) { return Divide(rows, kRowsPerBlock); }
uint64_t GroupsOf(uint64_t rows) { return Divide(rows, kRowsPerGroup); }
uint64_t PagesBytes(uint64_t rows) { return (BlocksOf(rows) + GroupsOf(rows)) * kPageBytes; }

Bytes EncodeRunTail(const RunTail& tail) {
  Bytes bytes(TailBytes(tail.rows, static_cast<uint32_t>(tail.packs.size())));
  uint8_t* at = bytes.data();
  for (const uint64_t fence : tail.fences) {
    StoreLittle64(at, fence);
    at += kFencePrefixBytes;
  }
  for (const PackRows& pack : tail.packs) {
    StoreLittle32(at, pack.pack);
    StoreLittle32(at + 4, pack.rows);
    at += kPackRowsBytes;
  }
  std::copy(kRunMagic.begin(), kRunMagic.end(), at);
  at[8] = kRunVersion;
  StoreLittle32(at + 12, tail.number);
  StoreLittle64(at + 16, tail.rows);
  StoreLittle32(at + 24, static_cast<uint32_t>(tail.packs.size()));
  StoreLittle32(at + 28, Crc32c(std::span(bytes).first(bytes.size() - kCrcBytes)));
  return bytes;
}

std::optional<uint64_t> RunTailBytes(std::span<const uint8_t, kTrailerBytes> trailer) {
  if (!std::equal(kRunMagic.begin(), kRunMagic.end(), trailer.begin())) return std::nullopt;
  const uint64_t rows = LoadLittle64(trailer.data() + 16);
  const uint32_t packs = LoadLittle32(trailer.data() + 24);
  if (trailer[8] != kRunVersion || rows == 0 || rows > kRowsMax || packs > kPacksMax) {
    return std::nullopt;
  }
  return TailBytes(rows, packs);
}

std::optional<RunTail> DecodeRunTail(std::span<const uint8_t> bytes) {
  if (bytes.size() < kTrailerBytes) return std::nullopt;
  const auto trailer = bytes.last<kTrailerBytes>();
  if (RunTailBytes(trailer) != bytes.size()) return std::nullopt;
  if (RunTailCrc(bytes) != Crc32c(bytes.first(bytes.size() - kCrcBytes))) return std::nullopt;
  RunTail tail;
  tail.number = LoadLittle32(trailer.data() + 12);
  tail.rows = LoadLittle64(trailer.data() + 16);
  tail.fences.resize(GroupsOf(tail.rows));
  tail.packs.resize(LoadLittle32(trailer.data() + 24));
  const uint8_t* at = bytes.data();
  for (uint64_t& fence : tail.fences) {
    fence = LoadLittle64(at);
    at += kFencePrefixBytes;
  }
  for (PackRows& pack : tail.packs) {
    pack = {LoadLittle32(at), LoadLittle32(at + 4)};
    at += kPackRowsBytes;
  }
  return tail;
}

uint32_t RunTailCrc(std::span<const uint8_t> bytes) {
  return LoadLittle32(bytes.data() + bytes.size() - kCrcBytes);
}

}  // namespace gdo::store
