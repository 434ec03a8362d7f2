#include "core/zstd_stream.h"

#include <zstd.h>

namespace gdo {
namespace {

constexpr int kWindowLogMax =
    27;  // 128 MiB, what zstd itself writes at most unless told otherwise.

}  // namespace

ZstdStream::ZstdStream() : context_(ZSTD_createDCtx()) {
  if (context_ == nullptr) return;
  const size_t result = ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kWindowLogMax);
  if (ZSTD_isError(result) != 0) context_.reset();
}

void ZstdStream::Free::operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }

std::optional<ZstdStream::Step> ZstdStream::Advance(std::span<const uint8_t> in,
                                                    std::span<uint8_t> out) {
  if (context_ == nullptr) return std::nullopt;
  ZSTD_inBuffer input{in.data(), in.size(), 0};
  ZSTD_outBuffer output{out.data(), out.size(), 0};
  const size_t result = ZSTD_decompressStream(context_.get(), &output, &input);
  if (ZSTD_isError(result) != 0) return std::nullopt;
  // Between two frames zstd asks for the next header: a call without progress says nothing new.
  if (input.pos > 0 || output.pos > 0) is_whole_ = result == 0;
  return Step{input.pos, output.pos, is_whole_};
}

}  // namespace gdo
