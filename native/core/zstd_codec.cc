#include "core/zstd_codec.h"

#include <zstd.h>

namespace gdo {

ZstdCodec::ZstdCodec() : compressor_(ZSTD_createCCtx()), decompressor_(ZSTD_createDCtx()) {}

void ZstdCodec::Free::operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
void ZstdCodec::Free::operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }

std::optional<std::vector<uint8_t>> ZstdCodec::Compress(std::span<const uint8_t> bytes, int level) {
  if (compressor_ == nullptr || !IsLevel(level)) return std::nullopt;
  std::vector<uint8_t> frame(ZSTD_compressBound(bytes.size()));
  const size_t size = ZSTD_compressCCtx(compressor_.get(), frame.data(), frame.size(), bytes.data(),
                                        bytes.size(), level);
  if (ZSTD_isError(size) != 0) return std::nullopt;
  frame.resize(size);
  return frame;
}

bool ZstdCodec::Decompress(std::span<const uint8_t> frame, std::span<uint8_t> out) {
  if (decompressor_ == nullptr) return false;
  // zstd itself would take several frames in a row, also empty ones; a record holds one.
  if (ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size()) return false;
  return ZSTD_decompressDCtx(decompressor_.get(), out.data(), out.size(), frame.data(),
                             frame.size()) == out.size();
}

bool ZstdCodec::IsLevel(int level) { return level >= 1 && level <= ZSTD_maxCLevel(); }

std::string_view ZstdCodec::LibraryVersion() { return ZSTD_versionString(); }

}  // namespace gdo
