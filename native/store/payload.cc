#include "store/payload.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>

#include "store/zeros.h"

namespace gdo::store {
namespace {

constexpr int kLevel = 3;
constexpr int kProbeLevel = 1;
// Against nearly the same bytes a plain search finds nearly all that a better one would, if its
// table has room for the whole prefix; long matches are what it should find.
constexpr int kQuickLevel = 1;
constexpr int kQuickHashLog = 17;
constexpr int kQuickMatchMin = 6;
constexpr size_t kCompressBytesMin = 64;  // Below, the frame's own header eats the gain.
constexpr size_t kKeptBytesMax =
    size_t{1024} * 1024;  // Of scratch memory; a large tree needs more.
constexpr size_t kProbePieces = 4;
constexpr size_t kProbePieceBytes = 1024;

// Whether some bytes are so much more frequent than others that this alone makes them shorter. It
// costs a tenth of what zstd would to tell it. Noise has about `even` pairs of equal bytes.
bool IsUneven(std::span<const uint8_t> bytes) {
  std::array<uint32_t, 256> counts{};
  for (const uint8_t byte : bytes) ++counts[byte];
  size_t pairs = 0;
  for (const uint32_t count : counts) pairs += static_cast<size_t>(count) * count;
  const size_t even = bytes.size() + bytes.size() * bytes.size() / counts.size();
  return pairs > 2 * even;
}

}  // namespace

PayloadCodec::PayloadCodec() : compressor_(ZSTD_createCCtx()), decompressor_(ZSTD_createDCtx()) {}

void PayloadCodec::Free::operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
void PayloadCodec::Free::operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }

Bytes PayloadCodec::EncodeRecord(ObjectKind kind, const ObjectId& id,
                                 std::span<const uint8_t> bytes) {
  RecordHeader header;
  header.kind = kind;
  header.id = id;
  header.raw_bytes = static_cast<uint32_t>(bytes.size());
  if (!bytes.empty() && IsAllZero(bytes)) {
    header.codec = Codec::kZeroRun;
    return MakeRecord(header, {}, {});
  }
  const Bytes frame = Compress(bytes, {}, Effort::kThorough);
  if (frame.empty()) return MakeRecord(header, {}, bytes);
  header.codec = Codec::kZstd;
  return MakeRecord(header, {}, frame);
}

Bytes PayloadCodec::Compress(std::span<const uint8_t> bytes, std::span<const uint8_t> prefix,
                             Effort effort) {
  if (compressor_ == nullptr || bytes.size() < kCompressBytesMin) return {};
  if (prefix.empty() && IsIncompressible(bytes)) return {};
  if (effort == Effort::kQuick) {
    SetQuick();
  } else {
    SetLevel(kLevel);
  }
  const size_t size = CompressInto(bytes, prefix);
  const bool is_smaller = size != 0 && size < bytes.size();
  Bytes frame(frame_.begin(), frame_.begin() + static_cast<ptrdiff_t>(is_smaller ? size : 0));
  if (frame_.size() > kKeptBytesMax) frame_ = {};
  return frame;
}

bool PayloadCodec::Decode(const RecordHeader& header, std::span<const uint8_t> payload,
                          std::span<const uint8_t> prefix, std::span<uint8_t> out) {
  if (header.codec == Codec::kZeroRun) {
    std::fill(out.begin(), out.end(), uint8_t{0});
    return true;
  }
  if (header.codec == Codec::kRaw) {
    std::copy(payload.begin(), payload.end(), out.begin());
    return true;
  }
  if (decompressor_ == nullptr) return false;
  // zstd itself would take several frames in a row, also empty ones; a record holds one.
  if (ZSTD_findFrameCompressedSize(payload.data(), payload.size()) != payload.size()) return false;
  ZSTD_DCtx_reset(decompressor_.get(), ZSTD_reset_session_and_parameters);
  if (header.codec == Codec::kZstdBase) {
    ZSTD_DCtx_refPrefix(decompressor_.get(), prefix.data(), prefix.size());
  }
  return ZSTD_decompressDCtx(decompressor_.get(), out.data(), out.size(), payload.data(),
                             payload.size()) == out.size();
}

