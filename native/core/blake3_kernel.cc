#include "core/blake3_kernel.h"

#include "core/blake3_lanes.h"
#include "core/kernel.h"
#include "core/little_endian.h"

namespace gdo::blake3 {

Block Compress(const ChainingValue& cv, const Block& block, const BlockInfo& info) {
  uint32_t message[16];
  uint32_t state[16];
  for (size_t word = 0; word < 16; ++word) message[word] = block[word];
  for (size_t word = 0; word < 8; ++word) state[word] = cv[word];
  for (size_t word = 0; word < 4; ++word) state[8 + word] = kInitialValue[word];
  state[12] = static_cast<uint32_t>(info.counter);
  state[13] = static_cast<uint32_t>(info.counter >> 32);
  state[14] = info.block_bytes;
  state[15] = info.flags;
  Lanes<1>::Permute(state, message);
  Block out;
  for (size_t word = 0; word < 8; ++word) {
    out[word] = state[word] ^ state[8 + word];
    out[8 + word] = state[8 + word] ^ cv[word];
  }
  return out;
}

void HashChunks(const uint8_t* bytes, size_t count, const ChainingValue& key, uint64_t counter,
                uint32_t flags, ChainingValue* out) {
  ActiveKernel().hash_chunks(bytes, count, key.data(), counter, flags, out->data());
}

void HashParents(const ChainingValue* children, size_t count, const ChainingValue& key,
                 uint32_t flags, ChainingValue* out) {
  ActiveKernel().hash_parents(children->data(), count, key.data(), flags, out->data());
}

Block LoadBlock(const uint8_t* bytes, size_t size) {
  uint8_t padded[kBlockBytes] = {};
  if (size != 0) std::memcpy(padded, bytes, size);
  Block block;
  for (size_t word = 0; word < 16; ++word) block[word] = LoadLittle32(padded + 4 * word);
  return block;
}

}  // namespace gdo::blake3
