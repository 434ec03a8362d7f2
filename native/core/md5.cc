#include "core/md5.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/little_endian.h"

namespace gdo {
namespace {

using State = std::array<uint32_t, 4>;

constexpr size_t kMessageBlockBytes = 64;
constexpr int kRotations[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

// The RFC's own rule for its table.
uint32_t SineWord(size_t step) {
  return static_cast<uint32_t>(
      std::floor(4294967296.0 * std::abs(std::sin(static_cast<double>(step + 1)))));
}

struct Step {
  uint32_t mixed;
  size_t word;
};

Step StepOf(size_t step, uint32_t b, uint32_t c, uint32_t d) {
  switch (step / 16) {
    case 0:
      return {(b & c) | (~b & d), step};
    case 1:
      return {(d & b) | (~d & c), (5 * step + 1) % 16};
    case 2:
      return {b ^ c ^ d, (3 * step + 5) % 16};
    default:
      return {c ^ (b | ~d), (7 * step) % 16};
  }
}

void Absorb(State& state, const uint8_t* block) {
  auto [a, b, c, d] = state;
  for (size_t step = 0; step < 64; ++step) {
    const auto [mixed, word] = StepOf(step, b, c, d);
    const uint32_t sum = a + mixed + SineWord(step) + LoadLittle32(block + 4 * word);
    a = d;
    d = c;
    c = b;
    b += std::rotl(sum, kRotations[step / 16][step % 4]);
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
}

}  // namespace

Md5Digest Md5(std::span<const uint8_t> bytes) {
  std::vector<uint8_t> padded(bytes.begin(), bytes.end());
  padded.push_back(0x80);
  while (padded.size() % kMessageBlockBytes != kMessageBlockBytes - 8) padded.push_back(0);
  const uint64_t bits = uint64_t{bytes.size()} * 8;
  for (int shift = 0; shift < 64; shift += 8) padded.push_back(static_cast<uint8_t>(bits >> shift));
  State state = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476};
  for (size_t at = 0; at < padded.size(); at += kMessageBlockBytes)
    Absorb(state, padded.data() + at);
  Md5Digest digest;
  for (size_t word = 0; word < 4; ++word) StoreLittle32(digest.data() + 4 * word, state[word]);
  return digest;
}

}  // namespace gdo
