// BLAKE3: hash, keyed hash and key derivation, incremental, of any length. Every name in the store
// is made with it [T1].
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/blake3_kernel.h"

namespace gdo {

class Blake3 {
 public:
  using Digest = std::array<uint8_t, blake3::kOutBytes>;

  static Blake3 Hash();
  static Blake3 Keyed(std::span<const uint8_t, 32> key);
  static Blake3 DeriveKey(std::string_view context);

  void Update(std::span<const uint8_t> bytes);

  // The output stream from its start; `out` may be of any length. Leaves the state as it was.
  void Finish(std::span<uint8_t> out) const;
  Digest Finish() const;

 private:
  // A node of the tree whose last compression is still open, because it may turn out the root's.
  struct Node {
    blake3::ChainingValue cv;
    blake3::Block block;
    blake3::BlockInfo info;

    blake3::ChainingValue Close() const;
  };

  // 2^54 chunks are 2^64 bytes: a complete tree is at most 54 deep, and one subtree may wait.
  static constexpr size_t kStackMax = 55;

  Blake3(const blake3::ChainingValue& key, uint32_t flags);

  void FillChunk(std::span<const uint8_t>& bytes);
  void AbsorbChunks(std::span<const uint8_t>& bytes);
  size_t AbsorbSubtree(std::span<blake3::ChainingValue> cvs);
  void CloseChunk();
  void Push(const blake3::ChainingValue& cv, uint64_t chunks_before);
  void MergeStack(uint64_t chunks_before);
  Node ChunkNode(uint32_t end) const;
  Node ParentOf(const blake3::ChainingValue& left, const blake3::ChainingValue& right) const;
  Node Root() const;

  const blake3::ChainingValue key_;
  const uint32_t flags_;

  // The chunk in progress. Its last block stays in `buffer_` until more bytes follow.
  blake3::ChainingValue chunk_cv_;
  uint64_t chunk_counter_ = 0;
  size_t chunk_bytes_ = 0;
  std::array<uint8_t, blake3::kBlockBytes> buffer_;
  size_t buffer_bytes_ = 0;

  // Roots of the complete subtrees to the left, largest first. The newest is joined only when more
  // input follows, since the join of the last two may be the root.
  std::array<blake3::ChainingValue, kStackMax> stack_;
  size_t stack_size_ = 0;
};

}  // namespace gdo
