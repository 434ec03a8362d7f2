// zstd frames as they come, in steps of bounded output. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

struct ZSTD_DCtx_s;

namespace gdo {

class ZstdStream {
 public:
  struct Step {
    size_t used_bytes;
    size_t written_bytes;
    // Every frame so far has been read to its end and written out.
    bool is_whole;
  };

  ZstdStream();

  // Empty when `in` is no zstd, or its window would take more than 128 MiB; the stream is then of
  // no further use. When `out` was filled, more may come without more input.
  std::optional<Step> Advance(std::span<const uint8_t> in, std::span<uint8_t> out);

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const;
  };

  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
  bool is_whole_ = true;
};

}  // namespace gdo
