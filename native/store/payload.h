// How an object's bytes are stored in a record: as they are, as a run of zeros, compressed, or
// compressed against other chunks [T6][T7].
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "store/record.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace gdo::store {

// How hard to look for what two chunks have in common.
enum class Effort : uint8_t {
  kQuick,     // Against what is nearly the same.
  kThorough,  // As without bases.
};

// zstd contexts and scratch memory. One thread at a time.
class PayloadCodec {
 public:
  PayloadCodec();

  // The whole record, in the smallest of the forms that need no other object.
  Bytes EncodeRecord(ObjectKind kind, const ObjectId& id, std::span<const uint8_t> bytes);

  // One zstd frame of `bytes`, which may refer to `prefix`. Empty where it is not smaller, or where
  // a look says that it would not be (only without prefix).
  Bytes Compress(std::span<const uint8_t> bytes, std::span<const uint8_t> prefix, Effort effort);

  // Whether a look at some of it says that nothing makes it smaller but something that is like it.
  bool IsIncompressible(std::span<const uint8_t> bytes);

  // The object's bytes again; not yet checked against the id. `out` has header.raw_bytes, `prefix`
  // is what the record leans on. False when the payload is broken.
  bool Decode(const RecordHeader& header, std::span<const uint8_t> payload,
              std::span<const uint8_t> prefix, std::span<uint8_t> out);

  // Chunks to lean on, end to end. Stands until the next call; one alone is not copied.
  std::span<const uint8_t> Join(std::span<const std::span<const uint8_t>> chunks);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
    void operator()(ZSTD_DCtx_s* context) const;
  };

  size_t CompressInto(std::span<const uint8_t> bytes, std::span<const uint8_t> prefix);
  void SetLevel(int level);
  void SetQuick();

  std::unique_ptr<ZSTD_CCtx_s, Free> compressor_;
  std::unique_ptr<ZSTD_DCtx_s, Free> decompressor_;
  RawBytes frame_;
  RawBytes prefix_;
};

// A whole record; its length and number of bases are set in `header`.
Bytes MakeRecord(RecordHeader header, std::span<const ObjectId> bases,
                 std::span<const uint8_t> payload);

// Codecs that threads borrow: as many are made as are ever in use at once.
class CodecPool {
 public:
  class Lease {
   public:
    explicit Lease(CodecPool& pool) : pool_(pool), codec_(pool.Take()) {}
    ~Lease() { pool_.Give(std::move(codec_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    PayloadCodec* operator->() const { return codec_.get(); }

   private:
    CodecPool& pool_;
    std::unique_ptr<PayloadCodec> codec_;
  };

 private:
  std::unique_ptr<PayloadCodec> Take();
  void Give(std::unique_ptr<PayloadCodec> codec);

  std::mutex mutex_;
  std::vector<std::unique_ptr<PayloadCodec>> free_;
};

}  // namespace gdo::store
