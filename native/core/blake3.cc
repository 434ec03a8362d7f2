#include "core/blake3.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/little_endian.h"

namespace gdo {
namespace {

using blake3::Block;
using blake3::BlockInfo;
using blake3::ChainingValue;
using blake3::kBlockBytes;
using blake3::kChunkBytes;

// Chunks hashed in one go: enough to fill every kernel's lanes, small enough for the stack.
constexpr size_t kBatchChunksMax = 128;

ChainingValue WordsOf(std::span<const uint8_t, 32> key) {
  ChainingValue words;
  for (size_t word = 0; word < 8; ++word) words[word] = LoadLittle32(key.data() + 4 * word);
  return words;
}

ChainingValue FirstHalf(const Block& block) {
  ChainingValue half;
  std::copy_n(block.begin(), half.size(), half.begin());
  return half;
}

// How many of `chunks` chunks form one complete subtree that starts at chunk `counter`.
size_t SubtreeChunks(uint64_t counter, size_t chunks) {
  size_t size = std::bit_floor(chunks);
  while ((counter & (size - 1)) != 0) size /= 2;
  return size;
}

}  // namespace

Blake3::Blake3(const ChainingValue& key, uint32_t flags)
    : key_(key), flags_(flags), chunk_cv_(key) {}

Blake3 Blake3::Hash() { return {blake3::kInitialValue, 0}; }

Blake3 Blake3::Keyed(std::span<const uint8_t, 32> key) {
  return {WordsOf(key), blake3::kKeyedHash};
}

Blake3 Blake3::DeriveKey(std::string_view context) {
  Blake3 hash(blake3::kInitialValue, blake3::kDeriveKeyContext);
  hash.Update({reinterpret_cast<const uint8_t*>(context.data()), context.size()});
  const Digest key = hash.Finish();
  return {WordsOf(key), blake3::kDeriveKeyMaterial};
}

void Blake3::Update(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return;
  if (chunk_bytes_ != 0) {
    FillChunk(bytes);
    if (bytes.empty()) return;
    CloseChunk();
  }
  while (bytes.size() > kChunkBytes) AbsorbChunks(bytes);
  if (bytes.empty()) return;
  MergeStack(chunk_counter_);
  FillChunk(bytes);
}

// Takes at most the rest of the chunk.
void Blake3::FillChunk(std::span<const uint8_t>& bytes) {
  size_t room = std::min(kChunkBytes - chunk_bytes_, bytes.size());
  while (room != 0) {
    if (buffer_bytes_ == kBlockBytes) {
      chunk_cv_ = ChunkNode(0).Close();
      buffer_bytes_ = 0;
    }
    const size_t take = std::min(kBlockBytes - buffer_bytes_, room);
    std::memcpy(buffer_.data() + buffer_bytes_, bytes.data(), take);
    buffer_bytes_ += take;
    chunk_bytes_ += take;
    bytes = bytes.subspan(take);
    room -= take;
  }
}

void Blake3::CloseChunk() {
  Push(ChunkNode(blake3::kChunkEnd).Close(), chunk_counter_);
  chunk_counter_ += 1;
  chunk_cv_ = key_;
  chunk_bytes_ = 0;
  buffer_bytes_ = 0;
}

// Hashes whole chunks straight from the input, as many as there are at a time, and then joins what
// forms complete subtrees. More than a chunk is left, so that none of them is the root.
void Blake3::AbsorbChunks(std::span<const uint8_t>& bytes) {
  const size_t chunks = std::min(bytes.size() / kChunkBytes, kBatchChunksMax);
  ChainingValue cvs[kBatchChunksMax];
  blake3::HashChunks(bytes.data(), chunks, key_, chunk_counter_, flags_, cvs);
  for (size_t done = 0; done < chunks;) done += AbsorbSubtree({cvs + done, chunks - done});
  bytes = bytes.subspan(chunks * kChunkBytes);
}

// Takes the largest complete subtree that begins with the next chunk, and gives its size. It is
// left as its two halves, because it may be all there is.
size_t Blake3::AbsorbSubtree(std::span<ChainingValue> cvs) {
  const size_t chunks = SubtreeChunks(chunk_counter_, cvs.size());
  for (size_t width = chunks; width > 2; width /= 2) {
    blake3::HashParents(cvs.data(), width / 2, key_, flags_, cvs.data());
  }
  Push(cvs[0], chunk_counter_);
  if (chunks > 1) Push(cvs[1], chunk_counter_ + chunks / 2);
  chunk_counter_ += chunks;
  return chunks;
}

void Blake3::Push(const ChainingValue& cv, uint64_t chunks_before) {
  MergeStack(chunks_before);
  stack_[stack_size_++] = cv;
}

// A set bit of the chunk count is one complete subtree; what is more is due to be joined.
void Blake3::MergeStack(uint64_t chunks_before) {
  while (stack_size_ > static_cast<size_t>(std::popcount(chunks_before))) {
    stack_[stack_size_ - 2] = ParentOf(stack_[stack_size_ - 2], stack_[stack_size_ - 1]).Close();
    stack_size_ -= 1;
  }
}

ChainingValue Blake3::Node::Close() const { return FirstHalf(Compress(cv, block, info)); }

// The chunk in progress with its buffered block, which is the chunk's last if `end` says so.
Blake3::Node Blake3::ChunkNode(uint32_t end) const {
  const uint32_t start = chunk_bytes_ == buffer_bytes_ ? blake3::kChunkStart : 0;
  return {chunk_cv_, blake3::LoadBlock(buffer_.data(), buffer_bytes_),
          BlockInfo{chunk_counter_, static_cast<uint32_t>(buffer_bytes_), flags_ | start | end}};
}

Blake3::Node Blake3::ParentOf(const ChainingValue& left, const ChainingValue& right) const {
  Block block;
  std::copy(left.begin(), left.end(), block.begin());
  std::copy(right.begin(), right.end(), block.begin() + 8);
  return {key_, block, BlockInfo{0, kBlockBytes, flags_ | blake3::kParent}};
}

// Joins what is open with all that stands to its left.
Blake3::Node Blake3::Root() const {
  const bool has_chunk = chunk_bytes_ != 0 || stack_size_ == 0;
  size_t left = has_chunk ? stack_size_ : stack_size_ - 2;
  Node node = has_chunk ? ChunkNode(blake3::kChunkEnd) : ParentOf(stack_[left], stack_[left + 1]);
  while (left != 0) node = ParentOf(stack_[--left], node.Close());
  return node;
}

void Blake3::Finish(std::span<uint8_t> out) const {
  Node root = Root();
  root.info.flags |= blake3::kRoot;
  for (root.info.counter = 0; !out.empty(); ++root.info.counter) {
    const Block block = Compress(root.cv, root.block, root.info);
    uint8_t bytes[kBlockBytes];
    for (size_t word = 0; word < block.size(); ++word) StoreLittle32(bytes + 4 * word, block[word]);
    const size_t take = std::min(out.size(), sizeof bytes);
    std::memcpy(out.data(), bytes, take);
    out = out.subspan(take);
  }
}

Blake3::Digest Blake3::Finish() const {
  Digest digest;
  Finish(digest);
  return digest;
}

}  // namespace gdo