std::span<const uint8_t> PayloadCodec::Join(std::span<const std::span<const uint8_t>> chunks) {
  if (chunks.size() == 1) return chunks.front();
  size_t size = 0;
  for (const auto& chunk : chunks) size += chunk.size();
  if (prefix_.size() > kKeptBytesMax) prefix_ = {};
  prefix_.resize(size);
  uint8_t* at = prefix_.data();
  for (const auto& chunk : chunks) at = std::copy(chunk.begin(), chunk.end(), at);
  return prefix_;
}

// Four pieces from all over a larger object tell whether the whole is worth the time.
bool PayloadCodec::IsIncompressible(std::span<const uint8_t> bytes) {
  if (bytes.size() < 4 * kProbePieces * kProbePieceBytes) return false;
  Bytes probe;
  probe.reserve(kProbePieces * kProbePieceBytes);
  const size_t step = (bytes.size() - kProbePieceBytes) / (kProbePieces - 1);
  for (size_t piece = 0; piece < kProbePieces; ++piece) {
    const auto part = bytes.subspan(piece * step, kProbePieceBytes);
    probe.insert(probe.end(), part.begin(), part.end());
  }
  if (IsUneven(probe)) return false;
  SetLevel(kProbeLevel);
  const size_t size = CompressInto(probe, {});
  return size == 0 || size * 100 > probe.size() * 97;
}

void PayloadCodec::SetLevel(int level) {
  ZSTD_CCtx_reset(compressor_.get(), ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(compressor_.get(), ZSTD_c_compressionLevel, level);
}

void PayloadCodec::SetQuick() {
  SetLevel(kQuickLevel);
  ZSTD_CCtx_setParameter(compressor_.get(), ZSTD_c_hashLog, kQuickHashLog);
  ZSTD_CCtx_setParameter(compressor_.get(), ZSTD_c_minMatch, kQuickMatchMin);
}

// Into frame_, with the parameters that are set; 0 when zstd could not.
size_t PayloadCodec::CompressInto(std::span<const uint8_t> bytes, std::span<const uint8_t> prefix) {
  frame_.resize(std::max(frame_.size(), ZSTD_compressBound(bytes.size())));
  ZSTD_CCtx* const context = compressor_.get();
  if (!prefix.empty()) {
    // The window reaches over the whole prefix from the last byte.
    const auto window_log = static_cast<int>(std::bit_width(prefix.size() + bytes.size()));
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    ZSTD_CCtx_refPrefix(context, prefix.data(), prefix.size());
  }
  const size_t size =
      ZSTD_compress2(context, frame_.data(), frame_.size(), bytes.data(), bytes.size());
  return ZSTD_isError(size) != 0 ? 0 : size;
}

Bytes MakeRecord(RecordHeader header, std::span<const ObjectId> bases,
                 std::span<const uint8_t> payload) {
  header.stored_bytes = static_cast<uint32_t>(payload.size());
  header.bases = static_cast<uint8_t>(bases.size());
  Bytes record(header.RecordBytes());
  auto at = record.begin() + kRecordHeaderBytes;
  for (const ObjectId& base : bases) at = std::copy(base.begin(), base.end(), at);
  std::copy(payload.begin(), payload.end(), at);
  SealRecord(header, record);
  return record;
}

std::unique_ptr<PayloadCodec> CodecPool::Take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return std::make_unique<PayloadCodec>();
  std::unique_ptr<PayloadCodec> codec = std::move(free_.back());
  free_.pop_back();
  return codec;
}

void CodecPool::Give(std::unique_ptr<PayloadCodec> codec) {
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(codec));
}

}  // namespace gdo::store
