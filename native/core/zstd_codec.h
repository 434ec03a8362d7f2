// zstd in one piece, with reusable contexts. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace gdo {

class ZstdCodec {
 public:
  ZstdCodec();

  // One frame that states its content size. Empty if `level` is none that zstd knows or memory
  // does not suffice.
  std::optional<std::vector<uint8_t>> Compress(std::span<const uint8_t> bytes, int level);

  // False unless `frame` is exactly one frame and its content fills `out` exactly. `out` then holds
  // bytes of no meaning.
  bool Decompress(std::span<const uint8_t> frame, std::span<uint8_t> out);

  static bool IsLevel(int level);
  static std::string_view LibraryVersion();

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
    void operator()(ZSTD_DCtx_s* context) const;
  };

  std::unique_ptr<ZSTD_CCtx_s, Free> compressor_;
  std::unique_ptr<ZSTD_DCtx_s, Free> decompressor_;
};

}  // namespace gdo
